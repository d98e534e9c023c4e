"""Writes the generated pages of docs/: commands, settings, the workbook.

Each page comes from the tables the program itself runs on, so it says what the program
does; a test fails when a page in the repository is not what this module writes.

``python -m plexsheet.cli.document docs`` writes them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from plexsheet.cli import COMMANDS, NUMBERS, cli

GENERATED = "Generated from the program's own tables by `make docs`; edit those."

EXIT_CODES = (
    ("0", "done, nothing to do, already imported, or a clean preview"),
    (
        "1",
        "a row was refused, held or in conflict (in a preview too), `verify` found a "
        "disagreement, or a plan was not carried out for want of `--yes`",
    ),
    ("2", "wrong usage or settings, a file exists and no `--force`, an open run to settle first"),
    ("3", "a file or sheet was stopped (outranks 1)"),
    ("4", "Plex cannot be reached, or refuses"),
    ("5", "interrupted; `plexsheet resume` goes on"),
)

_COUNTS = '`{"run","preview","counts":{"written","left_alone","failed"}}`'
JSON_SHAPES: Mapping[str, str] = {
    "init": '`{"config","taken_over","url","library","token_in"}`',
    "doctor": '`{"checks":[{"name","ok","detail","cure"}]}`',
    "export": '`{"file","export_id","rows":{"artists","albums","tracks","twins"},"requests",'
    '"seconds"}`',
    "import": '`{"run","file","preview","counts":{"applied","would_apply","held","errors",'
    '"conflicts","unchanged"},"stopped_sheets","result_file","rows":[{"sheet","row","key","field",'
    '"was","yours","plex_now","outcome","code","message"}]}`; `rows` has all but unchanged ones; '
    'several files: `{"files":[…]}`',
    "infer": '`{"run","preview","model","prior","counts":{"artists","albums","tracks","written",'
    '"cleared","drift_skipped","taken_over"},"requests","seconds"}`',
    "report": '`{"report","rows":[…],"summary":{…}}`; with `all`: `{"reports":[…]}`',
    "history": '`{"runs":[{"run","kind","started","finished","status","counts"}]}`, or '
    '`{"run",…,"rows":[…]}`',
    "undo": _COUNTS,
    "resume": _COUNTS,
    "reconstruct": _COUNTS,
    "sync-tags": _COUNTS,
    "restore": _COUNTS,
    "verify": '`{"counts":{"checked","overrides","orphans","tag_mismatches"},"rows":[…]}`',
    "diff": '`{"counts":{…},"rows":[{"sheet","key","item","column","old","new"}]}`',
    "state path": '`{"path","exists"}`',
    "state import": '`{"file","preview","counts":{"taken_over","overrides","manual","orphans"}}`',
    "state export": '`{"file","entries"}`',
}


def commands_page() -> str:
    """docs/commands.md."""
    return "\n".join(
        [
            "# Commands",
            "",
            GENERATED,
            "",
            "    plexsheet [--config FILE] [--profile NAME] [--quiet | --verbose] COMMAND [--json]",
            "",
            "`plexsheet COMMAND --help` says the same in the terminal. `plexsheet` alone opens the",
            "menu on a terminal.",
            "",
            *_table(("Option before the command", "What it does"), _options(cli)),
            "",
            "Every command that writes to Plex shows its plan first and asks. `--yes` answers yes;",
            "without a terminal and without `--yes` the plan is printed and nothing is written.",
            "`--yes` never releases what a number has to be typed for: that takes `--confirm N`.",
            "",
            *_table(("Command", "What it does"), ((f"`{n}`", t) for n, (_, t) in COMMANDS.items())),
            "",
            *_pages(),
            "## Exit codes",
            "",
            *_table(("Code", "Meaning"), EXIT_CODES),
            "",
            "`doctor` ends with 0 unless export or import cannot run.",
            "",
            "## Numbers of plex-rating-utils",
            "",
            *_table(
                ("Typed", "Runs"),
                ((f"`plexsheet {n}`", f"`plexsheet {' '.join(w)}`") for n, w in NUMBERS.items()),
            ),
            "",
            "## `--json`",
            "",
            "After the command: one JSON object on stdout at every exit, nothing else; progress",
            'and remarks go to stderr. Every object has `"error": {"code","message"}` or null.',
            "Ratings are in stars, unrated is null.",
            "",
            *_table(("Command", "Object"), ((f"`{n}`", s) for n, s in JSON_SHAPES.items())),
            "",
            "## Completion in the shell",
            "",
            '    eval "$(_PLEXSHEET_COMPLETE=bash_source plexsheet)"   # in ~/.bashrc; zsh_source,'
            " fish_source too",
            "",
        ]
    )


def _pages() -> Iterator[str]:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield from _page(name, command)
        if isinstance(command, click.Group):
            for inner, one in command.commands.items():
                yield from _page(f"{name} {inner}", one)


def _page(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"plexsheet {name}")
    yield f"## {name}"
    yield ""
    yield f"    {' '.join([context.command_path, *command.collect_usage_pieces(context)])}"
    yield ""
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    yield ""
    options = _options(command)
    if options:
        yield from _table(("Option", "What it does"), options)
        yield ""
    if command.epilog:
        yield from _epilog(command.epilog)


def _epilog(epilog: str) -> Iterator[str]:
    """Examples as code; click marks paragraphs that keep their lines with a backspace."""
    for paragraph in epilog.replace("\b\n", "").strip().split("\n\n"):
        lines = paragraph.splitlines()
        code = [line for line in lines if line.startswith("  ")]
        yield from (line for line in lines if not line.startswith("  "))
        yield ""
        if code:
            yield from (f"    {line.strip()}" for line in code)
            yield ""


def _options(command: click.Command) -> list[tuple[str, str]]:
    context = click.Context(command)
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            rows.append((f"`{record[0]}`", record[1]))
    return rows


def settings_page() -> str:
    """docs/configuration.md."""
    from plexsheet.config import document

    settings = list(document())
    groups = list(dict.fromkeys(setting.place[0] for setting in settings if setting.place[1:]))
    lines = ["# Settings", "", GENERATED, "", SETTINGS_TEXT, ""]
    plain = [setting for setting in settings if not setting.place[1:]]
    lines += ["## config.json", "", *_settings_table(plain), ""]
    for group in groups:
        inner = [setting for setting in settings if setting.place[0] == group and setting.place[1:]]
        lines += [f"### {group}", "", *_settings_table(inner), ""]
    return "\n".join([*lines, PROFILES_TEXT, ""])


def _settings_table(settings: Iterable[object]) -> list[str]:
    from plexsheet.config import Setting

    rows = []
    for setting in settings:
        assert isinstance(setting, Setting)
        rows.append(
            (
                f"`{setting.place[-1]}`",
                setting.type,
                f"`{setting.default}`",
                setting.sentence,
                f"`{setting.variable}`",
            )
        )
    return _table(("Key", "Value", "Default", "What it does", "Environment"), rows)


SETTINGS_TEXT = """\
`plexsheet init` writes `config.json`, readable by you alone. It is looked for in this order:
`--config FILE`, `$PLEXSHEET_CONFIG`, `./config.json`, and the user's configuration folder
(`~/.config/plexsheet/` on Linux, `~/Library/Application Support/plexsheet/` on macOS,
`%APPDATA%\\plexsheet\\` on Windows). Relative paths in it start from its own folder.

