"""Every song of a list found in a library: surely, likely, ambiguously or not at all (pure).

Steps, strongest proof first: the end of the file's path; a MusicBrainz id; names that fold to
the same, decided by album, number and length; names that are nearly the same.  A match is *sure*
only where one recording is left and nothing contradicts it.  Nearly the same names make a match
likely at most, unless album, place on it and length say the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from plexsheet.matching.catalogue import LONG_PATH, Catalogue, path_ends
from plexsheet.matching.compare import Field, Folded, Pair, artist_field, compared
from plexsheet.matching.fuzzy import Nearby, score_of
from plexsheet.matching.normalise import albums, artists, own_title, titles
from plexsheet.matching.rows import ListRow

Certainty = Literal["sure", "likely", "ambiguous", "unmatched"]
MOST_CANDIDATES = 5
LIKELY_SCORE = 80.0  # of 100, below it a person decides without a proposal
SAME_RECORDING_MS = 3_000
_BARE_NUMBER = re.compile(r"\W*0*(\d{1,3})\W+(?=\w)")
_ASIDE = re.compile(r" *[(\[]| +[-–—] ")
CLEARLY_MS = 1_500  # a length this much nearer than the next decides


@dataclass(frozen=True, slots=True)
class Candidate:
    """A track a row may mean.

    Attributes:
        place: in the catalogue.
        score: 0-100, how probable that it is the one.
        evidence: what agrees, in words.
        against: what contradicts, in words.
    """

    place: int
    score: float
    evidence: str
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """What became of a row.

    Attributes:
        row: of the list.
        certainty: how sure.
        places: tracks it means, the one that stands for all copies first; ``()`` unmatched.
        evidence: what agrees, in words.
        score: 0-100.
        reason: why it is not sure, ``""`` where it is.
        candidates: at most five, the best first, ``places[0]`` among them.
    """

    row: ListRow
    certainty: Certainty
    places: tuple[int, ...] = ()
    evidence: str = ""
    score: float = 0.0
    reason: str = ""
    candidates: tuple[Candidate, ...] = ()


def match(
    rows: Sequence[ListRow],
    library: Catalogue,
    progress: Callable[[int, int], None] | None = None,
) -> list[Match]:
    """Find each row of a list.

    Args:
        rows: of the list.
        library: to find them in.
        progress: told of rows done and rows in all, now and then.

    Returns:
        One match per row, in order.
    """
    finder = _Finder(library)
    songs = folded_rows(rows)
    found: list[Match | None] = []
    for at, song in enumerate(songs):
        if progress and at % 2000 == 0:
            progress(at, len(songs))
        found.append(finder.exact(song))
    left = [at for at, one in enumerate(found) if one is None]
    for at, again in zip(left, numbered([songs[at] for at in left]), strict=True):
        found[at] = finder.numbered(again) if again is not None else None
    left = [at for at in left if found[at] is None]
    nearby = Nearby(library)
    nearby.look([songs[at] for at in left])
    bare = titles([_ASIDE.split(songs[at].row.name)[0] for at in left])
    for at, title in zip(left, bare, strict=True):
        found[at] = finder.fuzzy(songs[at], title.key, nearby)
    return [one for one in found if one is not None]


def folded_rows(rows: Sequence[ListRow]) -> list[Folded]:
    """Rows with their names folded."""
    columns = zip(
        rows,
        titles([own_title(row.name, row.artist, row.album_artist) for row in rows]),
        artists([row.artist for row in rows]),
        artists([row.album_artist for row in rows]),
        albums([row.album for row in rows]),
        strict=True,
    )
    return [Folded(*one) for one in columns]


def numbered(songs: Sequence[Folded]) -> list[Folded | None]:
    """Rows with a bare number before the title taken for the track number; None without.

    "11 Stars" may be track 11 or a title of its own: only a track of that number proves it.
    """
    leads = [_BARE_NUMBER.match(song.row.name) for song in songs]
    rests = [
        own_title(song.row.name[lead.end() :], song.row.artist, song.row.album_artist)
        if lead and song.row.number in (0, int(lead[1]))
        else ""
        for song, lead in zip(songs, leads, strict=True)
    ]
    return [
        replace(song, title=replace(title, lead=int(lead[1]))) if lead and rest else None
        for song, lead, rest, title in zip(songs, leads, rests, titles(rests), strict=True)
    ]


class _Finder:
    """The steps for one row."""

    def __init__(self, library: Catalogue) -> None:
        self.library = library

    def exact(self, song: Folded) -> Match | None:
        """A match by path, id or names; None where only nearly the same names are left."""
        found = self._by_path(song) or self._by_id(song)
        if found is not None:
            return found
        fit = self._fitting(song)
        return self._judged(song, *self._narrowed(song, fit)) if fit else None

    def fuzzy(self, song: Folded, bare: str, nearby: Nearby) -> Match:
        """A match by nearly the same names, or none, with the nearest track named.

        Args:
            song: the row.
            bare: key of its title without asides.
            nearby: asked about all such rows before.
        """
        pairs = [
            compared(song, self.library, place, likeness)
            for place, likeness in nearby.of(song, self._namesakes(song))
        ] or self._versions(song, bare)
        fit = [pair for pair in pairs if not pair.against]
        candidates = self._candidates(song, pairs)
        if not fit:
            return _unmatched(song, candidates, self.library)
        fit.sort(key=lambda pair: -score_of(song, self.library, pair, len(fit)))
        best = fit[0]
        rivals = [pair for pair in fit[1:] if not self._copies(best, pair)]
        score = score_of(song, self.library, best, 1 + len(rivals))
        evidence = evidence_of(best)
        if _by_its_place(best) and not any(map(_by_its_place, rivals)):
            return Match(song.row, "sure", (best.place,), evidence, score, "", candidates)
        if score < LIKELY_SCORE or not (best.length >= Field.NEAR or _on_album(best)):
            return _unmatched(song, candidates, self.library)
        reason = f"The title is only nearly the same: {self.library.described(best.place)}."
        certainty: Certainty = "ambiguous" if _close(song, self.library, best, rivals) else "likely"
        if certainty == "ambiguous":
            reason = self._several([best, *rivals])
        return Match(song.row, certainty, (best.place,), evidence, score, reason, candidates)

    def _versions(self, song: Folded, bare: str) -> list[Pair]:
        """Other versions of the song by its artist: to be named, never taken."""
        pairs = [
            compared(song, self.library, place, 50.0)
            for place in self.library.by_title.get(bare, [])
            if song.performer.first in self.library.performers[place].parts
        ]
        return [replace(pair, against=pair.against or ("another version",)) for pair in pairs]

    # Steps

    def _by_path(self, song: Folded) -> Match | None:
        """The track whose file's path ends as the row's does."""
        if not song.row.file or not self.library.extras.files:
            return None
        for end in path_ends(song.row.file):
            places = self.library.by_path.get(end, [])
            if len(places) != 1:
                continue
            pair = compared(song, self.library, places[0])
            titled = song.title.key == self.library.titles[places[0]].key
            long_enough = end.count("/") == LONG_PATH - 1
            proved = long_enough or titled or pair.length is Field.SAME
            if pair.length is Field.DIFFERS or not proved:
                continue
            return self._sure(song, places, "file path")
        return None

    def _by_id(self, song: Folded) -> Match | None:
        """The tracks that carry the row's MusicBrainz id."""
        if not song.row.ids or not self.library.extras.ids:
            return None
        places = sorted(
            {place for one in song.row.ids for place in self.library.by_id.get(one.casefold(), ())}
        )
        pairs = [compared(song, self.library, place) for place in places]
        kept = [pair for pair in pairs if pair.length is not Field.DIFFERS]
        if not kept:
            return None
        best, _ = self._narrowed(song, kept)
        return self._sure(song, [pair.place for pair in best], "MusicBrainz id")

    def _sure(self, song: Folded, places: Sequence[int], evidence: str) -> Match:
        ordered = tuple(sorted(places, key=lambda place: int(self.library.rank[place])))
        candidates = tuple(
            Candidate(place, 100.0, evidence, ()) for place in ordered[:MOST_CANDIDATES]
        )
        return Match(song.row, "sure", ordered, evidence, 100.0, "", candidates)

    def _namesakes(self, song: Folded) -> list[int]:
        """Tracks whose title folds to the row's; of very common titles those of its artist."""
        places = self.library.by_title.get(song.title.key, [])
        if len(places) <= 40:
            return places
        mine, album = song.performer, song.album.key
        return [
            place
            for place in places
            if (mine.key and mine.first in self.library.performers[place].parts)
            or (album and album == self.library.albums[place].key)
        ]

    def numbered(self, song: Folded) -> Match | None:
        """A match of a row whose title begins with what may be its track number."""
        fit = [pair for pair in self._fitting(song) if pair.number is Field.SAME]
        return self._judged(song, *self._narrowed(song, fit)) if fit else None

    def _fitting(self, song: Folded) -> list[Pair]:
        """Tracks whose title folds to the row's, and which nothing contradicts."""
        library = self.library
        pairs = [
            compared(song, library, place)
            for place in self._namesakes(song)
            if artist_field(song, library, place) is not Field.DIFFERS  # most do, of common titles
        ]
        return [pair for pair in pairs if not pair.against]

    # Which of several

    def _narrowed(self, song: Folded, fit: list[Pair]) -> tuple[list[Pair], list[Pair]]:
        """The copies of the one recording that fits best, and the other recordings left.

        Album, then number on it, then length, then spelling decide, each only where it can.
        """
        if len(fit) == 1:
            return fit, []
        left = _best(fit, lambda pair: pair.album if pair.album >= Field.NEAR else 0)
        if left[0].album is Field.SAME:
            left = _best(left, lambda pair: pair.number is Field.SAME)
        left = _nearest(left)
        left = _best(left, lambda pair: self._spelled(song, pair))
        left.sort(key=lambda pair: int(self.library.rank[pair.place]))
        copies = [pair for pair in left if self._copies(left[0], pair)]
        return copies, [pair for pair in left if pair not in copies]

    def _spelled(self, song: Folded, pair: Pair) -> tuple[bool, bool, bool, Field]:
        title, album = self.library.titles[pair.place], self.library.albums[pair.place]
        return (
            pair.artist is Field.SAME,
            title.exact == song.title.exact,
            bool(song.album.exact) and album.exact == song.album.exact,
            pair.artist,
        )

    def _copies(self, one: Pair, other: Pair) -> bool:
        """Whether two tracks are the same recording."""
        library, a, b = self.library, one.place, other.place
        lengths = library.lengths[a], library.lengths[b]
        return (
            library.performers[a].key == library.performers[b].key
            and library.titles[a].key == library.titles[b].key
            and library.titles[a].live == library.titles[b].live
            and library.live[a] == library.live[b]
            and (0 in lengths or abs(lengths[0] - lengths[1]) <= SAME_RECORDING_MS)
        )

    def _judged(self, song: Folded, best: list[Pair], others: list[Pair]) -> Match:
        """How sure a row is whose names fold to those of tracks."""
        pair = best[0]
        score = score_of(song, self.library, pair, 1 + len(others))
        places, evidence = tuple(one.place for one in best), evidence_of(pair)
        if others:
            candidates = self._candidates(song, [*best, *others, *self._compared(song)])
            reason = self._several([pair, *others])
            return Match(song.row, "ambiguous", places, evidence, score, reason, candidates)
        why = doubt(pair) or self._other_concert(song, best)
        if not why:
            sure = Candidate(pair.place, max(score, 99.0), evidence, ())
            return Match(song.row, "sure", places, evidence, sure.score, "", (sure,))
        candidates = self._candidates(song, [*best, *self._compared(song)])
        certainty: Certainty = "likely" if score >= LIKELY_SCORE else "ambiguous"
        reason = f"{why}: {self.library.described(pair.place)}."
        return Match(song.row, certainty, places, evidence, score, reason, candidates)

    def _compared(self, song: Folded) -> list[Pair]:
        return [compared(song, self.library, place) for place in self._namesakes(song)]

    def _other_concert(self, song: Folded, best: list[Pair]) -> str:
        """A doubt where only the name is known and a live album has another recording of it."""
        if song.album.key or song.row.length_ms:
            return ""
        known = {pair.place for pair in best}
        live = any(
            pair.artist >= Field.NEAR and self.library.live[pair.place]
            for pair in self._compared(song)
            if pair.place not in known
        )
        return "There is a live recording of it too" if live else ""

    def _candidates(self, song: Folded, pairs: Iterable[Pair]) -> tuple[Candidate, ...]:
        made: dict[int, Candidate] = {}
        several = list(pairs)
        fitting = sum(not pair.against for pair in several)
        for pair in several:
            score = score_of(song, self.library, pair, max(fitting, 1))
            made.setdefault(
                pair.place, Candidate(pair.place, score, evidence_of(pair), pair.against)
            )
        ordered = sorted(made.values(), key=lambda one: (bool(one.against), -one.score))
        return tuple(ordered[:MOST_CANDIDATES])

    def _several(self, pairs: Sequence[Pair]) -> str:
        shown = "; ".join(self.library.described(pair.place) for pair in pairs[:3])
        more = f" and {len(pairs) - 3} more" if len(pairs) > 3 else ""
        return f"{len(pairs)} songs fit equally well: {shown}{more}."


