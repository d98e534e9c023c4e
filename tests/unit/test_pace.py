"""Rests while writing: none on a quick server, as long as it has become slower on a tired one."""

from __future__ import annotations

from plexsheet.apply.pace import LONGEST_REST_S, Pace


class Clock:
    """A clock that only moves when something takes time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def pace(self, **options: object) -> Pace:
        return Pace(sleep=self.sleep, clock=lambda: self.now, **options)  # type: ignore[arg-type]


def test_a_server_as_quick_as_before_the_run_gets_no_rest():
    clock = Clock()
    pace = clock.pace()

    for took_s in (0.2, 0.21, 0.19, 0.25, 0.2):
        pace.answered("edit track", 150, took_s)
        pace.before_write()

    assert clock.slept == []


def test_a_slower_answer_is_followed_by_a_rest_of_what_it_took_longer():
    clock = Clock()
    pace = clock.pace()
    pace.answered("edit track", 150, 0.2)

    pace.answered("edit track", 150, 0.9)
    pace.before_write()

    assert clock.slept == [0.7]


def test_reading_counts_too_and_what_is_done_meanwhile_is_part_of_the_rest():
    clock = Clock()
    pace = clock.pace()
    pace.answered("read track", 600, 0.1)
    pace.answered("read track", 600, 1.1)
    clock.now += 0.4

    pace.before_write()

    assert [round(one, 9) for one in clock.slept] == [0.6]


def test_sorts_and_sizes_of_requests_are_not_compared_with_each_other():
    clock = Clock()
    pace = clock.pace()
    pace.answered("edit artist", 10, 0.06)

    pace.answered("edit track with tags", 200, 2.0)  # the first of its sort
    pace.answered("edit artist", 100, 0.6)  # ten times as many

    pace.before_write()
    assert clock.slept == []


def test_no_rest_is_longer_than_the_longest():
    clock = Clock()
    pace = clock.pace()
    pace.answered("edit track", 1, 0.1)
    pace.answered("edit track", 1, 60.0)

    pace.before_write()

    assert clock.slept == [LONGEST_REST_S]


def test_cooldown_is_kept_whatever_the_server_does():
    clock = Clock()
    pace = clock.pace(cooldown=(2, 5.0))

    for _ in range(5):
        pace.answered("rate", 1, 0.06)
        pace.after_rating()

    assert clock.slept == [5.0, 5.0]
