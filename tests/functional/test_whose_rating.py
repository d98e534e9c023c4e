"""Whose a rating is follows from who gave it last, never from what it happens to be.

What became the person's, by ACCEPT, by typing, by rating it in Plex, is left alone by every
way back, though the value be the very one that plexsheet wrote.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plexsheet.demo.library import generate
from plexsheet.demo.store import ALBUM, ARTIST, TRACK, Item
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex
from tests.truth import Backup, items, later, ratings, tagged, with_copies, wrongly

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
SHEETS = {ARTIST: "Artists", ALBUM: "Albums", TRACK: "Tracks"}
TRACKS = 110
CLOCKS = pytest.mark.parametrize(
    "tool", [-3600, 3600], ids=["an hour behind", "an hour ahead"], indirect=True
)


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=TRACKS, seed=6) as demo:
        yield demo


@pytest.fixture
def tool(request: pytest.FixtureRequest, tmp_path: Path, plex: DemoPlex) -> Tool:
    """Everything is inferred: run 1; the server's clock need not be ours."""
    plex.set_faults(clock_offset=getattr(request, "param", 0))
    made = Tool(tmp_path, plex)
    assert made.infer()["run"] == 1
    later(plex)
    return made


def ours(plex: DemoPlex, manual: dict[Item, float], *kinds: int) -> list[Item]:
    return [item for item in ratings(plex, *kinds) if item not in manual]


def some_of_each(plex: DemoPlex, manual: dict[Item, float], tracks: int = 6) -> list[Item]:
    """Inferred items: tracks, two albums, an artist."""
    wanted = {TRACK: tracks, ALBUM: 2, ARTIST: 1}
    return [item for kind, count in wanted.items() for item in ours(plex, manual, kind)[:count]]


def type_in(tool: Tool, chosen: list[Item], column: str, value: Any) -> None:
    """Fill a column for these items; ``value`` may be made of the item."""
    given = value if callable(value) else lambda item: value
    set_cells(
        tool.workbook,
        [(SHEETS[item.kind], str(item.key), column, given(item)) for item in chosen],
    )


def stars(item: Item) -> float:
    assert item.rating is not None
    return item.rating / 2


def told(tool: Tool, run: int) -> dict[int, dict[str, Any]]:
    """Rows of a run by key."""
    return {row["key"]: row for row in tool("history", run, "--json").json["rows"]}


def sources(tool: Tool) -> dict[int, str]:
    """What a fresh workbook says of whose each rating is."""
    path = tool.folder / "sources.xlsx"
    assert tool("export", path, "--force").exit_code == 0
    found: dict[int, str] = {}
    for sheet in SHEETS.values():
        found |= {int(row["Key"]): row["Source"] for row in rows_of_sheet(path, sheet)}
    return found


def theirs(tool: Tool, wanted: dict[Item, float | None]) -> None:
    """These ratings stand, and everything counts them as the person's."""
    plex = tool.plex
    assert wrongly(plex, wanted) == []
    assert not tagged(plex) & set(wanted)
    said = sources(tool)
    assert {said[item.key] for item in wanted} == {"Manual"}


# What was accepted, or typed though it stood there


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "back"),
    [
        ("ACCEPT", "undo 1"),
        ("ACCEPT", "--inferred"),
        ("typed", "undo 1, infer, undo it"),
        ("typed in a list", "undo 1"),
    ],
)
def test_what_became_theirs_in_a_workbook_outlives_the_undo_of_the_inference(
    tool: Tool, plex: DemoPlex, way: str, back: str
):
    manual = {item: value for item, value in ratings(plex).items() if item not in tagged(plex)}
    chosen = some_of_each(plex, manual)
    made_theirs(tool, chosen, way)
    wanted = {item: item.rating for item in chosen}
    theirs(tool, wanted)
    later(plex)

    words = ["1"] if back != "--inferred" else ["--inferred"]
    done = tool("undo", *words, "--yes", "--json")

    assert done.exit_code == 0, done.output
    theirs(tool, wanted)
    assert ratings(plex) == {**manual, **wanted}
    if back == "undo 1":
        rows = told(tool, done.json["run"])
        assert {rows[item.key]["code"] for item in chosen} == {"I56"}
        assert done.json["counts"]["left_alone"] == len(chosen)
        said = {rows[item.key]["message"] for item in chosen}
        assert all(way != "ACCEPT" or "ACCEPT" in one for one in said), said
    if back == "undo 1, infer, undo it":
        tool.infer()
        theirs(tool, wanted)
        assert tool("undo", done.json["run"], "--yes").exit_code == 0  # undo of the undo
        theirs(tool, wanted)


