"""Writes the manual page and the shells' completion scripts that are installed with the wheel.

``make docs`` runs it; a test fails when a file in ``share/`` is not what this writes.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from plexsheet.cli import cli
from tests.documentation import EXIT_CODES, every_command

SHARE = Path(__file__).parents[2] / "docs" / "share"
COMPLETIONS: dict[str, type[ShellComplete]] = {
    "bash-completion/completions/plexsheet": BashComplete,
    "zsh/site-functions/_plexsheet": ZshComplete,
    "fish/vendor_completions.d/plexsheet.fish": FishComplete,
}
FILES = """\
.TP
.I config.json
Settings. Looked for in
.BR \\-\\-config ,
.IR $PLEXSHEET_CONFIG ,
the current folder, and the user's configuration folder.
.TP
.I plexsheet.db
What plexsheet remembers of what it wrote; beside config.json unless STATE_FILE says otherwise.
.TP
.I workbooks/
Exported workbooks, and the folder that
.B plexsheet watch
watches.
"""


def pages() -> dict[str, str]:
    """Every file below ``share/`` with its text."""
    made = {"man/man1/plexsheet.1": "\n".join(_manual()) + "\n"}
    for name, shell in COMPLETIONS.items():
        # Bash's reads the version of the bash at hand otherwise, and warns of old ones.
        source = shell(cli, {}, "plexsheet", "_PLEXSHEET_COMPLETE")
        made[name] = source.source_template % source.source_vars()
    return made


def _manual() -> Iterator[str]:
    yield '.TH PLEXSHEET 1 "" "" "User Commands"'
    yield from (".SH NAME", f"plexsheet \\- {_roff('Plex music ratings in one workbook')}")
    yield ".SH SYNOPSIS"
    yield ".B plexsheet\n[\\-\\-config FILE] [\\-\\-profile NAME] [\\-\\-quiet | \\-\\-verbose]"
    yield ".I COMMAND\n[options]"
    yield from (".SH DESCRIPTION", *_prose(cli.help or ""))
    yield from (".SH OPTIONS", *_options(cli))
    yield ".SH COMMANDS"
    for name, command in every_command():
        yield from _command(name, command)
    yield ".SH EXIT STATUS"
    for code, meaning in EXIT_CODES:
        yield from (".TP", f".B {code}", _roff(meaning.replace("`", "")))
    yield from (".SH FILES", FILES.rstrip("\n"))


def _command(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"plexsheet {name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from (f'.SS "{_roff(usage)}"', *_prose(command.help or ""))
    yield from _options(command)
    for paragraph in (command.epilog or "").replace("\b\n", "").strip().split("\n\n"):
        first, _, rest = paragraph.partition("\n")
        if first.endswith(":"):
            yield from (".PP", _roff(first), ".PP", ".nf", ".RS")
            yield from (_roff(line.strip()) for line in rest.splitlines())
            yield from (".RE", ".fi")
        elif paragraph:
            yield from (".PP", _roff(" ".join(paragraph.split())))


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield from (".TP", f'.B "{_roff(record[0])}"', _roff(record[1]))


def _prose(text: str) -> Iterator[str]:
    for paragraph in inspect.cleandoc(text).replace("\b\n", "").split("\n\n"):
        yield from (".PP", _roff(" ".join(paragraph.split())))


def _roff(text: str) -> str:
    r"""Text as roff reads it: its own signs masked, no line taken for a request.

    >>> print(_roff(".nf --json"))
    \&.nf \-\-json
    """
    masked = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return re.sub(r"^([.'])", r"\\&\1", masked)


def main() -> None:
    """Write the files."""
    for name, text in pages().items():
        path = SHARE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
