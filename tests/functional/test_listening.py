"""What was played, as evidence: read, guarded against our own ratings, and judged."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import requests

from plexsheet.demo.library import Row
from plexsheet.demo.store import TRACK
from tests.driver import Tool, requests_of
from tests.plex.server import DemoPlex

DAY_S = 86_400
FIRST = 1_600_000_000


def taste(tracks: int = 240, rated: int = 120, seed: int = 3) -> tuple[list[Row], np.ndarray]:
    """A library in which what is liked is played, and what its owner thinks of each track."""
    rng = np.random.default_rng(seed)
    liking = np.clip(rng.normal(6, 2, tracks), 1, 10).round()
    plays = rng.poisson(np.exp((liking - 6) / 2))
    rows = [
        Row(
            artist=f"Artist {n % 40}",
            album=f"Album {n % 40}",
            track=f"Song {n}",
            index=n // 40 + 1,
            duration_ms=200_000 + 100 * n,
            user_rating=float(liking[n]) if n < rated else None,
            view_count=int(plays[n]),
            last_viewed_at=FIRST + 400 * DAY_S if plays[n] else 0,
            added_at=FIRST + n * DAY_S,
        )
        for n in range(tracks)
    ]
    return rows, liking


def items(plex: DemoPlex) -> list:
    """The server's tracks in the order of the rows."""
    return sorted(plex.store.items[TRACK].values(), key=lambda item: item.ordinal)


def off_by(plex: DemoPlex, liking: np.ndarray, rated: int = 120) -> float:
    """Root mean square error of what was inferred, ten-point scale."""
    found = np.array([item.rating for item in items(plex)[rated:]], dtype=float)
    return float(np.sqrt(((found - liking[rated:]) ** 2).mean()))


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[tuple[Tool, DemoPlex, np.ndarray]]:
    rows, liking = taste()
    with DemoPlex(rows) as plex:
        yield Tool(tmp_path, plex), plex, liking


def test_plays_tell_what_was_not_rated(owner) -> None:
    tool, plex, liking = owner

    tool.infer()
    heard = off_by(plex, liking)
    assert tool("undo", "--inferred", "--yes").exit_code == 0
    (tool.folder / "without").mkdir()
    without = Tool(tool.folder / "without", plex, LISTENING=False)
    without.infer()

    assert heard < 0.8 * off_by(plex, liking)


@pytest.mark.slow
@pytest.mark.parametrize("theirs", [0.0, 0.2])
def test_playing_what_we_rated_high_does_not_carry_ratings_away(owner, theirs: float) -> None:
    tool, plex, liking = owner
    rng = np.random.default_rng(1)
    tool.infer()
    begin, manual = off_by(plex, liking), [item.rating for item in items(plex)[:120]]

    for _ in range(4):
        unrated = items(plex)[120:]
        top = sorted(unrated, key=lambda item: -item.rating)[: len(unrated) // 5]
        for item in top:
            plex.store.played(item, int(rng.binomial(5, 1 - theirs)) or 1)
        fans = (np.clip(liking[120:] - 5, 0, None) ** 2).tolist()
        share = 5 * len(top) * theirs / sum(fans)
        for item, fan in zip(unrated, fans, strict=True):
            if times := int(rng.poisson(fan * share)):
                plex.store.played(item, times)
        tool.infer()

    assert off_by(plex, liking) < 1.03 * begin
    assert [item.rating for item in items(plex)[:120]] == manual


def test_plays_of_all_that_was_written_alike_change_nothing(owner) -> None:
    tool, plex, _ = owner
    tool.infer()
    before = plex.ratings()

    for item in items(plex)[120:]:
        plex.store.played(item, 7)

    assert tool.infer()["counts"]["written"] == 0
    assert plex.ratings() == before


def test_ratings_inferred_before_plays_were_kept_start_from_the_plays_of_now(owner) -> None:
    tool, plex, _ = owner
    tool.infer()
    before = plex.ratings()
    with closing(sqlite3.connect(tool.state)) as db, db:
        db.execute("DELETE FROM guess")

    assert tool.infer()["counts"]["written"] == 0
    for item in items(plex)[120:]:
        plex.store.played(item, 7)
    tool.infer()

    assert plex.ratings() == before


def test_a_second_run_sees_new_plays_and_reads_little(owner) -> None:
    tool, plex, _ = owner
    tool.infer()
    track = items(plex)[130]
    was = track.views
    plex.reset_requests()

    played = requests.get(
        f"{plex.url}/:/scrobble", params={"key": track.key, "X-Plex-Token": plex.token}, timeout=10
    )
    report = tool("report", "listening", "--top", "240", "--json").json

    assert played.ok
    assert requests_of(plex) <= 30
    listed = {row["Key"]: row["Plays"] for row in report["items"]}
    assert listed[track.key] == was + 1


def test_the_record_of_guesses_is_in_the_accuracy_report(owner) -> None:
    tool, plex, liking = owner
    tool.infer()
    plex.set_faults(clock_offset=5)
    for n in range(120, 126):
        plex.rate(items(plex)[n].key, float(liking[n]))

    report = tool("report", "accuracy", "--json").json

    told = [row for row in report["rows"] if "guessed before you rated" in row["Model and test"]]
    assert [row["n"] for row in told] == [6, 6, 6]
    assert report["summary"]["judged"] == 6
    assert report["summary"]["judged_heard_stars"] == told[0]["Off by"]


def test_what_is_rated_after_a_guess_is_compared_with_it(owner) -> None:
    tool, plex, liking = owner
    tool.infer()
    tracks = items(plex)
    plex.set_faults(clock_offset=5)  # later: a rating of the second we wrote in is not told apart
    for n in range(120, 130):
        plex.rate(tracks[n].key, float(liking[n]))

    tool.infer()

    with closing(sqlite3.connect(tool.state)) as db:
        rows = db.execute("SELECT key, rating, heard, unheard, classic FROM verdict").fetchall()
    given = {tracks[n].key: liking[n] for n in range(120, 130)}
    assert {key: rating for key, rating, *_ in rows} == given
    assert all(0 < guess <= 10 for row in rows for guess in row[2:])


def test_a_guess_follows_its_item_to_a_new_key(owner) -> None:
    tool, plex, liking = owner
    tool.infer()
    plex.set_faults(clock_offset=5)
    new = plex.rekey(items(plex)[125].key)
    plex.rate(new, float(liking[125]))

    tool.infer()

    with closing(sqlite3.connect(tool.state)) as db:
        assert db.execute("SELECT key, rating FROM verdict").fetchall() == [(new, liking[125])]


def test_a_value_taken_over_as_it_was_is_no_verdict(owner) -> None:
    from tests.driver import set_cells

    tool, plex, _ = owner
    tool.infer()
    tool.export()
    set_cells(tool.workbook, [("Tracks", str(items(plex)[150].key), "Action", "ACCEPT")])
    assert tool.importing().exit_code == 0

    tool.infer()

    with closing(sqlite3.connect(tool.state)) as db:
        assert db.execute("SELECT count(*) FROM verdict").fetchone() == (0,)


def test_auto_leaves_listening_out_when_it_guessed_worse_and_says_so_once(owner) -> None:
    tool, plex, _liking = owner
    tool.infer()
    for item in items(plex)[120:155]:  # rates against what was played
        plex.rate(item.key, 10.0 if item.views == 0 else 2.0)

    refused = tool("infer", "--yes")
    assert "confirm 35" in refused.words  # so many at once: only on the person's word

    first, second = tool("infer", "--yes", "--confirm", 35), tool("infer", "--yes")

    assert "left out from now on" in first.words
    assert "left out from now on" not in second.words
