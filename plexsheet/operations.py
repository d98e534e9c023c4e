"""What plexsheet does, one function each: the CLI and the watcher call these.

Each joins the pieces (Plex, state, inference, workbook, plan, apply) and returns
a value; none prints, asks or exits.  Planning and carrying out are apart: what a
``prepare_*`` returns is the preview, and ``carry_out`` does that and nothing else.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from plexsheet.library import KINDS, Kind, Library

if TYPE_CHECKING:
    import pandas as pd

    from plexsheet.apply import Outcome
    from plexsheet.config import Config
    from plexsheet.inference.model import Inference
    from plexsheet.ownership import Owned
    from plexsheet.plan import Plan, RowOutcome
    from plexsheet.plex.gateway import Gateway
    from plexsheet.state.store import State
    from plexsheet.workbook.reader import RawWorkbook
    from plexsheet.workbook.validate import Validated

Progress = Callable[[str, int, int], None]


def no_progress(stage: str, done: int, total: int) -> None:
    """Progress for those who do not look."""


@dataclass
class Session:
    """One library, connected, with its state open.

    Attributes:
        scope: the state's id of this server, section and account.
        started: epoch seconds, for the duration reported at the end.
    """

    config: Config
    gateway: Gateway
    state: State
    scope: int
    progress: Progress = no_progress
    started: float = field(default_factory=time.time)


@contextmanager
def session(
    config: Config,
    *,
    purpose: str = "",
    writing: bool = True,
    settle_first: bool = True,
    progress: Progress = no_progress,
) -> Iterator[Session]:
    """Connect, open the state and, to write, take the lock.

    Args:
        config: the settings.
        purpose: the command, for the sentence a second plexsheet prints.
        writing: hold the lock that lets one writer run at a time.
        settle_first: refuse while an interrupted run is open.
        progress: called with (stage, done, total).

    Raises:
        PlexError: Plex cannot be reached, refuses, or has no such library.
        StateError: the state database is damaged, newer, or cannot be written.
        Busy: another plexsheet is writing.
        OpenRun: an interrupted run must be settled first.
    """
    from plexsheet.config import user_folder
    from plexsheet.plex import client_identifier, connect
    from plexsheet.state.journal import refuse_open_run
    from plexsheet.state.store import open_state

    with open_state(config.state_file) as state, ExitStack() as stack:
        if writing:
            stack.enter_context(state.writing(purpose))
        gateway = connect(
            config.plex_url,
            config.token(),
            config.library_name,
            client_id=client_identifier(user_folder()),
        )
        scope = state.scope(gateway.identity)
        if settle_first:
            refuse_open_run(state, scope)
        yield Session(config, gateway, state, scope, progress)


@dataclass(frozen=True)
class Reading:
    """A library as Plex holds it now, and whose its ratings are."""

    library: Library
    owned: Owned


def read(session: Session, *, full: bool = False) -> Reading:
    """Read the library, and tell the person's ratings from inferred ones.

    Args:
        session: connected.
        full: read everything even where a recent snapshot would do.
    """
    from plexsheet.ownership import owned

    state, scope = session.state, session.scope
    library = session.gateway.read_library(session.progress)
    state.remember_items(scope, library)
    whose = owned(
        library, state.shadows(scope), state.exclusions(scope), state.twin_decisions(scope)
    )
    return Reading(library, whose)


def infer(session: Session, reading: Reading, *, model: str | None = None) -> Inference:
    """Infer a value for every item; the last fit's variances make the next one quicker."""
    from dataclasses import replace

    from plexsheet.inference import infer as run

    settings = session.config.inference_settings()
    if model is not None:
        settings = replace(settings, model=model)
    warm = session.state.kv(session.scope, "variances")
    inference = run(reading.library, reading.owned.evidence, settings, warm=warm)
    variances = inference.details.get("variances")
    if variances:
        session.state.set_kv(session.scope, "variances", variances)
    return inference


# Export


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        rows: per ``artists``, ``albums``, ``tracks``, ``twins``.
        requests: HTTP requests to Plex.
    """

    file: str
    export_id: str
    rows: Mapping[str, int]
    requests: int
    seconds: float

    def payload(self) -> dict[str, Any]:
        """The object of ``--json``."""
        return {
            "file": self.file,
            "export_id": self.export_id,
            "rows": dict(self.rows),
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
        }


def export(
    session: Session,
    path: Path | None = None,
    *,
    carry_from: Path | None = None,
    full: bool = False,
) -> Exported:
    """Read Plex, infer and write the workbook.

    Args:
        session: connected.
        path: the workbook, replaced if it is there; None for a dated name in WORKBOOK_DIR.
        carry_from: an older workbook whose notes, own columns and own sheets are taken over.
        full: read everything even where a recent snapshot would do.

    Raises:
        UsageError: the file cannot be written.
        WorkbookError: ``carry_from`` cannot be read.
        PlexError: reading failed.
    """
    from plexsheet.workbook.tables import bases
    from plexsheet.workbook.writer import export_workbook

    carried = carry(carry_from) if carry_from else None
    reading = read(session, full=full)
    session.progress("Inferring", 0, 1)
    inference = infer(session, reading)
    session.progress("Inferring", 1, 1)
    view = view_of(session, reading, inference)
    meta = meta_for(session, uuid.uuid4().hex)
    path = path or dated_path(session)
    session.progress("Writing", 0, 1)
    rows = export_workbook(
        path, view, meta=meta
    )
    session.state.save_export(session.scope, meta.export_id, path.name, bases(view))
    session.progress("Writing", 1, 1)
    return Exported(
        str(path),
        meta.export_id,
        {name.lower(): count for name, count in rows.items()},
        session.gateway.requests,
        time.time() - session.started,
    )


def view_of(session: Session, reading: Reading, inference: Inference) -> View:
    """What the sheets are made of."""
    from plexsheet.inference.exclusions import counts_upward
    from plexsheet.workbook.tables import View

    settings = session.config.inference_settings()
    speaks, reasons = counts_upward(reading.library, settings.exclusions)
    return View(
        reading.library,
        inference,
        reading.owned,
        counts_upward=np.where(speaks, "", reasons),
        rounding=session.config.rounding_stars,
        utc_offset_s=local_offset_s,
    )


def local_offset_s(epoch: int) -> int:
    """Seconds to add to an epoch for the clock on this wall."""
    return time.localtime(epoch).tm_gmtoff


def meta_for(session: Session, export_id: str, *, kind: str = "export", run: str = "") -> Meta:
    """What a workbook says of itself: ids, names and times."""
    from plexsheet import __version__
    from plexsheet.workbook.meta import Meta

    identity, now = session.gateway.identity, int(time.time())
    return Meta(
        export_id=export_id,
        server_id=identity.server_id,
        server=identity.server_name,
        section_uuid=identity.section_uuid,
        library=identity.title,
        account_id=identity.account_id,
        account=identity.account,
        exported_at=now,
        exported_local=datetime.fromtimestamp(now).strftime("%Y-%m-%d %H:%M"),
        tool_version=__version__,
        rounding=session.config.rounding,
        config_digest=session.config.digest(),
        kind=kind,
        run=run,
    )


def dated_path(session: Session) -> Path:
    """A name for an export in the working folder that is not taken yet."""
    from plexsheet.workbook.writer import file_name

    folder = session.config.workbook_dir
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file_name(session.gateway.identity.title, datetime.now())
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.stem.removesuffix(f' ({number - 1})')} ({number}).xlsx")
    return path
