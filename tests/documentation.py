"""Writes the generated pages of docs/: commands, settings, the workbook, reports.

Each page comes from the tables the program itself runs on, so it says what the program
does; a test fails when a page in the repository is not what this module writes.

``python -m tests.documentation docs`` writes them.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plexsheet.cli import COMMANDS, NUMBERS, cli

if TYPE_CHECKING:
    from plexsheet.config import Setting
    from plexsheet.messages import Code
    from plexsheet.reports.report import Report, Subject
    from plexsheet.workbook.schema.columns import SheetName

GENERATED = "*Made from the program's own tables by `make docs`; change it there.*"

EXIT_CODES = (
    ("0", "done, nothing to do, already imported, or a clean preview"),
    (
        "1",
        "a row was refused, held or in conflict (in a preview too), `verify` found a "
        "disagreement, or a plan was not carried out because `--yes` was missing",
    ),
    (
        "2",
        "wrong usage or settings; a file exists and `--force` is missing; an open run comes first",
    ),
    ("3", "a file or sheet was stopped (outranks 1)"),
    ("4", "Plex cannot be reached, or refuses"),
    ("5", "interrupted; `plexsheet resume` goes on"),
)

_COUNTS = '`{"run","preview","counts":{"written","left_alone","failed"}}`'
JSON_SHAPES: Mapping[str, str] = {
    "init": '`{"config","taken_over","url","library","token_in"}`',
    "doctor": '`{"checks":[{"name","ok","detail","cure"}]}`',
    "export": '`{"file","export_id","rows":{"artists","albums","tracks","twins","rate_next"},'
    '"requests","seconds"}`',
    "import": '`{"run","file","preview","counts":{"applied","would_apply","held","errors",'
    '"conflicts","unchanged"},"stopped_sheets","result_file","rows":[{"sheet","row","key","field",'
    '"was","yours","plex_now","outcome","code","message"}],"messages":[{"code","sheet","row",'
    '"message"}]}`; `rows` has all but unchanged ones, `messages` is about file and sheets; '
    'several files: `{"files":[…]}`; with `--then-infer` also `inferred`, as `infer` has it',
    "match": '`{"run","source","format","preview","counts":{"rows","rated","sure","likely",'
    '"ambiguous","unmatched","skipped","same","conflicts","applied"},"review_file","rows":[{"row",'
    '"artist","album","title","stars","written","outcome","applied","key","evidence","score",'
    '"reason","in_plex","candidates":[{"key","artist","album","title","score","evidence",'
    '"against"}]}]}`; `rows` has every row that carries a rating, its `outcome` is sure, likely, '
    "ambiguous, unmatched, skipped, same or conflict; the counts from `sure` on add up to `rated`",
    "infer": '`{"run","preview","model","prior","counts":{"artists","albums","tracks","written",'
    '"cleared","drift_skipped","taken_over"},"rows":[{"kind","artist","album","title","what",'
    '"in_plex","becomes","change","source","confidence","error","tags","key","link","outcome",'
    '"code","message"}],"requests","seconds"}`',
    "report-bug": '`{"file","written","parts":[{"name","what"}]}`; with `--show` `{"name","text"}`',
    "report": '`{"report","title","note","rows":[…],"summary":{…}}`, for `thresholds` and '
    '`listening` also `"items":[…]`; with `all`: `{"reports":[…]}`',
    "history": '`{"runs":[{"run","kind","started","finished","status","counts"}]}`, or '
    '`{"run",…,"rows":[…]}`; with `--item`: `{"item":{"kind","key","title","artist","album"},'
    '"rows":[{"when","what","run","was","became","whose","file","message"}]}`',
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
    return "\n".join([*_commands_head(), *_pages(), *_commands_tail()])


def _commands_head() -> Iterator[str]:
    yield from ("# Commands", "", GENERATED, "")
    yield "    plexsheet [--config FILE] [--profile NAME] [--quiet | --verbose] COMMAND [--json]"
    yield from ("", COMMANDS_TEXT, "")
    yield from _table(("Option before the command", "What it does"), _options(cli))
    yield ""
    yield from _table(
        ("Command", "What it does"),
        ((f"[`{name}`](#{name})", line) for name, (_, line) in COMMANDS.items()),
    )
    yield ""


COMMANDS_TEXT = """\
`plexsheet COMMAND --help` says the same in the terminal. `plexsheet` alone opens the menu on a
terminal. Where the console script is not on the path, `python -m plexsheet` is the same program.

