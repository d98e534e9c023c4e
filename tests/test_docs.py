"""The documentation says what the program does: every name in it exists, every example runs.

Examples are the commands in fenced blocks of README.md and docs/.  They run in one folder
with a config.json, workbooks and lists of the names that the examples use, against a demo
server on loopback; where a command would ask, nobody answers, so it shows its plan and ends
with 1.  What cannot run here is listed with the reason, and nothing else may fail.
"""

from __future__ import annotations

import ast
import contextlib
import fnmatch
import html
import io
import json
import os
import plistlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from plexsheet.cli import COMMANDS, run
from plexsheet.config import document as every_setting
from plexsheet.messages import CODES
from plexsheet.ownership import SOURCES
from plexsheet.workbook.schema.columns import ACTIONS, DECISIONS, SHEETS
from plexsheet.workbook.schema.help import TOPICS
from plexsheet.workbook.writing.result import CHANGES
from plexsheet.workbook.writing.row_status import STATUSES
from tests.documentation import EXIT_CODES, JSON_SHAPES, PAGES, every_command
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

REPO = Path(__file__).parent.parent
DOCS = REPO / "docs"
FILES = [REPO / "README.md", *sorted(DOCS.glob("*.md"))]
NAMES = [str(path.relative_to(REPO)) for path in FILES]

SHELLS = {"console", "bash", "sh", "shell"}
NO_SHELL = {"text", "json", "zsh", "fish", "powershell", "python", "ini", "yaml", "xml", "cron"}

# Beginnings of examples that do not run here, and why.
NOT_HERE = {
    "git clone": "there is no address to clone from inside a test",
    "cd ": "the folder is the one cloned above",
    "make ": "each sets up a virtual environment; CI runs make itself",
    "pipx ": "installs; tests/tools/release.py installs the wheel",
    "pip ": "installs; tests/tools/release.py installs the wheel",
    "python -m pip ": "installs; tests/tools/release.py installs the wheel",
    "python -m venv ": "installs; tests/tools/release.py installs the wheel",
    "uv ": "installs; tests/tools/release.py installs the wheel",
    "plexsheet match ~/Music": "needs audio files; tests/functional/test_match.py",
    "plexsheet history --item": "needs an item there is; tests/functional has it",
    "plexsheet export jazz.xlsx": "needs jazz; tests/functional/test_export_parts.py",
    "plexsheet export late.xlsx": "needs Miles Davis; tests/functional/test_export_parts.py",
    "plexsheet export --only 'artist:": "needs Miles Davis; tests/functional/test_export_parts.py",
    "docker ": "no Docker engine is at hand",
    "systemctl ": "needs the session of a signed-in person",
    "journalctl ": "needs the session of a signed-in person",
    "loginctl ": "needs the session of a signed-in person",
    "launchctl ": "macOS only",
    "libreoffice ": "opens a window",
    "sudo ": "changes the computer",
    "crontab ": "changes the computer",
}
# Commands that talk with a person or run until they are ended; the whole line.
TALKING = {
    "plexsheet": "the menu; tests/functional/test_menu.py",
    "plexsheet menu": "the menu; tests/functional/test_menu.py",
    "plexsheet init": "asks; tests/functional/test_cli_setup.py",
    "plexsheet init --login": "Plex's own page; tests/functional/test_login.py",
    "plexsheet init --login --force": "Plex's own page; tests/functional/test_login.py",
    "plexsheet demo": "a minute long; tests/tools/release.py",
}
# Pages that another test follows from the first command to the last.
ELSEWHERE = {"first-hour.md": "tests/functional/test_first_hour.py"}
RUNS_ON = ("plexsheet watch", "plexsheet demo --serve")  # until ended


@dataclass(frozen=True)
class Example:
    """One command of a page."""

    page: str
    line: int
    command: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.command}"


def blocks(path: Path) -> Iterator[tuple[str, int, list[str]]]:
    """Fenced blocks of a page: language, number of the first line, lines."""
    language, start, lines = None, 0, []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if line.strip().startswith("```"):
            if language is None:
                language, start, lines = line.strip().removeprefix("```"), number + 1, []
            else:
                yield language, start, lines
                language = None
        elif language is not None:
            lines.append(line)
    assert language is None, f"{path.name}: a block is not closed"


