"""A key is never proof: after a database is rebuilt the same number is another song.

Same server and section, same keys, other items: each way by which a remembered key meets Plex
must find the item that was meant, or leave the row alone.  Items are watched by themselves
(`tests.truth`), so a rating that lands on a stranger shows, whatever its key.
"""

from __future__ import annotations

import csv
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet.demo.library import Row, generate, read_tsv
from plexsheet.demo.store import ALBUM, ARTIST, TRACK, Item
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex
from tests.truth import (
    Backup,
    Ratings,
    clear,
    deal_anew,
    items,
    later,
    ratings,
    retitle,
    tagged,
    with_copies,
    wrongly,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
SHEETS = {ARTIST: "Artists", ALBUM: "Albums", TRACK: "Tracks"}
TRACKS = 200
FOLLOWED = "found again under new Keys"
MOVED = 700  # rows of lib-d that move to the end


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=TRACKS, seed=4) as demo:
        for item in items(demo, ALBUM)[::9] + items(demo, ARTIST)[::9]:
            demo.store.rate(item, 7.0, at=item.added_at)
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    """ROUNDING 1, where keys that agree by chance agree most often."""
    return Tool(tmp_path, plex, ROUNDING=1)


def inferred(tool: Tool) -> Ratings:
    """Everything inferred; what the person had given before."""
    manual = ratings(tool.plex)
    tool.infer()
    later(tool.plex)
    return manual


Edits = dict[Item, float | None]


def edited(tool: Tool, count: int = 30) -> Edits:
    """A fresh workbook with new ratings: of tracks mostly, of albums and artists a few."""
    tool.export()
    chance = random.Random(7)
    chosen = [
        *chance.sample(items(tool.plex, TRACK), count),
        *chance.sample(items(tool.plex, ALBUM), 5),
        *chance.sample(items(tool.plex, ARTIST), 3),
    ]
    wanted: Edits = {item: chance.choice([1.0, 3.0, 5.0, 7.0, 9.0]) for item in chosen}
    set_cells(
        tool.workbook,
        [
            (SHEETS[item.kind], str(item.key), "My rating", value / 2)
            for item, value in wanted.items()
            if value is not None
        ],
    )
    return wanted


def strangers(before: Ratings, after: Ratings, wanted: Edits) -> list[str]:
    """Items whose rating is another than it was and than was wanted, in words."""
    return [
        f"{item.title}: {before.get(item)} became {after.get(item)}"
        for item in {*before, *after}
        if after.get(item) != before.get(item)
        and not (item in wanted and after.get(item) == wanted[item])
    ]


def share_found(plex: DemoPlex, wanted: Edits) -> float:
    return sum(item.rating == value for item, value in wanted.items()) / len(wanted)


# The workbook of before


@pytest.mark.slow
@pytest.mark.parametrize("after_infer", [False, True], ids=["manual only", "inferred, too"])
def test_edits_of_an_older_workbook_find_their_own_items(tool: Tool, after_infer: bool):
    plex = tool.plex
    if after_infer:
        inferred(tool)
    wanted, before = edited(tool), ratings(plex)
    deal_anew(plex)

    done = tool("import", tool.workbook, "--yes", "--json")

    assert done.exit_code in {0, 1}, done.output
    assert strangers(before, ratings(plex), wanted) == []
    assert share_found(plex, wanted) > 0.9
    codes = {row["code"] for row in done.json["rows"] if row["outcome"] != "Applied"}
    assert codes <= {"I53", "C55", "E06", "I51", "S07", ""}, codes
    assert tool("undo", done.json["run"], "--yes").exit_code == 0
    assert ratings(plex) == before


def test_an_import_of_before_is_taken_back_from_the_items_it_went_to(tool: Tool):
    plex = tool.plex
    inferred(tool)
    before = ratings(plex)
    wanted = edited(tool)
    run = tool.importing().json["run"]
    assert share_found(plex, wanted) == 1
    later(plex)
    deal_anew(plex)

    done = tool("undo", run, "--yes", "--json")

    assert done.exit_code in {0, 1}, done.output
    assert strangers(before, ratings(plex), wanted) == []
    assert wrongly(plex, {item: before.get(item) for item in wanted}) == []