A config.json of plex-rating-utils 1.4.0 works as it is. One with its constants and without MODEL
runs the classic formulas, as before, and says how to switch.

A key that is not known, or holds the wrong kind of value, is named with its line and the nearest
key there is; nothing runs with settings that were only half understood. Environment variables win
over the file. Lists are written with commas there: `live,demo`.

The token may stand in `PLEX_TOKEN`, in the variable `PLEXSHEET_PLEX_TOKEN`, or in the system's
keyring, where `plexsheet init` puts it if there is one. It is never written anywhere else."""

PROFILES_TEXT = """\
## PROFILES: several libraries and servers

    {
        "PLEX_URL": "http://plex.local:32400",
        "LIBRARY_NAME": "Music",
        "PROFILES": {
            "classical": {"LIBRARY_NAME": "Classical"},
            "attic": {"PLEX_URL": "http://attic.local:32400", "LIBRARY_NAME": "Old Records"}
        }
    }

`plexsheet --profile classical export` lays that profile's keys over the others. One state database
serves them all: what belongs to which library and account is kept apart in it."""


def workbook_page() -> str:
    """docs/workbook.md."""
    from plexsheet.workbook.help import document

    return document()


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "configuration.md": settings_page,
    "workbook.md": workbook_page,
}


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [_row(headers), f"|{' --- |' * len(headers)}"]
    return [*lines, *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    flat = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return f"| {' | '.join(flat)} |"


def main(arguments: Sequence[str]) -> int:
    """Write every page into a folder."""
    folder = Path(arguments[0] if arguments else "docs")
    for name, page in PAGES.items():
        (folder / name).write_text(page().rstrip("\n") + "\n", encoding="utf-8")
        sys.stdout.write(f"{folder / name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