Every command that writes to Plex shows its plan first and asks. `--yes` answers yes; without a
terminal and without `--yes` the plan is printed and nothing is written. What is held until a
number is typed (many emptied cells, very many changes) is never released by `--yes`: that takes
`--confirm N` with the number shown. `DRY_RUN` in the settings makes every write a preview.

Results go to stdout, progress and remarks to stderr. Colours and bars appear on a terminal only;
the variable `NO_COLOR` switches colours off there too, `COLUMNS` sets the width of tables
elsewhere."""


def _commands_tail() -> Iterator[str]:
    yield from ("## Exit codes", "")
    yield from _table(("Code", "Meaning"), EXIT_CODES)
    yield from ("", "`doctor` ends with 0 unless export or import cannot run.", "")
    yield from ("## Numbers of plex-rating-utils", "")
    yield from _table(
        ("Typed", "Runs"),
        ((f"`plexsheet {n}`", f"`plexsheet {' '.join(w)}`") for n, w in NUMBERS.items()),
    )
    yield from ("", NUMBERS_TEXT, "", "## JSON", "", JSON_TEXT, "")
    yield from _table(("Command", "Object"), ((f"`{n}`", s) for n, s in JSON_SHAPES.items()))
    yield from ("", "## Completion in the shell", "", COMPLETION_TEXT, "")


NUMBERS_TEXT = """\
A number on the command line is the answer yes, as plex-rating-utils writes without asking: from
cron `plexsheet 4` writes. `DRY_RUN` in the settings and `--preview` still write nothing, and
`plexsheet undo RUN` takes back what was written. The menu asks before it writes."""

JSON_TEXT = """\
With `--json` after the command: one JSON object on stdout at every exit, nothing else. Every
object has `"error": {"code","message"}` or null beside what the table shows. Ratings are in stars,
unrated is null. `menu`, `demo` and `watch` have no `--json`; `watch` has `--log-json`."""

COMPLETION_TEXT = """\
Put the line of your shell into its start-up file (`~/.bashrc`, `~/.zshrc`,
`~/.config/fish/config.fish`):

```bash
eval "$(_PLEXSHEET_COMPLETE=bash_source plexsheet)"
```
```zsh
eval "$(_PLEXSHEET_COMPLETE=zsh_source plexsheet)"
```
```fish
_PLEXSHEET_COMPLETE=fish_source plexsheet | source
```"""


def _pages() -> Iterator[str]:
    for name, command in every_command():
        yield from _page(name, command)


def every_command() -> Iterator[tuple[str, click.Command]]:
    """Every command with its words, those of a group after it."""
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            for inner, one in command.commands.items():
                yield f"{name} {inner}", one


def _page(name: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=f"plexsheet {name}")
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from (f"## {name}", "", f"    {usage}", "")
    yield inspect.cleandoc(command.help or "").replace("\b\n", "")
    yield ""
    options = _options(command)
    if options:
        yield from _table(("Option", "What it does"), options)
        yield ""
    yield from _epilog(command.epilog or "")


def _epilog(epilog: str) -> Iterator[str]:
    """Examples as code, under their heading; other paragraphs as prose.

    Click marks a paragraph that keeps its lines with a backspace.
    """
    for paragraph in epilog.replace("\b\n", "").strip().split("\n\n"):
        first, _, rest = paragraph.partition("\n")
        if first.endswith(":") and not first.startswith("Example"):
            yield from (first, "", "```text", *(line.strip() for line in rest.splitlines()))
            yield from ("```", "")
        elif first.endswith(":"):
            yield from (first, "", "```console")
            yield from (f"$ {_commented(line)}" for line in rest.splitlines())
            yield from ("```", "")
        elif paragraph:
            yield from (" ".join(paragraph.split()), "")


def _commented(line: str) -> str:
    """An example whose remark is a comment, so that the whole line can be copied."""
    words, *remark = re.split(r"\s{2,}", line.strip(), maxsplit=1)
    return f"{words}  # {remark[0]}" if remark else words


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
    from plexsheet.config import WITHOUT_EFFECT, document, groups

    settings = list(document())
    plain = [setting for setting in settings if not setting.place[1:]]
    lines = ["# Settings", "", GENERATED, "", SETTINGS_TEXT, "", "## config.json", ""]
    lines += [*_settings_table(plain), ""]
    for group, sentence in groups().items():
        inner = [setting for setting in settings if setting.place[0] == group]
        lines += [f"### {group}", "", sentence, "", *_settings_table(inner), ""]
    lines += [PROFILES_TEXT, "", "## Keys without effect", "", WITHOUT_TEXT, ""]
    lines += _table(("Key", "Why"), ((f"`{key}`", why) for key, why in WITHOUT_EFFECT.items()))
    return "\n".join(lines)


def _settings_table(settings: Iterable[Setting]) -> list[str]:
    rows = (
        (
            f"`{setting.place[-1]}`",
            setting.type,
            f"`{_plain(setting.default)}`",
            setting.sentence,
            f"`{setting.variable}`",
        )
        for setting in settings
    )
    return _table(("Key", "Value", "Default", "What it does", "Environment"), rows)


def _plain(default: str) -> str:
    """A whole number without its decimals."""
    value = json.loads(default)
    return f"{value:g}" if isinstance(value, float) else default


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
keyring, where `plexsheet init` puts it if there is one. It is never written anywhere else.

Beside the variables of the table, `PLEXSHEET_PROFILE` chooses a profile as `--profile` does."""