def examples(path: Path) -> Iterator[Example]:
    """Every command of a page; in a console block those after the prompt."""
    for language, start, lines in blocks(path):
        if language not in SHELLS:
            continue
        for number, line in enumerate(lines, start):
            text = line.strip()
            if language == "console":
                if not text.startswith("$ "):
                    continue
                text = text.removeprefix("$ ")
            if text and not text.startswith("#"):
                yield Example(path.name, number, re.sub(r"\s+#\s.*$", "", text))


def why_not(example: Example) -> str | None:
    """The declared reason an example is not run."""
    if example.page in ELSEWHERE:
        return ELSEWHERE[example.page]
    if example.command in TALKING:
        return TALKING[example.command]
    return next((why for how, why in NOT_HERE.items() if example.command.startswith(how)), None)


# Names


def test_the_generated_pages_say_what_the_program_says_now() -> None:
    for name, page in PAGES.items():
        written = (DOCS / name).read_text("utf-8")
        assert written == page().rstrip("\n") + "\n", f"docs/{name} is out of date: make docs"


def test_every_command_has_help_and_examples_and_every_option_a_sentence() -> None:
    bare = []
    for name, command in every_command():
        if not (command.help or "").strip():
            bare.append(f"{name}: no help")
        if not re.search(r"Examples?:\n", command.epilog or ""):
            bare.append(f"{name}: no example")
        for option in command.params:
            if isinstance(option, click.Option) and not option.help:
                bare.append(f"{name} {option.opts[0]}: no help")

    assert bare == []


def test_every_command_and_option_is_on_its_page() -> None:
    page = (DOCS / "commands.md").read_text("utf-8")
    sections = dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", page, re.MULTILINE))

    for name, command in every_command():
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert f"`{option.opts[-1]}" in sections[name], f"{name} {option.opts}"
    assert set(COMMANDS) <= set(sections)


def test_every_command_that_has_json_tells_its_shape() -> None:
    with_json = {
        name
        for name, command in every_command()
        if any("--json" in parameter.opts for parameter in command.params)
    }

    assert set(JSON_SHAPES) == with_json


def test_every_setting_is_documented_with_a_sentence() -> None:
    page = (DOCS / "configuration.md").read_text("utf-8")

    for setting in every_setting():
        assert setting.sentence.endswith("."), setting.name
        assert f"| `{setting.place[-1]}` |" in page, setting.name
        assert setting.sentence in page, setting.name
    for key in json.loads((REPO / "templates" / "config.json").read_text("utf-8")):
        assert key in page, key


def test_every_column_token_and_message_is_in_the_workbook_guide() -> None:
    page = (DOCS / "workbook.md").read_text("utf-8")

    for columns in (*SHEETS.values(), CHANGES):
        for column in columns:
            assert column.note.endswith("."), column.name
            assert re.search(rf"\| {re.escape(column.header)} \| .* \| ", page), column.header
            assert column.note in page, column.name
    for code in CODES.values():
        assert f"| {code.code} | {code.when} |" in page, code.code
    for word in (*ACTIONS, *DECISIONS, *SOURCES, *STATUSES):
        assert re.search(rf"\b{word}\b", page), word
    typed = " ".join(topic[1] for topic in TOPICS)
    for word in (*ACTIONS, *DECISIONS):
        assert word in typed, f"{word} is not explained"


