"""One library, connected, with its state open; reading it, and what a workbook says of it.

What every operation starts from, and importing a file too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plexsheet.config import Config
    from plexsheet.library import Library
    from plexsheet.ownership import Owned
    from plexsheet.plex.gateway import Gateway
    from plexsheet.state.store import State
    from plexsheet.workbook.meta import Meta

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
    from plexsheet.config import plex_token, user_folder
    from plexsheet.plex import client_identifier, connect
    from plexsheet.state.journal import refuse_open_run
    from plexsheet.state.store import open_state

    with open_state(config.state_file) as state, ExitStack() as stack:
        if writing:
            stack.enter_context(state.writing(purpose))
        gateway = connect(
            config.plex_url,
            plex_token(config),
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
    from plexsheet.healing import remember_files
    from plexsheet.ownership import owned
    from plexsheet.reading import read_library

    state, scope = session.state, session.scope
    library = read_library(session.gateway, state, scope, full=full, progress=session.progress)
    state.remember_items(scope, library)
    whose = owned(
        library, state.shadows(scope), state.exclusions(scope), state.twin_decisions(scope)
    )
    theirs = library.keys("track")[whose.evidence.manual["track"]]
    remember_files(session.gateway, state, scope, library, theirs)
    return Reading(library, whose)


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