def made_theirs(tool: Tool, chosen: list[Item], way: str) -> None:
    tool.export()
    if way == "ACCEPT":
        type_in(tool, chosen, "Action", "ACCEPT")
    elif way == "typed":
        type_in(tool, chosen, "My rating", stars)
    else:
        tool("export", "--csv", tool.folder / "lists")
        for name in ("artists.csv", "albums.csv", "tracks.csv"):
            path = tool.folder / "lists" / name
            lines = path.read_text("utf-8-sig").splitlines()
            keys = {str(item.key) for item in chosen}
            kept = [
                line.removesuffix("inferred") + "manual" if line.split(",")[0] in keys else line
                for line in lines
            ]
            path.write_text("\n".join(kept), "utf-8")
            done = tool("import", path, "--yes", "--json")
            assert done.exit_code == 0, done.output
        return
    done = tool.importing()
    assert done.exit_code == 0, done.output
    assert done.json["counts"]["applied"] == len(chosen)


def test_what_was_accepted_and_taken_back_is_ours_again_and_goes_with_the_inference(
    tool: Tool, plex: DemoPlex
):
    """An undo of the ACCEPT is an event too."""
    before = ratings(plex)
    manual = {item: value for item, value in before.items() if item not in tagged(plex)}
    made_theirs(tool, some_of_each(plex, manual), "ACCEPT")
    later(plex)

    assert tool("undo", 2, "--yes").exit_code == 0
    assert ratings(plex) == before
    assert tool("undo", 1, "--yes").exit_code == 0

    assert ratings(plex) == manual
    assert tagged(plex) == set()


# What was given again in Plex, the very value that stood there


@pytest.mark.slow
@CLOCKS
@pytest.mark.parametrize("noticed", [True, False], ids=["taken over", "not seen yet"])
def test_what_they_gave_again_in_plex_outlives_the_undo_of_the_inference(
    tool: Tool, plex: DemoPlex, noticed: bool
):
    manual = {item: value for item, value in ratings(plex).items() if item not in tagged(plex)}
    chosen = some_of_each(plex, manual)
    wanted = given_again(plex, chosen)
    if noticed:
        tool.infer()
        assert not tagged(plex) & set(chosen)
        later(plex)

    done = tool("undo", 1, "--yes", "--json")

    assert done.exit_code == 0, done.output
    assert wrongly(plex, wanted) == []
    assert wrongly(plex, manual) == []
    rows = told(tool, done.json["run"])
    assert {rows[item.key]["code"] for item in chosen} == {"I56"}
    tool.infer()
    theirs(tool, wanted)


def given_again(plex: DemoPlex, chosen: list[Item]) -> dict[Item, float | None]:
    for item in chosen:
        plex.rate(item.key, item.rating)
    later(plex)
    return {item: item.rating for item in chosen}


def test_undo_of_a_second_inference_puts_no_older_value_over_what_they_gave_again(
    tool: Tool, plex: DemoPlex
):
    manual = {item: value for item, value in ratings(plex).items() if item not in tagged(plex)}
    first = ratings(plex)
    for item in list(ratings(plex, TRACK)):
        if item in manual:
            plex.rate(item.key, 10.0)
            manual[item] = 10.0
    later(plex)
    second = tool.infer()["run"]
    later(plex)
    changed = [item for item in ours(plex, manual, TRACK) if item.rating != first.get(item)][:6]
    assert len(changed) == 6
    wanted = given_again(plex, changed)
    tool.infer()
    theirs(tool, wanted)
    later(plex)

    for run in (second, 1):
        assert tool("undo", run, "--yes").exit_code == 0
        theirs(tool, wanted)
        assert wrongly(plex, manual) == []


