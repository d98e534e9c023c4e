"""Small libraries for tests of the round trip, each row there for a reason."""

from __future__ import annotations

from plexsheet.demo.library import Row


def songs() -> list[Row]:
    """Copies of songs on three albums of one artist; sixty more tracks of another, some rated.

    Song B is one recording for Plex on both of its albums; Song C is on all three.
    """
    rows = []
    albums = (("Blue", 1969, "1969-09-26"), ("Red", 1980, "1980-01-01"), ("Hits", 2001, ""))
    for album, year, date in albums:
        for index, name in enumerate("ABCDEFG"):
            if album == "Red" and name != "C":
                continue
            guid = f"plex://track/{'b' * 24}" if name == "B" else ""
            rows.append(
                Row(
                    artist="Nina", album_artist="Nina", album=album, track=f"Song {name}",
                    index=index + 1, duration_ms=200_000 + 9000 * index, year=year,
                    release_date=date, guid=guid,
                )
            )  # fmt: skip
    for index in range(60):
        rows.append(
            Row(
                artist="Otto", album_artist="Otto", album=f"Album {index // 10}",
                track=f"Track {index}", index=index % 10 + 1, duration_ms=180_000 + 7001 * index,
                year=1990 + index // 10, release_date=f"{1990 + index // 10}-01-01",
                user_rating=float(2 + index % 4 * 2) if 40 <= index < 56 else None,
            )
        )  # fmt: skip
    return rows


def rated(tracks: int) -> list[Row]:
    """A library in which every album and track has a rating."""
    return [
        Row(
            artist=f"Artist {i // 12:03}", album_artist=f"Artist {i // 12:03}",
            album=f"Album {i // 4:03}", track=f"Track {i:04}", index=i % 4 + 1,
            duration_ms=150_000 + 977 * i, year=1990, user_rating=float(7 * i % 10 + 1),
            album_user_rating=float(3 * (i // 4) % 10 + 1),
        )
        for i in range(tracks)
    ]  # fmt: skip
