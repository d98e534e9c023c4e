"""The gateway against a server over HTTP: what it reads, how often it asks, what it writes."""

from __future__ import annotations

import math
from itertools import pairwise
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
import pytest

from plexsheet import plex
from plexsheet.errors import PlexForbidden
from plexsheet.library import KINDS, SCHEMA
from plexsheet.plex import BatchEdit, PlexRejected
from tests.plex.server import DemoPlex

PAUSES = (0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def library_server():
    with DemoPlex(tracks=2500) as demo:
        yield demo


@pytest.fixture
def demo(library_server):
    library_server.reset_faults()
    library_server.reset_requests()
    yield library_server
    library_server.reset_faults()


def connect(demo, **more):
    return plex.connect(demo.url, more.pop("token", demo.token), "Music", backoff_s=PAUSES, **more)


def first(demo, kind="track", count=1):
    keys = [item["key"] for item in demo.items(kind)[:count]]
    return keys if count > 1 else keys[0]


# reading


def test_the_library_is_read_as_the_server_holds_it(demo):
    library = connect(demo).read_library()

    for kind in KINDS:
        held = {item["key"]: item for item in demo.items(kind)}
        table = library.table(kind)
        assert set(table["key"]) == set(held)
        assert list(table.columns) == list(SCHEMA[kind])
        for key, title, rating in zip(
            table["key"], table["title"], table["user_rating"], strict=True
        ):
            assert title == held[key]["title"]
            assert rating == held[key]["userRating"] or (
                math.isnan(rating) and held[key]["userRating"] is None
            )
    tracks = library.tracks.set_index("key")
    for item in demo.items("track")[::100]:
        row = tracks.loc[item["key"]]
        assert (row["album_key"], row["artist_key"]) == (item["albumKey"], item["artistKey"])
        assert (row["album"], row["artist"]) == (item["album"], item["artist"])


def test_a_full_read_asks_seldom(demo):
    gateway = connect(demo)
    library = gateway.read_library()

    assert gateway.requests == sum(demo.requests.values())
    assert gateway.requests <= len(library.tracks) / 1000 + 20


def test_live_albums_and_formats_come_from_the_filters(demo):
    gateway = connect(demo)
    albums = gateway.read_library().albums.set_index("key")

    there = {item["key"]: item["tags"].get("subformat", []) for item in demo.items("album")}
    assert any("Live" in types for types in there.values())
    found = {key: [t for t in text.split("; ") if t] for key, text in albums["subformat"].items()}
    assert {key: "Live" in types for key, types in found.items()} == {
        key: "Live" in types for key, types in there.items()
    }
    assert {"Album", "EP"} <= set(albums["format"])


def test_progress_reaches_the_total_of_each_kind(demo):
    seen = {}

    library = connect(demo).read_library(
        lambda kind, done, total: seen.update({kind: (done, total)})
    )

    assert seen == {kind: (len(library.keys(kind)),) * 2 for kind in KINDS}


@pytest.mark.parametrize(
    "faults",
    [
        {"max_page": 300},
        {"short_pages": 7},
        {"no_paging": True},
        {"gzip": True},
        {"every_nth": 4, "kind": "500"},
        {"every_nth": 4, "kind": "503"},
        {"every_nth": 4, "kind": "drop_before"},
        {"every_nth": 4, "kind": "truncated"},
        {"every_nth": 4, "kind": "html"},
        {"every_nth": 5, "kind": "timeout", "timeout_s": 0.6},
    ],
    ids=lambda faults: "-".join(map(str, faults.values())),
)
def test_the_same_library_whatever_the_server_does(demo, faults):
    expected = connect(demo).read_library()
    gateway = connect(demo, timeout_s=0.3 if faults.get("kind") == "timeout" else 30)
    demo.set_faults(**faults)

    library = gateway.read_library()

    for kind in KINDS:
        assert library.table(kind).equals(expected.table(kind))


def test_characters_xml_forbids_do_not_end_the_read(tmp_path):
    rows = "artist\talbum\ttrack\nThe\x01 Band\tAl\x0bbum\tSong\x1f one\n"
    path = tmp_path / "strange.tsv"
    path.write_text(rows)
    with DemoPlex(path, faults={"raw_control": True}) as demo:
        tracks = connect(demo).read_library().tracks

    assert tracks["title"].tolist() == ["Song one"]


def test_a_library_of_nothing_is_read(tmp_path):
    path = tmp_path / "empty.tsv"
    path.write_text("artist\talbum\ttrack\n")
    with DemoPlex(path) as demo:
        library = connect(demo).read_library()

    assert [len(library.keys(kind)) for kind in KINDS] == [0, 0, 0]


def test_items_come_with_moods_and_lock_and_without_those_gone(demo):
    gateway = connect(demo)
    keys = first(demo, count=350)
    demo.tag(keys[0], "mood", ["Lively", "Calm, really; so"])
    album = first(demo, "album")

    frame = gateway.read_items("track", [*keys, keys[0], 999_999, album]).set_index("key")

    assert sorted(frame.index) == sorted(keys)
    assert set(frame.loc[keys[0], "moods"]) == {"Lively", "Calm, really; so"}
    assert not frame["mood_locked"].any()
    assert set(frame.columns) == {*SCHEMA["track"], "moods", "mood_locked"} - {"key"}
    assert gateway.requests <= 3 + 2
    assert len(gateway.read_items("track", [999_999])) == 0
    assert len(gateway.read_items("track", [])) == 0


def test_the_files_of_a_few_tracks(demo):
    keys = first(demo, count=130)

    files = connect(demo).read_files([*keys, 999_999])

    assert set(files) == set(keys)
    assert all(len(paths) == 1 and paths[0].startswith("/") for paths in files.values())
    assert connect(demo).read_files([999_999]) == {}


def test_reading_many_keys_halves_what_the_server_refuses(demo):
    gateway = connect(demo)
    demo.set_faults(ids_limit=100)
    keys = first(demo, count=300)

    assert sorted(gateway.read_items("track", keys)["key"]) == sorted(keys)


@pytest.mark.parametrize("count", [3, 350, 2000])
def test_ratings_are_read_by_the_shorter_way(demo, count):
    gateway = connect(demo)
    keys = first(demo, count=count)
    before = gateway.requests

    frame = gateway.read_ratings("track", [*keys, 999_999])

    ratings = demo.ratings("track")
    assert sorted(frame["key"]) == sorted(keys)
    for key, rating in zip(frame["key"], frame["user_rating"], strict=True):
        assert rating == ratings.get(key) or (math.isnan(rating) and key not in ratings)
    assert gateway.requests - before <= 4


def test_changes_since_show_ratings_and_totals(demo):
    gateway = connect(demo)
    read_at = gateway.read_library().read_at
    key = first(demo)
    demo.rate(key, 9.0)

    changes = gateway.read_changes(read_at - 1)

    assert key in set(changes.tables["track"]["key"])
    assert len(changes.tables["track"]) < 50
    assert changes.totals == {kind: len(demo.items(kind)) for kind in KINDS}
    assert changes.read_at >= read_at


@pytest.mark.parametrize("one_filter", [False, True])
@pytest.mark.parametrize("others", [0, 1])
def test_what_else_changed_is_found_beside_a_thousand_items_rated_since(
    others: int, one_filter: bool
):
    with DemoPlex(tracks=1300) as plex:
        plex.set_faults(one_filter=one_filter)
        gateway = connect(plex)
        read_at = gateway.read_library().read_at
        keys = first(plex, count=1100 + others)
        for key in keys[:1100]:
            plex.rate(key, 7.0)
            plex.tag(key, "mood", ["Inferred"])
        for key in keys[1100:]:
            plex.tag(key, "mood", ["Calm"])
        plex.reset_requests()

        changes = gateway.read_changes(read_at)

        asked = [line for line in plex.log if "type=10&updatedAt" in line]

    assert set(changes.tables["track"]["key"]) == set(keys)
    assert len(asked) == 2 + others  # two numbers, and the list only where they differ


def test_carriers_of_a_tag(demo):
    gateway = connect(demo)
    keys = first(demo, count=3)
    for key in keys:
        demo.tag(key, "mood", ["Rating_Inferred"])

    assert sorted(gateway.carriers("track", "rating_inferred").tolist()) == sorted(keys)
    assert gateway.carriers("track", "Nobody has this").tolist() == []
    assert gateway.carriers("artist", "Rating_Inferred").tolist() == []
    assert gateway.tag_ids("track")["rating_inferred"][0] == "Rating_Inferred"
    for key in keys:
        demo.tag(key, "mood", [])


def test_who_asks_and_what_is_there(demo):
    owner, guest = connect(demo).identity, connect(demo, token=demo.home_token).identity

    assert (owner.title, owner.owner, owner.account_id) == ("Music", True, "1")
    assert owner.server_id == guest.server_id
    assert owner.section_uuid
    assert not guest.owner
    assert guest.account_id != owner.account_id
    assert guest.scope == connect(demo, token=demo.home_token).identity.scope


def test_upkeep(demo):
    gateway = connect(demo)

    assert gateway.activities() == []
    assert gateway.butler_hours() == (2, 5)


# writing


def test_rating_and_clearing_one_item(demo):
    gateway = connect(demo)
    key = first(demo)

    gateway.rate(key, 7.36)
    assert demo.rating(key) == 7.36

    gateway.rate(key, math.nan)
    assert demo.rating(key) is None


def test_one_edit_rates_and_tags_many_items_in_one_request(demo):
    gateway = connect(demo)
    keys = first(demo, count=200)
    before = gateway.requests

    gateway.edit("track", keys, rating=7.36, tags_add=("Rating_Inferred", "A, b & c: 100%"))

    assert gateway.requests == before + 1
    assert all(demo.rating(key) == 7.36 for key in keys)
    frame = gateway.read_items("track", keys)
    assert all({"Rating_Inferred", "A, b & c: 100%"} <= set(moods) for moods in frame["moods"])
    assert not frame["mood_locked"].any()

    gateway.edit("track", keys, rating=math.nan, tags_remove=("Rating_Inferred", "A, b & c: 100%"))

    assert all(demo.rating(key) is None for key in keys)
    assert not any("Rating_Inferred" in moods for moods in gateway.read_items("track", keys).moods)


def test_the_whole_list_form_suits_a_server_that_replaces(demo):
    gateway = connect(demo)
    key = first(demo)
    demo.tag(key, "mood", ["Lively", "Warm"])
    for replace in (True, False):
        demo.set_faults(replace_tags=replace)

        gateway.edit("track", [key], tags_all=("Lively", "Mine"), tags_remove=("Warm",))

        assert set(gateway.read_items("track", [key]).moods[0]) == {"Lively", "Mine"}
    demo.tag(key, "mood", [])


def test_a_locked_mood_stays_locked(demo):
    gateway = connect(demo)
    key = first(demo)

    gateway.edit("track", [key], tags_add=("Mine",), mood_locked=True)
    assert gateway.read_items("track", [key])["mood_locked"].tolist() == [True]

    gateway.edit("track", [key], rating=6.0)
    assert gateway.read_items("track", [key])["mood_locked"].tolist() == [True]

    gateway.edit("track", [key], tags_remove=("Mine",), mood_locked=False)
    assert gateway.read_items("track", [key])["mood_locked"].tolist() == [False]


def test_an_albums_date(demo):
    gateway = connect(demo)
    key = first(demo, "album")

    gateway.edit("album", [key], released="1971-01-01")

    row = gateway.read_items("album", [key]).loc[0]
    assert (row["released"], row["year"]) == ("1971-01-01", 1971)


@pytest.mark.parametrize(
    ("kind", "keys", "edit"),
    [
        ("track", [], {"rating": 8.0}),
        ("track", [0], {"rating": 8.0}),
        ("track", [-5, 7], {"rating": 8.0}),
        ("track", range(1, 202), {"rating": 8.0}),
        ("track", [10**30] * 190, {"rating": 8.0}),
        ("track", [7], {}),
        ("track", [7], {"rating": 0.0}),
        ("track", [7], {"rating": 10.5}),
        ("track", [7], {"rating": math.inf}),
        ("track", [7], {"tags_add": ("A",), "tags_remove": ("a",)}),
        ("track", [7], {"tags_add": ("A",), "tags_all": ("B",)}),
        ("track", [7], {"tags_add": (" ",)}),
        ("track", [7], {"released": "1971-01-01"}),
        ("album", [7], {"released": "1971"}),
    ],
)
def test_an_edit_that_could_do_harm_is_never_sent(demo, kind, keys, edit):
    gateway = connect(demo)
    before = gateway.requests

    with pytest.raises(ValueError):
        gateway.edit(kind, list(keys), **edit)

    assert gateway.requests == before


@pytest.mark.parametrize(("key", "rating"), [(0, 8.0), (7, 0.0), (7, 11.0), (7, -1.0)])
def test_a_rating_that_is_none_is_never_sent(demo, key, rating):
    gateway = connect(demo)
    before = gateway.requests

    with pytest.raises(ValueError):
        gateway.rate(key, rating)

    assert gateway.requests == before


def test_chunks_fit_and_lose_nothing(demo):
    gateway = connect(demo)
    rng = np.random.default_rng(1)
    keys = np.unique(rng.integers(1, 10**9, 5000))
    for edit in (BatchEdit(rating=8.0), BatchEdit(tags_add=("é" * 300,), tags_remove=("ü" * 150,))):
        parts = list(gateway.chunks("track", keys, edit))

        assert np.array_equal(np.concatenate(parts), keys)
        assert all(gateway.fits("track", part, edit) for part in parts)
        # no part could take the next key too
        for part, following in pairwise(parts):
            assert not gateway.fits("track", np.append(part, following[0]), edit)
    assert list(gateway.chunks("track", keys[:0], BatchEdit(rating=8.0))) == []
    with pytest.raises(ValueError):
        list(gateway.chunks("track", keys, BatchEdit(tags_add=("x" * 5000,))))


def test_what_stands_on_the_wire(demo):
    gateway = connect(demo)
    keys = first(demo, count=2)

    gateway.edit("track", keys, rating=7.5, tags_add=("New",), tags_remove=("Old, one",))

    sent = urlsplit(demo.log[-1].split()[1])
    assert sent.path == f"/library/sections/{gateway.identity.section_id}/all"
    assert dict(parse_qsl(sent.query)) == {
        "type": "10",
        "id": f"{keys[0]},{keys[1]}",
        "userRating.value": "7.5",
        "userRating.locked": "0",
        "mood[0].tag.tag": "New",
        "mood[].tag.tag-": "Old%2C%20one",
        "mood.locked": "0",
    }
    assert f"id={keys[0]},{keys[1]}&" in sent.query
    assert "Old%252C%2520one" in sent.query
    assert demo.token not in unquote("".join(demo.log))


def test_refused_writes_say_how(demo):
    gateway = connect(demo)
    keys = first(demo, count=20)

    demo.set_faults(home_user=True)
    with pytest.raises(PlexForbidden, match=r"refused this change \(403\)"):
        gateway.edit("track", keys, rating=8.0)
    gateway.rate(keys[0], 8.0)

    demo.reset_faults()
    demo.set_faults(url_limit=100)
    with pytest.raises(PlexRejected):
        gateway.edit("track", keys, rating=8.0)
    demo.reset_faults()
    demo.set_faults(ids_limit=10)
    with pytest.raises(PlexRejected):
        gateway.edit("track", keys, rating=8.0)


@pytest.mark.parametrize("kind", ["500", "500_after", "drop_before", "drop_after"])
def test_a_failed_write_is_sent_once(demo, kind):
    gateway = connect(demo)
    key = first(demo)
    before = gateway.requests
    demo.set_faults(every_nth=1, kind=kind, on="writes")

    with pytest.raises(plex.PlexRejected.__base__):
        gateway.rate(key, 3.0)

    assert gateway.requests == before + 1
