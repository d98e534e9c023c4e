"""Servers that refuse, round, rename or share: the right way round them, and no false take-over.

On each of them the whole round: ratings typed in a workbook, an inference, a second one that
finds nothing to do, ``verify``, an undo and its undo, and everything inferred taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

TAGS = {"rating_inferred", "rating_twin"}
TYPED = (0.5, 1.0, 1.7, 2.25, 3.0, 3.33, 3.68, 4.1, 4.5, 4.95, 5.0)  # stars


@dataclass(frozen=True)
class Server:
    """An odd server.

    Attributes:
        step: points to which it rounds, 0 for not.
        tagged: whether inferred ratings carry their tag there.
        batches: whether batch edits carry the ratings in the end; None: either.
    """

    faults: dict[str, Any] = field(default_factory=dict)
    step: float = 0.0
    tagged: bool = True
    batches: bool | None = True
    shared: bool = False
    home: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


SERVERS = {
    "as Plex is": Server(),
    "a Home user's token": Server(home=True, tagged=False, batches=False),
    "the owner's edits refused": Server({"home_user": True}, tagged=False, batches=False),
    "rounds to 0.1": Server({"rounding": 0.1}, step=0.1),
    "rounds to halves": Server({"rounding": 0.5}, step=0.5),
    "rounds to half stars": Server({"rounding": 1.0}, step=1.0),
    "rounds to half stars, Home user": Server(
        {"rounding": 1.0, "home_user": True}, step=1.0, tagged=False, batches=False
    ),
    "rounds to half stars, values as computed": Server(
        {"rounding": 1.0}, step=1.0, settings={"ROUNDING": "none"}
    ),
    "raises first letters of tags": Server({"capitalise_tags": True}),
    "tags replace each other": Server({"replace_tags": True}),
    "tags are ignored": Server({"ignore_tags": True}, tagged=False),
    "locks whatever is edited": Server({"always_lock": True}),
    "batch edits are ignored": Server({"ignore_batch": True}, tagged=False, batches=False),
    "batch edits give no time": Server({"edit_stamps": False}),
    "long requests are refused": Server({"url_limit": 2000}, batches=None),
    "few ids at a time": Server({"ids_limit": 25}, batches=None),
    "copies share a rating": Server(shared=True),
    "copies share a rating, rounded": Server({"rounding": 1.0}, step=1.0, shared=True),
    "copies keep ratings of their own": Server({"same_guid": False}, shared=True),
    "all at once": Server(
        {"rounding": 0.5, "capitalise_tags": True, "replace_tags": True, "edit_stamps": False},
        step=0.5,
        shared=True,
    ),
}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest) -> Server:
    return SERVERS[request.param]


@pytest.fixture
def plex(server: Server) -> Iterator[DemoPlex]:
    with DemoPlex(tracks=160, shared_guids=server.shared) as demo:
        for item in demo.items("track")[:40]:  # moods of the person's, which have to survive
            demo.tag(item["key"], "mood", ["Calm", "Lively"])
        for kind in ("artist", "album", "track"):  # as such a server would hold them by now
            for item in demo.items(kind):
                if server.step and item["userRating"]:
                    steps = max(round(item["userRating"] / server.step), 1)
                    demo.rate(item["key"], steps * server.step)
        demo.store.writes.clear()
        demo.set_faults(**server.faults)
        yield demo


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex, server: Server) -> Tool:
    token = {"PLEX_TOKEN": plex.home_token} if server.home else {}
    return Tool(tmp_path, plex, **(token | server.settings))


class Seen:
    """A library as this account sees it."""

    def __init__(self, plex: DemoPlex, *, home: bool) -> None:
        account = 2 if home else 1
        kinds = ("artist", "album", "track")
        items = [item for kind in kinds for item in plex.items(kind, account)]
        self.ratings = {
            item["key"]: item["userRating"] for item in items if item["userRating"] is not None
        }
        moods = {
            item["key"]: {m.casefold() for m in item["tags"].get("mood", ())} for item in items
        }
        self.tagged = {key for key, names in moods.items() if names & TAGS}
        self.moods = {key: names - TAGS for key, names in moods.items()}
        self.locks = {item["key"]: item["locks"] for item in items}


def typed_into(tool: Tool, plex: DemoPlex, least: float) -> dict[int, float]:
    """Stars typed for unrated tracks, one of each group that shares a rating."""
    workbook = tool.export()
    guids: set[str] = set()
    keys = []
    for item in plex.items("track"):
        if item["userRating"] is None and item["guid"] not in guids:
            keys.append(item["key"])
        guids.add(item["guid"])
    stars = [one for one in TYPED if 2 * one >= least]  # less, such a server makes unrated
    typed = dict(zip(keys, stars * 2, strict=False))
    set_cells(workbook, [("Tracks", str(key), "My rating", v) for key, v in typed.items()])
    return typed


@pytest.mark.slow
def test_the_whole_round(tool: Tool, plex: DemoPlex, server: Server):
    def look() -> Seen:
        return Seen(plex, home=server.home)

    before = look()
    typed = typed_into(tool, plex, server.step)
    tolerance = server.step / 2 + 0.006

    # what was typed is theirs, as the server keeps it
    imported = tool.importing()
    assert imported.exit_code in (0, 1), imported.output
    assert imported.json["error"] is None
    kept = look().ratings
    assert all(abs(kept[key] - 2 * stars) <= tolerance for key, stars in typed.items())
    assert all(kept[key] == value for key, value in before.ratings.items())
    theirs = dict(kept)

    # inference fills the rest and touches nothing of theirs
    inferred = tool("infer", "--yes", "--json")
    assert inferred.exit_code in (0, 1), inferred.output
    now = look()
    assert {key: now.ratings.get(key) for key in theirs} == theirs
    ours = set(now.ratings) - set(theirs)
    assert len(ours) > 100
    assert now.tagged == (ours if server.tagged else set())
    assert now.moods == before.moods

    # nothing of ours looks like the person's, nothing is left to do
    again = tool("infer", "--yes", "--json")
    assert again.exit_code == 0, again.output
    counts = again.json["counts"]
    assert (counts["written"], counts["taken_over"], counts["cleared"]) == (0, 0, 0)
    assert look().ratings == now.ratings
    checked = tool("verify", "--json").json
    assert checked["counts"]["overrides"] == 0
    assert checked["counts"]["orphans"] == 0
    if server.tagged:
        assert checked["rows"] == []
    tool.export()
    sources = {
        int(row["Key"]): row["Source"]
        for sheet in ("Artists", "Albums", "Tracks")
        for row in rows_of_sheet(tool.workbook, sheet)
    }
    assert {key for key, source in sources.items() if source == "Manual"} == set(theirs)
    assert {key for key, source in sources.items() if source in ("Inferred", "Twin")} == ours

    # taken back, brought back, and taken back for good
    run = inferred.json["run"]
    assert tool("undo", str(run), "--yes").exit_code == 0
    assert look().ratings == theirs
    newest = tool("history", "--json").json["runs"][0]["run"]
    assert tool("undo", str(newest), "--yes").exit_code == 0
    assert set(look().ratings) == set(theirs) | ours
    assert tool("undo", "--inferred", "--yes").exit_code == 0
    last = look()
    assert last.ratings == theirs
    assert last.tagged == set()
    assert last.moods == before.moods
    if not server.faults.get("always_lock"):
        assert last.locks == before.locks


@pytest.mark.slow
@pytest.mark.parametrize(
    "server",
    [
        "as Plex is",
        "a Home user's token",
        "rounds to half stars, Home user",
        "batch edits are ignored",
        "tags replace each other",
    ],
    indirect=True,
)
def test_what_was_learned_is_kept_for_the_next_run(tool: Tool, plex: DemoPlex, server: Server):
    """A second run asks no question that the first has answered."""
    assert tool("infer", "2", "--yes").exit_code == 0
    refused = plex.requests["PUT /library/sections/{id}/all"]
    plex.reset_requests()

    result = tool("infer", "--yes", "--json")

    assert result.exit_code in (0, 1), result.output
    edits, rates = plex.requests["PUT /library/sections/{id}/all"], plex.requests["PUT /:/rate"]
    if server.batches is True:
        assert rates == 0
        assert edits > 0
    elif server.batches is False:
        assert rates > 100
        assert edits == 0 if not server.faults.get("ignore_batch") else edits <= 4
        assert refused <= 4
