"""``plexsheet watch``: import workbooks as they are saved."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done
from plexsheet.errors import UsageError

if TYPE_CHECKING:
    from plexsheet.watching.event_log import EventLog
    from plexsheet.watching.service import Watcher


@click.command(
    epilog="""\b
Examples:
  plexsheet watch                     each import is a preview until you type YES in it
  plexsheet watch music --auto-apply  watch the folder music, write edits at once
  plexsheet watch --once              import what waits, then end (for cron)
  plexsheet watch --status            what the running watcher does"""
)
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path))
@click.option("--auto-apply", is_flag=True, help="Write at once instead of previewing.")
@click.option("--then-infer", is_flag=True, help="Write inferred ratings after an import, too.")
@click.option(
    "--polling",
    is_flag=True,
    help="Check the folder regularly instead of waiting for system events.",
)
@click.option("--once", is_flag=True, help="Import what is waiting, then exit (for cron).")
@click.option(
    "--status",
    is_flag=True,
    help="Show what the running watcher is doing; exits with 0 if it runs.",
)
@click.option("--log-json", is_flag=True, help="One JSON object per event.")
@click.pass_obj
def watch(
    app: App,
    folder: Path | None,
    auto_apply: bool,
    then_infer: bool,
    polling: bool,
    once: bool,
    status: bool,
    log_json: bool,
) -> Done:
    """Import workbooks as they are saved in DIR (default: WORKBOOK_DIR).

    Drop a workbook into DIR/inbox, or save it where it is in DIR. Without --auto-apply
    each import is a preview in DIR/results; type YES in its cell Apply and save, and it
    is carried out.
    """
    config = app.config()
    root = (folder or config.workbook_dir).absolute()
    if status:
        return _show_status(root)
    from plexsheet.watching.choices import Choices
    from plexsheet.watching.event_log import EventLog
    from plexsheet.watching.service import Watcher
    from plexsheet.watching.stability import Patience

    choices = Choices(
        root,
        config=str(config.path) if config.path else app.config_path,
        profile=app.profile,
        auto_apply=auto_apply or config.watch.auto_apply,
        then_infer=then_infer or config.watch.then_infer,
        polling=polling or config.watch.polling,
        once=once,
        patience=Patience(settle_s=config.watch.settle_sec),
    )
    log = EventLog(click.echo, as_json=log_json)
    watcher = Watcher(choices, log)
    try:
        with _noticed(log, config.watch.notify), _stopping(watcher):
            return Done(watcher.run())
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(
            f"The folder “{root}” cannot be watched ({reason}). Nothing was changed. "
            "Name another one: `plexsheet watch DIR`."
        ) from error


def _show_status(root: Path) -> Done:
    from plexsheet.watching.folder import OWN
    from plexsheet.watching.status import read_status, status_lines

    shown, state = read_status(root / OWN)
    for line in status_lines(root, shown, state):
        click.echo(line)
    return Done(0 if state == "running" else 1)


@contextlib.contextmanager
def _noticed(log: EventLog, addresses: Sequence[str]) -> Iterator[None]:
    """Events that matter are also sent to the addresses of WATCH.NOTIFY, if there are any."""
    if not addresses:
        yield
        return
    from plexsheet.watching.notices import Notices

    def failed() -> None:
        log.once("notice", "notice-failed", "A notice could not be sent. See WATCH.NOTIFY.")

    notices = Notices(addresses, failed)
    log.also = notices
    try:
        yield
    finally:
        notices.close()


@contextlib.contextmanager
def _stopping(watcher: Watcher) -> Iterator[None]:
    """SIGTERM, SIGHUP and Ctrl-C end the watcher after the chunk being written."""

    def on_signal(number: int, frame: object) -> None:
        # From a thread: the loop may hold the very lock that waking it needs.
        threading.Thread(target=watcher.stop, daemon=True).start()

    names = [name for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), on_signal) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
