"""Reports as one self-contained HTML page: charts, sortable tables, nothing to load (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from plexsheet.reports import charts
from plexsheet.reports.report import Cell, Report, ReportColumn
from plexsheet.reports.text import RIGHT, cell_text, printable

ROWS_SHOWN = 500  # of a list; the whole of it is in the CSV

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b1b1f;--dim:#5c5f66;--line:#dcdee3;
--band:#f4f5f7;--on:#fff;--p0:#b86a00;--p1:#2f6fb5;--p2:#2f7d5d;--p3:#8b909b;--p4:#8a5a9e}
@media screen and (prefers-color-scheme:dark){:root{--paper:#15161a;--ink:#e7e8ec;--dim:#a0a4ad;
--line:#33363d;--band:#1d1f24;--on:#15161a;--p0:#f0a63c;--p1:#6aa7ea;--p2:#6cc3a0;--p3:#7d828e;
--p4:#b98ccb}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2.5rem 0 .5rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.5rem 0 1rem}
a{color:var(--p1)}p{color:var(--dim);margin:.5rem 0;max-width:60ch}
.table,.chart{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;min-width:min(100%,40rem);font-size:.9rem}
th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
td{overflow-wrap:break-word;max-width:22rem}th{position:sticky;top:0;background:var(--paper);
white-space:nowrap}tbody tr:nth-child(even){background:var(--band)}
th span{cursor:pointer}th span:focus-visible{outline:2px solid var(--p1)}
th span:after{content:"↕";color:var(--dim);margin-left:.3rem;opacity:.5}
th[aria-sort] span:after{opacity:1;color:var(--ink)}
th[aria-sort=ascending] span:after{content:"↑"}th[aria-sort=descending] span:after{content:"↓"}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
figure{margin:1rem 0;max-width:56rem}figcaption{font-weight:600}
.chart svg{display:block;width:100%;min-width:34rem;height:auto;font-size:12px}
svg text{fill:var(--ink)}svg .dim{fill:var(--dim)}svg .small{font-size:11px}
svg .on{fill:var(--on)}svg .grid{stroke:var(--line);fill:none}
rect.p0{fill:var(--p0)}rect.p1{fill:var(--p1)}
rect.p2{fill:var(--p2)}rect.p3{fill:var(--p3)}rect.p4{fill:var(--p4)}
.key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;font-size:.9rem;color:var(--dim)}
.key svg{width:.8rem;height:.8rem;margin-right:.3rem}
@media (max-width:40rem){table{font-size:.8rem}th,td{padding:.3rem .4rem}}
@media print{html{font-size:11px}body{max-width:none;padding:0;font-size:1rem}
nav,th span:after{display:none}
th{position:static}thead{display:table-header-group}tr,figure{break-inside:avoid}
h2,h3{break-after:avoid}.table,.chart{overflow:visible}.chart svg{min-width:0;max-width:40rem}
rect,tbody tr:nth-child(even){print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""

# A click on a header sorts its table; a second one the other way round; unknown stays last.
_SORTING = """
for(const table of document.querySelectorAll("table"))
for(const [place,head] of table.querySelectorAll("th").entries()){
const button=head.querySelector("span");if(!button)continue;
button.addEventListener("keydown",event=>{if(event.key==="Enter")button.click()});
button.addEventListener("click",()=>{
const number=head.classList.contains("n"),body=table.tBodies[0];
const down=head.ariaSort==="ascending"||(number&&head.ariaSort!=="descending");
for(const other of table.querySelectorAll("th"))other.removeAttribute("aria-sort");
head.setAttribute("aria-sort",down?"descending":"ascending");
const value=row=>{const words=row.cells[place].textContent.trim();
return words===""||words==="–"?null:number?parseFloat(words):words};
const order=new Intl.Collator(undefined,{numeric:true,sensitivity:"base"});
const compared=(a,b)=>number?a-b:order.compare(a,b);
const rows=[...body.rows].map(row=>[value(row),row]);
rows.sort(([a],[b])=>a===null||b===null?(a===null)-(b===null):down?compared(b,a):compared(a,b));
body.append(...rows.map(([,row])=>row))})}
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
        f"{''.join(map(_section, reports))}<script>{_SORTING}</script></body></html>\n"
    )


def _section(report: Report) -> str:
    note = f"<p>{_escaped(report.note)}</p>" if report.note else ""
    items = report.items
    below = f"<h3>{_escaped(items.title)}</h3>{_table(items)}" if items else ""
    return (
        f'<section id="{escape(report.name)}"><h2>{_escaped(report.title)}</h2>'
        f"{note}{_figure(report)}{_table(report)}{below}</section>\n"
    )


def _figure(report: Report) -> str:
    """The chart with its title and what its colours mean."""
    drawn = charts.svg(report)
    if not drawn or report.chart is None:
        return ""
    marks = "".join(
        f'<span><svg viewBox="0 0 8 8" aria-hidden="true"><rect class="p{number}" width="8" '
        f'height="8"/></svg>{_escaped(name)}</span>'
        for number, (name, _) in enumerate(report.charted())
    )
    return (
        f"<figure><figcaption>{_escaped(report.chart.title)}</figcaption>"
        f'<div class="key">{marks}</div><div class="chart">{drawn}</div></figure>'
    )


def _table(report: Report) -> str:
    if not report.rows:
        return "<p>No rows.</p>"
    heads = "".join(map(_head, report.layout))
    rows = "".join(f"<tr>{_cells(report, row)}</tr>\n" for row in report.rows[:ROWS_SHOWN])
    more = len(report.rows) - ROWS_SHOWN
    rest = f"<p>{more:,} more rows are in the text and CSV reports.</p>" if more > 0 else ""
    return (
        f'<div class="table"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{rest}"
    )


def _head(column: ReportColumn) -> str:
    if column.format == "link":
        return "<th>Open</th>"
    # No button element: in a header that a printed page repeats, browsers leave it out.
    named = f'<span role="button" tabindex="0">{_escaped(column.header)}</span>'
    return f"<th{_class(column)}>{named}</th>"


def _cells(report: Report, row: Sequence[Cell]) -> str:
    return "".join(
        f"<td{_class(column)}>{_cell(cell, column)}</td>"
        for cell, column in zip(row, report.layout, strict=True)
    )


def _cell(cell: Cell, column: ReportColumn) -> str:
    if column.format == "link":
        address = str(cell or "")
        if not address.startswith("https://"):
            return ""
        return f'<a href="{escape(address)}" rel="noreferrer" title="Open in Plex">▶</a>'
    return escape(cell_text(cell, column.format))


def _class(column: ReportColumn) -> str:
    return ' class="n"' if column.format in RIGHT else ""


def _escaped(words: str) -> str:
    return escape(printable(words))