WITHOUT_TEXT = "They stand in a config.json of plex-rating-utils and are accepted, with a remark:"

PROFILES_TEXT = """\
## PROFILES: several libraries and servers

```json
{
    "PLEX_URL": "http://plex.local:32400",
    "LIBRARY_NAME": "Music",
    "PROFILES": {
        "classical": {"LIBRARY_NAME": "Classical"},
        "attic": {"PLEX_URL": "http://attic.local:32400", "LIBRARY_NAME": "Old Records"}
    }
}
```

`plexsheet --profile classical export` lays that profile's keys over the others. One state database
serves them all: what belongs to which library and account is kept apart in it."""


# The workbook


def workbook_page() -> str:
    """docs/workbook.md."""
    from plexsheet.workbook.schema.help import TOPIC_HEADERS, TOPICS

    lines = ["# The workbook", "", GENERATED, "", WORKBOOK_TEXT, "", "## What to type", ""]
    lines += [*_table(TOPIC_HEADERS, TOPICS), "", *_words(), "## Sheets and columns", ""]
    lines += [SHEETS_TEXT, "", *_sheets(), *_programs(), RESULT_TEXT]
    return "\n".join([*lines, *_messages()])


WORKBOOK_TEXT = """\
![The sheet Tracks: yellow columns are for you, inferred ratings beside them](images/tracks.png)

One row per artist, album and track. Edit the yellow columns, save, and run
`plexsheet import FILE`. Sheets are found by name and columns by header, whatever
their case, spacing and order, so sort, filter, move and hide as you like; columns, notes
and sheets of your own stay where they are. Sort whole tables, never one column alone.

Every rating in a workbook is in stars, more than 0 up to 5, and shows as stars as you type it.
The same workbook works in Excel, LibreOffice and [other programs](#programs) and, one sheet at a
time, as CSV. *Open* opens the row in Plex (a track's album).

On a laptop everything from the title to *Will do* is in view:

![A LibreOffice window of 1366×768 pixels with the sheet Tracks](images/screen-tracks-1366.png)

The same in other windows: Tracks [large](images/screen-tracks-1600.png);
Albums [small](images/screen-albums-1366.png), [large](images/screen-albums-1600.png);
Artists [small](images/screen-artists-1366.png), [large](images/screen-artists-1600.png);
Rate next [small](images/screen-rate-next-1366.png), [large](images/screen-rate-next-1600.png);
Twins [small](images/screen-twins-1366.png), [large](images/screen-twins-1600.png).

Show fewer columns with `export --columns Tracks=Artist,Album,Title,Plays`, or for good with
[`WORKBOOK_COLUMNS`](configuration.md). Show fewer rows with `--only`:

```bash
plexsheet export jazz.xlsx --only 'genre:jazz year:1955..1969'
plexsheet export late.xlsx --only 'artist:"miles davis",coltrane' --only unrated
plexsheet export best.xlsx --only rating:4.5..
```

Both are imported as ever: what is not in the file stays as it is."""