@pytest.mark.slow
@CLOCKS
def test_an_import_given_again_in_plex_outlives_the_undo_of_the_import(tool: Tool, plex: DemoPlex):
    manual = {item: value for item, value in ratings(plex).items() if item not in tagged(plex)}
    chosen = some_of_each(plex, manual)
    tool.export()
    type_in(tool, chosen, "My rating", 4.5)
    run = tool.importing().json["run"]
    later(plex)
    wanted = given_again(plex, chosen[:4])

    done = tool("undo", run, "--yes", "--json")

    theirs(tool, wanted)
    rows = told(tool, done.json["run"])
    assert {rows[item.key]["code"] for item in wanted} == {"I56"}
    assert all("Plex" in rows[item.key]["message"] for item in wanted)
    assert not [item for item in chosen[4:] if item.rating == 9.0]  # the others went back


def test_an_import_cleared_and_given_again_in_plex_is_theirs(tool: Tool, plex: DemoPlex):
    """Taken away in Plex and given again: the value is the one imported, the person another."""
    manual = {item: value for item, value in ratings(plex).items() if item not in tagged(plex)}
    item = next(iter(manual))
    tool.export()
    type_in(tool, [item], "My rating", None)
    run = tool.importing().json["run"]
    assert item.rating is None
    later(plex)
    plex.rate(item.key, manual[item])
    later(plex)

    assert tool("undo", run, "--yes").exit_code == 0

    assert item.rating == manual[item]


@pytest.mark.slow
@pytest.mark.parametrize("origin", ["infer", "import"])
def test_what_an_interrupted_run_wrote_and_they_gave_again_outlives_the_take_back(
    tmp_path: Path, origin: str
):
    """The run is killed at its third request that writes."""
    with DemoPlex(tracks=TRACKS, seed=6) as plex:
        tool = Tool(tmp_path, plex)
        manual = ratings(plex)
        if origin == "import":
            tool.export()
            blank = [item for item in items(plex, TRACK) if item.rating is None][:30]
            type_in(tool, blank, "My rating", lambda item: 0.5 + item.key % 8 / 2)
        words = ["infer"] if origin == "infer" else ["import", tool.workbook]
        plex.gate.set(3, "before", "writes")
        with tool.spawn(*words, "--yes") as process:
            assert plex.gate.wait_until_waiting(120)
            process.kill()
            process.communicate()
        plex.gate.release(apply=False)
        written = [item for item in ratings(plex) if item not in manual]
        assert written
        later(plex)
        wanted = given_again(plex, written[:4])

        done = tool("resume", "--take-back", "--yes", "--json")

        assert done.exit_code == 0, done.output
        assert wrongly(plex, wanted) == []
        assert ratings(plex) == {**manual, **wanted}
        assert not tagged(plex) - set(wanted)
        tool.infer()
        theirs(tool, wanted)


# An older state, another state, none


def sources_of(tool: Tool, manual: dict[Item, float]) -> None:
    """The person's ratings stand; all that is inferred carries the tag."""
    assert wrongly(tool.plex, manual) == []
    inferred = set(ours(tool.plex, manual))
    assert inferred
    assert tagged(tool.plex) == inferred


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Tool]:
    """Everything inferred twice, the second time to other values; ``old.db``: in between."""
    with DemoPlex(tracks=300) as plex:
        tool = Tool(tmp_path, plex)
        tool.infer()
        copy_state(tool.state, tmp_path / "old.db")
        for item in list(ratings(plex, TRACK))[::3]:
            if item not in tagged(plex):
                later(plex)
                plex.rate(item.key, 10.0)
        later(plex)
        assert tool.infer()["counts"]["written"] > 200
        later(plex)
        yield tool


def copy_state(source: Path, target: Path) -> None:
    for file in target.parent.glob(f"{target.name}*"):
        file.unlink()
    for file in source.parent.glob(f"{source.name}*"):
        shutil.copy(file, target.parent / file.name.replace(source.name, target.name))


