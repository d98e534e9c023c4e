"""After export, edits, import and inference, what the person rated is what they typed."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.effort import enough
from tests.functional.world import small_library
from tests.plex.server import DemoPlex

STARS = st.sampled_from([0.5, 1, 1.25, 2, 2.5, 3.05, 4, 4.5, 5])
TYPED = st.one_of(STARS, STARS.map(str), st.just("CLEAR"), st.just("gut"), st.just(7), st.none())
EDITS = st.lists(
    st.tuples(st.sampled_from(["Artists", "Albums", "Tracks"]), st.integers(0, 500), TYPED),
    max_size=8,
    unique_by=lambda edit: edit[:2],
)


def expected(typed: object, was: float | None) -> float | None:
    """The rating an item must have, 0-10, where ``was`` is the person's before."""
    if typed is None or typed == "CLEAR":
        return None
    try:
        stars = float(str(typed))
    except ValueError:
        return was
    return was if math.isnan(stars) or not 0 < stars <= 5 else 2 * stars


@settings(
    max_examples=enough(12, 3),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(edits=EDITS)
def test_only_their_own_edits_change_what_a_person_rated(edits: list) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="plexsheet-edits-") as name,
        DemoPlex(small_library(60)) as plex,
    ):
        tool = Tool(Path(name), plex)
        theirs: dict[int, float | None] = dict(plex.ratings())
        tool.export()
        tool.infer()
        cells, seen = [], set()
        for sheet, number, typed in edits:
            rows = rows_of_sheet(tool.workbook, sheet)
            key = int(rows[number % len(rows)]["Key"])
            if key in seen:
                continue
            seen.add(key)
            cells.append((sheet, str(key), "My rating", typed))
            theirs[key] = expected(typed, theirs.get(key))
        set_cells(tool.workbook, cells)

        assert tool.importing().exit_code in (0, 1)
        tool.infer()
        second = tool("infer", "--yes", "--json")

        assert second.json["counts"]["written"] == 0
        now = plex.ratings()
        for key, value in theirs.items():
            if value is not None:
                assert math.isclose(now[key], value, abs_tol=0.006), key
        assert tool("undo", "--inferred", "--yes").exit_code == 0
        left = plex.ratings()
        assert set(left) == {key for key, value in theirs.items() if value is not None}