def _sayings() -> str:
    """All text in the package's source, pieces of one sentence joined."""
    found = []
    for path in (REPO / "plexsheet").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = (
                    part.value if isinstance(part, ast.Constant) else "…" for part in node.values
                )
                found.append("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.sub(r"{\w+}", "…", node.value))
    return "\n".join(found)


def test_what_troubleshooting_quotes_is_what_the_program_says() -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    seen = "\n".join(re.findall(r"^\| ([^|]*) \|", page, re.MULTILINE))
    quotes = re.findall(r"“([^”]+)”", seen)
    said = _sayings()

    assert len(quotes) >= 8
    pieces = [piece.strip() for quote in quotes for piece in quote.split("…") if piece.strip()]
    assert [piece for piece in pieces if piece not in said] == []


def test_every_exit_code_is_explained() -> None:
    from plexsheet import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    used = {0, 5} | {kind.exit_code for kind in kinds if issubclass(kind, errors.PlexsheetError)}

    assert {code for code, _ in EXIT_CODES} == {str(code) for code in used}


# Links


def _slug(heading: str) -> str:
    """The anchor GitHub gives a heading."""
    plain = re.sub(r"[`*\[\]]|\(.*?\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _anchors(path: Path) -> set[str]:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    return {_slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def _links(path: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return found + re.findall(r"""(?:src|href)=["']([^"']+)["']""", text)


@pytest.mark.parametrize("name", [*NAMES, "CHANGELOG.md", "workbooks/README.md"])
def test_every_link_and_picture_leads_somewhere(name: str) -> None:
    path = REPO / name
    broken = []
    for link in _links(path):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in _anchors(file)):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen: set[Path] = set()
    waiting = [REPO / "README.md"]
    while waiting:
        path = waiting.pop()
        if path in seen or path.suffix != ".md" or not path.exists():
            continue
        seen.add(path)
        targets = (link.partition("#")[0] for link in _links(path) if ":" not in link)
        waiting += [(path.parent / target).resolve() for target in targets if target]

    assert {path.name for path in DOCS.glob("*.md")} - {path.name for path in seen} == set()


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(path.parent / link).resolve() for path in FILES for link in _links(path)}

    assert [path.name for path in (DOCS / "images").iterdir() if path not in shown] == []


def test_drawn_pictures_load_nothing_from_elsewhere() -> None:
    for path in (DOCS / "images").glob("*.svg"):
        loaded = re.findall(
            r"""(?:href|src)=["']|url\(["']?(?!#)|@import""", path.read_text("utf-8")
        )
        assert loaded == [], path.name


def test_the_recorded_session_types_commands_there_are() -> None:
    drawn = html.unescape((DOCS / "images" / "session.svg").read_text("utf-8")).replace("\xa0", " ")
    typed = re.findall(r">(plexsheet \w[^<]*)<", drawn)

    assert len(typed) >= 4
    assert [command for command in typed if unknown_in(command)] == []


# Commands in running text


def _spoken(path: Path) -> Iterator[str]:
    """Commands in backticks: ``plexsheet undo RUN``."""
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    yield from (" ".join(one.split()) for one in re.findall(r"`(plexsheet [^`]+)`", text))


def unknown_in(command: str) -> str | None:
    """What of a command line the program does not know: a command or an option."""
    words = [word for word in command.split()[1:] if word not in ("…", "...")]
    known = dict(every_command())
    options = {"--config", "--profile", "--quiet", "--verbose", "--version", "--help"}
    while words and words[0].startswith("-"):
        if words[0] not in options:
            return words[0]
        words = words[2 if words[0] in ("--config", "--profile") else 1 :]
    if not words or re.fullmatch(r"[0-9]|[A-Z]+", words[0]):
        return None
    name = " ".join(words[:2]) if " ".join(words[:2]) in known else words[0]
    if name not in known:
        return name
    options |= {each for parameter in known[name].params for each in parameter.opts}
    typed = (word.split("=")[0].rstrip(",.;:)") for word in words if word.startswith("-"))
    return next((word for word in typed if word not in options), None)


@pytest.mark.parametrize("name", [*NAMES, "workbooks/README.md"])
def test_commands_in_running_text_exist(name: str) -> None:
    unknown = {command: what for command in _spoken(REPO / name) if (what := unknown_in(command))}

    assert unknown == {}


# Examples


@pytest.mark.parametrize("name", NAMES)
def test_blocks_say_which_language_they_are_in(name: str) -> None:
    assert {language for language, _, _ in blocks(REPO / name)} <= SHELLS | NO_SHELL


@dataclass
class World:
    """A folder in which examples find what they name, and the server they talk to."""

    folder: Path
    tool: Tool
    ran: set[str] = field(default_factory=set)  # a command that runs on one page runs on all

    def prepare(self) -> None:
        """The files that examples name."""
        tool = self.tool
        assert tool("export", "march.xlsx").exit_code == 0
        shutil.copy("march.xlsx", "november.xlsx")
        rows = rows_of_sheet(Path("november.xlsx"), "Tracks")
        free = [row["Key"] for row in rows if row["Source"] == "Unrated"]
        set_cells(Path("november.xlsx"), [("Tracks", free[1], "My rating", 4.5)])
        set_cells(Path("november.xlsx"), [("Tracks", free[2], "My rating", 7)])
        assert tool("import", "november.xlsx", "--yes").exit_code == 1  # one row is refused
        assert tool("infer", "--yes").exit_code == 0
        assert tool("export", "music.xlsx").exit_code == 0
        rate_one(Path("music.xlsx"))
        shutil.copy("music.xlsx", "old.xlsx")
        shutil.copytree(REPO / "templates", "templates")
        Path("workbooks").mkdir(exist_ok=True)
        shutil.copy("music.xlsx", "workbooks/plexsheet Music 2026-11-22 1131.xlsx")
        songs = {str(int(row["Key"])): row for row in rows}
        self.lists(songs[str(int(free[5]))])
        assert tool("state", "export", "plex_state.json").exit_code == 0

    def lists(self, song: dict[str, Any]) -> None:
        """What other players would have written, of one song."""
        artist, title, key = song["Artist"], song["Title"], int(song["Key"])
        Path("list.csv").write_text(
            f'Song id,Stars,Artist,Song,Points\n{key},3.5,"{artist}","{title}",7\n', "utf-8"
        )
        Path("ratings.csv").write_text(f'Artist,Title,Rating\n"{artist}","{title}",70\n', "utf-8")
        loved = [{"name": title, "artist": {"name": artist}}]
        Path("loved.json").write_text(json.dumps({"lovedtracks": {"track": loved}}), "utf-8")
        track = {"Track ID": 1, "Name": title, "Artist": artist, "Rating": 80, "Kind": "MPEG audio"}
        for name in ("iTunes Music Library.xml", "Library.xml"):
            with Path(name).open("wb") as file:
                plistlib.dump({"Tracks": {"1": track}, "Playlists": []}, file)
        shutil.copy("old.xlsx", "review.xlsx")

    def newest_run(self) -> str:
        """Number of the newest run, which stands for the numbers in examples."""
        return str(self.tool("history", "--json").json["runs"][0]["run"])

    def words(self, command: str) -> list[str]:
        """The arguments as a shell would give them."""
        plex = self.tool.plex
        command = command.replace("http://plex.local:32400", plex.url).replace("TOKEN", plex.token)
        command = re.sub(r"\b(undo|history) \d+", rf"\1 {self.newest_run()}", command)
        return [found for word in shlex.split(command)[1:] for found in self._globbed(word)]

    def _globbed(self, word: str) -> list[str]:
        if word.startswith("~/"):
            return [str(Path(word).expanduser())]
        if "*" not in word:
            return [word]
        files = (str(path) for path in Path().rglob("*.*") if ".config" not in str(path))
        return sorted(fnmatch.filter(files, word)) or [word]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("docs")
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch, DemoPlex(tracks=160) as plex:
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
        patch.setenv("HOME", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / ".config"))
        patch.delenv("PLEXSHEET_CONFIG", raising=False)
        os.chdir(folder)
        try:
            made = World(folder, Tool(folder, plex))
            made.prepare()
            yield made
        finally:
            os.chdir(before)


def perform(world: World, example: Example) -> tuple[int, str]:
    """Run an example as a person would who answers nothing and edits what was exported."""
    command = example.command
    if not command.startswith("plexsheet") or re.search(r"[|>;]|&&|\$\(", command):
        return _in_shell(command)
    words = world.words(command)
    if command.startswith(RUNS_ON) and not {"--once", "--status"} & set(words):
        return _until_it_speaks(words)
    # A folder of one's own has neither what init nor what an export is about to write.
    for path in _written_by(words):
        path.unlink(missing_ok=True)
    # What came of lists of other programs lies in results/, where the watcher would look.
    shutil.rmtree(world.folder / "workbooks" / "results", ignore_errors=True)
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(words)
    if code == 0 and words[0] == "export":
        for path in _written_by(words):
            rate_one(path)
    return code, out.getvalue()


def _written_by(words: list[str]) -> list[Path]:
    """Files that a command line makes and would not replace."""
    if "--force" in words:
        return []
    if words[0] == "init":
        return [Path("config.json")]
    for option in ("--output", "--review"):
        if option in words:
            return [Path(words[words.index(option) + 1])]
    if words[0] == "export":
        return [Path(word) for word in words[1:2] if word.endswith(".xlsx")]
    return [Path(words[2])] if words[:2] == ["state", "export"] else []


def rate_one(path: Path) -> None:
    """Rate a track in a workbook, as a person would; one without a rating if there is any."""
    rows = sorted(rows_of_sheet(path, "Tracks"), key=lambda row: row["My rating"] != "")
    key = rows[0]["Key"]
    set_cells(path, [("Tracks", key, "My rating", 2.5)])


def _in_shell(command: str) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=250,
    )
    return done.returncode, done.stdout + done.stderr


