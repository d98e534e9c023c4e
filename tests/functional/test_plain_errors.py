"""What a person meets when something is not as it should be: one sentence, nothing changed."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.driver import Result, Tool
from tests.plex.server import DemoPlex

MANY = 400  # characters; more than one or two sentences


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=120) as plex:
        made = Tool(tmp_path, plex)
        made.export()
        yield made


def set_config(tool: Tool, **values: object) -> None:
    known = json.loads(tool.config.read_text(encoding="utf-8"))
    tool.config.write_text(json.dumps(known | values, indent=2), encoding="utf-8")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def everything(tool: Tool) -> tuple[object, ...]:
    """What must be as before: ratings, writes, files."""
    files = {
        path: path.read_bytes()
        for path in sorted(tool.folder.rglob("*.xlsx"))
        if not path.name.startswith(".")
    }
    return tool.plex.ratings(), len(tool.plex.writes), files


def said(result: Result, code: int, *words: str) -> None:
    """One error of one or two sentences with these words, and no traceback."""
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert len(errors[0]) < MANY, errors[0]
    for word in words:
        assert word in errors[0], errors[0]


def wrong_token(tool: Tool) -> tuple[int, tuple[str, ...]]:
    set_config(tool, PLEX_TOKEN="not-the-token-of-anyone")
    return 4, ("token", "401")


def server_down(tool: Tool) -> tuple[int, tuple[str, ...]]:
    set_config(tool, PLEX_URL=f"http://127.0.0.1:{free_port()}")
    return 4, ("did not answer", "PLEX_URL")


def wrong_library(tool: Tool) -> tuple[int, tuple[str, ...]]:
    set_config(tool, LIBRARY_NAME="Musik")
    return 4, ("Musik", "Music")


def no_config(tool: Tool) -> tuple[int, tuple[str, ...]]:
    tool.config.unlink()
    return 2, ("config.json", "plexsheet init")


def unknown_key(tool: Tool) -> tuple[int, tuple[str, ...]]:
    set_config(tool, LIBRARY_NAM="Music")
    return 2, ("LIBRARY_NAM", "LIBRARY_NAME", "line")


def wrong_type(tool: Tool) -> tuple[int, tuple[str, ...]]:
    set_config(tool, MIN_CONFIDENCE="much")
    return 2, ("MIN_CONFIDENCE", "much", "line")


def not_json(tool: Tool) -> tuple[int, tuple[str, ...]]:
    tool.config.write_text('{\n  "PLEX_URL": "http://127.0.0.1:32400",,\n}', encoding="utf-8")
    return 2, ("line 2",)


TROUBLES = [wrong_token, server_down, wrong_library, no_config, unknown_key, wrong_type, not_json]


@pytest.mark.parametrize("command", ["export", "import", "infer"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_changed(
    tool: Tool, trouble: Callable[[Tool], tuple[int, tuple[str, ...]]], command: str
) -> None:
    words = {
        "export": ["export", tool.folder / "another.xlsx"],
        "import": ["import", tool.workbook, "--yes"],
        "infer": ["infer", "--yes"],
    }[command]
    before = everything(tool)
    code, wanted = trouble(tool)

    result = tool(*words)

    said(result, code, *wanted)
    assert everything(tool) == before
    assert tool.plex.token not in result.output


def test_a_workbook_of_another_library_is_refused_with_both_names(tool: Tool, tmp_path: Path):
    (tmp_path / "other").mkdir()
    with DemoPlex(tracks=60, seed=5) as plex:
        other = Tool(tmp_path / "other", plex)

        result = other("import", tool.workbook, "--yes")

        said(result, 3, "belongs to", "Music", "Nothing was changed")
        assert not plex.writes


@pytest.mark.parametrize(
    "content",
    [b"", b"rating\n4\n", b"PK\x03\x04 and no more", os.urandom(4000), b"<html>Log in</html>"],
    ids=["empty", "text", "cut off", "noise", "page"],
)
def test_a_file_that_is_no_workbook_is_refused(tool: Tool, content: bytes) -> None:
    path = tool.folder / "notes.xlsx"
    path.write_bytes(content)
    before = everything(tool)

    result = tool("import", path, "--yes")

    said(result, 3, "F0")
    assert everything(tool) == before


def test_a_file_that_is_not_there_is_named(tool: Tool) -> None:
    result = tool("import", tool.folder / "musik.xlsx", "--yes")

    assert result.exit_code == 2, result.output
    assert "musik.xlsx" in result.stderr
    assert "Traceback" not in result.output
