"""What plex-rating-utils offers, through the command line; docs/parity.md links each row here."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from plexsheet.cli.app import App
from plexsheet.cli.menu import Menu
from plexsheet.demo.library import Row
from tests.driver import Tool
from tests.plex.server import DemoPlex

REPO = Path(__file__).parent.parent.parent
KINDS = ("artist", "album", "track")
HEADERS = {
    "artist": "ratingKey,artistName,sortName,albumCount,genres,userRating,ratingType",
    "album": "ratingKey,albumName,sortName,artistName,releaseYear,genres,userRating,ratingType",
    "track": "ratingKey,trackTitle,trackArtist,albumName,albumArtist,userRating,ratingType",
}
TRACKS = 150


def tagged(plex: DemoPlex, tag: str) -> set[int]:
    return {
        item["key"]
        for kind in KINDS
        for item in plex.items(kind)
        if tag.casefold() in (name.casefold() for name in item["tags"].get("mood", ()))
    }


def written_since(plex: DemoPlex, before: dict[int, float]) -> set[int]:
    return {key for key, rating in plex.ratings().items() if before.get(key) != rating}


# Phases


@pytest.mark.parametrize(
    ("phase", "kinds"),
    [
        (0, {"artist", "album", "track"}),
        (1, {"album"}),
        (2, {"artist"}),
        (3, {"album"}),
        (4, {"track"}),
        (5, {"track"}),
    ],
)
def test_each_phase_writes_its_own_kind(tool: Tool, plex: DemoPlex, phase: int, kinds: set[str]):
    before = plex.ratings()

    result = tool("infer", str(phase), "--yes", "--json")

    assert result.exit_code == 0, result.output
    kind_of = {item["key"]: kind for kind in KINDS for item in plex.items(kind)}
    written = written_since(plex, before)
    assert {kind_of[key] for key in written} == kinds
    assert not written & set(before), "a rating of the person was touched"


def test_up_and_down_share_the_albums_between_them(tool: Tool):
    """Album-Up rates albums with rated tracks, Album-Down the others, together all of them."""
    everything = tool("infer", "0", "--json").json["counts"]["albums"]

    up, down = (tool("infer", phase, "--json").json["counts"]["albums"] for phase in (1, 3))

    assert up > 0
    assert down > 0
    assert up + down == everything


def sort_title(title: str) -> str:
    return re.sub(r"^(the|a|an) ", "", title, flags=re.IGNORECASE).casefold()


@pytest.mark.slow
@pytest.mark.parametrize("phase", range(6))
def test_the_start_letter_goes_by_the_artists_sort_title_in_every_phase(tmp_path: Path, phase: int):
    with DemoPlex(tracks=700) as plex:
        tool, before = Tool(tmp_path, plex), plex.ratings()
        artists = sorted(sort_title(artist["title"]) for artist in plex.items("artist"))
        assert any(artist["title"].startswith("The ") for artist in plex.items("artist"))
        letter = artists[len(artists) // 2][0]

        assert tool("infer", phase, "--start-at", letter.upper(), "--yes").exit_code == 0
        later = written_since(plex, before)
        assert tool("infer", phase, "--yes").exit_code == 0

        of = {
            item["key"]: sort_title(item["artist"] or item["title"])
            for kind in KINDS
            for item in plex.items(kind)
        }
        rest = written_since(plex, before) - later
        assert all(of[key] >= letter for key in later)
        assert all(of[key] < letter for key in rest)
        assert later
        assert rest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "same_as"),
    [
        *((str(phase), ["infer", str(phase)]) for phase in range(6)),
        ("6", ["verify"]),
        ("7", ["undo", "--inferred"]),
        ("8", ["reconstruct"]),
        ("9", ["reconstruct"]),
    ],
)
def test_the_numbers_of_the_command_line_do_what_they_did(
    tool: Tool, number: str, same_as: list[str]
):
    if int(number) > 5:
        tool.infer()
    shown = [] if same_as == ["verify"] else ["--preview"]

    short, long = (tool(*words, *shown, "--json") for words in ([number], same_as))

    assert short.exit_code == long.exit_code
    timeless = {"seconds", "requests"}
    assert {k: v for k, v in short.json.items() if k not in timeless} == {
        k: v for k, v in long.json.items() if k not in timeless
    }


def test_a_number_is_the_answer_yes_and_can_be_taken_back(tool: Tool, plex: DemoPlex):
    """As plex-rating-utils runs them from cron: nobody is there to ask."""
    done = tool("4", "--json")

    assert done.exit_code == 0
    assert done.json["counts"]["written"] > 0
    assert tool("6", "--yes").exit_code == 0
    assert tool("undo", str(done.json["run"]), "--yes").exit_code == 0
    assert tool("4", "--yes", "--json").json["counts"]["written"] == done.json["counts"]["written"]
    assert tool("7", "--json").json["counts"]["written"] > 0
    assert tool("6").exit_code == 0


def test_dry_run_outranks_a_number(tmp_path: Path, plex: DemoPlex):
    done = Tool(tmp_path, plex, DRY_RUN=True)("4", "--json")

    assert done.exit_code == 0
    assert done.json["preview"] is True
    assert plex.writes == []


def test_a_number_takes_options_and_an_unknown_one_is_a_mistake(tool: Tool, plex: DemoPlex):
    assert tool("4", "--start-at", "P", "--preview").exit_code == 0
    assert tool("10").exit_code == 2
    assert plex.writes == []


# Bulk


def bulk(tool: Tool) -> dict[str, Path]:
    assert tool("export", "--csv", tool.folder / "bulk").exit_code == 0
    return {kind: tool.folder / "bulk" / f"{kind}s.csv" for kind in KINDS}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def edit(path: Path, *edits: tuple[int, str, str], header: str | None = None) -> Path:
    """Keep only the rows of these keys, with another rating and type."""
    rows = {int(row["ratingKey"]): row for row in rows_of(path)}
    header = header or path.read_text("utf-8-sig").splitlines()[0]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header.split(","))
        writer.writeheader()
        for key, rating, whose in edits:
            writer.writerow(rows[key] | {"userRating": rating, "ratingType": whose})
    return path


def test_bulk_files_have_the_headers_and_every_item(tool: Tool, plex: DemoPlex):
    tool.infer()
    ours = tagged(plex, "Rating_Inferred")

    for kind, path in bulk(tool).items():
        assert path.read_bytes().startswith(b"\xef\xbb\xbf")
        assert path.read_text("utf-8-sig").splitlines()[0] == HEADERS[kind]
        rows = rows_of(path)
        assert [int(row["ratingKey"]) for row in rows] == [i["key"] for i in plex.items(kind)]
        for row, item in zip(rows, plex.items(kind), strict=True):
            assert float(row["userRating"]) == pytest.approx(item["userRating"] / 2, abs=0.01)
            assert row["ratingType"] == ("inferred" if item["key"] in ours else "manual")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", ["manual", "Manual", "MANUAL"])
def test_a_bulk_row_of_type_manual_makes_the_rating_the_persons(
    tool: Tool, plex: DemoPlex, kind: str, word: str
):
    tool.infer()
    key = min(key for key in tagged(plex, "Rating_Inferred") if key in plex.ratings(kind))
    file = edit(bulk(tool)[kind], (key, "1.25", word))

    result = tool("import", file, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert result.json["counts"]["applied"] == 1
    assert plex.rating(key) == 2.5
    assert key not in tagged(plex, "Rating_Inferred")
    tool.infer()
    assert plex.rating(key) == 2.5


@pytest.mark.slow
@pytest.mark.parametrize("word", ["inferred", "Inferred", "INFERRED"])
def test_a_bulk_row_of_type_inferred_withdraws_the_persons_rating(
    tool: Tool, plex: DemoPlex, word: str
):
    key, given = next(iter(plex.ratings("track").items()))
    file = edit(bulk(tool)["track"], (key, f"{given / 2:g}", word))

    result = tool("import", file, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert plex.rating(key) is None
    tool.infer()
    assert plex.rating(key) is not None
    assert key in tagged(plex, "Rating_Inferred")


def test_a_bulk_row_left_as_it_was_exported_changes_nothing(tool: Tool, plex: DemoPlex):
    tool.infer()
    writes = len(plex.writes)

    for path in bulk(tool).values():
        result = tool("import", path, "--yes", "--json")
        assert result.exit_code == 0, result.output
        assert result.json["counts"]["applied"] == 0

    assert len(plex.writes) == writes


@pytest.mark.parametrize(
    ("rating", "word", "code"),
    [("3", "Infered", "E20"), ("7", "manual", "E11"), ("0", "manual", "E13")],
)
def test_a_bulk_row_that_is_unclear_is_refused(
    tool: Tool, plex: DemoPlex, rating: str, word: str, code: str
):
    key = next(item["key"] for item in plex.items("track") if item["userRating"] is None)
    file = edit(bulk(tool)["track"], (key, rating, word))

    result = tool("import", file, "--yes", "--json")

    assert result.exit_code == 1
    assert [row["code"] for row in result.json["rows"]] == [code]
    assert plex.writes == []


def test_many_blanks_in_a_bulk_file_are_held(tmp_path: Path):
    with DemoPlex(tracks=600) as plex:
        tool, before = Tool(tmp_path, plex), plex.ratings()
        keys = list(plex.ratings("track"))
        file = edit(bulk(tool)["track"], *((key, "", "manual") for key in keys))

        result = tool("import", file, "--yes", "--json")

        assert len(keys) > 20
        assert result.exit_code == 1
        assert result.json["counts"]["held"] == len(keys)
        assert plex.ratings() == before
        assert tool("import", file, "--yes", "--confirm", len(keys)).exit_code == 0
        assert not set(keys) & set(plex.ratings())


def test_a_bulk_file_of_albums_changes_the_year(tmp_path: Path):
    with DemoPlex([song("Ada", "One", "A", year=1970, release_date="1970-01-01")]) as plex:
        tool = Tool(tmp_path, plex)
        path = bulk(tool)["album"]
        text = path.read_text("utf-8-sig")
        assert ",1970," in text
        path.write_text(text.replace(",1970,", ",1971,"), "utf-8")

        result = tool("import", path, "--yes", "--json")

        assert result.exit_code == 0, result.output
        assert plex.find("One").released == "1971-01-01"


def test_bulk_files_have_the_names_of_the_settings(tmp_path: Path, plex: DemoPlex):
    named = Tool(tmp_path, plex, BULK_ARTIST_FILENAME="./mine.csv")
    menu = Menu(App(config_path=str(named.config)))

    names = [Path(menu.bulk_file(kind)).name for kind in KINDS]

    assert names == ["mine.csv", "album_ratings.csv", "track_ratings.csv"]


# Reports


@pytest.mark.parametrize(
    ("name", "shows"),
    [
        ("coverage", "Unrated"),
        ("histogram", "0.50"),
        ("twins", "Twins"),
        ("dissenters", "Others' mean"),
    ],
)
def test_each_report_of_plex_rating_utils_is_there(tmp_path: Path, name: str, shows: str):
    with DemoPlex(tracks=1200) as plex:
        result = Tool(tmp_path, plex)("report", name)

        assert result.exit_code == 0, result.output
        assert shows in result.stdout
        assert plex.writes == []


def test_reports_can_be_written_as_text(tool: Tool):
    file = tool.folder / "reports.txt"

    assert tool("report", "all", "--output", file).exit_code == 0

    text = file.read_text("utf-8")
    assert "Coverage\n========" in text
    assert "\x1b" not in text


def test_a_report_reads_the_whole_library_anew_when_told(tool: Tool, plex: DemoPlex):
    """What Clear Cache does: a rating taken away in Plex shows in no list of what changed."""
    tool.export()
    rated = manual_tracks(tool("report", "coverage", "--json").json)
    plex.rate(next(iter(plex.ratings("track"))), None)

    assert manual_tracks(tool("report", "coverage", "--full", "--json").json) == rated - 1


def manual_tracks(report: dict[str, Any]) -> int:
    return next(int(row["Manual"]) for row in report["rows"] if row["Kind"] == "Tracks")


# Settings


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["infer", "--yes"],
        ["import", "music.xlsx", "--yes"],
        ["restore", "music.xlsx", "--yes"],
        ["undo", "1", "--yes"],
        ["undo", "--inferred", "--yes"],
        ["sync-tags", "--yes"],
    ],
)
def test_dry_run_shows_every_write_and_makes_none(
    tool: Tool, plex: DemoPlex, words: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tool.folder)
    tool.export()
    tool.infer()
    plex.rate(next(iter(plex.ratings("track"))), 2.0)
    plex.tag(min(tagged(plex, "Rating_Inferred")), "mood", ["Calm"])
    dry, writes = Tool(tool.folder, plex, DRY_RUN=True), len(plex.writes)

    result = dry(*words)

    assert result.exit_code in (0, 1), result.output
    assert "DRY_RUN" in result.output or "Nothing to write" in result.output
    assert len(plex.writes) == writes


def test_the_tags_are_those_of_the_settings(tmp_path: Path):
    with DemoPlex(tracks=400) as plex:
        tool = Tool(tmp_path, plex, INFERRED_TAG="Guess", TWIN_LOGIC={"TWIN_TAG": "Copy"})
        before = plex.ratings()

        tool.infer()

        inferred = set(plex.ratings()) - set(before)
        assert tagged(plex, "Guess") == inferred
        twins = tagged(plex, "Copy")
        assert twins
        assert twins < inferred


def test_an_empty_tag_is_no_tag(tmp_path: Path, plex: DemoPlex):
    tool, before = Tool(tmp_path, plex, INFERRED_TAG=""), moods(plex)

    tool.infer()

    assert moods(plex) == before
    assert tool("verify").exit_code == 0


def moods(plex: DemoPlex) -> dict[int, list[str]]:
    return {i["key"]: i["tags"].get("mood", []) for kind in KINDS for i in plex.items(kind)}


def test_dynamic_precision_leaves_small_drifts(tmp_path: Path):
    """A rating changed a little moves the library's mean; what moves less than 0.012 stays."""
    counts = {}
    for precision in (True, False):
        with DemoPlex(tracks=400) as plex:
            folder = tmp_path / str(precision)
            folder.mkdir()
            tool = Tool(folder, plex, DYNAMIC_PRECISION=precision, **PLAIN)
            mean_moves_by = 0.009 * len(plex.ratings("track"))
            tool.infer()
            mine = next(item for item in plex.items("track") if own(item))
            plex.rate(mine["key"], mine["userRating"] - mean_moves_by)
            counts[precision] = tool("infer", "--json").json["counts"]

    assert counts[True]["drift_skipped"] > 100
    assert counts[True]["tracks"] < counts[False]["tracks"]
    assert counts[False]["drift_skipped"] == 0


