"""Pauses while a run writes: as long as the server has become slower, and as the person says.

A server that answers as quickly as it did before the run needs no rest, so it gets none.
One that slows down shares its disk with playing or scanning, or was asked too much; it
rests for as long as its last answer took longer than such an answer should.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

SLOWER = 1.5  # times an answer may take before it counts as slow: disks and networks waver
SLOWER_S = 0.03  # and this much more, for answers of a few milliseconds
LONGEST_REST_S = 5.0
LOG = logging.getLogger(__name__)


@dataclass
class Pace:
    """Pauses: after failures, between requests, and as the person's COOLDOWN says.

    Attributes:
        backoff_s: waits after failures in a row; after the last the run stops.
        cooldown: after so many single ratings, so many seconds.
        sleep, clock: what waits, and what tells how much time went by, in seconds.
        epoch: what tells the date, in epoch seconds.
        quickest: for each sort of request the least that one for so many items took, in
            seconds.  Reading begins before the first write, so this holds what the server
            could do before the run.
    """

    backoff_s: tuple[float, ...] = (1.0, 5.0, 15.0, 45.0)
    cooldown: tuple[int, float] = (0, 0.0)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    epoch: Callable[[], float] = time.time
    quickest: dict[str, dict[int, float]] = field(default_factory=dict)
    rated: int = 0
    rest_until: float = 0.0

    def answered(self, sort: str, items: int, took_s: float) -> None:
        """Note how long an answer took; the next write waits if it was slow.

        Args:
            sort: requests of one sort take alike: "read track", "edit album with tags" ...
            items: how many it was about, at least 1.
            took_s: from the request to the end of the answer.

        >>> pace = Pace(clock=lambda: 0.0)
        >>> pace.answered("edit", 100, 0.2); pace.answered("edit", 50, 0.25); pace.rest_until
        0.0
        >>> pace.answered("edit", 100, 1.2); pace.rest_until
        1.0
        """
        expected_s = self._expected_s(sort, items, took_s)
        known = self.quickest.setdefault(sort, {})
        known[items] = min(took_s, known.get(items, took_s))
        if took_s > SLOWER * expected_s + SLOWER_S:
            rest_s = min(took_s - expected_s, LONGEST_REST_S)
            self.rest_until = max(self.rest_until, self.clock() + rest_s)

    def _expected_s(self, sort: str, items: int, otherwise: float) -> float:
        """What an answer may take: a larger request took no longer, a smaller one its share."""
        known = self.quickest.get(sort, {})
        shares = (took_s * max(1.0, items / many) for many, took_s in known.items())
        return min(shares, default=otherwise)

    def before_write(self) -> None:
        """Wait for what is left of a rest; what was done meanwhile is part of it."""
        left_s = self.rest_until - self.clock()
        if left_s > 0:
            LOG.debug("the server has become slower: resting for %.2f s", left_s)
            self.sleep(left_s)

    def after_rating(self) -> None:
        """Pause after each so many single ratings."""
        self.rated += 1
        every, seconds = self.cooldown
        if every > 0 and seconds > 0 and self.rated % every == 0:
            self.sleep(seconds)