def manual_of(plex: DemoPlex) -> dict[Item, float]:
    return {item: value for item, value in ratings(plex).items() if item not in tagged(plex)}


@pytest.mark.slow
@pytest.mark.parametrize("words", [["infer"], ["undo", "--inferred"], ["sync-tags"]], ids=" ".join)
def test_an_older_state_takes_no_inferred_rating_for_theirs(home: Tool, words: list[str]):
    plex, manual = home.plex, manual_of(home.plex)
    before = ratings(plex)
    copy_state(home.folder / "old.db", home.state)

    result = home(*words, "--yes", "--json")

    assert "S06" in result.words
    assert result.exit_code == 3
    assert ratings(plex) == before
    sources_of(home, manual)
    shown = home("export", home.folder / "parted.xlsx")
    assert shown.exit_code == 0
    assert "S06" in shown.words
    assert "The workbook shows them as yours" in shown.words
    number = re.search(r"(\d[\d,]*) of (\d[\d,]*) inferred", result.words)
    assert number is not None, result.words


def test_reconstruct_is_the_way_out_of_an_older_state(home: Tool):
    plex, manual = home.plex, manual_of(home.plex)
    copy_state(home.folder / "old.db", home.state)
    assert "S06" in home("infer", "--yes", "--json").words

    assert home("reconstruct", "--yes").exit_code == 0

    done = home("infer", "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert done.json["counts"]["taken_over"] == 0
    sources_of(home, manual)
    assert home("undo", "--inferred", "--yes").exit_code == 0
    assert ratings(plex) == manual


def test_a_number_typed_is_the_other_way_out(home: Tool):
    """The person says that they changed all that themselves: then it is theirs."""
    copy_state(home.folder / "old.db", home.state)
    said = home("infer", "--yes").words
    number = re.search(r"(\d[\d,]*) of (\d[\d,]*) inferred", said)
    assert number is not None, said
    before = ratings(home.plex)

    done = home("infer", "--yes", "--json", "--confirm", number[1].replace(",", ""))

    assert done.exit_code == 0, done.output
    assert done.json["counts"]["taken_over"] > 100
    assert {item: item.rating for item in before} == before | ratings(home.plex)


def test_a_few_that_they_changed_themselves_are_taken_over_without_ado(home: Tool):
    plex, manual = home.plex, manual_of(home.plex)
    chosen = ours(plex, manual, TRACK)[:15]
    for item in chosen:
        plex.rate(item.key, 5.0)
    later(plex)

    done = home("infer", "--yes", "--json")

    assert done.exit_code == 0, done.output
    assert done.json["counts"]["taken_over"] == 15
    theirs(home, dict.fromkeys(chosen, 5.0))


def test_ratings_restored_from_a_backup_of_plex_are_not_written_over(tmp_path: Path):
    """Plex goes back to before the inference, and before some ratings of theirs."""
    with DemoPlex(tracks=300) as plex:
        tool = Tool(tmp_path, plex)
        backup, manual = Backup(plex), ratings(plex)
        tool.infer()
        later(plex)
        backup.put_back()

        done = tool("infer", "--yes", "--json")

        assert "S06" in done.words
        assert ratings(plex) == manual
        cleaned = tool("undo", "--inferred", "--yes", "--json")
        assert wrongly(plex, manual) == [], cleaned.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "used"),
    [
        (["undo", "--inferred"], "a new state"),
        (["undo", "--inferred"], "a state with runs"),
        (["sync-tags"], "a new state"),
    ],
)
def test_another_computer_strips_no_mark_from_what_it_does_not_know(
    home: Tool, tmp_path: Path, words: list[str], used: str
):
    plex, manual = home.plex, manual_of(home.plex)
    other = second_computer(home, tmp_path)
    if used == "a state with runs":  # a run of its own, so that it does not look like a lost state
        later(plex)
        other.export()
        item = next(iter(manual))
        type_in(other, [item], "My rating", 0.5)
        assert other.importing().exit_code == 0
        manual[item] = 1.0
        later(plex)

    result = other(*words, "--yes", "--json")

    assert "S08" in result.words
    assert result.exit_code == 3
    sources_of(home, manual)
    assert "reconstruct" in result.words


