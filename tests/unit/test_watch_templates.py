"""The service units: read by their own kind of reader, and every command in them exists."""

from __future__ import annotations

import configparser
import plistlib
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from plexsheet.cli import cli
from tests.conftest import REPO

TEMPLATES = REPO / "templates"
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


def parses(arguments: list[str]) -> None:
    """Let click read a command line to its last option, without running it."""
    context = cli.make_context("plexsheet", list(arguments))
    rest = [*context._protected_args, *context.args]
    name, command, rest = cli.resolve_command(context, rest)
    assert command is not None, name
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)
        assert command is not None, name
    command.make_context(name, rest, parent=context)


def unit() -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(TEMPLATES / "plexsheet-watch.service")
    return parser


def plist() -> dict[str, object]:
    with (TEMPLATES / "org.plexsheet.watch.plist").open("rb") as file:
        return dict(plistlib.load(file))


def task() -> ElementTree.Element:
    return ElementTree.parse(TEMPLATES / "plexsheet-watch-task.xml").getroot()


def dockerfile() -> str:
    return (REPO / "Dockerfile").read_text()


def compose() -> str:
    return (TEMPLATES / "docker-compose.yml").read_text()


def commands() -> list[str]:
    """Every command line of plexsheet in units and docs/automation.md."""
    docs = (REPO / "docs" / "automation.md").read_text()
    lines = [shlex.join(shlex.split(unit()["Service"]["ExecStart"])[1:])]
    lines.append(shlex.join(plist()["ProgramArguments"][1:]))  # type: ignore[index]
    lines.append(task().findtext(f"{TASK}Actions/{TASK}Exec/{TASK}Arguments", ""))
    for text in re.findall(r'(?:CMD|command:) (\["[^\]]*\])', dockerfile() + compose()):
        words = re.findall(r'"([^"]*)"', text)
        lines.append(shlex.join(words[1:] if words[0] == "plexsheet" else words))
    cron = re.findall(r"bin/plexsheet ([^>\n]*)", docs)
    prose = re.findall(r"`plexsheet ([a-z][^`\[]*)`", docs)
    return [*lines, *cron, *prose]


@pytest.mark.parametrize("line", commands())
def test_every_command_in_units_and_docs_exists_with_its_options(line):
    parses(shlex.split(line))


def test_there_are_commands_to_check():
    assert len(commands()) >= 9
    with pytest.raises(click.UsageError):
        parses(["watch", "--no-such-option"])


def test_the_systemd_unit_lets_a_chunk_finish_and_takes_5_for_an_orderly_end():
    service = unit()["Service"]

    assert (service["KillMode"], service["SuccessExitStatus"]) == ("mixed", "5")
    assert int(service["TimeoutStopSec"]) > 120
    assert service["ExecStart"].startswith(service["WorkingDirectory"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_accepts_its_unit(tmp_path):
    home = tmp_path / "plexsheet" / ".venv" / "bin"
    home.mkdir(parents=True)
    (home / "plexsheet").write_text("#!/bin/sh\n")
    (home / "plexsheet").chmod(0o755)
    text = (TEMPLATES / "plexsheet-watch.service").read_text().replace("%h", str(tmp_path))
    (tmp_path / "plexsheet-watch.service").write_text(text)

    run = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "plexsheet-watch.service")],
        capture_output=True,
        text=True,
    )

    ours = [line for line in run.stderr.splitlines() if "plexsheet-watch" in line]
    assert ours == []


def test_the_launchd_agent_is_a_property_list_that_runs_the_watcher():
    agent = plist()

    assert agent["ProgramArguments"][1:] == ["watch"]  # type: ignore[index]
    assert agent["KeepAlive"] == {"Crashed": True}
    assert agent["Umask"] == 0o077
    assert int(str(agent["ExitTimeOut"])) > 120


def test_the_scheduled_task_runs_without_limit_and_never_twice():
    settings = task().find(f"{TASK}Settings")

    assert settings is not None
    assert settings.findtext(f"{TASK}ExecutionTimeLimit") == "PT0S"
    assert settings.findtext(f"{TASK}MultipleInstancesPolicy") == "IgnoreNew"
    assert "encoding" not in (TEMPLATES / "plexsheet-watch-task.xml").read_text().splitlines()[0]


def test_the_container_is_not_root_and_says_how_it_is():
    text = dockerfile()

    last_user = re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1]
    assert last_user not in ("root", "0")
    health = re.search(r'^HEALTHCHECK .*\n\s+CMD \["plexsheet", "watch", "--status"\]', text, re.M)
    assert health is not None
    assert text.index("USER plexsheet") < text.index("ENTRYPOINT")


def test_the_container_has_all_it_copies():
    copied = re.findall(r"^COPY (?!--from)(.*)$", dockerfile(), re.MULTILINE)
    names = [name for line in copied for name in line.split()[:-1]]

    assert {"pyproject.toml", "plexsheet", "templates"} <= set(names)
    missing = [name for name in names if not (REPO / name).exists()]
    assert missing == []


def test_the_compose_file_has_no_tabs_and_names_settings_that_exist():
    from plexsheet.config import document

    text = compose()
    known = {"PLEXSHEET_" + "__".join(setting.place) for setting in document()}

    assert "\t" not in text
    assert set(re.findall(r"PLEXSHEET_\w+", text)) <= known
    assert re.search(r"stop_grace_period: (\d+)s", text).group(1) > "120"  # type: ignore[union-attr]


def test_each_way_of_running_is_explained_in_five_lines():
    docs = (REPO / "docs" / "automation.md").read_text()
    sections = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", docs, re.MULTILINE))

    for title, file in (
        ("Linux: a systemd user service", "plexsheet-watch.service"),
        ("macOS: a launchd agent", "org.plexsheet.watch.plist"),
        ("Windows: the Task Scheduler", "plexsheet-watch-task.xml"),
        ("Docker", "docker-compose.yml"),
    ):
        numbered = re.findall(r"^\d\. ", sections[title], re.MULTILINE)
        assert len(numbered) == 5
        assert file in sections[title]
        assert (TEMPLATES / file).is_file()


def test_every_event_is_in_the_docs():
    docs = (REPO / "docs" / "automation.md").read_text()
    source = "".join(
        path.read_text() for path in (Path(REPO) / "plexsheet" / "watching").glob("*.py")
    )
    said = set(re.findall(r'log\.say\(\s*"([a-z-]+)"', source))
    said |= set(re.findall(r'log\.once\(\s*f?"[^"]*",\s*"([a-z-]+)"', source))

    assert len(said) > 8
    assert {event for event in said if f"`{event}`" not in docs} == set()