SHEETS_TEXT = """\
*Start* says what the workbook is, counts your edits as you make them, and explains the words;
*Help* holds the tables of this page; *Reports* and *Dissenters* are [reports](reports.md), and
so is *Rate next*, on which you can rate as well. Very large libraries continue on *Tracks 2* and
so on.

![The sheet Start](images/start.png)

![The sheet Help](images/help.png)"""


PROGRAMS_TEXT = """\
## Programs

What becomes of a workbook that was edited in a program and saved there as .xlsx, or as named. The
table is what the tests found that do just that, with LibreOffice, Gnumeric, SheetJS and ExcelJS."""

OTHER_PROGRAMS_TEXT = """\
Other programs write files of the same kinds, and what is known of their ways is read: sheets named
*Tracks - Table 1* (Numbers), *Tracks (2)* or *Copy of Tracks* in a workbook of their own, one file
for each sheet, numbers kept as text, strict Open XML, lost hidden sheets, tables and formats."""


def _programs() -> Iterator[str]:
    from tests.programs import WORDS, recorded

    table = recorded()
    operations = list(dict.fromkeys(name for outcomes in table.values() for name in outcomes))
    rows = [(name, *(table[one].get(name, "–") for one in table)) for name in operations]
    yield from (PROGRAMS_TEXT, "", *_table(("Operation", *table), rows), "")
    yield from (f"- *{word}*: {meaning}." for word, meaning in WORDS.items())
    yield from ("- –: not something this program does, or not from outside.", "")
    yield from (OTHER_PROGRAMS_TEXT, "")


def _words() -> Iterator[str]:
    from plexsheet.workbook.schema.columns import ACTIONS, DECISIONS
    from plexsheet.workbook.writing.row_status import STATUSES
    from plexsheet.workbook.writing.start import LEGEND

    yield from ("## Words", "")
    yield f"*Action* takes {_listed(ACTIONS)}."
    yield f"*Decision* takes {_listed(DECISIONS)}."
    yield "Upper or lower case does not matter, and any other word is refused."
    yield ""
    yield from _table(("Word", "What it means"), (line[:2] for line in LEGEND))
    yield ""
    yield f"*Status* of a row in a result workbook is one of: {', '.join(STATUSES)}."
    yield ""


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _sheets() -> Iterator[str]:
    from plexsheet.workbook.schema.columns import SHEETS, Column
    from plexsheet.workbook.writing.result import CHANGES

    def rows(columns: Iterable[Column]) -> Iterator[tuple[str, str, str]]:
        for column in columns:
            edit = "yes" if column.editable else "no, hidden" if column.hidden else "no"
            edit += ", result only" if column.result_only else ""
            yield column.header, edit, column.note

    headers = ("Column", "Edit", "What it is")
    for sheet, columns in SHEETS.items():
        yield from (f"### {sheet}", "", PICTURES[sheet], "", *_table(headers, rows(columns)), "")
    yield from ("### Changes", "", CHANGES_TEXT, "", *_table(headers, rows(CHANGES)), "")


PICTURES: Mapping[SheetName, str] = {
    "Artists": "![The sheet Artists](images/artists.png)",
    "Albums": "![The sheet Albums](images/albums.png)",
    "Tracks": "The picture at the top of this page shows it.",
    "Twins": "One row per copy; ratings are edited on *Tracks*.\n\n![Twins](images/twins.png)",
    "Rate next": "What to rate next, beginning with what teaches most. Rate here or on the item's "
    "own sheet; "
    "two different edits of one item are an error that names both.\n\n"
    "![The sheet Rate next](images/rate-next.png)",
}

CHANGES_TEXT = """\
Only in a result workbook: everything that was done or refused, worst first.

![The sheet Changes of a result workbook](images/result-changes.png)"""

