"""What Windows and old terminals do differently, as far as it shows on any system."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from plexsheet.cli import expanded
from plexsheet.errors import UsageError
from plexsheet.workbook.writing.writer import replacing
from tests.driver import Tool
from tests.plex.server import DemoPlex


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    with DemoPlex(tracks=120) as plex:
        yield Tool(tmp_path_factory.mktemp("code page"), plex)


def in_code_page(tool: Tool, *words: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose output goes into a file or pipe in Windows' western code page."""
    return subprocess.run(
        [sys.executable, "-m", "plexsheet", "--config", str(tool.config), *words],
        env=os.environ | {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("doctor",), ("report", "histogram"), ("infer", "--preview"), ("--help",)]
)
def test_an_output_without_stars_and_ticks_gets_question_marks_not_a_crash(
    tool: Tool, words: tuple[str, ...]
) -> None:
    done = in_code_page(tool, *words)

    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout.decode("cp1252").strip()


def test_json_is_whole_in_any_code_page(tool: Tool) -> None:
    there = json.loads(in_code_page(tool, "report", "rate-next", "--json").stdout.decode("cp1252"))

    here = tool("report", "rate-next", "--json").json
    assert there["rows"] == here["rows"]


@pytest.mark.parametrize("words", [("export",), ("--no-such-option",), ("history",)])
def test_no_color_means_none_in_errors_too(tmp_path: Path, words: tuple[str, ...]) -> None:
    command = ["-m", "plexsheet", "--config", str(tmp_path / "missing.json"), *words]
    env = os.environ | {"NO_COLOR": "1", "TERM": "xterm-256color"}

    shown = pexpect.run(f"{sys.executable} {' '.join(command)}", env=env, timeout=250)

    assert b"Error: " in shown
    assert b"\x1b[" not in shown


def test_wildcards_are_expanded_where_the_shell_leaves_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("b.xlsx", "a.xlsx", "c.csv"):
        Path(name).touch()

    assert expanded(["import", "*.xlsx", "--sheet", "no*such"]) == [
        "import", "a.xlsx", "b.xlsx", "--sheet", "no*such",
    ]  # fmt: skip


def test_a_workbook_that_another_program_holds_stays_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "music.xlsx"
    path.write_bytes(b"as it was")

    def held(self: Path, target: Path) -> Path:
        """What os.replace answers on Windows while Excel has the target open."""
        raise PermissionError(13, "Access is denied", str(self), 5, str(target))

    monkeypatch.setattr(Path, "replace", held)
    with pytest.raises(UsageError, match="open in another program") as said, replacing(path) as new:
        new.write(b"new")

    assert "It is as it was" in said.value.message
    assert path.read_bytes() == b"as it was"
    assert [file.name for file in tmp_path.iterdir()] == ["music.xlsx"]
