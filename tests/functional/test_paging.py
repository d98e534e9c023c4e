"""Long lists over HTTP: pages ahead of the parser, and never more than one."""

from __future__ import annotations

import time

import pytest

from plexsheet import plex
from tests.plex.server import DemoPlex

TRACKS = 1200
PAGE = 100
LONG_S = 30.0  # for a busy machine; what is waited for comes in milliseconds


@pytest.fixture(scope="module")
def demo():
    with DemoPlex(tracks=TRACKS, faults={"max_page": PAGE}) as server:
        yield server


def waits_for(condition) -> bool:
    ends = time.monotonic() + LONG_S
    while time.monotonic() < ends and not condition():
        time.sleep(0.002)
    return bool(condition())


def test_the_next_page_is_on_its_way_while_one_is_parsed_and_no_third(demo):
    gateway = plex.connect(demo.url, demo.token, "Music")
    ahead, most = [], []

    def pages() -> int:
        return demo.requests["GET /library/sections/{id}/all?type=10"]

    def on_page(kind: str, done: int, total: int) -> None:
        parsed = -(-done // PAGE)
        if kind == "track" and 2 * PAGE <= done < total - PAGE:
            # the reader stands still here, so whatever comes was asked for before
            ahead.append(waits_for(lambda: pages() > parsed))
            most.append(pages() - parsed)

    gateway.read_library(on_page)

    assert len(ahead) >= 5
    assert all(ahead)
    assert set(most) == {1}


def test_pages_that_fail_are_asked_for_again_and_nothing_is_missing():
    with DemoPlex(tracks=TRACKS, faults={"max_page": PAGE}) as demo:
        gateway = plex.connect(demo.url, demo.token, "Music", backoff_s=(0.0, 0.0, 0.0))
        demo.set_faults(every_nth=5, kind="truncated", on="reads")

        library = gateway.read_library()

        assert sorted(library.keys("track")) == sorted(i["key"] for i in demo.items("track"))


def test_a_list_that_changes_once_while_it_is_read_is_read_again():
    with DemoPlex(tracks=TRACKS, faults={"max_page": PAGE}) as demo:
        gateway = plex.connect(demo.url, demo.token, "Music")
        gone = []

        def on_page(kind: str, done: int, total: int) -> None:
            if kind == "track" and not gone and done >= 5 * PAGE:
                gone.append(demo.items("track")[0]["key"])
                demo.delete(gone[0])

        library = gateway.read_library(on_page)

        assert gone[0] not in library.keys("track")
        assert sorted(library.keys("track")) == sorted(i["key"] for i in demo.items("track"))
