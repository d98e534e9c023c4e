"""Lists as other players would write them, made of real libraries, with the truth kept.

Each row of a list is a song of the library spelled another way, or a song that the library does
not have: one of another library, the same title by somebody else, or another version.
"""

from __future__ import annotations

import csv
import gzip
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from plexsheet.library import Identity, Library, table
from plexsheet.matching.rows import ListRow

ABSENT = -1  # the truth of a row whose song the library does not have


@dataclass(frozen=True)
class Song:
    """One track of a library file."""

    artist: str
    album_artist: str
    album: str
    title: str
    disc: int
    number: int
    length_ms: int
    year: int
    compilation: bool


def songs_of(path: Path, most: int | None = None) -> list[Song]:
    """The songs of a library file that have a title."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        songs = [
            Song(
                row["artist"], row["album_artist"], row["album"], row["track"],
                int(row["disc"] or 0), int(row["index"] or 0), int(row["duration_ms"] or 0),
                int(row["year"] or 0), row["compilation"] == "1",
            )
            for row in rows
            if row["track"].strip()
        ]  # fmt: skip
    return songs[:most]


def library_of(songs: Sequence[Song]) -> Library:
    """The library Plex would make of the songs."""
    over = [s.album_artist or ("Various Artists" if s.compilation else s.artist) for s in songs]
    artists = {name: key for key, name in enumerate(dict.fromkeys(over), start=1)}
    pairs = list(dict.fromkeys(zip(over, (s.album for s in songs), strict=True)))
    albums = {pair: key for key, pair in enumerate(pairs, start=100_001)}
    years = dict.fromkeys(pairs, 0)
    for artist, song in zip(over, songs, strict=True):
        years[artist, song.album] = max(years[artist, song.album], song.year)
    tracks = table(
        "track",
        {
            "key": list(range(1_000_001, 1_000_001 + len(songs))),
            "title": [s.title for s in songs],
            "artist": over,
            "track_artist": [
                "" if s.artist == a else s.artist for a, s in zip(over, songs, strict=True)
            ],
            "album": [s.album for s in songs],
            "artist_key": [artists[a] for a in over],
            "album_key": [albums[a, s.album] for a, s in zip(over, songs, strict=True)],
            "disc": [s.disc for s in songs],
            "index": [s.number for s in songs],
            "year": [years[a, s.album] for a, s in zip(over, songs, strict=True)],
            "duration_ms": [s.length_ms for s in songs],
        },
    )
    return Library(
        Identity("s", "Server", "u", 1, "Music", "1", "Me"),
        table("artist", {"key": list(artists.values()), "title": list(artists)}),
        table(
            "album",
            {
                "key": list(albums.values()),
                "title": [album for _, album in albums],
                "artist": [artist for artist, _ in albums],
                "artist_key": [artists[artist] for artist, _ in albums],
                "year": [years[pair] for pair in albums],
            },
        ),
        tracks,
    )


# Ways to spell one song otherwise.  Each takes a row and changes it in place.
Noise = Callable[[ListRow, random.Random], None]


def _case(row: ListRow, chance: random.Random) -> None:
    change = chance.choice((str.upper, str.lower, str.title))
    row.title, row.artist, row.album = change(row.title), change(row.artist), change(row.album)


def _accents(row: ListRow, chance: random.Random) -> None:
    def bare(text: str) -> str:
        plain = unicodedata.normalize("NFKD", text)
        return "".join(c for c in plain if not unicodedata.combining(c))

    row.title, row.artist, row.album = bare(row.title), bare(row.artist), bare(row.album)


def _width(row: ListRow, chance: random.Random) -> None:
    wide = {c: c + 0xFEE0 for c in range(0x21, 0x7F)}
    row.title = row.title.translate(wide)


def _decomposed(row: ListRow, chance: random.Random) -> None:
    row.title, row.artist = (unicodedata.normalize("NFD", t) for t in (row.title, row.artist))


def _punctuation(row: ListRow, chance: random.Random) -> None:
    how = chance.randrange(4)
    for name in ("title", "artist", "album"):
        text = getattr(row, name)
        if how == 0:
            text = text.replace("'", "’").replace('"', "”").replace("...", "…")
        elif how == 1:
            text = re.sub(r"['’.,!?\"]", "", text) or text
        elif how == 2:
            text = text.replace(" - ", " – ").replace("(", "[").replace(")", "]")
        else:
            text = re.sub(r"[:/?*\"<>|]", "_", text)
        setattr(row, name, text)


def _the(row: ListRow, chance: random.Random) -> None:
    if row.artist.startswith("The "):
        row.artist = chance.choice((row.artist[4:], f"{row.artist[4:]}, The"))
    elif row.artist and chance.random() < 0.2:
        row.artist = f"The {row.artist}"


def _and(row: ListRow, chance: random.Random) -> None:
    for name in ("title", "artist", "album"):
        text = getattr(row, name)
        if " & " in text:
            text = text.replace(" & ", chance.choice((" and ", " + ")))
        elif " and " in text.lower():
            text = re.sub(" and ", chance.choice((" & ", " + ")), text, flags=re.IGNORECASE)
        setattr(row, name, text)


_GUESTS = ("Rita Vox", "MC Bento", "Ana Soler", "DJ Krome", "Lil Marrow")


def _guest(row: ListRow, chance: random.Random) -> None:
    found = re.search(
        r" *[(\[](?:feat\.?|ft\.?|featuring) ([^)\]]*)[)\]]", row.title, re.IGNORECASE
    )
    if found:
        row.title = row.title.replace(found[0], "")
        if chance.random() < 0.6:
            row.artist = f"{row.artist} feat. {found[1]}"
    elif chance.random() < 0.5:
        row.title += (
            f" ({chance.choice(('feat.', 'ft.', 'Feat.', 'featuring'))} {chance.choice(_GUESTS)})"
        )
    elif row.artist:
        row.artist += f" {chance.choice(('feat.', 'ft.', 'featuring'))} {chance.choice(_GUESTS)}"


def _remaster(row: ListRow, chance: random.Random) -> None:
    year = chance.randrange(1998, 2022)
    row.title += chance.choice(
        (" (Remastered)", f" - {year} Remaster", f" ({year} Remaster)", f" - Remastered {year}",
         f" [{year} Digital Remaster]", " (Remastered Version)")
    )  # fmt: skip


def _edition(row: ListRow, chance: random.Random) -> None:
    if row.album:
        row.album += chance.choice(
            (" (Deluxe Edition)", " [Deluxe]", " (Remastered)", " (Expanded Edition)", " - EP",
             " (Special Edition)", " (Bonus Track Version)", " (20th Anniversary Edition)",
             " [Explicit]", " (Deluxe Version)")
        )  # fmt: skip


def _lead(row: ListRow, chance: random.Random) -> None:
    if row.number:
        row.title = chance.choice(
            (f"{row.number:02d} - {row.title}", f"{row.number:02d} {row.title}",
             f"{row.number}. {row.title}", f"{row.number:02d}. {row.title}")
        )  # fmt: skip


def _album_version(row: ListRow, chance: random.Random) -> None:
    row.title += chance.choice((" (Album Version)", " - Album Version", " (LP Version)"))


def _disc(row: ListRow, chance: random.Random) -> None:
    if row.album:
        row.album += chance.choice((" (Disc 1)", " [Disc 2]", " CD1", " (CD 2)", ", Disc 1"))


def _slip(text: str, chance: random.Random) -> str:
    """One letter left out, doubled, changed for another, or swapped with its neighbour."""
    letters = [at for at, c in enumerate(text) if c.isalpha()]
    if len(letters) < 5:
        return text
    at = chance.choice(letters[1:-1])
    how = chance.randrange(4)
    if how == 0:
        return text[:at] + text[at + 1 :]
    if how == 1:
        return text[:at] + text[at] + text[at:]
    if how == 2:
        return text[:at] + chance.choice("abcdefghijklmnoprstuvwyz") + text[at + 1 :]
    return text[:at] + text[at + 1 : at + 2] + text[at] + text[at + 2 :]


def _slip_title(row: ListRow, chance: random.Random) -> None:
    row.title = _slip(row.title, chance)


def _slip_artist(row: ListRow, chance: random.Random) -> None:
    row.artist = _slip(row.artist, chance)


def _slip_album(row: ListRow, chance: random.Random) -> None:
    row.album = _slip(row.album, chance)


def _no_album(row: ListRow, chance: random.Random) -> None:
    row.album, row.number, row.disc = "", 0, 0


def _no_length(row: ListRow, chance: random.Random) -> None:
    row.length_ms = 0


def _no_number(row: ListRow, chance: random.Random) -> None:
    row.number = row.disc = 0


def _whole_seconds(row: ListRow, chance: random.Random) -> None:
    row.length_ms = row.length_ms // 1000 * 1000


def _other_rip(row: ListRow, chance: random.Random) -> None:
    if row.length_ms:
        row.length_ms = max(row.length_ms + chance.randrange(-2500, 2500), 1000)


NOISES: Sequence[tuple[float, Noise]] = (
    (0.15, _lead), (0.15, _case), (0.05, _accents), (0.01, _width), (0.03, _decomposed),
    (0.20, _punctuation), (0.30, _the), (0.30, _and), (0.10, _guest), (0.15, _remaster),
    (0.15, _edition), (0.05, _album_version), (0.08, _disc), (0.02, _slip_title),
    (0.01, _slip_artist), (0.02, _slip_album), (0.15, _no_album), (0.15, _no_length),
    (0.25, _no_number), (0.40, _whole_seconds), (0.30, _other_rip),
)  # fmt: skip


def noisy_list(
    songs: Sequence[Song], strangers: Sequence[Song], seed: int, *, absent: float = 0.25
) -> tuple[list[ListRow], list[int]]:
    """A list with noise, and the place of each row's song in the library.

    Args:
        songs: of the library.
        strangers: songs of other libraries.
        seed: for chance.
        absent: share of rows whose song the library does not have.

    Returns:
        Rows, and for each the place of its song, ``ABSENT`` for none.
    """
    chance = random.Random(seed)
    known = {(_plain(s.artist), _plain(s.title)) for s in songs}
    known |= {(_plain(s.album_artist), _plain(s.title)) for s in songs}
    known |= {("", _words(s.title)) for s in songs}
    rows: list[ListRow] = []
    truth: list[int] = []
    for place, song in enumerate(songs):
        rows.append(_row(song))
        truth.append(place)
    others = [s for s in strangers if (_plain(s.artist), _plain(s.title)) not in known]
    for _ in range(int(absent * len(songs))):
        row = _absent(chance, songs, others, known)
        if row is not None:
            rows.append(row)
            truth.append(ABSENT)
    for row in rows:
        told_by_album = re.search(r"\blive\b", row.album, re.IGNORECASE) and not re.search(
            r"\blive\b", row.title, re.IGNORECASE
        )  # without its album nobody could tell it from the studio recording
        if chance.random() < 0.5 and row.album_artist:
            row.album_artist = ""
        for share, noise in NOISES:
            if chance.random() < share and not (told_by_album and noise is _no_album):
                noise(row, chance)
    order = list(range(len(rows)))
    chance.shuffle(order)
    for at, place in enumerate(order, start=1):
        rows[place].row = at
    return [rows[at] for at in order], [truth[at] for at in order]


def _plain(text: str) -> str:
    text = re.sub(r" - .*(remaster|version).*", "", text, flags=re.IGNORECASE)
    return re.sub(r"\W+", "", re.sub(r"[(\[].*?[)\]]", "", text).casefold()) or text


def _words(text: str) -> str:
    return re.sub(r"\W+", "", text.casefold())


def _row(song: Song) -> ListRow:
    return ListRow(
        0, song.title, song.artist, song.album_artist, song.album, song.disc, song.number,
        song.length_ms, song.year,
    )  # fmt: skip


def _absent(
    chance: random.Random,
    songs: Sequence[Song],
    others: Sequence[Song],
    known: set[tuple[str, str]],
) -> ListRow | None:
    """A song the library does not have: a stranger, a cover, a live twin, a remix, a sequel."""
    how = chance.randrange(5)
    if how == 0 and others:
        return _row(chance.choice(others))
    song = chance.choice(songs)
    row = _row(song)
    if how == 1 and others:  # somebody else's song of that title
        other = chance.choice(others)
        if not other.artist or (_plain(other.artist), _plain(song.title)) in known:
            return None
        row.artist, row.album, row.album_artist = other.artist, other.album, ""
        row.length_ms = int(song.length_ms * chance.uniform(0.9, 1.1))
        row.number = chance.randrange(1, 15)
    elif how == 2:
        if re.search(r"\blive\b|unplugged|concert", f"{song.title} {song.album}", re.IGNORECASE):
            return None
        row.length_ms += chance.randrange(-20_000, 60_000)
        place = chance.choice(("Wembley", "the Apollo", "Montreux", "Red Rocks"))
        if chance.random() < 0.6:
            row.title += chance.choice((" (Live)", f" (Live at {place})", " - Live", " [Live]"))
        row.album = chance.choice((f"Live at {place}", f"{place} (Live)"))
        row.number = chance.randrange(1, 15)
    elif how == 3:
        row.title += chance.choice(
            (" (Remix)", " (Kromer Remix)", " (Acoustic)", " (Instrumental)", " - Demo",
             " (Karaoke Version)", " (Radio Edit)", " (Extended Mix)")
        )  # fmt: skip
        row.length_ms = int(row.length_ms * chance.uniform(0.7, 1.5))
        row.album = ""
        if ("", _words(row.title)) in known:
            return None
    else:
        row.title += f" {chance.choice(('2', 'II', '3', 'Part 2', 'Pt. 2'))}"
        row.length_ms = int(row.length_ms * chance.uniform(0.8, 1.2))
        if (_plain(song.artist), _plain(row.title)) in known:
            return None
    return row if row.artist else None
