"""``diff`` of two workbooks, and ``restore`` of an older one, also into a rebuilt library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from plexsheet.demo.library import Row, generate
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

KINDS = ("artist", "album", "track")
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=120) as plex:
        yield Tool(tmp_path, plex)


def exported(tool: Tool, name: str) -> Path:
    path = tool.folder / name
    assert tool("export", path).exit_code == 0
    return path


# diff


def test_diff_shows_what_changed_as_text_json_and_workbook(tool: Tool):
    old = exported(tool, "old.xlsx")
    key = next(iter(tool.plex.ratings("track")))
    title = tool.plex.find(key).title
    tool.plex.rate(key, 1.0)
    new = exported(tool, "new.xlsx")

    shown = tool("diff", old, new)
    found = tool("diff", old, new, "--json").json
    written = tool("diff", old, new, "--output", tool.folder / "changes.xlsx")

    assert shown.exit_code == written.exit_code == 0
    assert title in shown.stdout
    mine = [row for row in found["rows"] if row["column"] == "My rating"]
    assert [(row["sheet"], row["key"], row["new"]) for row in mine] == [("Tracks", key, 0.5)]
    assert found["counts"]["Tracks My rating"] == 1
    rows = rows_of_sheet(tool.folder / "changes.xlsx", "Changes")
    assert len(rows) == len(found["rows"])
    assert {(row["Sheet"], row["Key"], row["Column"]) for row in rows} >= {
        ("Tracks", str(key), "My rating")
    }


def test_diff_of_a_workbook_with_itself_says_nothing_changed_and_needs_no_plex(tool: Tool):
    old = exported(tool, "old.xlsx")
    tool.plex.reset_requests()

    result = tool("diff", old, old)

    assert result.exit_code == 0
    assert result.stdout.strip() == "Nothing changed."
    assert sum(tool.plex.requests.values()) == 0


def test_diff_takes_csv_exports_too_and_writes_over_nothing(tool: Tool):
    assert tool("export", "--csv", tool.folder / "a").exit_code == 0
    tool.plex.rate(next(iter(tool.plex.ratings("track"))), 1.0)
    assert tool("export", "--csv", tool.folder / "b").exit_code == 0
    files = tool.folder / "a" / "tracks.csv", tool.folder / "b" / "tracks.csv"
    (tool.folder / "mine.xlsx").write_bytes(b"mine")

    assert len(tool("diff", *files, "--json").json["rows"]) == 1
    assert tool("diff", *files, "--output", tool.folder / "mine.xlsx").exit_code == 2
    assert (tool.folder / "mine.xlsx").read_bytes() == b"mine"


# restore


def test_restore_puts_back_what_a_workbook_shows_and_can_be_undone(tool: Tool):
    before, old = tool.plex.ratings(), exported(tool, "old.xlsx")
    keys = list(tool.plex.ratings("track"))
    tool.plex.rate(keys[0], 1.0)
    tool.plex.rate(keys[1], None)
    changed = tool.plex.ratings()

    preview = tool("restore", old, "--preview", "--json").json
    assert preview["counts"]["written"] == 2
    assert tool.plex.ratings() == changed
    done = tool("restore", old, "--yes", "--json").json

    assert done["counts"]["written"] == 2
    assert tool.plex.ratings() == before
    assert tool("undo", done["run"], "--yes").exit_code == 0
    assert tool.plex.ratings() == changed


def test_ratings_given_since_stay_unless_exact(tool: Tool):
    before, old = tool.plex.ratings(), exported(tool, "old.xlsx")
    new = next(i["key"] for i in tool.plex.items("track") if i["userRating"] is None)
    tool.plex.rate(new, 7.0)

    kept = tool("restore", old, "--yes", "--json").json
    assert kept["counts"] == {"written": 0, "left_alone": 1, "failed": 0}
    assert tool.plex.rating(new) == 7.0

    assert tool("restore", old, "--exact", "--yes").exit_code == 0
    assert tool.plex.ratings() == before


def test_a_rebuilt_library_gets_its_ratings_back_by_guid_and_titles(tmp_path: Path):
    """Another server: other keys, other order, no ratings; guids of the catalogue survive."""
    rows = list(generate(150, 0))
    with DemoPlex(rows, identity="first") as plex:
        tool = Tool(tmp_path, plex)
        old = exported(tool, "old.xlsx")
        wanted = titled(plex)
    bare = [r._replace(user_rating=None, artist_user_rating=None) for r in reversed(rows)]
    with DemoPlex(bare, identity="second") as plex:
        tool = Tool(tmp_path, plex)
        assert titled(plex) == {}

        result = tool("restore", old, "--yes", "--json")

        assert result.exit_code == 0, result.output
        assert titled(plex) == wanted
        assert "looked for by guid" in result.stderr


def titled(plex: DemoPlex) -> dict[tuple[str, ...], float]:
    return {
        (kind, item["artist"], item["album"], item["title"], item["index"]): item["userRating"]
        for kind in KINDS
        for item in plex.items(kind)
        if item["userRating"] is not None
    }


def interlude(number: int, rating: float | None, place: int) -> Row:
    """A track that no catalogue knows: Plex gives it a guid of the day."""
    return Row(
        artist="Ada",
        album_artist="Ada",
        album="One",
        track="Interlude",
        index=number,
        duration_ms=60_000,
        user_rating=rating,
        guid=f"local://{place}",
        file=f"/music/ada/one/{number:02}.flac",
    )


def test_tracks_with_one_title_and_length_are_told_apart_by_their_files(tmp_path: Path):
    ratings = {1: 2.0, 2: 8.0, 3: None}
    first = [interlude(n, r, 100 + n) for n, r in ratings.items()]
    with DemoPlex(first, identity="first") as plex:
        old = exported(Tool(tmp_path, plex), "old.xlsx")
    rebuilt = [interlude(n, None, 200 + n) for n in (3, 1, 2)]
    with DemoPlex(rebuilt, identity="second") as plex:
        result = Tool(tmp_path, plex)("restore", old, "--yes", "--json")

        assert result.exit_code == 0, result.output
        found = {item["index"]: item["userRating"] for item in plex.items("track")}
        assert found == ratings


def test_a_row_whose_item_is_gone_is_told_and_the_others_are_put_back(tool: Tool):
    old = exported(tool, "old.xlsx")
    first, second = list(tool.plex.ratings("track"))[:2]
    tool.plex.delete(first)
    tool.plex.rate(second, 1.0)

    result = tool("restore", old, "--yes", "--json")

    assert result.exit_code == 1
    assert result.json["counts"]["written"] == 1
    assert "was not put back" in result.words


def test_a_workbook_that_was_edited_is_restored_as_it_stands(tool: Tool):
    old = exported(tool, "old.xlsx")
    key = next(iter(tool.plex.ratings("track")))
    set_cells(old, [("Tracks", str(key), "My rating", 0.5)])

    assert tool("restore", old, "--yes").exit_code == 0

    assert tool.plex.rating(key) == 1.0


def test_rows_that_are_not_clear_are_told_and_take_nothing_away(tool: Tool):
    """Not even where everything is to be as it was."""
    old, before = exported(tool, "old.xlsx"), tool.plex.ratings()
    keys = list(tool.plex.ratings("track"))
    book = openpyxl.load_workbook(old)
    sheet = book["Tracks"]
    at = {cell.value: number for number, cell in enumerate(sheet[1], start=1)}
    rows = {int(line[at["Key"] - 1].value): line[0].row for line in sheet.iter_rows(min_row=2)}
    for key, value in zip(keys, ("2,5", 8, "gut", "=1/0"), strict=False):
        sheet.cell(rows[key], at["My rating"]).value = value
    sheet.cell(rows[keys[4]], at["Key"]).value = "1.2E+05"
    sheet.cell(rows[keys[5]], at["Key"]).value = None
    again = [cell.value for cell in sheet[rows[keys[6]]]]
    again[at["My rating"] - 1] = 0.5
    sheet.append(again)
    book.save(old)

    result = tool("restore", old, "--exact", "--yes", "--json")

    assert result.exit_code == 1
    assert result.json["counts"] == {"written": 1, "left_alone": 6, "failed": 0}
    for code in ("E11", "E10", "E15", "E03", "E01", "E04"):
        assert code in result.words, code
    assert tool.plex.ratings() == before | {keys[0]: 5.0}


def test_inferred_ratings_of_a_list_are_not_put_back_as_the_persons(tool: Tool):
    before = tool.plex.ratings()
    tool.infer()
    assert tool("export", "--csv", tool.folder / "lists").exit_code == 0
    assert tool("undo", "--inferred", "--yes").exit_code == 0
    path = tool.folder / "lists" / "tracks.csv"
    assert path.read_text(encoding="utf-8-sig").count(",inferred") > 50
    key = next(iter(tool.plex.ratings("track")))
    tool.plex.rate(key, None)

    result = tool("restore", path, "--yes", "--json")

    assert result.json["counts"]["written"] == 1
    assert tool.plex.ratings() == before
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",manual", ",mine", 1))
    again = tool("restore", path, "--exact", "--yes", "--json")
    assert again.exit_code == 1
    assert "E20" in again.words
    assert tool.plex.ratings() == before


@pytest.mark.slow
@pytest.mark.parametrize(("header", "code"), [("My rating", "S02"), ("Title", "S01")])
def test_a_sheet_of_which_one_column_was_sorted_is_not_put_back(
    tmp_path: Path, header: str, code: str
):
    with DemoPlex(tracks=600) as plex:
        tool = Tool(tmp_path, plex)
        old, before = exported(tool, "old.xlsx"), plex.ratings()
        book = openpyxl.load_workbook(old)
        sheet = book["Tracks"]
        column = [cell.value for cell in sheet[1]].index(header) + 1
        cells = [row[0] for row in sheet.iter_rows(min_row=2, min_col=column, max_col=column)]
        for cell, value in zip(cells, reversed([cell.value for cell in cells]), strict=True):
            cell.value = value
        book.save(old)

        result = tool("restore", old, "--exact", "--yes", "--json")

        assert result.exit_code == 3
        assert code in result.words
        assert plex.ratings() == before


def test_a_sheet_that_cannot_be_read_is_not_passed_over_in_silence(tool: Tool):
    old = exported(tool, "old.xlsx")
    book = openpyxl.load_workbook(old)
    headers = {cell.value: cell for cell in book["Tracks"][1]}
    headers["Key"].value = "Number"
    book.save(tool.folder / "torn.xlsx")
    before = tool.plex.ratings()
    tool.plex.rate(next(iter(tool.plex.ratings("track"))), None)

    for words in (["diff", old], ["restore", "--yes"]):
        result = tool(*words, tool.folder / "torn.xlsx")

        assert result.exit_code == 3
        assert "F11" in result.words
        assert "Nothing changed." not in result.words
    assert len(tool.plex.ratings()) == len(before) - 1


# Profiles


def test_profiles_choose_library_and_server_and_share_one_memory(tmp_path: Path):
    with DemoPlex(tracks=60) as one, DemoPlex(tracks=60, seed=5, identity="two") as two:
        profiles = {"attic": {"PLEX_URL": two.url, "PLEX_TOKEN": two.token}}
        tool = Tool(tmp_path, one, PROFILES=profiles)
        before = one.ratings()

        assert tool("--profile", "attic", "infer", "--yes").exit_code == 0

        assert one.ratings() == before
        assert len(two.ratings()) > len(two.ratings("track")) > 30
        assert tool("--profile", "attic", "verify", "--json").json["counts"]["checked"] > 30
        assert tool("verify", "--json").json["counts"]["checked"] == 0
        nobody = tool("--profile", "cellar", "verify")
        assert nobody.exit_code == 2
        assert "attic" in nobody.stderr


def test_dates_of_ratings_come_back_where_the_server_keeps_them(tmp_path):
    with DemoPlex(tracks=60) as plex:
        tool = Tool(tmp_path, plex)
        key = next(iter(plex.ratings("track")))
        with plex.store.lock:
            item = plex.store.get(key)
            plex.store.rate(item, item.rating, at=1_330_837_567)
        workbook = tool.export()
        plex.rate(key, None)

        assert tool("restore", workbook, "--yes").exit_code == 0

        held = {item["key"]: item["lastRatedAt"] for item in plex.items("track")}
        assert abs(held[key] - 1_330_837_567) < 2 * 86_400
