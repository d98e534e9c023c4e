"""Reports as text, on a terminal, as a page and as files: what a person sees."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from plexsheet.reports import catalogue, charts, data, tables, terminal, text
from plexsheet.reports.page import page
from plexsheet.reports.report import Chart, Report, ReportColumn
from tests.golden import RENEW, reports
from tests.unit.test_reports import subject

NASTY = Report(
    "nasty",
    "A title\x1b[31m",
    (ReportColumn("Title"), ReportColumn("My rating", "stars"), ReportColumn("Link", "link")),
    [
        ("<script>alert(1)</script> & 'x'", 4.0, "https://app.plex.tv/x?a=1&b=2"),
        ("\x1b[2J\r\nline \u202eturned", None, "javascript:alert(1)"),
        ("音楽 " * 40, 0.5, ""),
    ],
    {"n": 3},
    "[bold]not markup[/bold] <b>",
)


@pytest.mark.parametrize("name", list(catalogue.BY_NAME))
def test_text_reports_are_as_they_were(name):
    assert reports.made(name) == reports.golden(name), f"{name}.txt {RENEW}"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_text_columns_stay_aligned_and_within_the_width(width):
    lines = text.text(NASTY, width).splitlines()

    table = [line for line in lines if "4.00" in line or "0.50" in line]
    assert len(table) == 2
    assert all(text.width(line) <= width for line in lines)
    ends = {text.width(line) for line in table}
    assert len(ends) == 1


@pytest.mark.parametrize("width", [1, 2, 7, 20])
def test_text_wider_than_its_place_is_folded_and_nothing_is_lost(width):
    columns = [ReportColumn(name, "stars") for name in ("My rating", "Inferred", "Wide 音楽")]
    report = Report("numbers", "Numbers", tuple(columns), [(4.0, 0.5, 3.25)])

    lines = text.text(report, width).splitlines()

    assert all(text.width(line) <= max(width, 2) for line in lines)
    letters = "".join("".join(lines).split())
    assert letters == "".join(text.text(report, 200).split())


def test_text_cannot_steer_a_terminal():
    made = text.text(NASTY)

    assert "\x1b" not in made
    assert "\r" not in made
    assert "\u202e" not in made


def test_a_terminal_shows_the_same_without_control_codes_when_it_is_none():
    out = io.StringIO()

    terminal.show([NASTY, *tables.build_all(subject())], Console(file=out, width=90))

    shown = out.getvalue()
    assert "\x1b" not in shown
    assert "[bold]not markup[/bold]" in shown
    assert "DISAGREE" in shown
    assert "█" in shown
    assert all(text.width(line) <= 90 for line in shown.splitlines())


def test_a_terminal_with_colours_draws_bars_and_links():
    out = io.StringIO()
    console = Console(file=out, width=120, force_terminal=True, color_system="truecolor")

    terminal.show(
        [tables.build("histogram", subject()), tables.build("dissenters", subject())], console
    )

    assert "\x1b[33m" in out.getvalue()
    assert "app.plex.tv" in out.getvalue()


class _Page(HTMLParser):
    """Open tags, addresses and text of a page; fails on tags that do not nest."""

    VOID = frozenset({"meta", "link", "rect", "br"})

    def __init__(self):
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.words = ""

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.addresses += [v for k, v in attrs if k in {"href", "src", "srcset", "action"}]
        if tag not in self.VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words += data


def parsed(reports):
    reader = _Page()
    reader.feed(page(reports, "Music <1>"))
    reader.close()
    return reader


def test_the_page_is_whole_and_loads_nothing():
    reader = parsed(tables.build_all(subject()))

    assert reader.open == []
    assert not {"img", "iframe", "object"} & set(reader.seen)
    assert reader.seen.count("script") == 1, "only the one that sorts tables"
    loaded = [a for a in reader.addresses if not a.startswith(("#", "https://app.plex.tv/"))]
    assert loaded == ["data:,"]
    assert "svg" in reader.seen
    made = page(tables.build_all(subject()), "Music")
    assert "url(" not in made
    assert "@import" not in made
    assert 'name="viewport"' in made
    assert "prefers-color-scheme:dark" in made


def test_the_page_shows_titles_as_text():
    reader = parsed([NASTY])

    assert reader.seen.count("script") == 1
    assert "<script>alert(1)</script> & 'x'" in reader.words
    assert not any(a.startswith("javascript") for a in reader.addresses)


def test_csv_and_json_keep_every_value():
    report = tables.build("dissenters", subject())

    read = list(csv.reader(io.StringIO(data.csv_text(report, ";")), delimiter=";"))
    kept = json.loads(json.dumps(data.as_json(report), allow_nan=False))

    assert read[0] == list(report.columns)
    assert read[1][3] == report.rows[0][3]
    assert kept["rows"][0]["z"] == report.rows[0][8]
    assert kept["report"] == "dissenters"


def charted(chart, rows):
    layout = (ReportColumn("What"), ReportColumn("Mine", "count"), ReportColumn("Ours", "count"))
    return Report("made-up", "Made up", layout, rows, chart=chart)


@pytest.mark.parametrize("across", [True, False])
@pytest.mark.parametrize("stacked", ["", "sum"])
def test_the_bars_of_a_chart_are_as_long_as_their_numbers(across, stacked):
    chart = Chart("Bars", ("Mine", "Ours"), across=across, stacked=stacked)
    drawn = charts.svg(charted(chart, [("a", 10, 30), ("b", 0, 20)]))

    side = "width" if across else "height"
    found = {
        float(value): float(length)
        for length, value in re.findall(
            rf'<rect[^>]* {side}="([0-9.]+)"[^>]*><title>\w+: (\d+)</title>', drawn
        )
    }
    assert set(found) == {10, 20, 30}, "nothing is drawn for 0"
    assert found[30] / found[10] == pytest.approx(3, abs=0.05)
    assert found[20] / found[10] == pytest.approx(2, abs=0.05)


def test_a_divided_bar_is_as_long_whatever_its_sum():
    chart = Chart("Bars", ("Mine", "Ours"), across=True, stacked="share")
    drawn = charts.svg(charted(chart, [("a", 1, 3), ("b", 400, 100)]))

    wide = [float(width) for width in re.findall(r'<rect[^>]* width="([0-9.]+)"', drawn)]
    assert wide[0] + wide[1] == pytest.approx(wide[2] + wide[3], abs=0.2)
    assert re.findall(r">(\d+) %<", drawn) == ["25", "75", "80", "20"]


def test_a_chart_of_nothing_is_not_drawn_and_titles_are_text():
    chart = Chart("Bars <b>", ("Mine", "Absent"))

    assert charts.svg(charted(chart, [("a", 0, 1)])) == ""
    assert charts.svg(charted(chart, [])) == ""
    drawn = charts.svg(charted(chart, [("<script>", 5, 1)]))
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn


def test_csv_of_a_report_holds_no_formula():
    made = data.csv_text(Report("x", "X", (ReportColumn("Title"),), [("=1+1",), ("-",), ("fine",)]))

    assert made.split() == ["Title", "'=1+1", "'-", "fine"]
