"""Two copies of one export, edited apart: neither undoes what came from the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex


class Desk(Tool):
    """One export, in as many copies as wanted."""

    def copy(self, name: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(self.clean)
        return path

    def bring(self, path: Path, **stars: float | str | None) -> dict:
        """Edit rows ``k0``, ``k1`` … of a copy, and import it."""
        cells = [
            ("Tracks", str(self.keys[int(name[1:])]), "My rating", value)
            for name, value in stars.items()
        ]
        set_cells(path, cells)
        counts: dict = self("import", path, "--yes", "--json").json["counts"]
        return counts

    def row_of(self, path: Path, number: int) -> int:
        keys = [row["Key"] for row in rows_of_sheet(path, "Tracks")]
        return keys.index(str(self.keys[number])) + 2

    def stars(self, count: int) -> list[float | None]:
        found = [self.plex.rating(key) for key in self.keys[:count]]
        return [None if value is None else value / 2 for value in found]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with DemoPlex(tracks=160) as plex:
        made = Desk(tmp_path, plex)
        rated = plex.ratings("track")
        made.keys = [item["key"] for item in plex.items("track") if item["key"] not in rated]
        plex.rate(made.keys[5], 6.0)
        made.clean = made.export().read_bytes()
        yield made


def test_a_cell_never_touched_in_another_copy_is_no_removal(desk):
    for number in range(4):
        counts = desk.bring(desk.copy(f"copy {number}.xlsx"), **{f"k{number}": 4})
        assert counts["applied"] == 1

    assert desk.stars(4) == [4, 4, 4, 4]


def test_an_old_value_in_another_copy_does_not_come_back(desk):
    desk.bring(desk.copy("laptop.xlsx"), k5=5, k0=1)

    desk.bring(desk.copy("desktop.xlsx"), k1=2)

    assert desk.stars(6) == [1, 2, None, None, None, 5]


def test_copies_of_the_same_name_are_told_apart_by_what_they_show(desk):
    laptop, desktop = desk.copy("laptop/music.xlsx"), desk.copy("desktop/music.xlsx")

    desk.bring(laptop, k0=1)
    desk.bring(desktop, k1=2)
    desk.bring(laptop, k2=3)
    desk.bring(desktop, k3=4)

    assert desk.stars(4) == [1, 2, 3, 4]


def test_the_same_row_rated_differently_in_two_copies_is_a_conflict(desk):
    desk.bring(desk.copy("a.xlsx"), k0=4)

    counts = desk.bring(desk.copy("b.xlsx"), k0=2)

    assert counts["conflicts"] == 1
    assert desk.stars(1) == [4]


def test_in_the_same_file_setting_a_cell_back_is_an_edit(desk):
    path = desk.copy("music.xlsx")
    desk.bring(path, k0=4, k5=5)

    desk.bring(path, k0=None)
    assert desk.stars(6) == [None, None, None, None, None, 5]
    desk.bring(path, k5=3)
    assert desk.stars(6) == [None, None, None, None, None, 3]


def test_what_a_file_still_shows_from_before_its_imports_is_no_edit_of_a_read_only_column(desk):
    path = desk.copy("music.xlsx")
    for number in range(3):
        desk.bring(path, **{f"k{number}": 4})
    set_cells(path, [("Tracks", str(desk.keys[5]), "In Plex", 1)])

    said = desk("import", path, "--yes", "--json").json["messages"]

    assert [(one["code"], one["row"]) for one in said] == [("W60", desk.row_of(path, 5))]


def test_a_renamed_file_is_known_by_the_edits_it_still_shows(desk):
    path = desk.copy("music.xlsx")
    desk.bring(path, k0=4, k1=3, k2=2)
    path = path.rename(path.with_name("my list.xlsx"))

    desk.bring(path, k2=None, k3=1)

    assert desk.stars(4) == [4, 3, None, 1]


def test_after_taking_back_an_import_the_file_can_be_imported_again(desk):
    path = desk.copy("music.xlsx")
    desk.bring(path, k0=4, k5=5)
    other = desk.copy("other.xlsx")
    run = desk("history", "--json").json["runs"][0]["run"]
    assert desk("undo", run, "--yes").exit_code == 0

    assert desk.bring(other, k1=2)["applied"] == 1
    assert desk.stars(6) == [None, 2, None, None, None, 3]
    assert desk.bring(path, k2=1)["applied"] == 3
    assert desk.stars(6) == [4, 2, 1, None, None, 5]
