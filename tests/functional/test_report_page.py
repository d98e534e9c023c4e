"""The page of reports in a real browser: no error, no request, readable on a phone."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path

import pytest

from tests.chromium import open_page
from tests.driver import Tool
from tests.plex.server import DemoPlex

pytestmark = [pytest.mark.chromium, pytest.mark.xdist_group("chromium")]

PHONE, DESK = 390, 1280
MEASURE = (
    "<script>const e=document.documentElement;"
    "parent.document.title=[e.scrollWidth,innerWidth,e.scrollHeight].join(' ')</script>"
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """All reports of a library in which something was inferred."""
    folder = tmp_path_factory.mktemp("page")
    with DemoPlex(tracks=300) as plex:
        tool = Tool(folder, plex)
        tool.infer()
        made = tool("report", "all", "--format", "html", "--output", folder / "ratings.html")
        assert made.exit_code == 0, made.output
    yield folder / "ratings.html"


@pytest.mark.slow
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_opens_without_an_error_and_asks_for_nothing(
    page: Path, tmp_path: Path, width: int
):
    opened = open_page(page, tmp_path, width=width)

    assert opened.console == []
    assert opened.requests == []
    assert "Rate next" in opened.dom
    assert opened.picture.stat().st_size > 10_000


# Clicks twice on a header of numbers and once on one of words, and tells what stands where.
CLICKS = """<script>
const table=document.querySelector("#thresholds h3~.table table");
const column=name=>[...table.querySelectorAll("th")].findIndex(one=>one.textContent===name);
const sorted=name=>{const place=column(name);
table.querySelectorAll("th")[place].querySelector("span").click();
return [...table.tBodies[0].rows].map(row=>row.cells[place].textContent)};
const told=[sorted("Becomes"),sorted("Becomes"),sorted("Title"),sorted("Was")];
document.title=JSON.stringify(told)</script>"""


def test_a_click_on_a_header_sorts_its_table(page: Path, tmp_path: Path):
    clicked = tmp_path / "clicked.html"
    clicked.write_text(page.read_text("utf-8").replace("</body>", f"{CLICKS}</body>"), "utf-8")

    opened = open_page(clicked, tmp_path, width=DESK)

    assert opened.console == []
    found = re.search(r"<title>(.*?)</title>", opened.dom)
    assert found is not None
    down, up, titles, was = json.loads(unescape(found[1]))
    assert [float(value) for value in down] == sorted(map(float, down), reverse=True)
    assert [float(value) for value in up] == sorted(map(float, up))
    plain = [one.casefold() for one in titles if one.isascii() and one.replace(" ", "").isalpha()]
    assert len(set(plain)) > 10
    assert plain == sorted(plain)
    known = [value for value in was if value != "–"]
    assert was == known + ["–"] * (len(was) - len(known)), "unknown stays last"


def test_errors_and_requests_of_a_page_would_be_seen(tmp_path: Path):
    page = tmp_path / "bad.html"
    page.write_text(
        '<!doctype html><img src="http://127.0.0.1:9/x.png"><script>nothingThere()</script>'
    )

    opened = open_page(page, tmp_path, width=PHONE)

    assert opened.requests == ["http://127.0.0.1:9/x.png"]
    assert any("nothingThere is not defined" in line for line in opened.console)


@pytest.mark.slow
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_is_never_wider_than_the_screen(page: Path, tmp_path: Path, width: int):
    """Wide tables scroll by themselves; the page does not.

    A window has a least width, so the page stands in a frame as wide as the screen.
    """
    inner = escape(page.read_text("utf-8").replace("</body>", f"{MEASURE}</body>"))
    frame = tmp_path / "frame.html"
    frame.write_text(
        "<!doctype html><meta charset=utf-8><title></title><body style='margin:0'>"
        f'<iframe style="border:0;width:{width}px;height:800px" srcdoc="{inner}"></iframe>',
        "utf-8",
    )

    opened = open_page(frame, tmp_path, width=DESK)

    found = re.search(r"<title>(\d+) (\d+) (\d+)</title>", opened.dom)
    assert found is not None
    page_width, window, height = map(int, found.groups())
    assert page_width <= window
    assert width - 20 <= window <= width
    assert height > 1000