def _best(pairs: list[Pair], key: Callable[[Pair], object]) -> list[Pair]:
    if len(pairs) == 1:
        return pairs
    keys = [key(pair) for pair in pairs]
    top = max(keys)  # type: ignore[type-var]
    return [pair for pair, own in zip(pairs, keys, strict=True) if own == top]


def _nearest(pairs: list[Pair]) -> list[Pair]:
    """Those whose length is nearest, where lengths are known."""
    known = [pair.off_ms for pair in pairs if pair.off_ms >= 0]
    if not known:
        return pairs
    return [pair for pair in pairs if 0 <= pair.off_ms <= min(known) + CLEARLY_MS]


def doubt(pair: Pair) -> str:
    """Why the only track that fits is not surely the one; ``""`` where it is."""
    artist, album, length, number = pair.artist, pair.album, pair.length, pair.number
    if artist is Field.UNKNOWN:
        agree = Field.SAME in (length, number) and Field.DIFFERS not in (length, number)
        proven = album is Field.SAME and agree
        return "" if proven else "The artist could not be compared"
    if album is Field.SAME:
        unproven = number is Field.DIFFERS and length is not Field.SAME
        return "Its number on the album differs" if unproven else ""
    if length is Field.SAME:
        return ""
    if artist is Field.NEAR:
        return "The artist is only nearly the same"
    if album is Field.NEAR and number is not Field.DIFFERS:
        return ""
    if album is Field.UNKNOWN:
        return "" if length is Field.UNKNOWN else "The lengths differ by a few seconds"
    return "It is on another album, and the length does not prove it"


