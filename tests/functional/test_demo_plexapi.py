"""The unmodified plexapi client against the demo server, as against Plex."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from plexapi.exceptions import BadRequest, NotFound, Unauthorized
from plexapi.server import PlexServer

from plexsheet.demo.library import Row
from plexsheet.demo.server import DemoPlex

ODD = "Odd <& \"quotes\" 'n' “more”, comma; =1+1 ✦"


@pytest.fixture(scope="module")
def shared_demo() -> Iterator[DemoPlex]:
    with DemoPlex(tracks=1500) as demo:
        yield demo


@pytest.fixture
def demo(shared_demo: DemoPlex) -> DemoPlex:
    shared_demo.reset_faults()
    shared_demo.reset_requests()
    return shared_demo


@pytest.fixture
def plex(demo: DemoPlex) -> Iterator[PlexServer]:
    with requests.Session() as session:
        yield PlexServer(demo.url, demo.token, session=session)


@pytest.fixture
def music(plex: PlexServer) -> Any:
    return plex.library.section("Music")


@pytest.fixture
def track(demo: DemoPlex, music: Any) -> Any:
    """A track that no test has touched before."""
    fresh = demo.items("track")[-1 - len(demo.store.writes) % 1000]
    return music.fetchItem(fresh["key"])


# --- connecting ------------------------------------------------------------------------


def test_connecting_says_who_and_what(plex: PlexServer, music: Any, demo: DemoPlex):
    assert plex.myPlexUsername == "demo-owner"
    assert plex.machineIdentifier == demo.store.machine_id
    assert music.uuid == demo.store.section_uuid
    assert [section.title for section in plex.library.sections()] == ["Music"]
    assert music.totalSize == len(demo.items("artist"))
    assert music.totalViewSize(libtype="track") == 1500
    assert [account.name for account in plex.systemAccounts()][1] == "demo-owner"
    assert plex.settings.get("ButlerStartHour").value == 2
    assert plex.activities == []


def test_a_wrong_token_is_unauthorized(demo: DemoPlex):
    with requests.Session() as session, pytest.raises(Unauthorized, match="401"):
        PlexServer(demo.url, "wrong", session=session)


def test_an_unknown_item_and_section_are_not_found(plex: PlexServer):
    with pytest.raises(NotFound):
        plex.fetchItem(999_999)
    with pytest.raises(NotFound):
        plex.library.section("Films")


# --- reading ---------------------------------------------------------------------------


def test_searches_list_every_item_of_a_kind(music: Any, demo: DemoPlex):
    for kind, search in (
        ("artist", music.searchArtists),
        ("album", music.searchAlbums),
        ("track", music.searchTracks),
    ):
        found = search()
        assert sorted(item.ratingKey for item in found) == [i["key"] for i in demo.items(kind)]


@pytest.mark.parametrize("size", [7, 100, 5000])
def test_paging_gives_each_item_once(music: Any, demo: DemoPlex, size: int):
    demo.reset_requests()

    found = music.searchTracks(sort="id", container_size=size)

    assert [item.ratingKey for item in found] == [i["key"] for i in demo.items("track")]
    listings = demo.requests["GET /library/sections/{id}/all?type=10"]
    assert listings in {-(-1500 // size), -(-1500 // size) + 1}


def test_rating_filters(music: Any, demo: DemoPlex):
    tracks = demo.items("track")
    above = {t["key"] for t in tracks if (t["userRating"] or 0) > 7}
    below = {t["key"] for t in tracks if t["userRating"] and t["userRating"] < 4}

    assert {t.ratingKey for t in music.searchTracks(filters={"userRating>>": 7})} == above
    assert {t.ratingKey for t in music.searchTracks(filters={"userRating<<": 4})} == below
    rated = music.searchTracks(filters={"userRating>>": -1})
    assert len(rated) == sum(t["userRating"] is not None for t in tracks)


@pytest.mark.parametrize("field", ["lastRatedAt", "updatedAt", "addedAt"])
def test_date_filters(music: Any, demo: DemoPlex, field: str):
    tracks = demo.items("track")
    moments = sorted(t[field] for t in tracks if t[field])
    moment = moments[len(moments) // 2]

    found = music.searchTracks(filters={f"{field}>>": datetime.fromtimestamp(moment)})

    assert {t.ratingKey for t in found} == {t["key"] for t in tracks if t[field] > moment}
    assert found


def test_mood_filters_by_name_and_choice(music: Any, demo: DemoPlex):
    carriers = {t["key"] for t in demo.items("track") if "Lively" in t["tags"].get("mood", [])}
    choice = next(c for c in music.listFilterChoices("mood", "track") if c.title == "Lively")

    assert {t.ratingKey for t in music.searchTracks(mood="lively")} == carriers
    assert {t.ratingKey for t in music.searchTracks(filters={"mood": choice})} == carriers
    others = music.searchTracks(filters={"mood!": "Lively"})
    assert len(others) == 1500 - len(carriers)
    assert carriers
    assert choice.fastKey == f"/library/sections/1/all?mood={choice.key}"


def test_title_filters(music: Any, demo: DemoPlex):
    wanted = demo.items("track")[40]
    part = wanted["title"][1:-1]

    contains = music.searchTracks(title=part)
    exact = music.searchTracks(filters={"title=": wanted["title"]})
    begins = music.searchTracks(filters={"title<": wanted["title"][:4]})

    assert wanted["key"] in {t.ratingKey for t in contains}
    assert {t.title for t in exact} == {wanted["title"]}
    assert all(t.title.casefold().startswith(wanted["title"][:4].casefold()) for t in begins)


def test_filters_by_artist_and_album(music: Any, demo: DemoPlex):
    wanted = demo.items("track")[40]

    by_artist = music.searchTracks(filters={"artist.title": wanted["artist"]})
    by_album = music.searchTracks(
        filters={"album.title": wanted["album"], "artist.title": wanted["artist"]}
    )
    live = music.searchTracks(filters={"album.subformat": "Live"})
    neither = music.searchTracks(filters={"album.subformat!": "Compilation,Live"})

    tracks = demo.items("track")
    same = {t["key"] for t in tracks if t["artist"] == wanted["artist"]}
    assert {t.ratingKey for t in by_artist} == same
    assert {t.parentRatingKey for t in by_album} == {wanted["albumKey"]}
    subformat = {a["key"]: a["tags"].get("subformat", []) for a in demo.items("album")}
    assert {t.ratingKey for t in live} == {
        t["key"] for t in tracks if "Live" in subformat[t["albumKey"]]
    }
    assert {t.ratingKey for t in neither} == {
        t["key"] for t in tracks if not subformat[t["albumKey"]]
    }
    assert live


def test_or_within_a_filter_and_brackets(music: Any, demo: DemoPlex):
    tracks = demo.items("track")
    moods = {t["key"]: set(t["tags"].get("mood", [])) for t in tracks}

    either = music.searchTracks(filters={"mood": ["Lively", "Warm"]})
    both = music.searchTracks(
        filters={"or": [{"userRating>>": 9}, {"and": [{"mood": "Warm"}, {"userRating<<": 5}]}]}
    )

    assert {t.ratingKey for t in either} == {k for k, m in moods.items() if m & {"Lively", "Warm"}}
    assert {t.ratingKey for t in both} == {
        t["key"]
        for t in tracks
        if t["userRating"]
        and (t["userRating"] > 9 or ("Warm" in moods[t["key"]] and t["userRating"] < 5))
    }


def test_sorts(music: Any, demo: DemoPlex):
    by_rating = music.searchTracks(sort="userRating:desc", limit=50)
    latest = music.searchTracks(sort="lastRatedAt:desc", limit=5)
    titles = [t.titleSort.casefold() for t in music.searchArtists(sort="titleSort")]
    several = music.searchAlbums(sort="year:desc,titleSort")

    assert [t.userRating for t in by_rating] == sorted(
        demo.ratings("track").values(), reverse=True
    )[:50]
    assert latest[0].lastRatedAt == max(
        datetime.fromtimestamp(t["lastRatedAt"]) for t in demo.items("track")
    )
    assert titles == sorted(titles)
    keys = [(-(a.year or 0), a.titleSort.casefold()) for a in several]
    assert keys == sorted(keys)


def test_items_lead_to_their_parents_and_children(music: Any, demo: DemoPlex):
    wanted = demo.items("track")[40]
    track = music.fetchItem(wanted["key"])

    assert track.album().title == wanted["album"]
    assert track.artist().title == wanted["artist"]
    assert wanted["key"] in {t.ratingKey for t in track.album().tracks()}
    assert wanted["key"] in {t.ratingKey for t in track.artist().tracks()}
    assert wanted["albumKey"] in {a.ratingKey for a in track.artist().albums()}
    assert track.artist().album(wanted["album"]).ratingKey == wanted["albumKey"]
    assert track.artist().track(wanted["title"]).title == wanted["title"]
    assert track.section().title == "Music"
    assert music.get(wanted["artist"]).ratingKey == wanted["artistKey"]


def test_many_items_by_key_are_paged_too(music: Any, demo: DemoPlex):
    keys = [t["key"] for t in demo.items("track")[:250]]
    demo.reset_requests()

    found = music.fetchItems(keys)

    assert [t.ratingKey for t in found] == keys
    assert demo.requests["GET /library/metadata/{id}"] == 3


def test_listings_are_partial_and_moods_cost_a_request(music: Any, demo: DemoPlex):
    carrier = next(t for t in demo.items("track") if t["tags"].get("mood"))
    track = music.searchTracks(id=carrier["key"])[0]
    demo.reset_requests()

    moods = track.moods

    assert [mood.tag for mood in moods] == carrier["tags"]["mood"]
    assert moods[0].filter == f"mood={moods[0].id}"
    assert demo.requests == {"GET /library/metadata/{id}": 1}


def test_albums_list_two_genres_and_have_more(music: Any, demo: DemoPlex):
    wanted = next(a for a in demo.items("album") if len(a["tags"].get("genre", [])) > 2)
    album = music.searchAlbums(id=wanted["key"])[0]

    assert [genre.tag for genre in album.genres] == wanted["tags"]["genre"][:2]
    assert [genre.tag for genre in album.reload().genres] == wanted["tags"]["genre"]


# --- rating ----------------------------------------------------------------------------


def test_rate_and_clear(track: Any, demo: DemoPlex):
    track.rate(7.36)
    track.reload()
    assert track.userRating == 7.36
    assert abs((datetime.now() - track.lastRatedAt).total_seconds()) < 60

    track.rate(None)
    track.reload()
    assert track.userRating is None
    assert demo.rating(track.ratingKey) is None


def test_edit_user_rating_of_every_kind(music: Any, track: Any):
    for item in (track, track.album(), track.artist()):
        item.editUserRating(6.5, locked=False)
        item.reload()
        assert item.userRating == 6.5
        assert item.fields == []
        item.editUserRating(None)
        item.reload()
        assert item.userRating is None
        assert [field.name for field in item.fields] == ["userRating"]


def test_a_bad_rating_is_refused(track: Any, demo: DemoPlex, plex: PlexServer):
    path = f"/:/rate?key={track.ratingKey}&identifier=com.plexapp.plugins.library&rating="
    for bad in ("11", "-2", "many", ""):
        with pytest.raises(BadRequest, match="400"):
            plex.query(path + bad, method=plex._session.put)
    with pytest.raises(NotFound):
        plex.query(path.replace(str(track.ratingKey), "999999") + "8", method=plex._session.put)


# --- editing ---------------------------------------------------------------------------

FIELDS = {
    "track": [
        ("editTitle", "title", ODD),
        ("editTrackArtist", "originalTitle", "Someone Else"),
        ("editTrackNumber", "index", 77),
        ("editDiscNumber", "parentIndex", 3),
        ("editCriticRating", "rating", 8.8),
        ("editAudienceRating", "audienceRating", 7.7),
        ("editUserRating", "userRating", 9.0),
    ],
    "album": [
        ("editTitle", "title", ODD),
        ("editSortTitle", "titleSort", "odd"),
        ("editSummary", "summary", "Two\nlines & more"),
        ("editStudio", "studio", "A Label"),
        ("editCriticRating", "rating", 8.8),
        ("editAudienceRating", "audienceRating", 7.7),
        ("editUserRating", "userRating", 9.0),
    ],
    "artist": [
        ("editTitle", "title", ODD),
        ("editSortTitle", "titleSort", "odd"),
        ("editSummary", "summary", "Two\nlines & more"),
        ("editCriticRating", "rating", 8.8),
        ("editAudienceRating", "audienceRating", 7.7),
        ("editUserRating", "userRating", 9.0),
    ],
}


def of_kind(track: Any, kind: str) -> Any:
    return {"track": lambda: track, "album": track.album, "artist": track.artist}[kind]()


@pytest.mark.parametrize("kind", FIELDS)
def test_every_field_can_be_edited_and_locked(track: Any, kind: str):
    item = of_kind(track, kind)
    for method, name, value in FIELDS[kind]:
        getattr(item, method)(value)
        item.reload()
        assert getattr(item, name) == value
        edited = name
        assert edited in {field.name for field in item.fields if field.locked}
        getattr(item, method)(value, locked=False)
        item.reload()
        assert edited not in {field.name for field in item.fields}


@pytest.mark.parametrize("kind", FIELDS)
def test_added_at_and_artwork_locks(track: Any, kind: str):
    item = of_kind(track, kind)
    item.editAddedAt("2015-03-01").lockArt().lockPoster()
    item.reload()

    assert item.addedAt == datetime(2015, 3, 1)
    assert {"addedAt", "art", "thumb"} <= {field.name for field in item.fields}
    item.unlockArt().unlockPoster()
    assert {field.name for field in item.reload().fields} == {"addedAt"}


def test_the_date_of_an_album_sets_its_year(track: Any):
    album = track.album()
    album.editOriginallyAvailable("1987-06-05", locked=False)
    album.reload()

    assert album.originallyAvailableAt == datetime(1987, 6, 5)
    assert album.year == 1987


TAGS = {
    "track": ["Collection", "Genre", "Label", "Mood"],
    "album": ["Collection", "Genre", "Label", "Mood", "Style"],
    "artist": ["Collection", "Country", "Genre", "Label", "Mood", "SimilarArtist", "Style"],
}
PLURALS = {"Country": "countries", "SimilarArtist": "similar"}


@pytest.mark.parametrize(("kind", "tag"), [(k, t) for k, tags in TAGS.items() for t in tags])
def test_tags_can_be_added_and_removed(track: Any, kind: str, tag: str):
    item = of_kind(track, kind)
    plural = PLURALS.get(tag, tag.lower() + "s")
    before = [t.tag for t in getattr(item, plural)]
    locks = {field.name for field in item.fields}

    getattr(item, f"add{tag}")([ODD, "Second"], locked=False)
    item.reload()
    assert [t.tag for t in getattr(item, plural)] == [*before, ODD, "Second"]
    assert {field.name for field in item.fields} == locks

    getattr(item, f"remove{tag}")([ODD])
    item.reload()
    assert [t.tag for t in getattr(item, plural)] == [*before, "Second"]
    assert len(item.fields) == len(locks) + 1
    getattr(item, f"remove{tag}")("Second", locked=False)
    assert [t.tag for t in getattr(item.reload(), plural)] == before


def test_a_tag_keeps_the_spelling_it_was_made_with(track: Any, music: Any):
    other = next(t for t in music.searchTracks(limit=2) if t.ratingKey != track.ratingKey)
    track.addMood("Rainy Day", locked=False)
    other.addMood("rainy DAY", locked=False)

    assert "Rainy Day" in {mood.tag for mood in other.reload().moods}
    assert {t.ratingKey for t in music.searchTracks(mood="Rainy Day")} == {
        track.ratingKey,
        other.ratingKey,
    }


def test_batch_multi_edits_write_all_items_in_one_request(music: Any, demo: DemoPlex):
    items = music.searchTracks(sort="id", limit=40)
    before = {t["key"]: t["tags"].get("mood", []) for t in demo.items("track")[:40]}
    demo.reset_requests()

    music.batchMultiEdits(items)
    music.editUserRating(8.5, locked=False).addMood(["First", "Second"], locked=False)
    music.saveMultiEdits()

    assert demo.requests == {"PUT /library/sections/{id}/all": 1}
    for item in demo.items("track")[:40]:
        assert item["userRating"] == 8.5
        assert item["tags"]["mood"] == [*before[item["key"]], "First", "Second"]
        assert item["locks"] == []


def test_multi_edit_and_batch_edits_of_one_item(music: Any, track: Any, demo: DemoPlex):
    music.multiEdit([track], **{"userRating.value": 4, "userRating.locked": 0})
    assert demo.rating(track.ratingKey) == 4

    track.batchEdits().editUserRating(5).addMood("Both").saveEdits()
    track.reload()
    assert track.userRating == 5
    assert "Both" in {mood.tag for mood in track.moods}


def test_several_albums_given_one_title_are_merged(demo: DemoPlex, music: Any):
    artist = next(a for a in music.searchArtists(sort="id:desc") if len(a.albums()) > 1)
    albums = artist.albums()[:2]
    tracks = sum(len(album.tracks()) for album in albums)

    music.multiEdit(albums, **{"title.value": "Merged", "title.locked": 0})

    assert len(artist.album("Merged").tracks()) == tracks


def test_without_ids_an_edit_reaches_every_item_that_matches():
    rows = [Row(artist="A", album="X", track=str(n), user_rating=n) for n in range(1, 6)]
    with DemoPlex(rows) as demo, requests.Session() as session:
        plex = PlexServer(demo.url, demo.token, session=session)
        part = "/library/sections/1/all?type=10&userRating%3E%3E=3&userRating.value=1"
        plex.query(part, method=session.put)
        assert sorted(demo.ratings("track").values()) == [1, 1, 1, 2, 3]

        plex.query("/library/sections/1/all?type=10&userRating.value=", method=session.put)
        assert demo.ratings("track") == {}


def test_played_and_deleted(music: Any, demo: DemoPlex, track: Any):
    plays = track.viewCount
    track.markPlayed()
    assert track.reload().viewCount == plays + 1
    track.markUnplayed()
    assert track.reload().viewCount == 0

    track.delete()
    with pytest.raises(NotFound):
        music.fetchItem(track.ratingKey)
    demo.rekey(other := demo.items("track")[100]["key"])
    with pytest.raises(NotFound):
        music.fetchItem(other)


def test_common_tags_of_several_items(music: Any, demo: DemoPlex):
    items = music.searchTracks(sort="id", limit=3)
    for item in items:
        demo.tag(item.ratingKey, "mood", ["Shared", f"Own {item.ratingKey}"])

    assert [mood.tag for mood in music.common(items).moods] == ["Shared"]


# --- a Home user -----------------------------------------------------------------------


def test_a_home_user_rates_alone_and_may_not_edit(demo: DemoPlex, track: Any):
    mine = demo.rating(track.ratingKey)
    with requests.Session() as session:
        home = PlexServer(demo.url, demo.home_token, session=session)
        item = home.library.section("Music").fetchItem(track.ratingKey)
        item.rate(3)

        assert item.reload().userRating == 3
        assert track.reload().userRating == mine
        assert demo.rating(track.ratingKey, account=2) == 3
        with pytest.raises(BadRequest, match="403"):
            item.editUserRating(5)


def test_the_clock_is_in_the_reply(demo: DemoPlex):
    with requests.Session() as session:
        reply = session.get(demo.url + "/identity")
    seen = datetime.strptime(reply.headers["Date"], "%a, %d %b %Y %H:%M:%S GMT")

    assert abs((seen.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds()) < 5
