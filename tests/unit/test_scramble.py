from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks import scramble as simulation
from plexsheet.workbook.edits import scramble

NAN = math.nan
RANDOM = np.random.default_rng(5)
BASE = simulation.by_album(2_000, np.random.default_rng(1))


def test_an_unedited_column_is_left_alone() -> None:
    assert scramble.of_ratings(BASE, BASE.copy()) is None


@pytest.mark.parametrize("direction", [1, -1])
def test_a_column_sorted_alone_is_s02(direction: int) -> None:
    said = np.sort(BASE[~np.isnan(BASE)])[::direction]
    mine = np.concatenate((said, np.full(len(BASE) - len(said), NAN)))

    found = scramble.of_ratings(BASE, mine)

    assert found is not None
    assert (found.code, found.variant) == ("S02", "")


def test_edited_then_sorted_alone_is_told_by_its_perfect_order() -> None:
    mine = simulation.sorted_alone(simulation.rerated(BASE, 0.6, RANDOM), RANDOM)

    found = scramble.of_ratings(BASE, mine)

    assert found is not None
    assert (found.code, found.variant) == ("S02", "sorted")
    assert scramble.of_ratings(BASE, mine, in_order=lambda: False) is None


@pytest.mark.parametrize(
    ("offset", "shift"),
    [
        (1, lambda m: np.concatenate((m[:50], m[51:], [NAN]))),
        (2, lambda m: np.concatenate((m[:50], m[52:], [NAN, NAN]))),
        (-1, lambda m: np.concatenate((m[:50], [NAN], m[50:-1]))),
        (-3, lambda m: np.concatenate((m[:50], [NAN] * 3, m[50:-3]))),
    ],
)
def test_a_shift_is_found_with_its_direction_and_first_row(offset: int, shift: object) -> None:
    base = simulation.independent(1_000, np.random.default_rng(2))
    mine = simulation.rerated(base, 0.3, np.random.default_rng(3))
    mine[:50] = base[:50]

    found = scramble.of_ratings(base, shift(mine))  # type: ignore[operator]

    assert found is not None
    assert (found.code, found.offset) == ("S03", offset)
    assert 50 <= found.first <= 58


def test_nothing_is_decided_below_twenty_changed_cells() -> None:
    base = np.tile([2.0, 4.0, 6.0, 8.0], 4)
    base = np.concatenate((base, [10.0, 10.0, 10.0]))
    mine = np.sort(base)

    assert np.count_nonzero(mine != base) < scramble.LEAST_CHANGED
    assert scramble.of_ratings(base, mine) is None


@pytest.mark.parametrize(
    ("rows", "wrong", "stops"),
    [(200, 2, False), (200, 3, True), (10_000, 49, False), (10_000, 50, True), (0, 0, False)],
)
def test_keys_that_do_not_fit_stop_from_three_rows_and_half_a_percent(
    rows: int, wrong: int, stops: bool
) -> None:
    mismatched = np.zeros(rows, dtype=bool)
    mismatched[:wrong] = True

    found = scramble.identity(mismatched)

    assert (found is not None) == stops
    assert found is None or found.rows == wrong


def test_accidents_are_stopped_and_ordinary_editing_never() -> None:
    counts = simulation.count(quick=True)

    for name, (stopped, tried) in counts.items():
        if name.startswith("top quarter"):
            assert stopped >= 0.9 * tried
        elif name in simulation.ACCIDENTS:
            assert stopped >= 0.97 * tried, name
        else:
            assert stopped == 0, name


def test_a_hundred_thousand_rows_are_judged_at_once() -> None:
    base = simulation.by_album(100_000, np.random.default_rng(4))

    assert scramble.of_ratings(base, simulation.shifted_up(base, RANDOM)) is not None
    assert scramble.of_ratings(base, simulation.sorted_alone(base, RANDOM)) is not None
    assert scramble.of_ratings(base, simulation.rerated(base, 0.6, RANDOM)) is None
