"""Reports on a terminal: the same tables with colours, bars and links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from plexsheet.reports import text
from plexsheet.reports.report import Cell, Report, ReportColumn

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table
    from rich.text import Text

STYLES = ("yellow", "blue", "green", "bright_black", "magenta")  # of a bar's pieces, in order
SIGN = "█"


def show(reports: Iterable[Report], console: Console) -> None:
    """Print reports, as wide as the console is; without colours where it has none."""
    for report in reports:
        fit = text.fitted(report, console.width)
        console.print(_table(report, fit, colour=console.color_system is not None))
        if fit.drawn:
            console.print(_legend(report, colour=console.color_system is not None))
        if report.note:
            console.print(text.printable(report.note), style="dim", markup=False, highlight=False)
        console.print()
        if report.items:
            show([report.items], console)


def _table(report: Report, fit: text.Fitted, *, colour: bool) -> Table:
    """One report as a rich table, its columns as wide as they were found to fit."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    title = Text(text.printable(report.title), style="bold")
    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False)
    made.padding = (0, len(text.GAP) - 1, 0, 0)  # and the box's own space between columns
    made.pad_edge = False
    for place, chars in zip(fit.places, fit.widths, strict=True):
        column = report.layout[place]
        right = column.format in text.RIGHT
        justify: JustifyMethod = "right" if right else "left"
        made.add_column(column.header, width=chars, justify=justify, no_wrap=True)
    if fit.drawn:
        made.add_column("", width=text.BAR_CHARS, no_wrap=True)
    linked = next((p for p, c in enumerate(report.layout) if c.format == "link"), None)
    for row, pieces in zip(report.rows, text.bar_pieces(report, text.BAR_CHARS), strict=True):
        address = str(row[linked] or "") if linked is not None else ""
        cells = [
            _cell(row[place], report.layout[place], chars, address)
            for place, chars in zip(fit.places, fit.widths, strict=True)
        ]
        made.add_row(*cells, *([_bar(pieces, colour=colour)] if fit.drawn else []))
    return made


def _cell(cell: Cell, column: ReportColumn, chars: int, address: str) -> Text:
    """A cell; a title of a row with a link opens it where the terminal can."""
    from rich.style import Style
    from rich.text import Text

    words = text.cut(text.cell_text(cell, column.format), chars)
    if column.header == "Title" and address:
        return Text(words, style=Style(link=address))
    if column.format == "signed" and isinstance(cell, float):
        return Text(words, style="green" if cell > 0 else "red")
    return Text(words)


def _bar(pieces: list[tuple[str, int]], *, colour: bool) -> Text:
    from rich.text import Text

    bar = Text()
    for (sign, chars), style in zip(pieces, STYLES, strict=False):
        bar.append((SIGN if colour else sign) * chars, style=style if colour else "")
    return bar


def _legend(report: Report, *, colour: bool) -> Text:
    from rich.text import Text

    legend = Text()
    names = [column.header for column in report.layout if column.bar]
    for name, sign, style in zip(names, text.PIECES, STYLES, strict=False):
        legend.append(f"{SIGN if colour else sign} ", style=style if colour else "")
        legend.append(f"{name}{text.GAP}")
    return legend
