"""Charts of reports as SVG, drawn in place: no script, nothing to load (pure)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from plexsheet.reports.report import Chart, Report
from plexsheet.reports.text import cell_text, cut, printable

WIDTH = 720
LABEL_CHARS = 36
LABELS = 235  # units left of lying bars
BAR, GAP = 16, 12  # of lying bars, and between rows of them
TALL, ABOVE, BELOW = 200, 18, 40  # of standing bars: the plot, above it, and for labels below
LEFT = 46  # units for the numbers beside standing bars
ROOM = 52  # units right of lying bars, for their numbers
LEAST_LABELLED = 0.07  # share of a bar that has room for its percentage


@dataclass(frozen=True)
class _Drawn:
    """What is drawn: numbers by series and row, and what each row is called."""

    chart: Chart
    series: Sequence[tuple[str, Sequence[float]]]
    labels: Sequence[tuple[str, str]]

    @property
    def most(self) -> float:
        """The longest bar."""
        rows = list(zip(*(numbers for _, numbers in self.series), strict=True))
        return max(map(sum, rows)) if self.chart.stacked else max(map(max, rows))


def svg(report: Report) -> str:
    """The chart of a report; ``""`` where it has none or would show nothing."""
    series = report.charted()
    if report.chart is None or not series:
        return ""
    named = 2 if len(report.layout) > 1 and report.layout[1].format == "text" else 1
    columns = report.layout[:named]
    labels = []
    for row in report.rows:
        words = [cell_text(c, column.format) for c, column in zip(row, columns, strict=False)]
        labels.append((_short(words[0]), words[1] if named == 2 else ""))
    drawn = _Drawn(report.chart, series, labels)
    height, shapes = _lying(drawn) if report.chart.across else _standing(drawn)
    title = escape(printable(f"{report.title}: {report.chart.title}"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{title}">'
        f"{''.join(shapes)}</svg>"
    )


def _short(words: str) -> str:
    """A number without idle zeros, other text as it is."""
    return words.removesuffix("0").removesuffix(".0") if words.endswith("0") else words


def ticks(most: float) -> list[float]:
    """Round numbers from 0 to a little above the longest bar, four to eight of them.

    >>> ticks(1.8), ticks(730)
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0, 200, 400, 600, 800])
    """
    power = 10 ** math.floor(math.log10(most / 4)) if most > 0 else 1.0
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if 5 * step * power >= most)
    return [round(number * step, 10) for number in range(math.ceil(most / step) + 1)]


# Standing bars


def _standing(drawn: _Drawn) -> tuple[float, list[str]]:
    marks = ticks(drawn.most)
    scale = TALL / marks[-1]
    shapes = [*_lines_across(marks, scale)]
    room = (WIDTH - LEFT) / len(drawn.labels)
    for row, (label, more) in enumerate(drawn.labels):
        middle = LEFT + (row + 0.5) * room
        shapes += _stack(drawn, row, middle, room, scale)
        shapes.append(_text(middle, ABOVE + TALL + 15, label, "middle"))
        if more:
            shapes.append(_text(middle, ABOVE + TALL + 29, cut(more, 16), "middle", "dim"))
    return ABOVE + TALL + BELOW, shapes


def _lines_across(marks: Sequence[float], scale: float) -> Iterator[str]:
    for mark in marks:
        y = ABOVE + TALL - mark * scale
        yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH}"/>'
        yield _text(LEFT - 6, y + 4, f"{mark:g}", "end", "dim")


def _stack(drawn: _Drawn, row: int, middle: float, room: float, scale: float) -> Iterator[str]:
    """The bars of one row: side by side, or on each other."""
    wide = min(room * 0.7, 64)
    each = wide if drawn.chart.stacked else wide / len(drawn.series)
    below = 0.0
    for number, (name, numbers) in enumerate(drawn.series):
        high = numbers[row] * scale
        left = middle - wide / 2 + (0 if drawn.chart.stacked else number * each)
        if high > 0:
            y = ABOVE + TALL - below - high
            yield _bar(number, name, numbers[row], left, y, each, high)
            if not drawn.chart.stacked:
                yield _text(left + each / 2, y - 4, _figure(numbers[row]), "middle", "small")
        below += high if drawn.chart.stacked else 0
    if drawn.chart.stacked and below:
        whole = sum(numbers[row] for _, numbers in drawn.series)
        yield _text(middle, ABOVE + TALL - below - 4, _figure(whole), "middle", "small")


# Lying bars


def _lying(drawn: _Drawn) -> tuple[float, list[str]]:
    bars = 1 if drawn.chart.stacked else len(drawn.series)
    scale = (WIDTH - LABELS - ROOM) / (drawn.most or 1.0)
    shapes, y = [], 4.0
    for row, (label, more) in enumerate(drawn.labels):
        words = cut(f"{label} · {more}" if more else label, LABEL_CHARS)
        shapes.append(_text(LABELS - 8, y + bars * BAR / 2 + 4, words, "end"))
        share = drawn.chart.stacked == "share"
        shapes += _divided(drawn, row, y) if share else _row(drawn, row, y, scale)
        y += bars * BAR + GAP
    return y, shapes


def _row(drawn: _Drawn, row: int, y: float, scale: float) -> Iterator[str]:
    """The bars of one row: below each other, or after each other."""
    at = float(LABELS)
    for number, (name, numbers) in enumerate(drawn.series):
        long, top = numbers[row] * scale, y + (0 if drawn.chart.stacked else number * BAR)
        if long > 0:
            yield _bar(number, name, numbers[row], at, top, long, BAR - 2)
        if not drawn.chart.stacked:
            yield _text(LABELS + long + 5, top + BAR - 5, _figure(numbers[row]), "start", "small")
        at += long if drawn.chart.stacked else 0
    if drawn.chart.stacked:
        whole = sum(numbers[row] for _, numbers in drawn.series)
        yield _text(at + 5, y + BAR - 5, _figure(whole), "start", "small")


def _divided(drawn: _Drawn, row: int, y: float) -> Iterator[str]:
    """One bar over the whole width, divided; its larger parts with their percentage."""
    whole = sum(numbers[row] for _, numbers in drawn.series)
    at, wide = float(LABELS), WIDTH - LABELS
    for number, (name, numbers) in enumerate(drawn.series):
        share = numbers[row] / whole if whole else 0.0
        if share > 0:
            yield _bar(number, name, numbers[row], at, y, share * wide, BAR)
        if share >= LEAST_LABELLED:
            middle = at + share * wide / 2
            yield _text(middle, y + BAR - 4, f"{100 * share:.0f} %", "middle", f"on p{number}")
        at += share * wide


# Shapes


def _bar(number: int, name: str, value: float, x: float, y: float, wide: float, high: float) -> str:
    return (
        f'<rect class="p{number}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" '
        f'height="{high:.1f}"><title>{escape(printable(name))}: {_figure(value)}</title></rect>'
    )


def _text(x: float, y: float, words: str, anchor: str, look: str = "") -> str:
    named = f' class="{look}"' if look else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{named}>'
        f"{escape(printable(words))}</text>"
    )


def _figure(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.2f}"
