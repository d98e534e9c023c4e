"""Whenever plexsheet is killed, resuming ends as if nothing had happened.

Real processes die by SIGKILL around every request of an import and an inference, and while
the state file is written; ``resume`` then finishes the run, or takes it back.  Each time
Plex, state and history must be those of a run that nobody disturbed, and nothing may have
been written twice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from tests import killing
from tests.effort import enough
from tests.killing import STAGES, Point, Scene, Stage

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SIGKILL and forks"),
    pytest.mark.slow,
    pytest.mark.timeout(1500),
]
PARTS = enough(3, 1)
SCENES = {"import": killing.importing, "infer": killing.inferring}
# Of so many requests, one is stopped at every stage.
EVERY = {"import": enough(1, 12), "infer": enough(6, 60)}
LENGTHS = {"import": range(0, 900_000, 150_000), "infer": range(0, 3_000_000, 750_000)}
LEAST = {"import": enough(175, 15), "infer": enough(28, 6)}
# Requests at which a run is stopped and taken back.
TAKEN_BACK = {"import": enough(7, 2), "infer": enough(3, 1)}


def points(scene: Scene, command: str) -> list[Point]:
    """Where the processes die: around the requests, and as the state file grows."""
    every = EVERY[command]
    found = [Point(stage, k) for k in scene.writes[::every] for stage in STAGES]
    found += [Point("late", k) for k in scene.writes[:: 8 * every]]
    found += [Point(stage, k, "reads") for k in scene.reads[::every] for stage in STAGES[::2]]
    return found + [Point("state", length) for length in LENGTHS[command]]


@pytest.fixture(scope="module", params=[*SCENES])
def command(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def scene(command: str) -> Iterator[Scene]:
    made = SCENES[command]()
    yield made
    made.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_a_killed_run_resumed_ends_as_if_nothing_had_happened(
    scene: Scene, command: str, part: int
) -> None:
    everywhere = points(scene, command)
    assert len(set(everywhere)) >= LEAST[command], "in CI, with those taken back, over 200"
    chosen = everywhere[part::PARTS]
    missed = []
    for number, point in enumerate(chosen):
        spawned = number % 8 == 0
        if not scene.kill(point, spawned=spawned):
            missed.append(point)
        elif scene.open_run() is None and scene.picture() == scene.start:
            assert scene.run("resume", "--yes", "--json") == 0, "nothing was begun"
            assert scene.run(*scene.command) == 0
        else:
            assert scene.run("resume", "--yes", "--json", spawned=spawned) == 0
        scene.check_finished()
        scene.rewind()
    around = [point for point in missed if point.stage != "state" and point.on == "writes"]
    assert not around, "these were never reached"


def test_a_killed_run_taken_back_leaves_nothing(scene: Scene, command: str) -> None:
    for number, k in enumerate(scene.writes[2 :: len(scene.writes) // TAKEN_BACK[command]]):
        for stage in STAGES:
            point = Point(stage, k)
            assert scene.kill(point)
            spawned = stage == "after" and number % 3 == 0
            assert scene.run("resume", "--take-back", "--yes", "--json", spawned=spawned) == 0
            scene.check_taken_back()
            scene.rewind()


@pytest.mark.parametrize("ending", ["finish", "take back"])
def test_a_resume_is_killed_too(scene: Scene, command: str, ending: str) -> None:
    options = ["--take-back"] if ending == "take back" else []
    middle = len(scene.writes) // 2
    orders: list[tuple[Stage, Stage, Stage]] = [
        ("after", "answered", "before"),
        ("answered", "after", "late"),
    ]
    for first, second, third in orders[: enough(2, 1)]:
        assert scene.kill(Point(first, middle))
        again = ["resume", *options, "--yes", "--json"]
        assert scene.kill(Point(second, 3), command=again)
        assert scene.kill(Point(third, 2), command=["resume", "--yes", "--json"])
        assert scene.run("resume", "--yes", "--json") == 0
        check: Callable[[], None] = scene.check_taken_back if options else scene.check_finished
        check()
        scene.rewind()


def test_nothing_starts_over_a_killed_run(scene: Scene, command: str) -> None:
    assert scene.kill(Point("after", scene.writes[-1] // 2))
    run = scene.open_run()

    for words in (["import", str(scene.tool.workbook), "--yes"], ["infer", "--yes"], ["export"]):
        result = scene.tool(*words)

        assert result.exit_code == 2
        assert f"Run {run}" in result.output
        assert "resume --take-back" in result.output
    assert scene.run("resume", "--yes", "--json") == 0
    scene.check_finished()
    scene.rewind()