def test_a_workbook_in_the_watched_folder_finds_its_own_items(tool: Tool):
    plex = tool.plex
    inferred(tool)
    wanted, before = edited(tool), ratings(plex)
    deal_anew(plex)
    inbox = tool.folder / "workbooks" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.copy(tool.workbook, inbox / "music.xlsx")

    done = tool("watch", "--once", "--auto-apply")

    assert done.exit_code in {0, 1}, done.output
    assert strangers(before, ratings(plex), wanted) == []
    assert share_found(plex, wanted) > 0.9


def test_one_item_that_took_the_key_of_another_is_no_target(tool: Tool):
    """No flood: a single track was removed, and a new one got its key."""
    plex = tool.plex
    wanted, before = edited(tool, count=8), ratings(plex)
    gone, other = next(item for item in wanted if item.kind == TRACK), items(plex, TRACK)[-1]
    assert other not in wanted
    key, title = gone.key, gone.title
    plex.delete(gone.key)
    plex.store.rekey(other.key, key)

    done = tool("import", tool.workbook, "--yes", "--json")

    assert done.exit_code == 1, done.output
    now = ratings(plex)
    before.pop(gone, None)
    assert strangers(before, now, wanted) == []
    [row] = [row for row in done.json["rows"] if row["key"] == key and row["sheet"] == "Tracks"]
    assert row["code"] == "C55"
    assert title in row["message"]
    assert other.title in row["message"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["typo", "artist and album retagged", "length and number"])
def test_an_item_that_was_retagged_is_still_the_same_item(tool: Tool, how: str):
    plex = tool.plex
    wanted, before = edited(tool), ratings(plex)
    for item in wanted:
        retag(plex, item, how)

    done = tool("import", tool.workbook, "--yes", "--json")

    assert strangers(before, ratings(plex), wanted) == []
    held = {item for item, value in wanted.items() if item.rating != value}
    assert {row["code"] for row in done.json["rows"] if row["outcome"] != "Applied"} <= {"C55"}
    assert all(item.guid == "local" for item in held)  # nothing is left that proves those
    assert len(held) < 5


def retag(plex: DemoPlex, item: Item, how: str) -> None:
    """The person puts something right in Plex; the guid, where there is one, stays."""
    with plex.store.lock:
        if how == "typo":
            middle = len(item.title) // 2
            retitle(plex, item, item.title[:middle] + item.title[middle + 1 :])
        elif how == "length and number":
            item.duration, item.index = item.duration + 900, item.index + 1
        elif item.kind == TRACK:
            for above in (item.at(ALBUM), item.at(ARTIST)):
                if above is not None and not above.title.endswith("(retagged)"):
                    retitle(plex, above, f"{above.title} (retagged)")
        plex.store.version += 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["typo", "artist and album retagged"])
def test_what_is_inferred_stays_ours_through_a_retag(tool: Tool, how: str):
    """Where neither guid nor names are left to prove an item, at least its mark stays."""
    plex = tool.plex
    manual = inferred(tool)
    for item in items(plex)[::40]:
        retag(plex, item, how)

    done = tool("infer", "--yes", "--json")

    assert done.exit_code == 0, done.output
    assert done.json["counts"]["taken_over"] == 0

    assert wrongly(plex, manual) == []
    assert tool("undo", "--inferred", "--yes").exit_code in {0, 1}
    left = set(ratings(plex)) - set(manual)
    assert wrongly(plex, manual) == []
    assert tagged(plex) == left
    assert all(item.guid == "local" for item in left)


# The lists of plex-rating-utils