def own(item: dict[str, Any]) -> bool:
    return "Rating_Inferred".casefold() not in map(str.casefold, item["tags"].get("mood", ()))


def test_the_server_rests_after_so_many_single_ratings(tmp_path: Path):
    with DemoPlex(tracks=40) as plex:
        tool = Tool(tmp_path, plex, WRITE_MODE="rate", COOLDOWN_BATCH=4, COOLDOWN_SLEEP=0.1)
        started = time.monotonic()

        result = tool("infer", "--yes", "--json")

        took = time.monotonic() - started
        written = sum(result.json["counts"][name] for name in ("artists", "albums", "tracks"))
        assert result.exit_code == 0, result.output
        assert written >= 40
        assert took >= written // 4 * 0.1


# The formulas, worked out by hand: ratings 10, 10 on one album, 4, 4 on another; mean 7


def song(artist: str, album: str, track: str, rating: float | None = None, **more: Any) -> Row:
    values: dict[str, Any] = {"duration_ms": 200_000, "index": len(track)} | more
    return Row(
        artist=artist, album_artist=artist, album=album, track=track, user_rating=rating, **values
    )


HAND = (
    song("Ada", "One", "A", 10.0, critic_rating=6.0),
    song("Ada", "One", "BB", 10.0, critic_rating=6.0),
    song("Bob", "Two", "C", 4.0),
    song("Bob", "Two", "DD", 4.0),
    song("Cleo", "Three", "E", artist_user_rating=10.0),
    song("Dora", "Four", "F", album_user_rating=10.0),
)
PLAIN = {"MODEL": "classic", "ROUNDING": "none", "WEIGHT_CRITIC": 0}
CRITIC = {"WEIGHT_CRITIC": 3, "WEIGHT_GLOBAL": 1}


