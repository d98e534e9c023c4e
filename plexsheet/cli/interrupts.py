"""Ctrl-C while writing: pause, then go on or stop tidily."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from plexsheet.cli.app import App

STOPPED = "Stopped before the end. Go on with “plexsheet resume”."
STOPPING = b"\nStopping as soon as Plex has answered; Ctrl-C again stops at once.\n"


@contextmanager
def stoppable(app: App) -> Iterator[Callable[[], bool]]:
    """Let Ctrl-C finish what is on its way to Plex; a second one stops at once, resumable too.

    Yields:
        What ``apply`` asks between requests: true ends tidily, resumable.  On a terminal
        Ctrl-C asks first whether to go on; being told to terminate never asks.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        pressed.append(number)
        if len(pressed) > 1:  # what is under way is in the journal, and settled by resume
            raise KeyboardInterrupt
        if app.may_ask():
            with contextlib.suppress(OSError):
                os.write(2, STOPPING)  # a print could be interrupted by this very handler

    def stop() -> bool:
        if not pressed:
            return False
        if signal.SIGTERM in pressed or not app.may_ask():
            return True
        app.clear_bars()
        if _goes_on():
            pressed.clear()
            return False
        return True

    before = signal.signal(signal.SIGINT, note)
    terminate = signal.signal(signal.SIGTERM, note)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGTERM, terminate)


def _goes_on() -> bool:
    """Ask whether to resume; Ctrl-C at the question is a no."""
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        click.echo("\nPaused; nothing is lost. Type r to resume, q to quit.", err=True)
        answer = click.prompt(
            "r or q",
            type=click.Choice(["r", "q"], case_sensitive=False),
            default="r",
            show_choices=False,
            err=True,
        )
    except (click.Abort, KeyboardInterrupt):
        return False
    finally:
        signal.signal(signal.SIGINT, ours)
    return str(answer).lower() == "r"
