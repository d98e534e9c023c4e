"""A stranger follows README and tutorial word for word, on a computer that has nothing.

What is installed is the wheel, in an environment of its own; the home is empty, and no
variable of this shell is set (``env -i``).  Commands are taken from the pages.  What cannot
be done here has a stand-in: the network is a wheel on the disk, Plex's sign-in page and the
person's own server are the demo server, and cells and *y* are typed by the test.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import rows_of_sheet, set_cells
from tests.test_docs import examples
from tests.tools.release import REPO, Bare, built

pexpect = pytest.importorskip("pexpect", reason="needs a pseudo-terminal, which Windows has not")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("first hour")]

PATIENCE_S = 280
# tests/tools/release.py does the installing; test_match.py has lists of other players.
BY_HAND = (
    "plexsheet match",
    "git clone",
    "cd ",
    "make ",
    "pip install",
    "pipx install",
)
SIGN_IN = "plexsheet init --login"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    """plexsheet, installed from its wheel into an environment of its own."""
    folder = tmp_path_factory.mktemp("bare")
    wheel, _ = built(folder / "dist")
    made = Bare(folder=folder / "made", python=_python(), borrow=True)
    made.install(wheel)
    return made


def _python() -> str:
    import sys

    return sys.executable


class Stranger:
    """Somebody at a terminal in a folder, with a second one for the server."""

    def __init__(self, bare: Bare, folder: Path) -> None:
        self.bare, self.folder = bare, folder
        self.env = bare.env | {"TERM": "xterm", "COLUMNS": "100"}
        self.served: pexpect.spawn | None = None
        self.said: list[str] = []
        self.edited: set[str] = set()

    def follow(self, page: Path) -> None:
        """Every command of a page, one after the other."""
        for example in examples(page):
            if not example.command.startswith(BY_HAND):
                self.type(example.command)

    def type(self, command: str) -> None:
        """One line as it stands on the page."""
        words = shlex.split(command)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.env[name] = str(self.folder / value)
        elif command == SIGN_IN:
            self.sign_in()
        elif "--serve" in words:
            self.served = self.spawn(words)
            self.served.expect("until you press Ctrl-C")
        else:
            if words[1] == "import":
                self.edit(self.folder / words[2])
            self.run(words)

    def spawn(self, words: list[str]) -> pexpect.spawn:
        program = str(self.bare.bin / words[0])
        return pexpect.spawn(
            program, words[1:], cwd=self.folder, env=self.env, timeout=PATIENCE_S, encoding="utf-8"
        )

    def run(self, words: list[str]) -> None:
        """Run to the end; a question is answered with y."""
        person = self.spawn(words)
        said = ""
        while person.expect([r"\[y/N\]: ?", pexpect.EOF]) == 0:
            said += person.before
            person.sendline("y")
        said += person.before
        person.close()
        self.said.append(said)
        assert person.exitstatus == 0, f"{words}\n{said}"
        assert "Traceback" not in said

    def sign_in(self) -> None:
        """What the sign-in page would bring: address and token, here the demo server's."""
        if self.served is None:
            self.served = self.spawn(["python", "-m", "plexsheet.demo.server", "--tracks", "300"])
            self.served.expect(r"(http://\S+) token=(\S+)\r\n")
            self.url, self.token = self.served.match.groups()
        self.env.pop("PLEXSHEET_CONFIG", None)
        where = ["--url", self.url, "--token", self.token, "--library", "Music"]
        self.run(["plexsheet", "init", *where])

    def edit(self, workbook: Path) -> None:
        """Rate three songs and save, as the page says; once for each workbook."""
        if workbook.name in self.edited:
            return
        rows = rows_of_sheet(workbook, "Tracks")
        free = [str(int(row["Key"])) for row in rows if row["Source"] == "Unrated"]
        cells = [("Tracks", key, "My rating", 4.5) for key in free[:2]]
        set_cells(workbook, [*cells, ("Tracks", free[2], "Action", "ACCEPT")])
        self.edited.add(workbook.name)


@pytest.fixture
def stranger(bare: Bare, tmp_path: Path) -> Iterator[Stranger]:
    person = Stranger(bare, tmp_path)
    yield person
    if person.served is not None:
        person.served.sendintr()
        person.served.close(force=True)


def test_the_readme_works_word_for_word(stranger: Stranger, record_property: pytest.RecordProperty):
    began = time.monotonic()

    stranger.follow(REPO / "README.md")

    record_property("seconds", round(time.monotonic() - began))
    said = "\n".join(stranger.said)
    assert "Export and import can run" in said
    assert "Written: 3 applied" in said
    assert "written, 0 held" in said


def test_the_first_hour_works_word_for_word(
    stranger: Stranger, record_property: pytest.RecordProperty
):
    began = time.monotonic()
    text = (REPO / "docs" / "first-hour.md").read_text("utf-8")
    page = stranger.folder / "first-hour.md"
    page.write_text(text.partition("## 8.")[0], "utf-8")  # from there on as in README

    stranger.follow(page)

    record_property("seconds", round(time.monotonic() - began))
    said = "\n".join(stranger.said)
    assert "Done in" in said  # the tour
    assert "Written: 3 applied" in said
    assert "Coverage" in said
