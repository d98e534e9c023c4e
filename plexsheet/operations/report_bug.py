"""What helps to find a bug, in one zip, without anything that tells whose library it is.

Numbers and words that are the same for everybody go in; names, titles, addresses and tokens
do not.  Texts that may hold such (the doctor's, an error's) are scrubbed of every name that
is known, and of whatever looks like an address, a path or a quotation.
"""

from __future__ import annotations

import dataclasses
import json
import platform
import re
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plexsheet import __version__
from plexsheet.config import plex_token
from plexsheet.config.settings import key_of
from plexsheet.errors import PlexsheetError, UsageError
from plexsheet.files import replacing
from plexsheet.library import KINDS
from plexsheet.operations.doctor import examine
from plexsheet.operations.read import read
from plexsheet.operations.session import Session, no_progress, session

if TYPE_CHECKING:
    from plexsheet.config import Config
    from plexsheet.library import Library

RUNS = 20
MANY = (0.0, 0.5, 0.9, 1.0)  # quantiles that tell a shape
README = """\
A bug report of plexsheet. Attach it to an issue; say what you did, and what you expected.

What is in it:
{parts}

No title, name, address, path or token is in it. In a recording, words, ids and times are
replaced by others, always alike, so that the shape of the library stays. To replay it:

  plexsheet demo --serve --library THIS.zip
"""


@dataclass(frozen=True)
class Part:
    """One file of a report.

    Attributes:
        what: what is in it, in a few words.
    """

    name: str
    what: str
    text: str


def prepare_bug_report(
    load: Callable[[], Config],
    *,
    recording: bool = False,
    progress: Callable[[str, int, int], None] = no_progress,
) -> list[Part]:
    """Everything a report is to hold; nothing is written.

    Args:
        load: gives the settings, or raises ``ConfigError``.
        recording: read the whole library and keep, anonymous, what was asked and answered.
        progress: told of the pages read.
    """
    parts = [_json("versions.json", "versions of plexsheet, Python and packages", _versions())]
    try:
        config: Config | None = load()
    except PlexsheetError:
        config = None
    found: list[Part] = []
    names: list[str] = [str(Path.home()), Path.home().name, platform.node()]
    if config is not None:
        names += _names_in(config)
        found.append(_json("settings.json", "settings; texts only as set or not", _set(config)))
        try:
            found += _of_library(config, recording, progress, names)
        except PlexsheetError as error:
            told = {"code": error.code, "message": scrubbed(error.message, names)}
            found.append(_json("error.json", "why the library could not be looked at", told))
    checks = [_check(check.payload(), names) for check in examine(load)]
    parts.append(_json("doctor.json", "what plexsheet doctor says, names left out", checks))
    parts += found
    listed = "\n".join(f"  {part.name:16} {part.what}" for part in parts)
    return [Part("README.txt", "about this report", README.format(parts=listed)), *parts]


