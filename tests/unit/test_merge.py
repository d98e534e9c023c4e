"""What a file's edits come to: base, sheet and Plex compared, row by row of the tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from plexsheet.inference.model import TwinDecision
from plexsheet.library import KINDS, Kind
from plexsheet.plan import Budget, Plan, merge
from plexsheet.plan.model import RowOutcome

NAN = math.nan
UNRATED, MANUAL, INFERRED, TWIN, EXCLUDED, NO_BASE = 0, 1, 2, 3, 4, -1
SHEETS: Mapping[Kind, str] = {"artist": "Artists", "album": "Albums", "track": "Tracks"}


@dataclass(frozen=True)
class Cell:
    """One edited cell: ratings on the ten-point scale."""

    wanted: float = NAN
    base: float = NAN
    base_in_plex: float = NAN
    base_source: int = UNRATED
    action: str = ""
    inferred: float = NAN
    key: int = 7
    kind: Kind = "track"
    field: str = "rating"
    row: int = 2
    sheet: str = "Tracks"
    wanted_text: str = ""
    title: str = "So What"
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Now:
    """An item as Plex holds it, and what plexsheet wrote to it (``shadow``), if anything."""

    rating: float = NAN
    shadow: float | None = None
    rated_later: bool = False
    key: int = 7
    kind: Kind = "track"
    tags: str = ""
    released: str = ""
    year: int = 0


def merged(cells: Sequence[Cell], items: Sequence[Now], **options: Any) -> Plan:
    """The plan of some cells against a Plex that holds these items and no others."""
    current, shadow = {}, {}
    for kind in KINDS:
        here = [item for item in items if item.kind == kind]
        current[kind] = pd.DataFrame(
            {
                "key": np.array([one.key for one in here], dtype=np.int64),
                "title": np.array(["So What"] * len(here), dtype=object),
                "user_rating": np.array([one.rating for one in here], dtype=np.float64),
                "last_rated_at": np.array([100 + one.rated_later for one in here], dtype=np.int64),
                "released": np.array([one.released for one in here], dtype=object),
                "year": np.array([one.year for one in here], dtype=np.int64),
            }
        )
        ours = [one for one in here if one.shadow is not None]
        shadow[kind] = pd.DataFrame(
            {
                "key": np.array([one.key for one in ours], dtype=np.int64),
                "value": np.array([one.shadow for one in ours], dtype=np.float64),
                "last_rated_at": np.full(len(ours), 100, dtype=np.int64),
                "written_at": np.full(len(ours), 100, dtype=np.int64),
                "run": np.ones(len(ours), dtype=np.int64),
                "why": np.full(len(ours), "inferred", dtype=object),
                "tags": np.array([one.tags for one in ours], dtype=object),
            }
        )
    return merge(cells, current, shadow, **options)


def only(plan: Plan) -> RowOutcome:
    assert len(plan.outcomes) == 1
    return plan.outcomes[0]


def writes(plan: Plan) -> list[tuple[str, float, str]]:
    """Field, value and owner of each change."""
    table = plan.changes
    return list(zip(table["field"], table["after"], table["owner_after"], strict=True))


def manual(base: float, wanted: float, **more: Any) -> Cell:
    """An edited cell of an item the person had rated ``base``."""
    return Cell(wanted, base, base, MANUAL, **more)


# The table of the three-way merge.  B: the workbook when it was made, M: what it shows now,
# T: what Plex holds now.


@pytest.mark.parametrize(
    ("cell", "now", "outcome", "code", "written"),
    [
        # M differs, T = B: write M, the item is the person's
        (manual(8, 6), Now(8), "Would apply", "", [("rating", 6.0, "person")]),
        (Cell(6), Now(), "Would apply", "", [("rating", 6.0, "person")]),
        # M differs, T differs, M = T: nothing to write
        (manual(8, 6), Now(6), "Unchanged", "I52", []),
        (Cell(6), Now(6), "Unchanged", "I52", []),
        # M differs, T differs because plexsheet wrote it: a person outranks an inference
        (Cell(6), Now(7.1, shadow=7.1), "Would apply", "", [("rating", 6.0, "person")]),
        (
            Cell(6, NAN, 7.0, INFERRED),
            Now(7.3, shadow=7.3),
            "Would apply",
            "",
            [("rating", 6.0, "person")],
        ),
        # M differs, T differs by the person's hand: held
        (manual(8, 6), Now(4), "Conflict", "C50", []),
        (Cell(6), Now(4), "Conflict", "C50", []),
        (Cell(6, NAN, 7.0, INFERRED), Now(4, shadow=7.0), "Conflict", "C50", []),
        (manual(8, 6), Now(), "Conflict", "C50", []),
        # ... also when they gave the very rating that we had written
        (
            Cell(6, NAN, 7.0, INFERRED),
            Now(7.0, shadow=7.0, rated_later=True),
            "Conflict",
            "C50",
            [],
        ),
        # an inferred value that stood in Plex is gone: no rating of the person's is in the way
        (Cell(6, NAN, 7.0, INFERRED), Now(), "Would apply", "", [("rating", 6.0, "person")]),
        # M emptied, T = B: removed, and said
        (manual(8, NAN), Now(8), "Would apply", "W23", [("rating", NAN, "none")]),
        # M emptied, T differs: a conflict, never a silent delete
        (manual(8, NAN), Now(4), "Conflict", "C50", []),
        (manual(8, NAN), Now(), "Unchanged", "I52", []),
        # M emptied where an inference stands by now: My rating is blank already
        (manual(8, NAN), Now(7.2, shadow=7.2), "Unchanged", "I52", []),
        # CLEAR
        (manual(8, NAN, action="CLEAR"), Now(8), "Would apply", "", [("rating", NAN, "none")]),
        (manual(8, NAN, action="CLEAR"), Now(4), "Conflict", "C50", []),
        (manual(8, NAN, action="CLEAR"), Now(), "Unchanged", "I52", []),
        (
            Cell(NAN, NAN, 7.0, INFERRED, "CLEAR"),
            Now(7.0, shadow=7.0),
            "Would apply",
            "",
            [("rating", NAN, "none")],
        ),
        # T missing
        (manual(8, 6), None, "Error", "E06", []),
        (manual(8, NAN, action="CLEAR"), None, "Error", "E06", []),
        # a number equal to the inferred one promotes the item: only who owns it changes
        (
            Cell(7, NAN, 7.0, INFERRED),
            Now(7.0, shadow=7.0, tags="Inferred"),
            "Would apply",
            "",
            [("tags", 7.0, "person")],
        ),
        # ACCEPT makes the inferred value theirs, as it was shown
        (
            Cell(NAN, NAN, 7.0, INFERRED, "ACCEPT", 7.0),
            Now(7.0, shadow=7.0),
            "Would apply",
            "",
            [("tags", 7.0, "person")],
        ),
        (
            Cell(NAN, NAN, NAN, UNRATED, "ACCEPT", 7.0),
            Now(),
            "Would apply",
            "",
            [("rating", 7.0, "person")],
        ),
        (Cell(NAN, NAN, NAN, UNRATED, "ACCEPT"), Now(), "Error", "E22", []),
        # conflicts settled in the sheet
        (
            manual(8, 6, action="MINE"),
            Now(4),
            "Would apply",
            "",
            [("rating", 6.0, "person")],
        ),
        (manual(8, 6, action="PLEX"), Now(4), "Kept", "I51", []),
    ],
)
def test_base_sheet_and_plex(
    cell: Cell, now: Now | None, outcome: str, code: str, written: list[Any]
):
    plan = merged([cell], [now] if now else [])

    told = only(plan)
    assert (told.outcome, told.code) == (outcome, code)
    assert [
        (field, None if math.isnan(value) else value, owner) for field, value, owner in writes(plan)
    ] == [(field, None if math.isnan(value) else value, owner) for field, value, owner in written]
    assert bool(told.message) == bool(code)


@pytest.mark.parametrize(
    ("cell", "now"), [(manual(8, 6), Now(4)), (manual(8, NAN, action="CLEAR"), Now(4))]
)
def test_a_conflict_shows_both_values(cell: Cell, now: Now):
    told = only(merged([cell], [now]))

    yours = "3" if cell.wanted == 6 else "unrated"
    assert told.message == (
        f"You: {yours}. Plex now: 2 (changed after the export). Type MINE or PLEX in Action and "
        "save again."
    )
    assert (told.was, told.plex_now) == (8, 4)


@pytest.mark.parametrize(
    ("on_conflict", "cell", "outcome", "written"),
    [
        ("mine", manual(8, 6), "Would apply", [("rating", 6.0, "person")]),
        ("plex", manual(8, 6), "Kept", []),
        ("mine", manual(8, 6, action="PLEX"), "Kept", []),
        ("plex", manual(8, 6, action="MINE"), "Would apply", [("rating", 6.0, "person")]),
    ],
)
def test_who_wins_a_conflict_can_be_said_for_all(
    on_conflict: Any, cell: Cell, outcome: str, written: list[Any]
):
    """What is typed in the row outranks what is said for all."""
    plan = merged([cell], [Now(4)], on_conflict=on_conflict)

    assert only(plan).outcome == outcome
    assert writes(plan) == written


@pytest.mark.parametrize("on_conflict", ["hold", "mine", "plex"])
def test_where_only_the_sheet_changed_nobody_has_to_win(on_conflict: Any):
    plan = merged([manual(8, 6)], [Now(8)], on_conflict=on_conflict)

    assert writes(plan) == [("rating", 6.0, "person")]


@pytest.mark.parametrize(
    ("now", "outcome", "written"),
    [
        (Now(4), "Would apply", [("rating", 6.0, "person")]),
        (Now(6), "Unchanged", []),
        (Now(), "Would apply", [("rating", 6.0, "person")]),
        (Now(7, shadow=7), "Would apply", [("rating", 6.0, "person")]),
    ],
)
@pytest.mark.parametrize("base_source", [NO_BASE, UNRATED])
def test_without_a_base_the_sheet_is_compared_with_plex_alone(
    now: Now, outcome: str, written: list[Any], base_source: int
):
    """``two_way`` for a whole file without one; a source below 0 for a single row."""
    plan = merged([Cell(6, base_source=base_source)], [now], two_way=base_source != NO_BASE)

    assert only(plan).outcome == outcome
    assert writes(plan) == written


def test_an_item_found_again_is_written_under_its_new_key():
    plan = merged([manual(8, 6)], [Now(8, key=70)], healed={("track", 7): 70})

    assert plan.changes["key"].tolist() == [70]
    assert (only(plan).key, only(plan).code) == (70, "I53")


def test_a_rating_typed_over_ours_takes_our_tags_off():
    plan = merged([Cell(6, NAN, 7.0, INFERRED)], [Now(7.0, shadow=7.0, tags="Inferred\nTwin")])

    assert plan.changes["tags_remove"].tolist() == [("Inferred", "Twin")]


# Many emptied cells


def emptied(count: int, rated: int, **options: Any) -> Plan:
    cells = [manual(8, NAN, key=key, row=key + 1) for key in range(1, count + 1)]
    items = [Now(8, key=key) for key in range(1, count + 1)]
    return merged(cells, items, sheet_rated={"Tracks": rated}, **options)


@pytest.mark.parametrize(
    ("count", "rated", "held"),
    [
        (20, 1000, False),  # not more than twenty, and two in a hundred
        (21, 1000, True),  # more than twenty
        (21, 100_000, True),
        (5, 80, True),  # at least five, and more than one in twenty
        (5, 100, False),  # five in a hundred are not more than that
        (4, 10, False),  # fewer than five
        (6, 0, False),  # nothing is known of the sheet's rated rows
    ],
)
def test_many_emptied_cells_are_held(count: int, rated: int, held: bool):
    plan = emptied(count, rated)

    assert len(plan) == (0 if held else count)
    assert {one.code for one in plan.outcomes} == {"W23"}
    assert {one.outcome for one in plan.outcomes} == {"Held" if held else "Would apply"}
    assert plan.notes["confirm"] == ([count] if held else [])
    assert plan.notes["stopped"] == []  # other edits of the sheet go on


def test_emptied_cells_are_released_by_their_number_and_no_other():
    assert len(emptied(30, 100, confirm=[30])) == 30
    assert len(emptied(30, 100, confirm=[29, 31])) == 0


def test_clear_is_not_an_emptied_cell():
    cells = [manual(8, NAN, key=key, action="CLEAR") for key in range(1, 41)]

    plan = merged(cells, [Now(8, key=key) for key in range(1, 41)], sheet_rated={"Tracks": 50})

    assert len(plan) == 40


# The change budget, and one value for all


def edited(count: int, rows: int, *, value: float = 0.0, **options: Any) -> Plan:
    cells = [manual(8, value or 1 + key % 7, key=key, row=key + 1) for key in range(1, count + 1)]
    items = [Now(8, key=key) for key in range(1, count + 1)]
    return merged(cells, items, sheet_rows={"Tracks": rows}, **options)


@pytest.mark.parametrize(
    ("count", "rows", "held"),
    [
        (200, 300, False),  # not more than MIN_ROWS, whatever the share
        (201, 1000, True),  # more than MIN_ROWS and more than SHARE
        (201, 1005, False),  # exactly the share
        (2000, 100_000, False),  # not more than MAX_ROWS
        (2001, 100_000, True),
    ],
)
def test_the_change_budget(count: int, rows: int, held: bool):
    plan = edited(count, rows)

    assert len(plan) == (0 if held else count)
    assert plan.notes["confirm"] == ([count] if held else [])
    assert [one["code"] for one in plan.notes["stopped"]] == (["S04"] if held else [])
    assert {one.outcome for one in plan.outcomes} == {"Held" if held else "Would apply"}


def test_the_budget_follows_the_settings_and_its_number_releases_it():
    budget = Budget(share=0.5, min_rows=10, max_rows=40)

    assert len(edited(40, 60, budget=budget)) == 0
    assert len(edited(30, 60, budget=budget)) == 30
    assert len(edited(41, 1000, budget=budget)) == 0
    assert len(edited(41, 1000, budget=budget, confirm=[41])) == 41
    assert len(edited(41, 1000, budget=budget, confirm=[40])) == 0


def test_the_budget_says_the_number_and_the_share():
    message = edited(340, 1000).notes["stopped"][0]["message"]

    assert message == "340 ratings would change (34 % of Tracks). To go on, type 340."


def test_unattended_the_budget_says_that_it_is_held():
    message = edited(340, 1000, unattended=True).notes["stopped"][0]["message"]

    assert "340" in message
    assert "type 340" not in message


def test_the_budget_holds_one_sheet_and_no_other():
    many = [manual(8, 6, key=key) for key in range(1, 31)]
    one = manual(8, 6, key=99, kind="album", sheet="Albums")
    items = [Now(8, key=key) for key in range(1, 31)] + [Now(8, key=99, kind="album")]

    plan = merged([*many, one], items, budget=Budget(0.1, 10, 20), sheet_rows={"Tracks": 40})

    assert plan.changes["key"].tolist() == [99]


@pytest.mark.parametrize(("count", "held"), [(200, False), (201, True)])
def test_one_value_on_most_of_many_changed_rows_is_held(count: int, held: bool):
    plan = edited(count, 100_000, value=10.0)

    assert len(plan) == (0 if held else count)
    assert [one["code"] for one in plan.notes["stopped"]] == (["S05"] if held else [])
    assert len(edited(count, 100_000, value=10.0, confirm=[count])) == count


def test_half_of_the_rows_with_one_value_is_not_most_of_them():
    cells = [manual(8, 10 if key % 2 else 1 + key % 6, key=key) for key in range(1, 503)]

    assert len(merged(cells, [Now(8, key=key) for key in range(1, 503)])) == 502


# Taken over


@pytest.mark.parametrize(
    ("now", "ours"),
    [
        (Now(7.0, shadow=7.0), True),
        (Now(7.004, shadow=7.0), True),  # the same number in other decimals
        (Now(7.1, shadow=7.0), False),  # another value
        (Now(7.0, shadow=7.0, rated_later=True), False),  # the same value, given again since
        (Now(7.0), False),  # never ours
    ],
)
def test_ours_is_what_stands_as_it_was_read_back(now: Now, ours: bool):
    """An emptied cell removes what is the person's and leaves what is ours."""
    plan = merged([Cell(NAN, now.rating, now.rating, MANUAL)], [now])

    assert only(plan).outcome == ("Unchanged" if ours else "Would apply")


