"""The terminal session in docs/images/session.svg: ``python -m tests.terminal_picture``.

Real commands in a pseudo-terminal against a demo server: a workbook written, a few cells
edited as a person would, imported, the rest inferred.  What is drawn is what is left on
the screen, so progress bars, which vanish when they are full, are left out.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from pathlib import Path

import pexpect
from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

TARGET = Path(__file__).parents[1] / "docs" / "images" / "session.svg"
COLUMNS = 96
BARS = re.compile(r"\x1b\[\?25l.*?\x1b\[\?25h(?:(?:\x1b\[1A|\x1b\[2K|\r)+)?", re.DOTALL)
# A page may not load fonts from elsewhere; the reader's own monospaced font does.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


class Session:
    """Commands typed one after another into a terminal, and what it showed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.console = Console(record=True, width=COLUMNS, force_terminal=True, file=io.StringIO())

    def type(self, command: str, answer: str = "") -> None:
        """Run a command; ``answer`` is given to its question."""
        self.console.print(f"[bold bright_green]$[/] [bold]{command}[/]", highlight=False)
        program, *words = command.split()
        child = pexpect.spawn(
            str(Path(sys.executable).with_name(program)),
            words,
            cwd=self.folder,
            env=os.environ | {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS)},
            dimensions=(60, COLUMNS),
            encoding="utf-8",
            timeout=120,
        )
        said = ""
        if answer:
            child.expect(r"\[y/N\]: ")
            said = child.before + child.after
            child.sendline(answer)
        child.expect(pexpect.EOF)
        self.show(said + child.before)

    def show(self, raw: str) -> None:
        """Draw what a command left on the screen."""
        left = BARS.sub("", raw).replace("\r\n", "\n").replace(f"{self.folder}/", "")
        self.console.print(Text.from_ansi(left.strip("\n")), soft_wrap=False)
        self.console.print()

    def remark(self, text: str) -> None:
        """A line of explanation, as a shell's comment."""
        self.console.print(f"[dim]# {text}[/]\n", highlight=False)


def edit(path: Path) -> None:
    """What a person types in a minute, one mistake included."""
    rows = rows_of_sheet(path, "Tracks")
    free = [row["Key"] for row in rows if row["Source"] == "Unrated"]
    own = [row["Key"] for row in rows if row["My rating"] not in ("", 2)]
    set_cells(
        path,
        [
            ("Tracks", free[10], "My rating", 4.5),
            ("Tracks", free[60], "My rating", 7),
            ("Tracks", own[5], "My rating", 2),
            ("Tracks", free[120], "Action", "ACCEPT"),
        ],
    )


def main() -> None:
    """Record the session and draw it."""
    with tempfile.TemporaryDirectory() as name, DemoPlex(tracks=2_000) as plex:
        folder = Path(name).resolve()
        Tool(folder, plex)  # writes config.json
        session = Session(folder)
        session.type("plexsheet export music.xlsx")
        session.remark("rate a few tracks in the yellow cells, save, close")
        edit(folder / "music.xlsx")
        session.type("plexsheet import music.xlsx", "y")
        session.type("plexsheet infer", "y")
        session.type("plexsheet history")
        drawn = session.console.export_svg(title="plexsheet", theme=MONOKAI, code_format=FORMAT)
    TARGET.write_text(drawn, encoding="utf-8")


if __name__ == "__main__":
    main()