def test_lists_with_keys_and_titles_find_their_own_items(tool: Tool):
    """``--csv`` has no base and no Check: there the titles are the proof."""
    plex = tool.plex
    folder = tool.folder / "lists"
    assert tool("export", "--csv", folder).exit_code == 0
    by_key = {str(item.key): item for item in items(plex)}
    wanted: Edits = {}
    for name in ("artists.csv", "albums.csv", "tracks.csv"):
        path = folder / name
        lines = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
        for line in lines[::20]:
            line["userRating"] = "4.5"
            wanted[by_key[line["ratingKey"]]] = 9.0
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    before = ratings(plex)
    deal_anew(plex)

    for name in ("artists.csv", "albums.csv", "tracks.csv"):
        for words in (["import"], ["restore"]):
            done = tool(*words, folder / name, "--yes", "--json")

            assert done.exit_code in {0, 1, 3}, done.output
            assert strangers(before, ratings(plex), wanted) == []


def a_list(path: Path, plex: DemoPlex, keys: dict[Item, int], wanted: Edits) -> Path:
    """``Key,Artist,Album,Title,My rating`` of another program."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Key", "Artist", "Album", "Title", "My rating"])
        for item, value in wanted.items():
            album, artist = item.at(ALBUM), item.at(ARTIST)
            assert album is not None
            assert artist is not None
            assert value is not None
            writer.writerow([keys[item], artist.title, album.title, item.title, value / 2])
    return path


@pytest.mark.parametrize(("command", "shift"), [("restore", 1), ("restore", 90), ("import", 7)])
def test_the_numbers_of_another_program_are_no_keys_of_plex(tool: Tool, command: str, shift: int):
    plex = tool.plex
    tracks = items(plex, TRACK)
    keys = {item: tracks[(at + shift) % len(tracks)].key for at, item in enumerate(tracks)}
    wanted: Edits = {item: 0.5 + 0.5 * (at % 20) for at, item in enumerate(tracks[::2])}
    before = ratings(plex)
    path = a_list(tool.folder / "list.csv", plex, keys, wanted)

    done = tool(command, path, "--yes", "--json")

    assert done.exit_code in {0, 1, 3}, done.output
    assert strangers(before, ratings(plex), wanted) == []
    if command == "restore" and done.exit_code != 3:
        assert share_found(plex, wanted) > 0.9


# Inference and its way back


@pytest.mark.slow
@pytest.mark.parametrize("words", [["infer"], ["infer", "4"], ["sync-tags"]], ids=" ".join)
def test_no_inference_and_no_sync_touches_theirs_when_keys_moved(tool: Tool, words: list[str]):
    """Ratings and tags moved with the items: all is followed, and nothing mistaken."""
    plex = tool.plex
    manual = inferred(tool)
    deal_anew(plex)

    done = tool(*words, "--yes", "--json")

    assert done.exit_code in {0, 1}, done.output
    assert wrongly(plex, manual) == []
    assert tagged(plex) == set(ratings(plex)) - set(manual)
    assert FOLLOWED in done.words
    if words[0] == "infer":
        assert done.json["counts"]["taken_over"] <= 5
    assert tool.infer()["counts"]["taken_over"] == 0
    assert FOLLOWED not in tool("infer", "--yes").words  # said once


@pytest.mark.parametrize("what", ["--inferred", "1"])
def test_what_is_inferred_is_taken_back_wherever_it_moved(tool: Tool, what: str):
    plex = tool.plex
    manual = inferred(tool)
    deal_anew(plex)

    done = tool("undo", what, "--yes", "--json")

    assert done.exit_code in {0, 1}, done.output
    assert wrongly(plex, manual) == []
    assert len(set(ratings(plex)) - set(manual)) <= 0.05 * len(manual)
    assert tagged(plex) == set(ratings(plex)) - set(manual)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "rounding"),
    [
        (["infer"], 0.05),
        (["infer"], 1),
        (["undo", "--inferred"], 1),
        (["undo", "1"], 1),
        (["sync-tags"], 1),
    ],
)
def test_a_restored_database_loses_none_of_theirs(
    tmp_path: Path, plex: DemoPlex, words: list[str], rounding: float
):
    """Keys, ratings and tags are those of before the inference, and other items hold the keys."""
    tool = Tool(tmp_path, plex, ROUNDING=rounding)
    backup = Backup(plex)
    manual = inferred(tool)
    backup.put_back()
    deal_anew(plex)

    done = tool(*words, "--yes", "--json")

    assert wrongly(plex, manual) == [], done.output
    tool(*words, "--yes", "--json")
    assert wrongly(plex, manual) == []
    assert not tagged(plex) & set(manual)


@pytest.mark.slow
@pytest.mark.parametrize("take_back", [False, True], ids=["go on", "take back"])
@pytest.mark.parametrize("origin", ["infer", "import"])
def test_an_interrupted_run_goes_on_and_back_with_its_own_items(
    tool: Tool, origin: str, take_back: bool
):
    plex = tool.plex
    manual = ratings(plex)
    wanted: Edits = edited(tool) if origin == "import" else {}
    plex.gate.set(4, "before", "writes")
    words = ["infer"] if origin == "infer" else ["import", tool.workbook]
    with tool.spawn(*words, "--yes") as process:
        assert plex.gate.wait_until_waiting(120)
        process.kill()
        process.communicate()
    plex.gate.release(apply=False)
    stopped = ratings(plex)
    assert stopped != manual
    later(plex)
    deal_anew(plex)

    done = tool("resume", *(["--take-back"] if take_back else []), "--yes", "--json")

    assert done.exit_code in {0, 1}, done.output
    now = ratings(plex)
    if origin == "import":
        base = manual if take_back else stopped
        assert strangers(base, now, {} if take_back else wanted) == []
        assert take_back or share_found(plex, wanted) > 0.9
    else:
        assert wrongly(plex, manual) == []
        ours = set(now) - set(manual)
        assert tagged(plex) == ours
        assert bool(ours) is not take_back


# What the person decided of an item


def test_excluded_items_stay_excluded_and_no_others(tool: Tool):
    plex = tool.plex
    tool.export()
    chosen = [*items(plex, TRACK)[3::40], *items(plex, ALBUM)[3::15], items(plex, ARTIST)[4]]
    chosen = [item for item in chosen if item.rating is None]
    assert len(chosen) > 6
    set_cells(tool.workbook, [(SHEETS[i.kind], str(i.key), "Action", "EXCLUDE") for i in chosen])
    assert tool.importing().exit_code == 0
    manual = ratings(plex)
    deal_anew(plex)

    done = tool("infer", "--yes", "--json")

    assert done.exit_code == 0, done.output
    assert wrongly(plex, manual) == []
    assert {item for item in items(plex) if item.rating is None} == set(chosen)
    tool.export()
    said = {
        int(row["Key"])
        for sheet in SHEETS.values()
        for row in rows_of_sheet(tool.workbook, sheet)
        if row["Source"] == "Excluded"
    }
    assert said == {item.key for item in chosen}


def twin_rows(tool: Tool) -> list[dict[str, Any]]:
    tool.export()
    return rows_of_sheet(tool.workbook, "Twins")


def test_decisions_on_twins_go_with_the_recordings(tool: Tool):
    plex = tool.plex
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in twin_rows(tool):
        groups.setdefault(str(row["Group"]), []).append(row)
    shared = {item.guid for item in items(plex, TRACK) if item.guid in plex.store.by_guid}
    by_key = {item.key: item for item in items(plex, TRACK)}
    split = next(
        rows
        for rows in groups.values()
        if not {by_key[int(row["Key"])].guid for row in rows} & (shared - {""})
    )
    members = [by_key[int(row["Key"])] for row in split]
    set_cells(tool.workbook, decided(split))
    done = tool.importing()
    assert done.exit_code == 0, done.output
    before = decisions(tool)
    assert set(before) == set(members)
    assert {words[0] for words in before.values()} == {"SPLIT"}
    deal_anew(plex)

    assert decisions(tool) == before


def decided(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, Any]]:
    """SPLIT, each copy in a sub-group of its own."""
    cells: list[tuple[str, str, str, Any]] = []
    for letter, row in zip("ABCDEFGH", rows, strict=False):
        cells += [
            ("Twins", str(row["Key"]), "Decision", "SPLIT"),
            ("Twins", str(row["Key"]), "Sub-group", letter),
        ]
    return cells


def decisions(tool: Tool) -> dict[Item, tuple[str, str]]:
    """What a fresh workbook says was decided, by recording."""
    by_key = {item.key: item for item in items(tool.plex, TRACK)}
    return {
        by_key[int(row["Key"])]: (row["Decision"], row["Sub-group"])
        for row in twin_rows(tool)
        if row["Decision"]
    }


def test_copies_that_share_a_rating_are_followed_together(tmp_path: Path):
    with DemoPlex(with_copies(generate(TRACKS, 4))) as plex:
        tool = Tool(tmp_path, plex, ROUNDING=1)
        manual = inferred(tool)
        wanted, before = edited(tool), ratings(plex)
        shared = {
            item: wanted[one]
            for one in wanted
            for item in plex.store.by_guid.get(one.guid, [])
            if one.kind == TRACK
        }
        deal_anew(plex)

        done = tool("import", tool.workbook, "--yes", "--json")

        assert done.exit_code in {0, 1}, done.output
        assert strangers(before, ratings(plex), wanted | shared) == []
        later(plex)
        assert tool("undo", "--inferred", "--yes").exit_code in {0, 1}
        kept = {item: value for item, value in manual.items() if item not in wanted | shared}
        assert wrongly(plex, kept) == []
        assert share_found(plex, wanted) > 0.9


# An older workbook put back


def with_guids(rows: list[Row], guids: str, moved: int = 0) -> list[Row]:
    """Each track with its catalogue guid, or with one of the day, which is another's later."""
    if guids == "guids stay":
        return [row._replace(guid=f"plex://track/{at:024x}") for at, row in enumerate(rows)]
    count = len(rows)
    return [row._replace(guid=f"local://{(at + moved) % count}") for at, row in enumerate(rows)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("section", "memory", "guids"),
    [
        ("same ids", "this computer", "guids stay"),
        ("same ids", "another computer", "guids stay"),
        ("same ids", "another computer", "guids of the day"),
        ("another section", "this computer", "guids of the day"),
        ("another section", "another computer", "guids stay"),
    ],
)
def test_a_restore_into_a_rebuilt_library_finds_every_item(
    tmp_path: Path, section: str, memory: str, guids: str
):
    rows = list(generate(TRACKS, 4))
    with DemoPlex(with_guids(rows, guids), identity="first") as plex:
        old = Tool(tmp_path, plex)
        inferred(old)
        old.export()
    elsewhere = tmp_path if memory == "this computer" else tmp_path / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    identity = "first" if section == "same ids" else "second"
    with DemoPlex(with_guids(rows, guids, moved=37), identity=identity) as plex:
        wanted: Edits = {item: item.rating for item in items(plex) if item.rating}
        clear(plex)
        deal_anew(plex)
        tool = Tool(elsewhere, plex)

        done = tool("restore", tmp_path / "music.xlsx", "--yes", "--json")

        assert done.exit_code in {0, 1}, done.output
        assert strangers({}, ratings(plex), wanted) == []
        assert share_found(plex, wanted) > 0.95