@pytest.mark.parametrize(
    ("settings", "title", "expected"),
    [
        ({}, "One", (3 * 7 + 20) / 5),
        ({"CONFIDENCE_C": 1}, "One", (7 + 20) / 3),
        (CRITIC | {"BIAS_CRITIC": 0}, "One", (3 * (7 + 3 * 6) / 4 + 20) / 5),
        (
            CRITIC | {"BIAS_CRITIC": 1.5},
            "One",
            (3 * (7 + 3 * (10 * 7.5 / 11.5)) / 4 + 20) / 5,
        ),
        (CRITIC | {"BIAS_CRITIC": 0, "WEIGHT_GLOBAL": 0}, "One", (3 * 6 + 20) / 5),
        ({"ALBUM_INHERITANCE_GRAVITY": 0.8}, "Three", 10 * 0.2 + 7 * 0.8),
        ({"ALBUM_INHERITANCE_GRAVITY": 0}, "Three", 10.0),
        ({"TRACK_INHERITANCE_GRAVITY": 0.3}, "F", 10 * 0.7 + 7 * 0.3),
        ({"TRACK_INHERITANCE_GRAVITY": 1}, "F", 7.0),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_constants_of_the_formulas_do_what_they_say(
    tmp_path: Path, settings: dict[str, float], title: str, expected: float
):
    with DemoPlex(HAND) as plex:
        tool = Tool(tmp_path, plex, **(PLAIN | settings))

        tool.infer()

        assert plex.rating(title) == pytest.approx(expected, abs=0.011)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"ENABLED": True, "MIN_DURATION_SEC": 80, "KEYWORDS": ["interview"]}, 2),
        ({"ENABLED": True, "MIN_DURATION_SEC": 0, "KEYWORDS": ["interview"]}, 3),
        ({"ENABLED": True, "MIN_DURATION_SEC": 80, "KEYWORDS": []}, 3),
        (
            {
                "ENABLED": True,
                "MIN_DURATION_SEC": 80,
                "KEYWORDS": ["interview"],
                "CASE_SENSITIVE": True,
            },
            3,
        ),
        ({"ENABLED": False}, 4),
    ],
)
def test_short_tracks_and_words_are_left_out_upward(
    tmp_path: Path, rules: dict[str, Any], expected: int
):
    """Two tracks rated 10; a short one and an interview, both rated 1, count or do not."""
    rows = (
        *HAND,
        song("Ada", "One", "CCC", 1.0, duration_ms=30_000, critic_rating=6.0),
        song("Ada", "One", "An Interview", 1.0, critic_rating=6.0),
    )
    with DemoPlex(rows) as plex:
        tool = Tool(tmp_path, plex, **PLAIN, UPWARD_EXCLUSION_RULES=rules)

        assert tool("infer", "1", "--yes").exit_code == 0

        mean = (28 + 2) / 6
        counted = 20 + (expected - 2)
        assert plex.rating("One") == pytest.approx((3 * mean + counted) / (3 + expected), abs=0.011)