RESULT_TEXT = """\
## What comes back

Every import that has something to say writes a result workbook into `results/`: your file again,
in your order, with *Status* and *Message* on every row you touched, and a summary on *Start*. It is
a workbook like any other: correct what is red, save, and import it; only those rows change.

![A result workbook: each edited row says what became of it](images/result.png)

![Its sheet Start counts outcomes, with links to the first row of each](images/result-start.png)
"""


def _messages() -> Iterator[str]:
    from plexsheet.messages import CODES

    yield from ("## Messages", "", MESSAGES_TEXT, "")
    for letter, about in LETTERS.items():
        codes = [code for code in CODES.values() if code.code.startswith(letter)]
        headers = ("Code", "When", "What it says", "What to do")
        rows = (
            (code.code, code.when, _said(code), _with_fields(code.cure) or "Nothing.")
            for code in codes
        )
        yield from (f"### {letter}: {about}", "", *_table(headers, rows), "")


def _said(code: Code) -> str:
    """Every wording of a code."""
    return "<br>or: ".join(map(_with_fields, (code.template, *code.variants.values())))


def _with_fields(template: str) -> str:
    """A sentence with its fields in italics."""
    return _FIELD.sub(lambda found: f"*{found[1].replace('_', ' ')}*", template)


_FIELD = re.compile(r"{(\w+)}")

MESSAGES_TEXT = """\
Each says what is wrong, what was done, and what to type. Words in italics stand for your own
values. A file or sheet with a problem is stopped as a whole; a problem of a row stops that row
alone, and the others go on."""

LETTERS: Mapping[str, str] = {
    "F": "the file",
    "S": "a sheet",
    "E": "a row that was refused",
    "W": "a warning",
    "C": "a conflict",
    "I": "for your information",
    "P": "what Plex did",
    "U": "taking back",
}


# Reports


def reports_page() -> str:
    """docs/reports.md."""
    from plexsheet.reports.catalogue import REPORTS
    from plexsheet.reports.tables import build, maker

    subject = _nothing()
    lines = ["# Reports", "", GENERATED, "", REPORTS_TEXT, ""]
    for entry in REPORTS:
        report = build(entry.name, subject)
        about = inspect.cleandoc(maker(entry).__doc__ or "").split("\n\n")[0]
        lines += [f"## {entry.name}", "", " ".join(about.split()), ""]
        lines += [f"Columns: {_headers(report)}.", ""]
        if report.items:
            lines += [f"Below them {report.items.title.lower()}: {_headers(report.items)}.", ""]
        if report.rows or entry.name in NOTED:
            lines += [report.note, ""]
    return "\n".join(lines)


def _headers(report: Report) -> str:
    return ", ".join(f"*{header}*" for header in report.columns)


NOTED = ("thresholds", "twins", "dissenters", "rate-next")  # their notes say how to read them

REPORTS_TEXT = """\
![Reports in the workbook](images/reports.png)

`plexsheet report NAME` prints one on the terminal, `plexsheet report all` every one of them;
`--format text|csv|json|html` and `--output FILE` make files. The HTML page is a single file
that loads nothing from elsewhere: charts, tables that a click on a header sorts, light or dark as
the system is, fit for a phone and for paper. The workbook has the same tables on its sheets
*Reports*, *Thresholds*, *Dissenters* and *Rate next*. Nothing is written to Plex.

![The sheet Rate next](images/rate-next.png)

```console
$ plexsheet report coverage
$ plexsheet report rate-next --top 10
$ plexsheet report all --format html --output ratings.html
```"""


def _nothing() -> Subject:
    """A library without a single item: its reports have all their columns."""
    from plexsheet.config.settings import InferenceSettings
    from plexsheet.inference import infer
    from plexsheet.inference.model import Evidence
    from plexsheet.library import Identity, Library, table
    from plexsheet.reports.report import Subject

    nobody = Identity("", "", "", 0, "", "", "")
    none: dict[str, list[int]] = {"key": []}
    library = Library(nobody, table("artist", none), table("album", none), table("track", none))
    evidence = Evidence.all_manual(library)
    return Subject(library, evidence, infer(library, evidence, InferenceSettings()))


# Writing


PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands_page,
    "configuration.md": settings_page,
    "workbook.md": workbook_page,
    "reports.md": reports_page,
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
