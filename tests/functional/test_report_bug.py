"""``report-bug``: a zip that helps to find a bug and tells nothing of whose library it is."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from plexsheet.demo.library import Row, generate
from plexsheet.demo.recording import read_recording
from tests.driver import Tool, plexsheet
from tests.plex.server import DemoPlex

TRACKS = 260
TOKEN, ACCOUNT, LIBRARY = "tokenQzmarked77", "accountQzmarked", "LibraryQzmarked"


def marked(rows: Iterator[Row]) -> Iterator[Row]:
    """Rows in which every name carries a mark that no other text has."""

    def mark(text: str) -> str:
        return re.sub(r"[A-Za-z]{3,}", lambda word: f"{word[0]}qz", text)

    for row in rows:
        names = ("artist", "album_artist", "album", "track", "studio", "genre", "moods", "country")
        yield row._replace(**{name: mark(getattr(row, name)) for name in names})


@pytest.fixture
def plex() -> Iterator[DemoPlex]:
    with DemoPlex(
        list(marked(generate(TRACKS, 4))), token=TOKEN, username=ACCOUNT, title=LIBRARY
    ) as demo:
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    folder = tmp_path / "homeQzmarked"
    folder.mkdir()
    return Tool(folder, plex, LIBRARY_NAME=LIBRARY)


def read(report: Path) -> dict[str, str]:
    with zipfile.ZipFile(report) as made:
        assert made.testzip() is None
        return {name: made.read(name).decode("utf-8") for name in made.namelist()}


def test_no_token_address_name_or_title_of_a_marked_library_is_in_it(tool: Tool, plex: DemoPlex):
    assert tool("export", tool.folder / "bookQzmarked.xlsx").exit_code == 0
    tool.infer()
    report = tool.folder / "bug.zip"

    done = tool("report-bug", report, "--recording", "--yes")

    assert done.exit_code == 0, done.output
    parts = read(report)
    text = "\n".join(parts.values())
    names = {item[field] for kind in ("artist", "album", "track") for item in plex.items(kind)
             for field in ("title", "album", "artist", "originalTitle")}  # fmt: skip
    words = {word for name in names for word in re.findall(r"\w*qz\w*", name)}
    tails = (item["guid"].rpartition("/")[2] for item in plex.items("track"))
    guids = {tail for tail in tails if len(tail) > 12}  # the rest are rating keys, mere numbers
    assert len(words) > 20
    assert len(guids) > 100
    assert {word for word in words if re.search(rf"\b{word}\b", text, re.IGNORECASE)} == set()
    assert {guid for guid in guids if guid in text} == set()
    assert "qzmarked" not in text.lower()
    assert re.findall(r"127\.0\.0\.1|localhost", text) == []
    assert str(plex.port) not in text
    assert str(tool.folder.parent) not in text
    assert tool("report-bug", report, "--show", "library.json").output.count("qz") == 0


def test_it_shows_what_is_in_it_and_asks_before_it_writes(tool: Tool):
    report = tool.folder / "bug.zip"

    done = tool("report-bug", report)

    assert done.exit_code == 1
    for name in ("versions.json", "doctor.json", "runs.json", "library.json", "settings.json"):
        assert name in done.stdout
    assert "run again with --yes" in done.stdout
    assert not report.exists()


def test_it_tells_runs_and_the_shape_of_the_library(tool: Tool, plex: DemoPlex):
    tool.infer()
    report = tool.folder / "bug.zip"

    done = tool("report-bug", report, "--yes", "--json")

    assert done.json["written"] is True
    parts = read(report)
    assert json.loads(parts["runs.json"])[0]["kind"] == "infer"
    shape = json.loads(parts["library.json"])
    assert shape["kinds"]["track"]["items"] == TRACKS
    assert sum(shape["kinds"]["track"]["ratings"].values()) == len(plex.ratings("track"))
    assert json.loads(parts["settings.json"])["PLEX_TOKEN"] == "set"
    assert "recording.jsonl" not in parts


def test_a_recording_is_played_back_as_a_library_of_the_same_shape(tool: Tool, plex: DemoPlex):
    report = tool.folder / "bug.zip"
    assert tool("report-bug", report, "--recording", "--yes").exit_code == 0

    rows = list(read_recording(report))
    with DemoPlex(report) as played:
        other = Tool(tool.folder, played)
        found = {kind: played.items(kind) for kind in ("artist", "album", "track")}
        inferred = other("infer", "--yes", "--json")

    assert len(rows) == TRACKS
    for kind, items in found.items():
        real = plex.items(kind)
        assert len(items) == len(real), kind
        for field in ("userRating", "duration", "index", "rating", "year"):
            assert [item[field] for item in items] == [item[field] for item in real], (kind, field)
    for which in ("artist", "album", "title"):  # who shares a name still does
        assert _groups(found["track"], which) == _groups(plex.items("track"), which)
    assert inferred.exit_code == 0, inferred.output


def _groups(items: list[dict[str, object]], field: str) -> list[int]:
    """For each item the first with the same text."""
    first: dict[str, int] = {}
    return [first.setdefault(str(item[field]).casefold(), n) for n, item in enumerate(items)]


def test_a_server_that_is_away_and_a_broken_config_are_reported_too(tool: Tool, tmp_path: Path):
    config = json.loads(tool.config.read_text("utf-8"))
    tool.config.write_text(json.dumps(config | {"PLEX_URL": "http://127.0.0.1:9"}), "utf-8")
    away, broken = tmp_path / "away.zip", tmp_path / "broken.zip"

    assert tool("report-bug", away, "--yes").exit_code == 0
    tool.config.write_text('{"PLEX_URL": ', "utf-8")
    assert tool("report-bug", broken, "--yes").exit_code == 0

    assert json.loads(read(away)["error.json"])["code"] == "P70"
    assert "127.0.0.1" not in "".join(read(away).values())
    assert "library.json" not in read(broken)
    assert any(not check["ok"] for check in json.loads(read(broken)["doctor.json"]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("bug.txt",), "does not end in .zip"),
        (("bug.zip", "--show", "secrets.json"), "There is no secrets.json"),
        (("no such folder/bug.zip", "--yes"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said(tool: Tool, words: tuple[str, ...], told: str):
    done = tool("report-bug", *words)

    assert done.exit_code == 2
    assert told in done.output


def test_an_existing_file_is_kept(tool: Tool):
    report = tool.folder / "bug.zip"
    report.write_text("mine")

    assert tool("report-bug", report, "--yes").exit_code == 2
    assert report.read_text() == "mine"


def test_a_zip_without_a_recording_is_no_library(tmp_path: Path):
    report = tmp_path / "other.zip"
    with zipfile.ZipFile(report, "w") as made:
        made.writestr("README.txt", "nothing")

    done = plexsheet("demo", "--serve", "--library", report, "--folder", tmp_path / "demo")

    assert done.exit_code == 2
    assert "recording.jsonl" in done.output
