"""Which of the values that will do are written: few different ones, none too far off."""

from __future__ import annotations

import numpy as np
import pytest

from plexsheet.plan.infer import fewest
from plexsheet.ratings import rounded

STEP = 0.1


@pytest.mark.parametrize("slack", [0.05, 0.0885, 0.11, 0.2])
@pytest.mark.parametrize("items", [0, 1, 30, 3000])
def test_every_value_is_a_multiple_of_the_step_within_slack(items, slack):
    values = np.random.default_rng(items).uniform(STEP, 10, items)

    chosen = fewest(values, STEP, slack)

    assert np.all(np.abs(chosen - values) <= slack + 1e-6)
    assert np.allclose(chosen / STEP, np.round(chosen / STEP))
    assert len(np.unique(chosen)) <= len(np.unique(rounded(values, STEP / 2)))


def test_with_room_for_a_neighbour_half_as_many_values_do():
    values = np.arange(1000) % 100 / 10 + 0.05

    assert len(np.unique(fewest(values, STEP, 0.11))) <= 51


def test_without_room_each_value_gets_its_nearest():
    values = np.array([3.02, 3.96, 10.0])

    assert fewest(values, STEP, 0.05).tolist() == [3.0, 4.0, 10.0]


def test_the_ends_of_the_scale_are_not_left():
    assert fewest(np.array([0.01, 10.3, 0.14]), STEP, 0.09).tolist() == [0.1, 10.0, 0.1]
