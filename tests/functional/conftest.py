"""A demo server and plexsheet beside it, for tests that want nothing special of either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Tool
from tests.plex.server import DemoPlex

TRACKS = 150  # a module that wants another size sets a TRACKS of its own


@pytest.fixture
def plex(request: pytest.FixtureRequest) -> Iterator[DemoPlex]:
    """A running demo server."""
    with DemoPlex(tracks=getattr(request.module, "TRACKS", TRACKS)) as demo:
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    """plexsheet, set up for that server in a folder of its own."""
    return Tool(tmp_path, plex)
