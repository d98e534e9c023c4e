"""Nonsense for every option and argument of every command: a sentence, and nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from plexsheet.cli import cli
from tests.driver import Tool
from tests.plex.server import DemoPlex

# What else a command needs to come as far as the word in question.
BESIDE = {
    "import": ["music.xlsx"],
    "restore": ["music.xlsx"],
    "diff": ["music.xlsx", "music.xlsx"],
    "match": ["list.csv"],
    "report": ["coverage"],
    "report-bug": ["bug.zip", "--force"],
    "undo": ["1"],
    "export": ["new.xlsx", "--force"],
}
NOT_ENDING = {"watch", "demo", "menu"}  # they go on until somebody ends them
NONSENSE = (
    *("", " ", "-1", "9" * 20, "nan", "ü★", "\n", "=", ":", "--", "../..", "folder"),
    *("no folder/x.xlsx", "empty.xlsx", "list.csv", "/dev/null", "a" * 5000),
)


def commands() -> Iterator[tuple[list[str], click.Command]]:
    """Every command with its words, those of groups too."""
    left: list[tuple[list[str], click.Command]] = [([], cli)]
    while left:
        words, command = left.pop()
        if isinstance(command, click.Group):
            context = click.Context(command)
            names = [name for name in command.list_commands(context) if name not in NOT_ENDING]
            found = [([*words, name], command.get_command(context, name)) for name in names]
            left += [(all_words, one) for all_words, one in found if one is not None]
        else:
            yield words, command


def lines_of(words: list[str], command: click.Command) -> Iterator[list[str]]:
    """Command lines, each with one word of nonsense."""
    for option in command.params:
        if isinstance(option, click.Option) and not option.is_flag:
            name = next(said for said in option.opts if said.startswith("--"))
            yield from ([*words, *BESIDE.get(words[0], []), name, word] for word in NONSENSE)
        elif isinstance(option, click.Argument):
            yield from ([*words, word] for word in NONSENSE)


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tool]:
    folder = tmp_path_factory.mktemp("nonsense")
    (folder / "folder").mkdir()
    (folder / "empty.xlsx").touch()
    (folder / "list.csv").write_text("x", encoding="utf-8")
    with DemoPlex(tracks=12) as plex:
        tool = Tool(folder, plex)
        tool.export()
        yield tool


@pytest.mark.slow
@pytest.mark.parametrize("command", list(commands()), ids=lambda command: " ".join(command[0]))
def test_nonsense_is_answered_in_a_sentence_and_writes_nothing(
    tool: Tool, monkeypatch: pytest.MonkeyPatch, command: tuple[list[str], click.Command]
) -> None:
    monkeypatch.chdir(tool.folder)
    config = tool.config.read_bytes()

    for line in lines_of(*command):
        result = tool(*line)

        assert result.exit_code in range(5), (line, result.output)
        assert "Traceback" not in result.output, line
        assert result.exit_code == 0 or result.output.strip(), line
    assert tool.plex.writes == []
    assert tool.config.read_bytes() == config
    assert list((tool.folder / "folder").iterdir()) == []
    assert (tool.folder / "empty.xlsx").stat().st_size == 0
