"""Reports as text, on a terminal, as a page and as files: what a person sees."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest
from rich.console import Console

from plexsheet.reports import catalogue, data, tables, terminal, text
from plexsheet.reports.page import page
from plexsheet.reports.report import Column, Report
from tests.golden import RENEW, reports
from tests.unit.test_reports import subject

NASTY = Report(
    "nasty",
    "A title\x1b[31m",
    (Column("Title"), Column("My rating", "stars"), Column("Link", "link")),
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
    kept = json.loads(data.json_text(report))

    assert read[0] == list(report.columns)
    assert read[1][3] == report.rows[0][3]
    assert kept["rows"][0]["z"] == report.rows[0][8]
    assert kept["report"] == "dissenters"
