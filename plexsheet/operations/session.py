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
    from plexsheet.plex.gateway import Gateway
    from plexsheet.state.store import State
    from plexsheet.workbook.schema.meta import Meta

Progress = Callable[[str, int, int], None]
Tell = Callable[[str], None]


def no_progress(stage: str, done: int, total: int) -> None:
    """Progress for those who do not look."""


def told_nobody(sentence: str) -> None:
    """Where a notice goes that nobody listens to."""


@dataclass
class Session:
    """One library, connected, with its state open.

    Attributes:
        scope: the state's id of this server, section and account.
        tell: hears a notice that belongs to no file, in one sentence.
        started: epoch seconds, for the duration reported at the end.
    """

    config: Config
    gateway: Gateway
    state: State
    scope: int
    progress: Progress = no_progress
    started: float = field(default_factory=time.time)
    tell: Tell = told_nobody


@contextmanager
def session(
    config: Config,
    *,
    purpose: str = "",
    writing: bool = True,
    stop_at_open_run: bool = True,
    progress: Progress = no_progress,
    tell: Tell = told_nobody,
) -> Iterator[Session]:
    """Connect, open the state and, to write, take the lock.

    Args:
        config: the settings.
        purpose: the command, for the sentence a second plexsheet prints.
        writing: hold the lock that lets one writer run at a time.
        stop_at_open_run: refuse while an interrupted run is open.
        progress: called with (stage, done, total).
        tell: called with a notice that belongs to no file.

    Raises:
        PlexError: Plex cannot be reached, refuses, or has no such library.
        StateError: the state database is damaged, newer, or cannot be written.
        Busy: another plexsheet is writing.
        OpenRun: an interrupted run must be settled first.
    """
    from plexsheet.config import plex_token
    from plexsheet.plex import connect, this_client
    from plexsheet.state.runs import refuse_open_run
    from plexsheet.state.store import open_state

    with open_state(config.state_file) as state, ExitStack() as stack:
        if writing:
            stack.enter_context(state.writing(purpose))
        gateway = connect(
            config.plex_url,
            plex_token(config),
            config.library_name,
            client_id=this_client(),
            verify_tls=config.verify_tls,
        )
        scope = state.scope(gateway.identity)
        if stop_at_open_run:
            refuse_open_run(state, scope)
        yield Session(config, gateway, state, scope, progress, tell=tell)


def meta_for(session: Session, export_id: str, *, kind: str = "export", run: str = "") -> Meta:
    """What a workbook says of itself: ids, names and times."""
    from plexsheet import __version__
    from plexsheet.workbook.schema.meta import Meta

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