# State


def test_what_was_written_is_remembered_when_the_process_is_killed(tool: Tool, plex: DemoPlex):
    """plex-rating-utils saved now and then; here each chunk is on disk before it is sent."""
    plex.gate.set(5, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert plex.gate.wait_until_waiting(120)
        process.kill()
        process.communicate()
    plex.gate.release(False)
    written = {write.key for write in plex.writes}

    open_ = tool("history", "--json").json["runs"][0]

    assert len(written) > 0
    assert open_["status"] == "open"
    assert tool("resume", "--yes").exit_code == 0
    assert tool("verify").exit_code == 0


def test_a_state_file_of_another_library_is_refused(tool: Tool, plex: DemoPlex):
    file = tool.folder / "plex_state.json"
    file.write_text('{"version":"1.4.0","library_uuid":"other","ratings":{"1001":{"r":5}}}')

    result = tool("state", "import", file, "--yes")

    assert result.exit_code == 3
    assert "other" in result.stderr
    assert tool("verify", "--json").json["counts"]["checked"] == 0


def test_another_library_keeps_its_own_memory_in_the_same_file(tool: Tool):
    """Nobody has to juggle state files: the memory goes by the library's UUID."""
    tool.infer()
    with DemoPlex(tracks=60, seed=9) as other:
        second = Tool(tool.folder, other)
        assert second("verify", "--json").json["counts"]["checked"] == 0
        assert second("undo", "--inferred", "--yes", "--json").json["counts"]["written"] == 0


def test_the_written_state_file_carries_version_and_library(tool: Tool, plex: DemoPlex):
    tool.infer()
    file = tool.folder / "plex_state.json"

    assert tool("state", "export", file).exit_code == 0

    written = json.loads(file.read_text())
    assert written["version"] == "1.4.0"
    assert written["library_uuid"] == plex.store.section_uuid
    assert set(map(int, written["ratings"])) == tagged(plex, "Rating_Inferred")


def test_a_version_stamp_in_the_config_is_taken_and_a_newer_state_refused(
    tmp_path: Path, plex: DemoPlex
):
    tool = Tool(tmp_path, plex, version="1.4.0")
    tool.infer()
    with contextlib.closing(sqlite3.connect(tool.state)) as state:
        number = state.execute("PRAGMA user_version").fetchone()[0]
        assert number > 0
        state.execute(f"PRAGMA user_version = {number + 1}")
        state.commit()
    content = tool.state.read_bytes()

    result = tool("infer", "--yes")

    assert result.exit_code == 2
    assert "Install the newest plexsheet" in result.stderr
    assert tool.state.read_bytes() == content


def test_a_default_config_is_made_on_request(
    tmp_path: Path, plex: DemoPlex, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    from plexsheet.cli import run

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(["init", "--url", plex.url, "--token", plex.token])

    made = json.loads((tmp_path / "config.json").read_text())
    default = json.loads((REPO / "templates" / "config.json").read_text())
    assert code == 0
    named = {"PLEX_URL", "PLEX_TOKEN", "LIBRARY_NAME"}
    assert {k: v for k, v in made.items() if k not in named} == {
        k: v for k, v in default.items() if k not in named
    }


# The table


def rows_of_table() -> list[tuple[str, list[str]]]:
    lines = (REPO / "docs" / "parity.md").read_text("utf-8").splitlines()
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines if "::" in line
    ]
    return [(row[0], re.findall(r"\((\.\./tests/[\w/]+\.py)\)::(\w+)", row[-1])) for row in cells]


def test_each_row_of_the_parity_table_links_to_a_test_that_exists():
    rows = rows_of_table()

    assert len(rows) >= 30
    for what, links in rows:
        assert links, what
        for file, name in links:
            source = (REPO / "docs" / file).resolve()
            assert f"def {name}(" in source.read_text("utf-8"), f"{what}: {file}::{name}"