def test_a_restore_when_other_items_hold_the_keys_takes_nothing_of_theirs(tool: Tool):
    """The library was not emptied: ``--exact`` may remove only what the workbook lacks."""
    plex = tool.plex
    manual = ratings(plex)
    tool.export()
    deal_anew(plex)
    for item in list(manual)[:5]:
        plex.rate(item.key, 1.0)
    later(plex)

    done = tool("restore", tool.workbook, "--exact", "--yes", "--json")

    assert done.exit_code in {0, 1}, done.output
    assert ratings(plex) == manual


# The library of which the loss was first seen, loaded anew by the letter


def loaded(shared_libraries: Path, *, moved: bool) -> tuple[list[Row], list[int]]:
    """lib-d, and of each row which it is; its first rows at the end if ``moved``."""
    rows = list(read_tsv(shared_libraries / "lib-d.tsv.gz"))
    order = list(range(len(rows)))
    if moved:
        order = order[MOVED:] + order[:MOVED]
    return [rows[at] for at in order], order


def by_row(plex: DemoPlex, order: list[int]) -> dict[int, Item]:
    """Tracks by the row of the file: ordinals count the rows as they were loaded."""
    return {order[item.ordinal - 1]: item for item in items(plex, TRACK)}


@pytest.fixture
def bare(shared_libraries: Path) -> Path:
    return shared_libraries


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["infer"], ["undo", "--inferred"], ["undo", "1"], ["import", "music.xlsx"]],
    ids=lambda words: " ".join(words),
)
def test_lib_d_loaded_anew_with_its_rows_moved(tmp_path: Path, bare: Path, words: list[str]):
    """Guids wander, too: the demo server makes them of the place among the rows."""
    rows, order = loaded(bare, moved=False)
    edits: dict[int, float] = {}
    with DemoPlex(rows, identity="lib-d") as plex:
        tool = Tool(tmp_path, plex, ROUNDING=1)
        tool.infer()
        tool.export()
        chance = random.Random(11)
        tracks = by_row(plex, order)
        edits = {row: chance.choice([1.0, 3.0, 5.0]) for row in chance.sample(sorted(tracks), 30)}
        typed = [
            ("Tracks", str(tracks[row].key), "My rating", value / 2) for row, value in edits.items()
        ]
        set_cells(tool.workbook, typed)
    rows, order = loaded(bare, moved=True)
    with DemoPlex(rows, identity="lib-d") as plex:
        tool = Tool(tmp_path, plex, ROUNDING=1)
        here = by_row(plex, order)
        manual = ratings(plex)
        given = [tmp_path / word if word.endswith(".xlsx") else word for word in words]

        done = tool(*given, "--yes", "--json")

        wanted: Edits = (
            {here[row]: value for row, value in edits.items()} if words[0] == "import" else {}
        )
        kept = {item: value for item, value in manual.items() if item not in wanted}
        assert wrongly(plex, kept) == [], done.output
        now = ratings(plex)
        if words[0] != "infer":
            assert strangers(manual, now, wanted) == []
        if wanted:
            assert share_found(plex, wanted) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("identity", ["lib-d", "another section"])
