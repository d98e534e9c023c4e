"""Pauses between requests and after failures."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Pace:
    """Pauses: after failures, between requests, and as the person's COOLDOWN says.

    Attributes:
        backoff_s: waits after failures in a row; after the last the run stops.
        rest_s: shortest and longest rest after a batch edit; between them as long as it took.
            What is done meanwhile, such as reading back, is part of it.
        cooldown: after so many single ratings, so many seconds.
        sleep, clock: what waits, and what tells the time in seconds.
    """

    backoff_s: tuple[float, ...] = (1.0, 5.0, 15.0, 45.0)
    rest_s: tuple[float, float] = (0.02, 5.0)
    cooldown: tuple[int, float] = (0, 0.0)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    rated: int = 0
    rested_at: float = 0.0

    def after_edit(self, took_s: float) -> None:
        """Let the server breathe after a batch edit."""
        self.rested_at = self.clock() + min(max(took_s, self.rest_s[0]), self.rest_s[1])

    def before_write(self) -> None:
        """Wait for the rest of the rest."""
        left_s = self.rested_at - self.clock()
        if left_s > 0:
            self.sleep(left_s)

    def after_rating(self) -> None:
        """Rest after every so many single ratings."""
        self.rated += 1
        every, seconds = self.cooldown
        if every > 0 and seconds > 0 and self.rated % every == 0:
            self.sleep(seconds)
