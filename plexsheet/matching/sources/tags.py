"""Ratings in the tags of audio files, one row per file.

Players agree on little.  ID3 keeps one ``POPM`` frame per player, 0-255, and each player has
its own steps; Vorbis comments hold ``RATING`` to 5 or to 100, which only the person can tell,
or ``FMPS_RATING``, 0.0-1.0; MP4 has ``rate`` to 100 and ASF ``WM/SharedUserRating`` to 99.
Where players left different ratings in one file, none is taken.

Reading tags needs mutagen, which is GPL and therefore an extra: ``plexsheet[files]``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from plexsheet.matching.rows import ListOptions, ListRow
from plexsheet.matching.sources.base import ListSource, UnreadableList, Unsaid
from plexsheet.matching.sources.values import NotARating, points, whole, year_of
from plexsheet.ratings import UNRATED

AUDIO = frozenset(
    """.mp3 .flac .ogg .oga .opus .m4a .mp4 .m4b .wma .asf .aif .aiff .wav .ape .wv .mpc .tta
    .dsf""".split()  # noqa: SIM905 - reads better than a list
)
# POPM steps: what each value means in stars.  Windows Media Player, Winamp and foobar2000 write
# the whole ones; MusicBee and MediaMonkey the half ones too.
_STEPS = {
    1: 1.0, 13: 0.5, 54: 1.5, 64: 2.0, 118: 2.5, 128: 3.0, 186: 3.5, 196: 4.0, 242: 4.5, 255: 5.0,
}  # fmt: skip
_STEPPED = ("windows media player", "musicbee", "no@email", "winamp", "foobar", "mediamonkey")
_LINEAR = ("traktor", "quodlibet", "banshee", "rekordbox", "serato", "kid3", "clementine")
_TEXTS: Mapping[str, tuple[str, ...]] = {
    "title": ("TIT2", "title", "\xa9nam", "Title"),
    "artist": ("TPE1", "artist", "\xa9ART", "Author"),
    "album_artist": ("TPE2", "albumartist", "album artist", "aART", "WM/AlbumArtist"),
    "album": ("TALB", "album", "\xa9alb", "WM/AlbumTitle"),
    "disc": ("TPOS", "discnumber", "disk", "WM/PartOfSet", "disc"),
    "number": ("TRCK", "tracknumber", "trkn", "WM/TrackNumber", "track"),
    "year": ("TDRC", "date", "\xa9day", "WM/Year", "year"),
    "mbid": ("musicbrainz_trackid", "----:com.apple.iTunes:MusicBrainz Track Id",
             "MusicBrainz/Track Id", "UFID:http://musicbrainz.org"),
    "track_mbid": ("musicbrainz_releasetrackid", "TXXX:MusicBrainz Release Track Id",
                   "----:com.apple.iTunes:MusicBrainz Release Track Id",
                   "MusicBrainz/Release Track Id"),
    "fmps": ("FMPS_RATING", "TXXX:FMPS_Rating", "TXXX:FMPS_RATING", "fmps_rating",
             "----:com.apple.iTunes:FMPS_Rating", "FMPS/Rating"),
    "hundred": ("rate", "----:com.apple.iTunes:RATING"),
    "shared": ("WM/SharedUserRating",),
    "plays": ("FMPS_PLAYCOUNT", "TXXX:FMPS_Playcount", "fmps_playcount"),
}  # fmt: skip


def read(path: Path, options: ListOptions) -> Iterable[ListRow]:
    """One row per audio file below a folder, in the order of their paths.

    Raises:
        Unsaid: mutagen is not installed, or a RATING counts to nobody knows what.
        Unreadable: the folder may not be read, or holds no audio files.
    """
    try:
        import mutagen
    except ImportError as error:
        raise Unsaid(
            "Reading the tags of files needs one package more: pip install “plexsheet[files]”."
        ) from error
    rows = []
    for number, file in enumerate(_files(path), start=1):
        row = ListRow(number, file=file.as_posix())
        rows.append(row)
        try:
            _fill(row, mutagen.File(file), options)
        except (mutagen.MutagenError, OSError, ValueError) as error:
            row.title = row.title or file.stem
            row.problem = "its tags cannot be read: " + str(error)[:80]
    if not rows:
        raise UnreadableList("it holds no audio files")
    return rows


def _files(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise UnreadableList(f"the folder {error.filename} may not be read") from error

    for at, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in sorted(names):
            if os.path.splitext(name)[1].lower() in AUDIO and not name.startswith("."):  # noqa: PTH122 - a hundred thousand of them
                yield Path(at, name)


def _fill(row: ListRow, audio: Any, options: ListOptions) -> None:
    """Tags into a row; what is no audio file after all keeps its name alone."""
    if audio is None:
        row.title = Path(row.file).stem
        return
    tags = audio.tags if audio.tags is not None else {}

    def text(field: str) -> str:
        return next((said for name in _TEXTS[field] if (said := _text(tags, name))), "")

    row.title = text("title") or Path(row.file).stem
    row.artist, row.album_artist, row.album = text("artist"), text("album_artist"), text("album")
    row.disc, row.number = whole(text("disc")), whole(text("number"))
    row.year = year_of(text("year"))
    row.length_ms = int(1000 * getattr(audio.info, "length", 0.0))
    row.ids = tuple(filter(None, (text("mbid"), text("track_mbid"))))
    found: dict[str, float] = {}
    row.plays = whole(text("plays"))
    for frame in getattr(tags, "getall", lambda name: [])("POPM"):
        row.plays = max(row.plays, int(getattr(frame, "count", 0) or 0))
        found |= _popm(frame, options)
    found |= {"FMPS_RATING": _points(text("fmps"), 1), "rate": _points(text("hundred"), 100)}
    found |= {"SharedUserRating": _shared(text("shared"))}
    found |= _vorbis(tags, options, bool(text("fmps")))
    found = {name: value for name, value in found.items() if not math.isnan(value)}
    row.written = ", ".join(f"{name} {value / 2:g}" for name, value in found.items())
    if len(set(found.values())) > 1:
        row.problem = f"the players disagree ({row.written})"
    elif found:
        row.rating = next(iter(found.values()))


def _text(tags: Any, name: str) -> str:
    """The first value of a tag as text."""
    try:
        value = tags.get(name)
    except (KeyError, ValueError):
        return ""
    value = getattr(value, "text", getattr(value, "data", value))
    while isinstance(value, list | tuple):
        value = value[0] if value else ""
    value = getattr(value, "value", value)
    return (
        value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "").strip()
    )


def _popm(frame: Any, options: ListOptions) -> dict[str, float]:
    """One player's rating, by that player's steps.

    Raises:
        NotARating: an unknown player's value that is no step of any.
    """
    player, value = str(frame.email or ""), int(frame.rating or 0)
    known = player.casefold()
    if not value:
        return {}
    if any(name in known for name in _LINEAR) or (
        options.scale == 255 and not any(name in known for name in _STEPPED)
    ):
        return {player or "POPM": points(value, 255)}
    if any(name in known for name in _STEPPED):
        return {player: 2 * _STEPS[min(_STEPS, key=lambda step: abs(step - value))]}
    raise NotARating(
        f"POPM {value} of “{player}”, a player I do not know; --scale 255 takes it in proportion"
    )


def _points(said: str, scale: int) -> float:
    return points(float(said.replace(",", ".")), scale) if said else UNRATED


def _shared(said: str) -> float:
    """ASF counts 1, 25, 50, 75, 99 for one to five stars, halves between."""
    value = whole(said)
    return float(round(2 * (1 + value / 25))) if value else UNRATED


def _vorbis(tags: Any, options: ListOptions, told: bool) -> dict[str, float]:
    """``RATING`` of a Vorbis comment; without another rating beside it its scale must be said.

    Raises:
        Unsaid: nobody said what it counts to.
    """
    found: dict[str, float] = {}
    if not hasattr(tags, "keys") or hasattr(tags, "getall"):
        return found
    for name in tags.keys():  # noqa: SIM118 - a Vorbis comment iterates pairs
        plain = str(name).casefold()
        said = _text(tags, name) if plain == "rating" or plain.startswith("rating:") else ""
        if not said:
            continue
        if plain.startswith("rating:"):  # Quod Libet: 0.0-1.0 beside the person's address
            found[str(name)] = _points(said, 1)
        elif options.scale in (5, 10, 100):
            found["RATING"] = _points(said, options.scale)
        elif not told:
            raise Unsaid(
                f"Files of this folder carry RATING={said}, which counts to 5 in some players and "
                "to 100 in others. Say it: --scale 5 or --scale 100."
            )
    return found


SOURCE = ListSource("files", "Tags of audio files", lambda head: head.path.is_dir(), read)
