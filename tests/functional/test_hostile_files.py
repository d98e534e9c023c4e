"""Files that are damaged, disguised or made to hurt: one sentence each, and nothing else."""

from __future__ import annotations

import re
import resource
import time
from pathlib import Path

import psutil
import pytest

from plexsheet.errors import WorkbookError
from plexsheet.workbook.edits.validate import validate
from plexsheet.workbook.reading import child, reader
from tests import hostile

LIMIT_S = 58


@pytest.mark.parametrize("name", hostile.BUILDERS)
def test_a_hostile_file_is_refused_with_one_sentence(name: str, tmp_path: Path) -> None:
    path = hostile.BUILDERS[name](tmp_path)
    content = path.read_bytes()
    started = time.monotonic()

    with pytest.raises(WorkbookError) as refused:
        raw = reader.read(path, extras=True)
        result = validate(raw, None, next_year=2027)
        stop = next(
            (m for m in (*raw.messages, *result.messages) if m.code in raw.stopped.values()), None
        )
        assert not result.edits
        if stop is not None:  # a sheet that cannot be read is said, too
            raise WorkbookError(stop.text, code=stop.code)

    assert refused.value.code in {"F01", "F03", "F11", "F15"}
    assert refused.value.exit_code == 3
    assert re.fullmatch(r"[^\n]{20,400}", refused.value.message)
    assert "Traceback" not in refused.value.message
    assert time.monotonic() - started < LIMIT_S
    assert path.read_bytes() == content
    assert not list(tmp_path.glob("*#"))


@pytest.mark.parametrize("name", hostile.READABLE)
def test_a_strange_but_legal_file_is_read(name: str, tmp_path: Path) -> None:
    raw = reader.read(hostile.READABLE[name](tmp_path))

    result = validate(raw, None, next_year=2027)

    assert "Tracks" in raw.sheets
    assert all(message.text for message in result.messages)


def test_strange_numbers_are_refused_one_by_one(tmp_path: Path) -> None:
    raw = reader.read(hostile.strange_numbers(tmp_path))

    result = validate(raw, None, next_year=2027)

    assert {m.row: m.code for m in result.messages if m.row} | {8: "", 6: ""} == {
        2: "E10",
        3: "E10",
        4: "E10",
        5: "E10",
        6: "",
        7: "E10",
        8: "",
        9: "E13",
    }
    assert [(edit.row, edit.wanted) for edit in result.edits] == [(8, 8.0)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("encrypted workbook", "password"),
        ("encrypted parts", "password"),
        ("web page", "a web page"),
        ("xml", "an XML file of a spreadsheet program"),
        ("pdf", "a PDF document"),
        ("empty", "it is empty"),
        ("many parts", "parts, more than the 10,000 allowed"),
        ("declared huge", "more than the 4 GB allowed"),
        ("cell far away", "too large or damaged"),
    ],
)
def test_the_sentence_says_what_is_wrong(name: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=words):
        reader.read(hostile.BUILDERS[name](tmp_path))


def test_damaged_files_are_read_or_refused_and_never_crash(tmp_path: Path) -> None:
    original = hostile.sound(tmp_path / "a.xlsx").read_bytes()
    refused = 0

    for number, data in enumerate(hostile.damaged(original, seed=1)):
        path = tmp_path / f"{number}.xlsx"
        path.write_bytes(data)
        try:
            validate(reader.read(path), None, next_year=2027)
        except WorkbookError as error:
            refused += 1
            assert error.code in {"F01", "F03", "F15"}

    assert refused >= 5  # every truncation


def test_the_child_dies_alone_and_leaves_nothing(tmp_path: Path) -> None:
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for name in ("cell far away", "cell beyond the grid", "many strings announced"):
        with pytest.raises(WorkbookError):
            reader.read(hostile.BUILDERS[name](tmp_path))

    assert {child.pid for child in me.children(recursive=True)} <= before
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 100_000  # kilobytes


@pytest.mark.slow
@pytest.mark.parametrize(("limit_s", "clock"), [(0.05, 1), (1.0, 600)], ids=["clock", "processor"])
def test_a_reader_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit_s: float, clock: int
) -> None:
    """On a busy machine the clock says little: there it is processor time that counts."""
    monkeypatch.setattr(child, "TIME_LIMIT_S", limit_s)
    monkeypatch.setattr(child, "ON_THE_CLOCK", clock)

    with pytest.raises(WorkbookError, match=f"at {limit_s:.0f} seconds") as refused:
        reader.read(hostile.smaller_bomb(tmp_path))

    assert refused.value.code == "F01"


def test_the_child_gets_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLEXSHEET_PLEX_TOKEN", "secret-of-a-test")

    assert "secret-of-a-test" not in child._environment().values()
