"""Whatever a person and plexsheet do in whatever order, no rating of theirs is lost.

Over five hundred random sequences here, split so that two processes share them; the long
run is in tests/soak.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.functional.machine import MACHINES, Person

QUICK = settings(
    max_examples=84,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.timeout(1200)  # room for a failure to be made small
@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__)
def test_no_rating_is_lost_whatever_happens(machine: type[Person], half: int) -> None:
    """``half`` only gives each of the two parts other examples."""
    part = type(f"{machine.__name__}{half}", (machine,), {})
    run_state_machine_as_test(part, settings=QUICK)
