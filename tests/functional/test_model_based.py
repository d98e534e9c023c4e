"""Whatever a person, their Plex and plexsheet do in whatever order, no rating of theirs is lost.

Two machines.  The household (`tests.functional.household`) goes through more than eight
hundred sequences of its own making, from seeds, and a ledger that reads nothing of plexsheet's
state says whose each rating is.  The older one (`tests.functional.machine`) is Hypothesis's, and
also insists that what was done needs no second doing.  The long run is in tests/soak.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.effort import enough
from tests.functional.household import PLACES, Household, failure, shrunk
from tests.functional.machine import MACHINES, Person

SHARDS, SEQUENCES = 12, enough(68, 8)  # in CI 816 sequences
QUICK = settings(
    max_examples=enough(24, 4),
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # room for a failure to be made small
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_rating_changes_hands_but_by_an_act(shard: int) -> None:
    """``shard``: which seeds, so that several processes share them."""
    for seed in range(shard * SEQUENCES, (shard + 1) * SEQUENCES):
        place = PLACES[seed % len(PLACES)]
        if failure(seed, **place):
            acts = shrunk(seed, Household.acts_of(seed), **place)
            pytest.fail(f"seed {seed}, {place}: {acts}\n{failure(seed, acts, **place)}")


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_no_rating_is_lost_whatever_happens(machine: type[Person]) -> None:
    run_state_machine_as_test(machine, settings=QUICK)