def second_computer(home: Tool, tmp_path: Path) -> Tool:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return Tool(folder, home.plex)


def test_another_computer_learns_by_reconstruct_what_is_inferred(home: Tool, tmp_path: Path):
    plex, manual = home.plex, manual_of(home.plex)
    other = second_computer(home, tmp_path)

    assert other("reconstruct", "--yes").exit_code == 0

    assert other.infer()["counts"]["taken_over"] == 0
    assert other("undo", "--inferred", "--yes").exit_code == 0
    assert ratings(plex) == manual
    assert tagged(plex) == set()


def test_two_computers_by_turns_never_take_each_others_values_for_theirs(
    home: Tool, tmp_path: Path
):
    plex, manual = home.plex, manual_of(home.plex)
    other = second_computer(home, tmp_path)
    assert other("reconstruct", "--yes").exit_code == 0
    for item in [item for item in manual if item.kind == TRACK][1::3]:
        plex.rate(item.key, 1.0)
        manual[item] = 1.0
    later(plex)
    assert other.infer()["counts"]["written"] > 200
    later(plex)

    result = home("infer", "--yes", "--json")

    sources_of(home, manual)
    assert result.exit_code == 3
    assert "another plexsheet" in result.words
    assert "STATE_FILE" in result.words


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True], ids=["state at hand", "state lost"])
def test_no_undo_and_no_cleanup_without_a_state_takes_the_persons_ratings(home: Tool, lost: bool):
    plex, manual = home.plex, manual_of(home.plex)
    if lost:
        for file in home.folder.glob("plexsheet.db*"):
            file.unlink()

    home("undo", "--inferred", "--yes")

    assert wrongly(plex, manual) == []
    assert tagged(plex) == set(ours(plex, manual))


# A preview is a preview


@pytest.mark.slow
@pytest.mark.parametrize("approved", [False, True], ids=["untouched", "saved with YES"])
def test_a_preview_of_the_command_line_waits_for_the_person_in_the_watched_folder(
    tmp_path: Path, approved: bool
):
    with DemoPlex(tracks=TRACKS, seed=6) as plex:
        tool = Tool(tmp_path, plex, WATCH={"SETTLE_SEC": 0.2})
        chosen = [item for item in items(plex, TRACK) if item.rating is None][:5]
        before = ratings(plex)
        tool.export()
        type_in(tool, chosen, "My rating", 4.5)
        edited = tool.folder / "e.xlsx"
        tool.workbook.rename(edited)
        previewed = tool("import", edited, "--preview", "--json")
        assert previewed.json["counts"]["would_apply"] == 5
        assert ratings(plex) == before
        result = previewed.json["result_file"]
        if approved and result:
            from tests.functional.test_watch import confirm

            confirm(Path(result))

        for _ in range(2):
            assert tool("watch", "--once", "--auto-apply").exit_code in {0, 1}

        wanted = before | dict.fromkeys(chosen, 9.0) if approved and result else before
        assert ratings(plex) == wanted


def test_the_result_of_an_import_is_no_new_file_for_the_watcher(tmp_path: Path):
    """Of a refused row, too: what this program wrote counts once the person has saved it."""
    with DemoPlex(tracks=TRACKS, seed=6) as plex:
        tool = Tool(tmp_path, plex, WATCH={"SETTLE_SEC": 0.2})
        chosen = [item for item in items(plex, TRACK) if item.rating is None][:5]
        tool.export()
        type_in(tool, chosen, "My rating", 4.5)
        type_in(tool, chosen[:2], "My rating", 7)
        assert tool.importing().exit_code == 1
        for item in chosen[2:]:
            plex.rate(item.key, 2.0)  # the person thinks better of it, in Plex
        later(plex)
        before = ratings(plex)

        tool("watch", "--once", "--auto-apply")

        assert ratings(plex) == before