def _by_its_place(pair: Pair) -> bool:
    """Whether artist, album, number and length all say that it is this track."""
    return (
        pair.artist >= Field.NEAR
        and pair.album is Field.SAME
        and pair.number is Field.SAME
        and pair.length is Field.SAME
    )


def _on_album(pair: Pair) -> bool:
    return pair.album is Field.SAME and pair.number is Field.SAME and pair.artist >= Field.NEAR


def _close(song: Folded, library: Catalogue, best: Pair, rivals: Sequence[Pair]) -> bool:
    """Whether another recording is nearly as good."""
    top = score_of(song, library, best, 1)
    return any(score_of(song, library, pair, 1) > top - 3 for pair in rivals)


def _unmatched(song: Folded, candidates: tuple[Candidate, ...], library: Catalogue) -> Match:
    reason = "Nothing in Plex is like it."
    if candidates:
        nearest = candidates[0]
        why = ", ".join(nearest.against) or "too little agrees"
        reason = f"Nearest is {library.described(nearest.place)}, but: {why}."
    return Match(song.row, "unmatched", reason=reason, candidates=candidates)


def evidence_of(pair: Pair) -> str:
    """What agrees, in words.

    >>> evidence_of(Pair(0, Field.SAME, Field.SAME, Field.UNKNOWN, Field.UNKNOWN, -1))
    'title, artist, album'
    """
    title = "title" if pair.likeness >= 100 else f"title {pair.likeness:.0f} %"
    return title + _agreeing(pair.artist, pair.album, pair.number, pair.length)


@cache
def _agreeing(*fields: Field) -> str:
    words = zip(("artist", "album", "number", "length"), fields, strict=True)
    said = {Field.SAME: ", {}", Field.NEAR: ", {} nearly"}
    return "".join(said[value].format(word) for word, value in words if value in said)
