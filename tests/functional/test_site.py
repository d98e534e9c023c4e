"""The documentation as a site, in a real browser: every page, no error, nothing from elsewhere."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from tests.chromium import open_page
from tests.tools.site import build

pytest.importorskip("mkdocs", reason="MkDocs builds the site")
pytestmark = [pytest.mark.chromium, pytest.mark.xdist_group("chromium")]

REPO = Path(__file__).parent.parent.parent
KINDS = ("Tutorial", "How to", "Reference", "Explanation")
ELSEWHERE = re.compile(r"""(?:src|<link[^>]*href)=["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, with an older version beside it."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "0.0.9").mkdir()
    (folder / "0.0.9" / "index.html").write_text("<title>older</title>", "utf-8")
    build(folder, "1.2.3")
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_every_page_opens_without_an_error_or_a_request_elsewhere(
    site: Path, address: str, tmp_path: Path
):
    pages = sorted(path.name for path in (site / "1.2.3").glob("*.html"))
    frames = "".join(f'<iframe src="1.2.3/{page}"></iframe>' for page in pages)
    (site / "all.html").write_text(f'<!doctype html><link rel="icon" href="data:">{frames}')

    opened = open_page(f"{address}/all.html", tmp_path, width=1280, wait_ms=20_000)

    assert len(pages) >= 20
    assert opened.console == []
    assert {f"{address}/1.2.3/{page}" for page in pages} <= set(opened.requests)
    assert [url for url in opened.requests if not url.startswith((address, "data:"))] == []


def test_search_finds_a_page_in_a_folder_without_a_server(site: Path, tmp_path: Path):
    page = (site / "1.2.3" / "index.html").as_uri()

    opened = open_page(f"{page}?q=undo", tmp_path, width=1280, wait_ms=20_000)

    assert "undo-a-run.html" in opened.dom[opened.dom.index('class="md-search-result"') :]
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["default", "slate"])
def test_light_and_dark_can_be_chosen(site: Path, scheme: str):
    page = (site / "1.2.3" / "index.html").read_text("utf-8")

    assert re.search(rf'<input[^>]*data-md-color-scheme="?{scheme}', page)


def test_versions_stand_beside_each_other_and_the_newest_is_the_start(site: Path, address: str):
    listed = yaml.safe_load((site / "versions.json").read_text("utf-8"))

    assert [one["version"] for one in listed] == ["1.2.3", "0.0.9"]
    assert "url=1.2.3/index.html" in (site / "index.html").read_text("utf-8")


def test_pages_load_nothing_from_elsewhere(site: Path):
    """What a script would load only on some browsers counts too."""
    found = {
        path.name: ELSEWHERE.findall(path.read_text("utf-8"))
        for path in (site / "1.2.3").rglob("*.html")
    }

    assert {name: links for name, links in found.items() if links} == {}


def test_the_four_kinds_of_pages_are_kept_apart():
    text = (REPO / "mkdocs.yml").read_text("utf-8")
    nav = yaml.safe_load(re.search(r"^nav:\n(?:[ #].*\n)+", text, re.MULTILINE)[0])["nav"]
    kinds = {name: list(pages) for entry in nav for name, pages in entry.items() if name != "Home"}
    placed = [page for pages in kinds.values() for one in pages for page in one.values()]

    assert tuple(kinds) == KINDS
    assert len(placed) == len(set(placed))
    assert {path.name for path in (REPO / "docs").glob("*.md")} | {"changelog.md"} == set(placed)
