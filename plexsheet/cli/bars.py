"""Progress on a terminal: one bar per stage, out of the way while anything is said or asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LABELS: Mapping[str, str] = {
    "artist": "Reading artists",
    "album": "Reading albums",
    "track": "Reading tracks",
    "write": "Writing to Plex",
}


class Bars:
    """Bars on stderr, drawn anew after every ``clear``.

    A live bar repaints its line many times a second, over any question that stands there,
    so whoever speaks calls ``clear`` first; the next step draws what is still going on.
    """

    def __init__(self) -> None:
        self._drawn: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def step(self, stage: str, done: int, total: int) -> None:
        """Move the bar of a stage.

        Args:
            stage: its name.
            done: how many of its items are done.
            total: how many there are; 0 where that is not known.
        """
        bars = self._drawn or self._draw()
        if stage not in self._tasks:
            label = LABELS.get(stage, stage)
            self._tasks[stage] = bars.add_task(label, total=total or None)
        bars.update(self._tasks[stage], completed=done, total=total or None)

    def clear(self) -> None:
        """Take the bars off the screen."""
        if self._drawn is not None:
            self._drawn.stop()
            self._drawn, self._tasks = None, {}

    def _draw(self) -> Progress:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._drawn = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._drawn.start()
        return self._drawn