# One installation, one level


def test_every_command_is_one_device_for_plex(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From three folders, each with settings of its own, by whatever command."""
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "person" / ".config"))
    monkeypatch.setenv("APPDATA", str(tmp_path / "person"))
    with DemoPlex(tracks=30) as plex:
        for name in ("one", "two", "three"):
            folder = tmp_path / name
            folder.mkdir()
            tool = Tool(folder, plex)
            assert tool("doctor").exit_code == 0
            assert tool("export", folder / "a.xlsx").exit_code == 0
            made = tool.folder / "made.json"
            words = ["init", "--url", plex.url, "--token", plex.token, "--library", "Music"]
            from tests.driver import plexsheet

            assert plexsheet("--config", made, *words).exit_code == 0
            assert json.loads(made.read_text())["PLEX_URL"] == plex.url

        assert len(plex.clients) == 1


def level(words: str) -> tuple[str, str]:
    found = re.search(r"library level before ([\d.]+), after ([\d.]+)", words)
    assert found is not None, words
    return found[1], found[2]


def rerated(plex: DemoPlex, value: float, share: int) -> None:
    later(plex)
    for item in list(manual_of(plex))[::share]:
        if item.kind == TRACK:
            plex.rate(item.key, value)
    later(plex)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["--then-infer", "watch --then-infer"])
def test_the_level_before_is_that_of_the_last_inference_however_it_ran(tmp_path: Path, way: str):
    with DemoPlex(tracks=300) as plex:
        tool = Tool(tmp_path, plex, WATCH={"SETTLE_SEC": 0.2})
        first = level(tool("infer", "--yes").words)[1]
        tool.export()
        chosen = [item for item in manual_of(plex) if item.kind == TRACK]
        type_in(tool, chosen, "My rating", 5)
        if way == "--then-infer":
            assert tool("import", tool.workbook, "--yes", "--then-infer").exit_code == 0
        else:
            inbox = tool.folder / "workbooks" / "inbox"
            inbox.mkdir(parents=True, exist_ok=True)
            shutil.copy(tool.workbook, inbox / "music.xlsx")
            done = tool("watch", "--once", "--auto-apply", "--then-infer")
            assert done.exit_code == 0, done.output
        assert all(item.rating == 10 for item in chosen)
        rerated(plex, 1.0, 2)

        before, after = level(tool("infer", "--yes").words)

        assert float(before) > float(first) + 0.1
        assert float(after) < float(before) - 0.1


def test_sources_are_told_apart_in_a_library_of_whole_numbers(tmp_path: Path):
    """ROUNDING 1: every inferred value is one that people give, too."""
    rows = list(generate(TRACKS, 9))
    with DemoPlex(rows) as plex:
        tool = Tool(tmp_path, plex, ROUNDING=1)
        manual = ratings(plex)
        tool.infer()
        later(plex)
        wanted = given_again(plex, some_of_each(plex, manual, tracks=10))
        tool.infer()
        later(plex)

        assert tool("undo", "--inferred", "--yes").exit_code == 0

        assert ratings(plex) == {**manual, **wanted}
        assert tagged(plex) == set()


def test_a_copy_left_blank_in_an_open_workbook_takes_no_rating_away(tmp_path: Path):
    """Typed on one of two rows that share a rating; the same file is saved and imported again."""
    with DemoPlex(with_copies(generate(TRACKS, 6))) as plex:
        tool = Tool(tmp_path, plex)
        pairs = [p for p in plex.store.by_guid.values() if all(i.rating is None for i in p)]
        pair, other = pairs[0], pairs[1][0]
        tool.export()
        type_in(tool, pair[:1], "My rating", 4.5)
        assert tool.importing().json["counts"]["applied"] == 1
        theirs(tool, dict.fromkeys(pair, 9.0))
        later(plex)

        type_in(tool, [other], "My rating", 3)
        done = tool.importing()

        assert done.exit_code == 0, done.output
        assert other.rating == 6.0
        theirs(tool, dict.fromkeys(pair, 9.0))