def _until_it_speaks(words: list[str]) -> tuple[int, str]:
    """Start, wait for the first line, end as a service manager would."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "plexsheet", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    process.terminate()
    rest, _ = process.communicate(timeout=250)
    ended_by_us = process.returncode in (0, -15)
    return (0 if ended_by_us and first else process.returncode or 2), first + rest


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("name", NAMES)
def test_every_example_runs(world: World, name: str) -> None:
    failed, before = [], set(world.folder.iterdir())
    for example in examples(REPO / name):
        if why_not(example) or example.command in world.ran:
            continue
        world.ran.add(example.command)
        code, said = perform(world, example)
        wrong = code not in (0, 1) or "Traceback" in said or (code == 1 and not said.strip())
        if wrong:
            failed.append(f"{example}\n  ended with {code}: {said[-600:]}")
    for path in set(world.folder.iterdir()) - before:  # the next page begins where this one did
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    assert not failed, "\n".join(failed)


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("name", NAMES)
def test_every_python_example_runs(world: World, name: str) -> None:
    for language, start, lines in blocks(REPO / name):
        if language == "python":
            code = compile("\n".join(lines), f"{name}:{start}", "exec")
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(code, {"__name__": "__main__"})
            assert out.getvalue(), f"{name}:{start} shows nothing"


JSON_OF = {
    "init": "init --force --url http://plex.local:32400 --token TOKEN --library Music",
    "doctor": "doctor",
    "export": "export shapes.xlsx --force",
    "import": "import november.xlsx --preview",
    "infer": "infer --preview",
    "match": "match ratings.csv --scale 100 --preview",
    "report": "report coverage",
    "report-bug": "report-bug shapes.zip --yes --force",
    "history": "history",
    "undo": "undo 1 --preview",
    "resume": "resume",
    "reconstruct": "reconstruct --preview",
    "sync-tags": "sync-tags --preview",
    "restore": "restore march.xlsx --preview",
    "verify": "verify",
    "diff": "diff march.xlsx november.xlsx",
    "state path": "state path",
    "state import": "state import plex_state.json --preview",
    "state export": "state export shapes.json --force",
}


def _keys(value: object) -> set[str]:
    """Names in a JSON value at any depth, as far as there is something to see."""
    if isinstance(value, dict):
        return set(value) | {name for inner in value.values() for name in _keys(inner)}
    if isinstance(value, list):
        return {name for inner in value for name in _keys(inner)}
    return set()


@pytest.mark.xdist_group("docs")
@pytest.mark.parametrize("name", sorted(JSON_SHAPES))
def test_json_has_the_shape_the_docs_tell(world: World, name: str) -> None:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        run([*world.words(f"plexsheet {JSON_OF[name]}"), "--json"])
    found = json.loads(out.getvalue())
    told = set(re.findall(r'"(\w+)"', JSON_SHAPES[name].split("`")[1]))

    assert found["error"] is None
    assert set(found) - told <= {"error", "file"}, "not in the docs"
    empty = not found.get("rows", True)
    assert empty or told <= _keys(found), "only in the docs"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_answers_in_every_shell_of_the_docs(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "plexsheet"],
        env=os.environ | {"_PLEXSHEET_COMPLETE": f"{shell}_source"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "_PLEXSHEET_COMPLETE" in done.stdout
