"""Ctrl-C while writing: pause, then go on or stop tidily."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import click

from plexsheet.cli.app import App


@contextmanager
def stoppable(app: App) -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C into a question between two requests, never in the middle of one.

    Yields:
        What ``apply`` asks between requests: true ends tidily, resumable.  On a terminal
        Ctrl-C asks first whether to go on; a second Ctrl-C stops without asking.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed += 1
        if pressed > 2:  # somebody who means it
            raise KeyboardInterrupt

    def stop() -> bool:
        nonlocal pressed
        if not pressed:
            return False
        if pressed > 1 or not app.may_ask():
            return True
        app.clear_bars()
        if _goes_on():
            pressed = 0
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