# EXCLUDE, years, twins


@pytest.mark.parametrize(
    ("action", "already", "now", "written"),
    [
        ("EXCLUDE", False, Now(), [("exclude", 1.0, "same")]),
        ("EXCLUDE", False, Now(8), [("exclude", 1.0, "same")]),
        (
            "EXCLUDE",
            False,
            Now(7, shadow=7),
            [("exclude", 1.0, "same"), ("rating", None, "none")],
        ),
        ("EXCLUDE", True, Now(), []),
        ("INCLUDE", True, Now(), [("exclude", 0.0, "same")]),
        ("INCLUDE", False, Now(), []),
    ],
)
def test_exclude_removes_our_value_and_never_theirs(
    action: str, already: bool, now: Now, written: list[Any]
):
    cell = Cell(field="exclude", action=action)

    plan = merged([cell], [now], excluded={"track": np.array([7] if already else [])})

    assert [(f, None if math.isnan(v) else v, o) for f, v, o in writes(plan)] == written


def year(text: str, base: float = NAN, action: str = "") -> Cell:
    return Cell(
        field="released", wanted_text=text, base=base, kind="album", sheet="Albums", action=action,
        base_source=MANUAL,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "now", "outcome", "code", "written"),
    [
        (year("1971", 1970), Now(released="1970-01-01", year=1970), "Would apply", "", "1971"),
        (year("1970", 1971), Now(released="1970-09-26", year=1970), "Unchanged", "I52", ""),
        (year("1970", 1969), Now(released="1969-09-26", year=1969), "Held", "W32", ""),
        (
            year("1970-01-01", 1969),
            Now(released="1969-09-26", year=1969),
            "Would apply",
            "",
            "1970-01-01",
        ),
        (year("1971", 1970), Now(released="1969-01-01", year=1969), "Conflict", "C50", ""),
        (
            year("1971", 1970, "MINE"),
            Now(released="1969-01-01", year=1969),
            "Would apply",
            "",
            "1971",
        ),
        (year("1971", 1970, "PLEX"), Now(released="1969-01-01", year=1969), "Kept", "I51", ""),
    ],
)
def test_years(cell: Cell, now: Now, outcome: str, code: str, written: str):
    plan = merged([cell], [replace(now, kind="album")])

    assert (only(plan).outcome, only(plan).code) == (outcome, code)
    assert plan.changes["after_text"].tolist() == ([written] if written else [])


