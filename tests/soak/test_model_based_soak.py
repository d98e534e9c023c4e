"""Minutes of random round trips, other ones every time; the same rules as in the model-based test.

Each machine runs for ``PLEXSHEET_SOAK_S`` seconds; below five minutes this is left to the
model-based test itself.  What fails is printed with its seed.
"""

from __future__ import annotations

import os
import secrets
import time

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.effort import enough
from tests.functional.household import PLACES, Household, failure, shrunk
from tests.functional.machine import MACHINES, Person

SOAK_S = float(os.environ.get("PLEXSHEET_SOAK_S", enough(60, 8)))
SEED = int(os.environ.get("PLEXSHEET_SOAK_SEED", secrets.randbelow(10**9)))
LONG = settings(
    max_examples=50,
    stateful_step_count=20,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
pytestmark = [
    pytest.mark.skipif(SOAK_S < 300, reason="minutes of round trips; part of `make soak`"),
    pytest.mark.slow,
    pytest.mark.timeout(SOAK_S * 2 + 900),
]


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_no_rating_is_lost_in_thousands_of_round_trips(machine: type[Person]) -> None:
    seed, end = SEED, time.monotonic() + SOAK_S
    while time.monotonic() < end:
        part = type(f"{machine.__name__}{seed}", (machine,), {})
        part._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]
        try:
            run_state_machine_as_test(part, settings=LONG)
        except BaseException as error:
            error.add_note(f"Once more: PLEXSHEET_SOAK_SEED={seed}")
            raise
        seed += 1
    assert seed > SEED


def test_no_rating_changes_hands_in_thousands_of_sequences() -> None:
    seed, end = SEED, time.monotonic() + SOAK_S
    while time.monotonic() < end:
        place = PLACES[seed % len(PLACES)]
        if failure(seed, **place):
            acts = shrunk(seed, Household.acts_of(seed), **place)
            pytest.fail(f"seed {seed}, {place}: {acts}\n{failure(seed, acts, **place)}")
        seed += 1
    assert seed > SEED
