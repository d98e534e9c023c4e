"""What ``doctor`` looks at: one line for each thing that has to be right, with its cure.

Checks go from the settings outward and stop where the next would only repeat the last
failure: without a connection nothing is said about the library.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from plexsheet import __version__
from plexsheet.config import plex_token
from plexsheet.errors import OpenRun, PlexError, PlexsheetError, StateError
from plexsheet.library import KINDS

if TYPE_CHECKING:
    from plexsheet.config import Config
    from plexsheet.plex.gateway import Gateway
    from plexsheet.state.store import State

ROOM_MB = 200  # for a large library's workbook, its state and the copies made while writing
LOOKED_AT = 200  # items whose mood locks are read
PROBE_RATING = 7.4  # no whole star, so that a server that rounds shows it


@dataclass(frozen=True)
class Check:
    """One line.

    Attributes:
        ok: whether it is as it should be.
        detail: what was found.
        cure: what to do about it; "" where nothing has to be done.
        exit_code: what ``doctor`` ends with if this is not ok; 0 where export and import can
            run all the same.
    """

    name: str
    ok: bool
    detail: str
    cure: str = ""
    exit_code: int = 0

    def payload(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {name: value for name, value in asdict(self).items() if name != "exit_code"}


def examine(
    load: Callable[[], Config], *, probe: Callable[[str], bool] | None = None
) -> Iterator[Check]:
    """Check everything, line by line.

    Args:
        load: gives the settings, or raises ``ConfigError``.
        probe: asks whether one rating may be written and put back; None: nothing is written.
    """
    yield _versions()
    try:
        config = load()
    except PlexsheetError as error:
        yield _failed("config", error)
        return
    yield from _config(config)
    yield from _folders(config)
    yield _spreadsheet()
    gateway: Gateway | None = None
    for check, found in _connection(config):
        gateway = found or gateway
        yield check
    yield from _state(config, gateway, probe)


def _failed(name: str, error: PlexsheetError) -> Check:
    sentences = error.message.split(". ")
    cure = sentences[-1] if len(sentences) > 1 else ""
    return Check(name, False, error.message, cure.rstrip("."), error.exit_code)


def _versions() -> Check:
    parts = [f"plexsheet {__version__}", f"Python {platform.python_version()}"]
    for package in ("plexapi", "pandas", "numpy", "XlsxWriter"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            return Check("versions", False, f"{package} is missing", "Install plexsheet again", 2)
    return Check("versions", True, f"{', '.join(parts)}, {platform.system()}")


def _config(config: Config) -> Iterator[Check]:
    where = str(config.path) if config.path else "the environment"
    profile = f", profile {config.profile}" if config.profile else ""
    dry = ", DRY_RUN: nothing is ever written" if config.dry_run else ""
    yield Check("config", True, f"{where}{profile}, model {config.model}{dry}")
    for notice in config.notices:
        cure = notice.rpartition("Run: ")[2] if "Run: " in notice else ""
        yield Check("config", False, notice, cure)
    try:
        plex_token(config)
    except PlexsheetError as error:
        yield _failed("token", error)
        return
    kept = "the settings" if config.plex_token else "the system keyring"
    yield Check("token", True, f"found in {kept}")


def _folders(config: Config) -> Iterator[Check]:
    folder = Path(config.workbook_dir)
    problem = _unwritable(folder)
    yield Check(
        "workbook folder",
        not problem,
        problem or str(folder),
        f"Make {folder} writable, or set WORKBOOK_DIR" if problem else "",
        2 if problem else 0,
    )
    for place in sorted({_standing(folder), _standing(Path(config.state_file).parent)}):
        free = shutil.disk_usage(place).free // 2**20
        yield Check(
            "free disk",
            free >= ROOM_MB,
            f"{free:,} MB at {place}",
            "" if free >= ROOM_MB else f"Make room: at least {ROOM_MB} MB",
        )


def _standing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    absolute = folder.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())


def _unwritable(folder: Path) -> str:
    """Why nothing can be written into a folder, or ""; one that is missing would be made."""
    place = _standing(folder)
    try:
        with tempfile.TemporaryFile(dir=place):
            return ""
    except OSError as error:
        return f"{place} cannot be written to ({error.strerror})"


def _spreadsheet() -> Check:
    found = shutil.which("soffice") or shutil.which("libreoffice") or _installed_office()
    if found:
        return Check("spreadsheet program", True, str(found))
    return Check(
        "spreadsheet program",
        False,
        "neither LibreOffice nor Excel was found on this computer",
        "Install LibreOffice, or edit the workbook on another computer",
    )


def _installed_office() -> str:
    places = [
        Path("/Applications/LibreOffice.app"),
        Path("/Applications/Microsoft Excel.app"),
    ]
    if sys.platform == "win32":
        roots = [os.environ.get(name) for name in ("ProgramFiles", "ProgramFiles(x86)")]
        inside = (
            "LibreOffice/program/soffice.exe",
            "Microsoft Office/root/Office16/EXCEL.EXE",
            "Microsoft Office/Office16/EXCEL.EXE",
        )
        places += [Path(root) / name for root in roots if root for name in inside]
    return next((str(place) for place in places if place.exists()), "")


# Plex


def _connection(config: Config) -> Iterator[tuple[Check, Gateway | None]]:
    from plexsheet.plex import connect, this_client

    try:
        gateway = connect(
            config.plex_url,
            plex_token(config),
            config.library_name,
            client_id=this_client(),
            verify_tls=config.verify_tls,
        )
    except PlexsheetError as error:
        yield _failed("connection", error), None
        return
    started = time.perf_counter()
    try:
        counts = {kind: gateway.total(kind) for kind in KINDS}
        latency_ms = (time.perf_counter() - started) / len(KINDS) * 1000
        yield from _server(gateway, counts, latency_ms)
    except PlexError as error:
        yield _failed("library", error), gateway


def _server(
    gateway: Gateway, counts: dict[Any, int], latency_ms: float
) -> Iterator[tuple[Check, Gateway]]:
    identity = gateway.identity
    answers = f"{gateway.address} answers in {latency_ms:.0f} ms"
    yield Check("connection", True, answers), gateway
    named = f"{identity.server_name}, Plex Media Server {gateway.server_version}"
    yield Check("server", True, named), gateway
    yield _account(gateway), gateway
    items = ", ".join(f"{counts[kind]:,} {kind}s" for kind in KINDS)
    yield Check("library", True, f"“{identity.title}”: {items}"), gateway
    yield _maintenance(gateway), gateway


def _account(gateway: Gateway) -> Check:
    identity = gateway.identity
    if identity.owner:
        return Check("account", True, f"{identity.account}, owner of the server")
    return Check(
        "account",
        False,
        f"{identity.account} is not the owner: ratings are written one by one, without tags "
        "and dates",
        "Use the owner's token for tags and quicker writing",
    )


def _maintenance(gateway: Gateway) -> Check:
    hours = gateway.butler_hours() if gateway.identity.owner else None
    busy = ", ".join(f"{a.title} {a.subtitle}".strip() for a in gateway.activities()[:3])
    window = f"nightly upkeep from {hours[0]} to {hours[1]} h" if hours else "hours not known"
    if busy:
        return Check(
            "maintenance", False, f"{window}; the server is busy: {busy}", "Wait for it to finish"
        )
    return Check("maintenance", True, f"{window}; the server is idle")


# State


def _state(
    config: Config, gateway: Gateway | None, probe: Callable[[str], bool] | None
) -> Iterator[Check]:
    from plexsheet.state.store import open_state

    path = Path(config.state_file)
    if not path.exists() and gateway is None:
        yield Check("state", True, f"{path} will be made by the first command that needs it")
        return
    try:
        with open_state(path) as state:
            problems = state.problems()
            if problems:
                yield Check(
                    "state",
                    False,
                    f"{path} is damaged: {problems[0]}",
                    "Put a backup in its place, or move it away and run `plexsheet reconstruct`",
                    StateError.exit_code,
                )
                return
            yield Check("state", True, f"{path} is sound")
            if gateway is not None:
                yield from _of_library(state, gateway, probe)
    except PlexsheetError as error:
        yield _failed("state", error)


def _of_library(
    state: State, gateway: Gateway, probe: Callable[[str], bool] | None
) -> Iterator[Check]:
    from plexsheet.state import runs

    scope = state.scope(gateway.identity)
    run = runs.open_run(state, scope)
    if run is None:
        yield Check("open run", True, "none")
    else:
        yield Check(
            "open run",
            False,
            f"run {run.id} ({run.kind}) stopped after {run.ended:,} of {run.total:,}",
            "Run `plexsheet resume`, or `plexsheet resume --take-back`",
            OpenRun.exit_code,
        )
    yield _mood_locks(state, scope, gateway)
    yield _batch_edits(state, gateway, probe if run is None else None)


def _mood_locks(state: State, scope: int, gateway: Gateway) -> Check:
    """Whether moods are locked in Plex, among tracks met earlier."""
    keys = state.known_items(scope, "track")["key"].to_numpy()
    if not len(keys):
        return Check("mood locks", True, "looked at once the library was read")
    frame = gateway.read_items("track", keys[:: max(len(keys) // LOOKED_AT, 1)][:LOOKED_AT])
    locked = int(frame["mood_locked"].sum())
    told = f"{locked:,} of {len(frame):,} tracks looked at have locked moods"
    return Check("mood locks", True, f"{told}; locks stay as they are" if locked else told)


def _batch_edits(state: State, gateway: Gateway, probe: Callable[[str], bool] | None) -> Check:
    from plexsheet.apply.capabilities import capability

    if probe is not None:
        problem = _probe(state, gateway, probe)
        if problem is not None:
            return problem
    known = capability(state, gateway)
    if known.batch is None:
        return Check("batch edits", True, "not tried yet; `plexsheet doctor --probe` tries")
    rounds = f", and it rounds ratings to {known.step:g} of ten" if known.step else ""
    if known.batch:
        return Check("batch edits", True, f"many ratings go in one request{rounds}")
    return Check(
        "batch edits",
        False,
        f"this server takes ratings one by one only{rounds}",
        "Nothing has to be done; with the owner's token writing may be quicker",
    )


def _probe(state: State, gateway: Gateway, ask: Callable[[str], bool]) -> Check | None:
    """Write one rating and take it back; a line if that failed, None to read what was learned."""
    from plexsheet.apply.run import apply
    from plexsheet.plan import Plan
    from plexsheet.plan.model import changes

    found = _unrated_track(gateway)
    if found is None:
        return Check("batch edits", True, "not tried: every track looked at is rated")
    key, title = found
    if not ask(f"Rate “{title}” for a moment, and take that back?"):
        return None
    row = {"kind": "track", "key": [key], "field": "rating", "reason": "probe", "title": title}
    there = changes(row | {"after": PROBE_RATING})
    for before, after in ((np.nan, PROBE_RATING), (PROBE_RATING, np.nan)):
        table = there.assign(before=before, after=after)
        outcome = apply(Plan("probe", table), gateway, state)
        if outcome.error is not None or not outcome.written:
            why = outcome.error.message if outcome.error else outcome.outcomes[0].message
            return Check(
                "batch edits",
                False,
                f"the trial rating of “{title}” (key {key}) did not go through: {why}",
                "Look at that track in Plex; `plexsheet history` shows what was done",
            )
    return None


def _unrated_track(gateway: Gateway) -> tuple[int, str] | None:
    tracks = gateway.read_library().tracks
    free = tracks[tracks["user_rating"].isna()]
    return None if free.empty else (int(free["key"].iloc[0]), str(free["title"].iloc[0]))
