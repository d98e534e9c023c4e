"""Round trips in which random ones once went wrong, each as small as it can be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet.library import Kind
from tests.functional.world import World, small_library
from tests.plex.server import DemoPlex

ROUNDING = {"rounding": 1.0}  # half stars


@pytest.fixture
def person(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world in which a second passes whenever the server looks at its clock."""
    seconds = itertools.count(1_760_000_000)
    clock = lambda: float(next(seconds))  # noqa: E731
    faults: dict[str, Any] = getattr(request, "param", {})
    with DemoPlex(small_library(), faults=faults, clock=clock) as demo:
        world = World(demo, tmp_path, clock=clock)
        yield world
        world.close()


def tracks(person: World) -> list[int]:
    return [item["key"] for item in person.demo.items("track")]


@pytest.mark.parametrize("person", [ROUNDING], indirect=True)
def test_a_rating_sent_twice_to_learn_a_rounding_is_still_ours(person: World):
    theirs = person.ratings()

    assert person.infer().status == "done"

    assert person.read().owned.taken_over.empty
    assert person.manual() == theirs


@pytest.mark.parametrize("person", [ROUNDING], indirect=True)
def test_a_value_between_the_steps_of_a_server_is_written_once(person: World):
    wanted: dict[tuple[Kind, int], float] = {("track", key): 7.36 for key in tracks(person)[1:4]}
    sheet = person.export()
    sheet.mine |= wanted
    person.import_(sheet)

    again = person.import_plan(person.cells(sheet), sheet.export_id)

    assert not len(again)
    assert [(one.outcome, one.code) for one in again.outcomes] == [("Unchanged", "I52")] * 3
    assert all(person.ratings()[key] == 7.0 for _, key in wanted)


@pytest.mark.parametrize("person", [ROUNDING | {"edit_stamps": False}], indirect=True)
def test_a_rounding_to_what_stood_before_is_learned_where_batch_edits_have_no_time(person: World):
    person.infer(rounding=0.5)

    done = person.infer(rounding=0.05)

    assert done.counts == {"verified": len(person.rows(done.run))}
    assert not len(person.infer_plan(rounding=0.05))


def test_undo_leaves_no_tag_of_ours_on_a_rating_that_was_the_persons_before(person: World):
    person.infer()
    key = next(key for key in tracks(person) if key in person.shadow())
    person.demo.rate(key, 2.0)
    done = person.edit({("track", key): 9.0})
    assert person.ratings()[key] == 9.0

    person.undo(done.run)

    assert person.ratings()[key] == 2.0
    assert key in person.manual()
    assert "Inferred" not in person.moods().get(key, [])
    assert key not in person.shadow()
