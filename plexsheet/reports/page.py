"""Reports as one self-contained HTML page: no script, no picture, nothing to load (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from plexsheet.reports.report import Cell, Column, Report
from plexsheet.reports.text import RIGHT, cell_text, printable

ROWS_SHOWN = 500  # of a list; the whole of it is in the CSV

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1b1f;--dim:#5c5f66;--line:#dcdee3;
--band:#f4f5f7;--p0:#c77700;--p1:#2f6fb5;--p2:#3c8c6c;--p3:#b9bdc6;--p4:#8a5a9e}
@media (prefers-color-scheme:dark){:root{--paper:#15161a;--ink:#e7e8ec;--dim:#a0a4ad;--line:#33363d;
--band:#1d1f24;--p0:#f0a63c;--p1:#6aa7ea;--p2:#6cc3a0;--p3:#4a4e57;--p4:#b98ccb}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2.5rem 0 .5rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0 1rem}
a{color:var(--p1)}p{color:var(--dim);margin:.5rem 0;max-width:60ch}
.table{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
td{overflow-wrap:break-word;max-width:22rem}th{position:sticky;top:0;background:var(--paper);
white-space:nowrap}tbody tr:nth-child(even){background:var(--band)}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
svg{display:block;width:12rem;height:1rem}.p0{fill:var(--p0)}.p1{fill:var(--p1)}
.p2{fill:var(--p2)}.p3{fill:var(--p3)}.p4{fill:var(--p4)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.9rem;color:var(--dim)}
.key svg{display:inline;width:.8rem;height:.8rem;margin-right:.3rem}
@media (max-width:40rem){table{font-size:.8rem}th,td{padding:.3rem .4rem}svg{width:6rem}}
@media print{th{position:static}}
"""


def page(reports: Sequence[Report], title: str) -> str:
    """Reports as an HTML page that needs nothing but itself.

    Args:
        reports: in the order they appear.
        title: of the page, such as the library's name.
    """
    links = "".join(f'<a href="#{escape(r.name)}">{escape(r.title)}</a>' for r in reports)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'  # or the browser would ask for one
        f"<title>{_escaped(title)}</title>\n<style>{_STYLE}</style></head>\n<body>"
        f"<h1>{_escaped(title)}</h1>\n<nav>{links}</nav>\n"
        f"{''.join(map(_section, reports))}</body></html>\n"
    )


def _section(report: Report) -> str:
    note = f"<p>{_escaped(report.note)}</p>" if report.note else ""
    return (
        f'<section id="{escape(report.name)}"><h2>{_escaped(report.title)}</h2>'
        f"{note}{_legend(report)}{_table(report)}</section>\n"
    )


def _table(report: Report) -> str:
    if not report.rows:
        return "<p>No rows.</p>"
    drawn = bool(report.bars)
    heads = "".join(
        f"<th{_class(column)}>{_escaped(column.header)}</th>" for column in report.layout
    )
    rows = "".join(
        f"<tr>{_cells(report, row)}{f'<td>{_bar(report, pieces)}</td>' if drawn else ''}</tr>\n"
        for row, pieces in zip(report.rows[:ROWS_SHOWN], report.pieces()[:ROWS_SHOWN], strict=True)
    )
    more = len(report.rows) - ROWS_SHOWN
    rest = f"<p>{more} more rows are in the text and CSV reports.</p>" if more > 0 else ""
    return (
        f'<div class="table"><table><thead><tr>{heads}{"<th></th>" if drawn else ""}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _cells(report: Report, row: Sequence[Cell]) -> str:
    return "".join(
        f"<td{_class(column)}>{_cell(cell, column)}</td>"
        for cell, column in zip(row, report.layout, strict=True)
    )


def _cell(cell: Cell, column: Column) -> str:
    if column.format == "link":
        address = str(cell or "")
        if not address.startswith("https://"):
            return ""
        return f'<a href="{escape(address)}" rel="noreferrer">Plex</a>'
    return escape(cell_text(cell, column.format))


def _class(column: Column) -> str:
    return ' class="n"' if column.format in RIGHT else ""


def _bar(report: Report, pieces: Sequence[float]) -> str:
    """A row's bar, 100 units long at most, each piece with its name and share."""
    names = [column.header for column in report.layout if column.bar]
    drawn, start = [], 0.0
    for number, (name, share) in enumerate(zip(names, pieces, strict=True)):
        if share > 0:
            drawn.append(
                f'<rect class="p{number}" x="{100 * start:.2f}" width="{100 * share:.2f}" '
                f'height="8"><title>{_escaped(name)}</title></rect>'
            )
        start += share
    shapes = "".join(drawn)
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" role="img" '
        f'aria-label="{_escaped(report.title)}">{shapes}</svg>'
    )


def _legend(report: Report) -> str:
    names = [column.header for column in report.layout if column.bar]
    if not report.bars or len(names) < 2:
        return ""
    marks = "".join(
        f'<span><svg viewBox="0 0 8 8" aria-hidden="true"><rect class="p{number}" width="8" '
        f'height="8"/></svg>{_escaped(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<div class="key">{marks}</div>'


def _escaped(words: str) -> str:
    return escape(printable(words))