def test_a_year_where_only_the_owner_may_edit_is_refused():
    plan = merged([year("1971")], [Now(year=1970, kind="album")], may_edit=False)

    assert (only(plan).outcome, only(plan).code) == ("Error", "E33")


@pytest.mark.parametrize(
    ("known", "wanted", "written"),
    [
        (None, "SAME\t3\t", ["SAME\t3\t"]),
        (TwinDecision(7, "SAME", "3", ""), "SAME\t3\t", []),
        (TwinDecision(7, "SAME", "3", ""), "", [""]),
    ],
)
def test_twin_decisions_are_written_once(
    known: TwinDecision | None, wanted: str, written: list[str]
):
    cell = Cell(field="twin", wanted_text=wanted, sheet="Twins")

    plan = merged([cell], [Now()], twin_decisions={7: known} if known else {})

    assert plan.changes["after_text"].tolist() == written


# Tracks that share one rating in Plex

SIBLINGS = {7: (8,), 8: (7,)}


def test_two_ratings_for_one_recording_are_both_refused():
    cells = [Cell(8, key=7, row=2), Cell(6, key=8, row=3)]

    plan = merged(cells, [Now(key=7), Now(key=8)], siblings=SIBLINGS)

    assert len(plan) == 0
    assert [(one.outcome, one.code) for one in plan.outcomes] == [("Error", "E31")] * 2
    assert "4 and 3" in plan.outcomes[0].message


def test_a_rating_for_one_of_two_is_written_once_and_both_are_theirs():
    plan = merged([Cell(8, key=7)], [Now(key=7), Now(key=8)], siblings=SIBLINGS)

    table = plan.changes.set_index("key")
    assert table["shares"].to_dict() == {7: 0, 8: 7}
    assert set(table["owner_after"]) == {"person"}


def test_the_same_rating_for_both_is_written_once():
    cells = [Cell(8, key=7, row=2), Cell(8, key=8, row=3)]

    plan = merged(cells, [Now(key=7), Now(key=8)], siblings=SIBLINGS)

    assert plan.changes.set_index("key")["shares"].to_dict() == {7: 0, 8: 7}