def test_lib_d_restored_on_another_computer(tmp_path: Path, bare: Path, identity: str):
    rows, order = loaded(bare, moved=False)
    with DemoPlex(rows, identity="lib-d") as plex:
        first = Tool(tmp_path, plex)
        first.export()
        given = {row: item.rating for row, item in by_row(plex, order).items() if item.rating}
    rows, order = loaded(bare, moved=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with DemoPlex(rows, identity=identity) as plex:
        clear(plex)
        here = by_row(plex, order)
        wanted: Edits = {here[row]: value for row, value in given.items()}

        done = Tool(elsewhere, plex)("restore", tmp_path / "music.xlsx", "--yes", "--json")

        assert done.exit_code in {0, 1}, done.output
        now = ratings(plex, TRACK)
        assert strangers({}, now, wanted) == []
        assert share_found(plex, wanted) > 0.95


def test_a_list_with_the_numbers_of_another_program_in_lib_d(tmp_path: Path, bare: Path):
    """Numbers from 1 on, as other programs count; some are keys of this library by chance."""
    rows, _ = loaded(bare, moved=False)
    with DemoPlex(rows, identity="lib-d") as plex:
        clear(plex)
        tool = Tool(tmp_path, plex, CHANGE_BUDGET={"MIN_ROWS": 5000, "MAX_ROWS": 5000})
        tracks = items(plex, TRACK)[:1025]
        keys = {item: 980 + at for at, item in enumerate(tracks)}
        wanted: Edits = {item: 2.0 + 2 * (at % 5) for at, item in enumerate(tracks)}
        path = a_list(tmp_path / "list.csv", plex, keys, wanted)

        done = tool("restore", path, "--yes", "--json")

        assert strangers({}, ratings(plex), wanted) == [], done.output
        assert done.exit_code == 3 or share_found(plex, wanted) > 0.9
