"""Reports as plain text: aligned columns that fit a width (pure)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from plexsheet.reports.report import Cell, Format, Report, ReportColumn

WIDTH_CHARS = 100
BAR_CHARS = 24
NARROWEST_CHARS = 8  # of a text column that has to give way
GAP = "  "
PIECES = "█▓▒░·"
UNKNOWN = "–"
RIGHT: frozenset[Format] = frozenset({"count", "stars", "signed", "number", "percent"})
ITEMS_SHOWN = 30  # on a terminal, of a list that belongs to a report
MOST_ROWS_DRAWN = 20  # a longer list is not looked at as a picture


def text(report: Report, width_chars: int = WIDTH_CHARS) -> str:
    """One report as lines, without colours or control codes.

    Args:
        report: what to show.
        width_chars: columns of text give way, links are left out, at last lines are folded, to
            keep within it.
    """
    title, note = printable(report.title), printable(report.note)
    head = [title, "=" * width(title), ""]
    foot = ["", *wrapped(note, width_chars), ""] if note else [""]
    below = [text(report.items, width_chars)] if report.items else []
    lines = [*head, *_table(report, width_chars), *foot]
    return "\n".join([*(piece for line in lines for piece in _folded(line, width_chars)), *below])


def few(report: Report, rows: int = ITEMS_SHOWN) -> Report:
    """A report as it is read on a terminal: of the list that belongs to it the first rows."""
    items = report.items
    if items is None or len(items.rows) <= rows:
        return report
    more = (
        f"{len(items.rows) - rows:,} more are left out; --format csv, json or html, or --output "
        "FILE, gives all."
    )
    return replace(report, items=replace(items, rows=items.rows[:rows], note=more))


def texts(reports: Iterable[Report], width_chars: int = WIDTH_CHARS) -> str:
    """Several reports, one below the other."""
    return "\n".join(text(report, width_chars) for report in reports)


def cell_text(cell: Cell, format_: Format) -> str:
    """A cell as a person reads it; control characters are left out.

    >>> cell_text(4.0, "stars"), cell_text(-0.5, "signed"), cell_text(None, "count")
    ('4.00', '-0.50', '–')
    """
    if cell is None:
        return UNKNOWN
    if isinstance(cell, str):
        return printable(cell)
    if format_ == "percent":
        return f"{cell:.1f}".removesuffix(".0")
    if format_ == "signed":
        return f"{cell:+.2f}"
    if isinstance(cell, int):
        return str(cell)
    return f"{cell:.2f}"


def printable(words: str) -> str:
    r"""Text that cannot steer a terminal: one line, no control or direction characters.

    >>> printable("a\x1b[31m\tb")
    'a[31m b'
    """
    spaced = " ".join(words.split())
    if spaced.isprintable():
        return spaced
    return "".join(c for c in spaced if unicodedata.category(c) not in {"Cc", "Cf", "Cs"})


def width(words: str) -> int:
    """Columns that text takes on a screen: wide letters two, combining marks none.

    >>> width("abc"), width("音楽")
    (3, 4)
    """
    if words.isascii():
        return len(words)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in words
    )


def cut(words: str, chars: int) -> str:
    """Text shortened to a width, with an ellipsis where something is missing.

    >>> cut("Bohemian Rhapsody", 9)
    'Bohemian…'
    """
    if width(words) <= chars:
        return words
    kept = ""
    for letter in words:
        if width(kept + letter) > chars - 1:
            break
        kept += letter
    return kept.rstrip() + "…"


def padded(words: str, chars: int, *, right: bool) -> str:
    """Text filled to a width."""
    space = " " * max(chars - width(words), 0)
    return space + words if right else words + space


def wrapped(words: str, chars: int) -> list[str]:
    """Lines of at most a width."""
    lines = [""]
    for word in words.split():
        joined = f"{lines[-1]} {word}".strip()
        if width(joined) <= chars or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


@dataclass(frozen=True)
class Fitted:
    """How a report fits a width.

    Attributes:
        places: columns that are shown.
        widths: of each of them, in characters.
        cells: their texts, row by row.
        drawn: whether bars stand beside the rows.
    """

    places: list[int]
    widths: list[int]
    cells: list[list[str]]
    drawn: bool


def fitted(report: Report, width_chars: int) -> Fitted:
    """A report laid out for a width: links go first, then letters, bars, minor columns."""
    unlinked = [place for place, column in enumerate(report.layout) if column.format != "link"]
    major = [place for place in unlinked if not report.layout[place].minor]
    bars = bool(report.bars) and 0 < len(report.rows) <= MOST_ROWS_DRAWN
    tries = [(unlinked, True), (unlinked, False), (major, False)]
    for places, drawn in tries if bars else tries[1:]:
        cells = _texts(report, places)
        room = width_chars - (BAR_CHARS + len(GAP) if drawn else 0)
        widths = _widths([report.layout[p] for p in places], cells, room)
        if sum(widths) + len(GAP) * (len(widths) - 1) <= room:
            break
    return Fitted(places, widths, cells, drawn)


def _texts(report: Report, places: Sequence[int]) -> list[list[str]]:
    return [
        [cell_text(row[place], report.layout[place].format) for place in places]
        for row in report.rows
    ]


def _widths(
    columns: Sequence[ReportColumn], cells: Sequence[Sequence[str]], room: int
) -> list[int]:
    """Width of each column; text columns give way, the widest first."""
    widths = [
        max([width(column.header), *(width(row[place]) for row in cells)])
        for place, column in enumerate(columns)
    ]
    yielding = [place for place, column in enumerate(columns) if column.format == "text"]
    while yielding and sum(widths) + len(GAP) * (len(widths) - 1) > room:
        widest = max(yielding, key=lambda place: widths[place])
        if widths[widest] <= NARROWEST_CHARS:
            break
        widths[widest] -= 1
    return widths


def _table(report: Report, width_chars: int) -> list[str]:
    if not report.rows:
        return ["(no rows)"]
    fit = fitted(report, width_chars)
    columns = [report.layout[place] for place in fit.places]
    lines = [_line([column.header for column in columns], columns, fit.widths)]
    lines.append(GAP.join("-" * chars for chars in fit.widths))
    body = [_line(row, columns, fit.widths) for row in fit.cells]
    if fit.drawn:
        drawn = zip(body, bar_pieces(report, BAR_CHARS), strict=True)
        body = [line + GAP + "".join(sign * n for sign, n in bar) for line, bar in drawn]
        body += ["", legend(report)]
    return [line.rstrip() for line in lines + body]


def _folded(line: str, chars: int) -> list[str]:
    """A line that cannot be as narrow as that, in pieces of a width."""
    pieces = []
    while len(line) > 1 and width(line) > chars:
        end = len(line) - 1
        while end > 1 and width(line[:end]) > chars:
            end -= 1
        pieces.append(line[:end].rstrip())
        line = line[end:]
    return [*pieces, line]


def _line(cells: Sequence[str], columns: Sequence[ReportColumn], widths: Sequence[int]) -> str:
    return GAP.join(
        padded(cut(cell, chars), chars, right=column.format in RIGHT)
        for cell, column, chars in zip(cells, columns, widths, strict=True)
    )


def bar_pieces(report: Report, chars: int) -> list[list[tuple[str, int]]]:
    """For each row the signs of its bar and how many of each; what is there has at least one."""
    bars = []
    for pieces in report.pieces():
        sizes = [max(round(chars * share), 1) if share > 0 else 0 for share in pieces]
        while sum(sizes) > chars:
            sizes[sizes.index(max(sizes))] -= 1
        bars.append(list(zip(PIECES, sizes, strict=False)))
    return bars


def legend(report: Report) -> str:
    """What the signs of the bars mean."""
    names = [column.header for column in report.layout if column.bar]
    return GAP.join(f"{sign} {name}" for sign, name in zip(PIECES, names, strict=False))