def write_bug_report(path: Path, parts: Iterable[Part]) -> None:
    """Write a report, whole or not at all.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        with replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
            for part in parts:
                made.writestr(part.name, part.text)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"{path} cannot be written: {why}. Choose another folder.") from error


def scrubbed(text: str, names: Iterable[str]) -> str:
    """A text without the names given, and without what looks like an address or a path.

    >>> scrubbed("“Attic” at http://10.0.0.7:32400 does not answer; see /home/jo/x", ["Attic"])
    '“…” at [address] does not answer; see [path]'
    """
    text = re.sub(r"“[^”]*”|'[^']*'", "“…”", text)
    text = re.sub(r"\b\w+://\S+|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "[address]", text)
    for name in sorted({name for name in names if len(name) > 1}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "[name]", text, flags=re.IGNORECASE)
    return re.sub(r"(?<![\w.])(?:[A-Za-z]:)?[\\/][^\s,;:]+", "[path]", text)


def _json(name: str, what: str, value: Any) -> Part:
    return Part(name, what, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _versions() -> dict[str, Any]:
    found = {}
    with suppress(PackageNotFoundError):  # run from a folder that was never installed
        for one in requires("plexsheet") or []:
            package = re.split(r"[<>=!~;\[ ]", one)[0]
            with suppress(PackageNotFoundError):  # of an extra that is not installed
                found[package] = version(package)
    return {
        "plexsheet": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "packages": found,
    }


def _names_in(config: Config) -> list[str]:
    """Texts of the settings that may tell whose they are."""
    places = [config.path, config.state_file, config.workbook_dir]
    names = [config.plex_url, config.plex_token.reveal(), config.library_name, config.profile]
    with suppress(PlexsheetError):
        names.append(plex_token(config))  # perhaps from the keyring
    return [*names, *(str(place) for place in places if place), *config.profiles]


def _set(settings: Any) -> dict[str, Any]:
    """Settings: numbers, switches and choices as they are, texts as set or not."""
    shown: dict[str, Any] = {}
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if dataclasses.is_dataclass(value):
            shown[key_of(one)] = _set(value)
        elif "sentence" in one.metadata:
            plain = isinstance(value, bool | int | float) or "choices" in one.metadata
            shown[key_of(one)] = value if plain else ("set" if value else "not set")
    return shown


def _check(payload: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return payload | {key: scrubbed(str(payload[key]), names) for key in ("detail", "cure")}


# The library


def _of_library(
    config: Config,
    recording: bool,
    progress: Callable[[str, int, int], None],
    names: list[str],
) -> Iterator[Part]:
    from plexsheet.plex.anonymous import Mask
    from plexsheet.plex.recording import recorded

    with session(config, writing=False, stop_at_open_run=False, progress=progress) as here:
        identity = here.gateway.identity
        names += [identity.server_name, identity.title, identity.account, identity.server_id]
        names += [identity.section_uuid, here.gateway.address]
        yield _json("runs.json", f"the last {RUNS} runs: kind, outcome, counts", _runs(here))
        if not recording:
            yield _shape(here)
            return
        with recorded(here.gateway, Mask(keep=_meant_words(config))) as exchanges:
            yield _shape(here, full=True)
        lines = (json.dumps(asdict(one), ensure_ascii=False) for one in exchanges)
        what = f"{len(exchanges)} requests and answers; words, ids and times replaced"
        yield Part("recording.jsonl", what, "\n".join(lines) + "\n")


def _meant_words(config: Config) -> list[str]:
    return [*config.twins.exclude_keywords, *config.exclusions.keywords]


def _runs(here: Session) -> list[dict[str, Any]]:
    from plexsheet.state import journal, runs

    now = time.time()
    return [
        {
            "run": run.id,
            "kind": run.kind,
            "status": run.status,
            "days_ago": round((now - run.started) / 86_400, 1),
            "seconds": round(run.finished - run.started, 1) if run.finished else None,
            "counts": dict(run.counts),
            "codes": Counter(row.code for row in journal.rows_in(here.state, run.id) if row.code),
        }
        for run in runs.runs(here.state, here.scope)[:RUNS]
    ]


def _shape(here: Session, *, full: bool = False) -> Part:
    reading = read(here, full=full)
    library, sources = reading.library, reading.owned.source
    identity = here.gateway.identity
    shape = {
        "server": {"version": identity.server_version, "owner": identity.owner},
        "kinds": {kind: _kind(library, kind) for kind in KINDS},
        "sources": {
            kind: dict(sorted(Counter(map(str, sources[kind].tolist())).items())) for kind in KINDS
        },
        "albums per artist": _many(library.albums["artist_key"]),
        "tracks per album": _many(library.tracks["album_key"]),
    }
    return _json("library.json", "counts: items, ratings, albums an artist has ...", shape)


def _kind(library: Library, kind: Any) -> dict[str, Any]:
    table = library.table(kind)
    ratings = table["user_rating"].dropna().round(1)
    return {
        "items": len(table),
        "ratings": {f"{value:g}": int(n) for value, n in sorted(Counter(ratings).items())},
        "other script": int((~table["title"].map(str.isascii)).sum()),
        "longest title": int(table["title"].str.len().max()) if len(table) else 0,
        "same title": int(table["title"].duplicated().sum()),
        "no guid": int((table["guid"] == "").sum()),
        "not matched": int((~table["guid"].str.startswith("plex://")).sum()),
    }


def _many(keys: Any) -> list[int]:
    """Quantiles of how many rows share a key."""
    counts = keys.value_counts()
    return [int(counts.quantile(q)) for q in MANY] if len(counts) else []
