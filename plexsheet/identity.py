"""Whether an item in Plex is the one remembered, and where it went if it is not (pure).

A rating key proves nothing: after a database was rebuilt or restored from a backup the same
number is another song.  What proves an item is its guid in Plex's catalogue together with
what it is called, or all that it is called together with its length and its place.

===========================  ==========================================================  =======
guid                         and                                                         verdict
===========================  ==========================================================  =======
same, of the catalogue       title alike; for tracks also: artist or album alike and     proven
                             length agrees
not the same on both sides   the same title and parents; neither length nor position     proven
or unknown on one            contradicts
two different ones           the same title and parents, nothing contradicts             likely
anything                     tracks: two of title, artist and album the same, length     likely
                             within a second, position the same (or unknown, and the
                             third alike)
anything                     tracks: the same titles and length, another position        likely
anything                     artists: title alike; albums: title and artist alike, and    likely
                             one of them the same
else                                                                                     other
===========================  ==========================================================  =======

*Alike* is the same up to case, punctuation and a typing error; numbers and single letters
never differ (Part 1 is not Part 2).  A ``local://`` guid is made from the key and counts as
unknown.  *Proven* holds without looking further.  *Likely* holds under the same key, and only
while no other item is proven: so a corrected typo or a retag is followed, and another song
never is.  Under another key an item has to be proven, or the same in all but its guid (names,
and for tracks length within a second and position), and alone in that.  A row that names no
parents is found at its key where the item there has its title and no other item of the kind
has it: nothing else in the library could be meant.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import SHARING, Kind, rows_of

Verdict = Literal["proven", "likely", "other"]
Way = Literal["key", "guid", "titles", "file"]

LENGTH_WITHIN_MS = 3000  # of one recording, ripped again; a workbook knows whole seconds only
SAME_LENGTH_MS = 1000
FEATURES = ("guid", "title", "artist", "album", "length_ms", "disc", "index")


@dataclass(frozen=True, slots=True)
class ItemIdentity:
    """What tells an item from others; ``""`` and 0 where it is not known.

    Attributes:
        guid: a number for the guid of Plex's catalogue; 0 for a ``local://`` one.
        artist: of an album or a track: the album artist.
        album: of a track.
        length_ms, disc, index: of a track.
    """

    guid: int = 0
    title: str = ""
    artist: str = ""
    album: str = ""
    length_ms: int = 0
    disc: int = 0
    index: int = 0


def verdict(kind: Kind, then: ItemIdentity, now: ItemIdentity) -> Verdict:
    """Whether an item is the one remembered; the table above, row by row.

    >>> verdict("artist", ItemIdentity(title="Nina Simone"), ItemIdentity(title="Nina Simon"))
    'likely'
    """
    one_guid = then.guid != 0 and then.guid == now.guid
    if one_guid and not then.title:  # nothing else is remembered
        return "proven"
    if one_guid and _of_one_guid(kind, then, now):
        return "proven"
    if _named_alike(then, now) == 3 and not _contradicted(kind, then, now):
        return "likely" if then.guid and now.guid else "proven"
    if kind == "track":
        return "likely" if _retagged(then, now) else "other"
    pairs = ((then.title, now.title), (then.artist, now.artist))
    related = all(alike(*pair) for pair in pairs) and _named_alike(then, now) > 1
    return "likely" if related else "other"


def _of_one_guid(kind: Kind, then: ItemIdentity, now: ItemIdentity) -> bool:
    if alike(then.title, now.title) or _begins(then.title, now.title):
        return True
    parents = alike(then.artist, now.artist) or alike(then.album, now.album)
    return kind == "track" and parents and _apart(then, now, LENGTH_WITHIN_MS) is False


def _named_alike(then: ItemIdentity, now: ItemIdentity) -> int:
    """How many of title, artist and album are the same."""
    pairs = ((then.title, now.title), (then.artist, now.artist), (then.album, now.album))
    return sum(folded(one) == folded(other) for one, other in pairs)


def _contradicted(kind: Kind, then: ItemIdentity, now: ItemIdentity) -> bool:
    if kind != "track":
        return False
    return bool(_apart(then, now, LENGTH_WITHIN_MS)) or _placed(then, now) is False


def _retagged(then: ItemIdentity, now: ItemIdentity) -> bool:
    names, placed = _named_alike(then, now), _placed(then, now)
    if _apart(then, now, SAME_LENGTH_MS) is not False or names < 2:
        return False
    return names == 3 or placed is True or (placed is None and alike(then.title, now.title))


def _rematched(kind: Kind, then: ItemIdentity, now: ItemIdentity) -> bool:
    """Whether all but the guid says that an item is the one remembered."""
    if kind != "track":
        return True
    return _placed(then, now) is True and _apart(then, now, SAME_LENGTH_MS) is False


def _apart(then: ItemIdentity, now: ItemIdentity, within_ms: int) -> bool | None:
    """Whether two lengths differ by more; None where one is not known."""
    if not (then.length_ms and now.length_ms):
        return None
    return abs(then.length_ms - now.length_ms) > within_ms


def _placed(then: ItemIdentity, now: ItemIdentity) -> bool | None:
    """Whether two positions are one; None where one is not known."""
    if not (then.index and now.index):
        return None
    return (max(then.disc, 1), then.index) == (max(now.disc, 1), now.index)


# Texts

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´"))  # left out more often than not


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """A title as compared: no case, no punctuation, runs of blanks one space.

    >>> folded("  Don't  Stop! "), folded("Björk"), folded("!!!")
    ('dont stop', 'björk', '!!!')
    """
    plain = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    words = " ".join(re.sub(r"[\W_]+", " ", plain).split())
    return words or " ".join(plain.split())  # nothing but signs


@lru_cache(maxsize=16_384)
def alike(one: str, other: str) -> bool:
    """Whether two titles are one, a typing error apart at most.

    >>> alike("Abbey Raod", "Abbey Road"), alike("Part 1", "Part 2"), alike("Run", "Rum")
    (True, False, False)
    """
    left, right = folded(one), folded(other)
    if left == right:
        return True
    if _numerals(left) != _numerals(right):
        return False
    allowed = min((max(len(left), len(right)) + 3) // 8, 3)
    return abs(len(left) - len(right)) <= allowed and _edits(left, right) <= allowed


def _begins(one: str, other: str) -> bool:
    """Whether one title is the other and more: an edition, a version in brackets."""
    short, long = sorted((folded(one), folded(other)), key=len)
    return len(short) >= 4 and long.startswith(f"{short} ")


_ROMAN = re.compile(r"[ivx]+")


def _numerals(text: str) -> list[str]:
    """The words of which every letter counts: numbers, also Roman ones, and single letters."""
    return [
        word
        for word in text.split()
        if len(word) == 1 or any(map(str.isdigit, word)) or _ROMAN.fullmatch(word)
    ]


def _edits(one: str, other: str) -> int:
    """Letters added, dropped, changed or swapped with their neighbour."""
    older: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, sign in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != sign))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == sign:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, last = last, row
    return last[-1]


# Many items


def features(kind: Kind, table: pd.DataFrame, guids: NDArray[np.int64]) -> pd.DataFrame:
    """What tells the items of a table apart: ``key`` and ``FEATURES``.

    Args:
        kind: of the items.
        table: columns of the schema.
        guids: a number for each row's guid of Plex's catalogue, 0 for none.
    """
    blank, none = np.full(len(table), "", dtype=object), np.zeros(len(table), dtype=np.int64)

    def column(name: str, missing: NDArray[Any]) -> NDArray[Any]:
        return table[name].to_numpy() if name in table else missing

    track = kind == "track"
    return pd.DataFrame(
        {
            "key": table["key"].to_numpy(),
            "guid": guids,
            "title": table["title"].to_numpy(),
            "artist": column("artist", blank),
            "album": column("album", blank),
            "length_ms": column("duration_ms", none) if track else none,
            "disc": column("disc", none) if track else none,
            "index": column("index", none) if track else none,
        }
    )


def identity_at(table: pd.DataFrame, row: int) -> ItemIdentity:
    """One row of a table of ``FEATURES``."""
    return ItemIdentity(*(_plain(table[name].to_numpy()[row]) for name in FEATURES))


def identities_of(table: pd.DataFrame) -> list[ItemIdentity]:
    """All rows of a table of ``FEATURES``."""
    columns = (table[name].tolist() for name in FEATURES)
    return [ItemIdentity(*values) for values in zip(*columns, strict=True)]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str) else int(value)


def seen_now(kind: Kind, table: pd.DataFrame) -> pd.DataFrame:
    """What tells the items of a table of Plex apart: ``key`` and ``FEATURES``."""
    return features(kind, table, guid_numbers(table["guid"].to_numpy()))


def guid_numbers(guids: NDArray[Any]) -> NDArray[np.int64]:
    """A 63-bit number for each guid of Plex's catalogue, 0 for local ones.

    >>> guid_numbers(np.array(["local://7"], dtype=object)).tolist()
    [0]
    """
    return np.fromiter(
        (number_of(guid) if guid.startswith(SHARING) else 0 for guid in guids.tolist()),
        dtype=np.int64,
        count=len(guids),
    )


def number_of(text: str) -> int:
    """A 63-bit number that stands for a text: a guid, a path.

    >>> number_of("/music/a.flac") == number_of("/music/b.flac")
    False
    """
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


def unchanged(one: pd.DataFrame, other: pd.DataFrame) -> NDArray[np.bool_]:
    """Where two tables of ``FEATURES``, row for row, say the very same."""
    same = np.ones(len(one), dtype=bool)
    for name in FEATURES:
        same &= np.asarray(one[name].to_numpy() == other[name].to_numpy(), dtype=bool)
    return same


@dataclass(frozen=True)
class Located:
    """Where remembered items are.

    Attributes:
        keys: shape (items,), the rating key each has now, 0 where it was not found.
        ways: shape (items,), how it was found: "key", "guid", "titles", "file", or "".
        candidates: shape (items,), how many fitted where none did alone.
    """

    keys: NDArray[np.int64]
    ways: NDArray[np.object_]
    candidates: NDArray[np.int64]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Items that were not found."""
        return np.asarray(self.keys == 0)

    def moved(self, before: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Items found under another key than before."""
        return np.asarray((self.keys != 0) & (self.keys != before))


@dataclass
class Lookup:
    """The items there are now, to look remembered ones up in.

    Attributes:
        kind: of the items.
        table: ``key`` and ``FEATURES`` of all of them.
            A column ``seen`` (see ``state.identities``) in both tables keeps items that were
            there beside the remembered one from being taken for it.
    """

    kind: Kind
    table: pd.DataFrame

    def __post_init__(self) -> None:
        self._keys = self.table["key"].to_numpy()
        self._by_guid: dict[int, list[int]] | None = None
        self._by_name: dict[tuple[str, ...], list[int]] | None = None
        self._by_title: dict[str, list[int]] | None = None
        self._seen = self.table["seen"].to_numpy() if "seen" in self.table else None

    def locate(
        self, remembered: pd.DataFrame, files: Mapping[int, Sequence[int]] | None = None
    ) -> Located:
        """Where remembered items are.

        Args:
            remembered: ``key`` (0 where that says nothing) and ``FEATURES``.
            files: for rows of it, by place, the keys that have the file the item had.
        """
        before = remembered["key"].to_numpy()
        rows = rows_of(self._keys, before)
        keys = np.zeros(len(before), dtype=np.int64)
        ways = np.full(len(before), "", dtype=object)
        candidates = np.zeros(len(before), dtype=np.int64)
        here = np.flatnonzero(rows >= 0)
        alike_here = unchanged(remembered.iloc[here], self.table.iloc[rows[here]])
        certain = here[alike_here & (remembered["title"].to_numpy()[here] != "")]
        keys[certain], ways[certain] = before[certain], "key"
        since = remembered["seen"].to_numpy() if "seen" in remembered else None
        for place in np.flatnonzero(keys == 0).tolist():
            then = identity_at(remembered, place)
            after = -1 if since is None else int(since[place])
            found = self._one(then, int(before[place]), int(rows[place]), after)
            keys[place], ways[place], candidates[place] = found
        _give_up_contested(before, keys, ways, candidates)
        for place, carriers in (files or {}).items():
            if keys[place] == 0 and len(carriers) == 1:
                keys[place], ways[place] = carriers[0], "file"
        _give_up_contested(before, keys, ways, candidates)
        return Located(keys, ways, candidates)

    def _one(
        self, then: ItemIdentity, key: int, row: int, after: int
    ) -> tuple[int, Way | Literal[""], int]:
        here = identity_at(self.table, row) if row >= 0 else None
        at_key = verdict(self.kind, then, here) if here else "other"
        if at_key == "proven" or (here and self._said_by_title(then, here)):
            return key, "key", 1
        found, way = self._elsewhere(then, after)
        if len(found) == 1:
            return found[0], way, 1
        if not found and not (here and _named_alike(then, here) == 3):
            found, way = self._rematched(then, after), "titles"
            if len(found) == 1:
                return found[0], way, 1
        if at_key == "likely" and not found:
            return key, "key", 1
        return 0, "", len(found) or len(self._named(then, after))

    def _said_by_title(self, then: ItemIdentity, here: ItemIdentity) -> bool:
        """Whether a row that names no parents has the one title of its kind that its key has."""
        if self.kind == "artist" or then.artist or then.album or not then.title:
            return False
        if folded(then.title) != folded(here.title) or _contradicted(self.kind, then, here):
            return False
        if self._by_title is None:
            self._by_title = _groups([folded(title) for title in self.table["title"].tolist()])
        return len(self._by_title[folded(then.title)]) == 1

    def _rematched(self, then: ItemIdentity, after: int) -> list[int]:
        """Items of the same names with another guid; tracks also of the same length and place."""
        rows = self._named(then, after)
        fitting = [row for row in rows if _rematched(self.kind, then, identity_at(self.table, row))]
        return [int(self._keys[row]) for row in fitting]

    def _elsewhere(self, then: ItemIdentity, after: int) -> tuple[list[int], Way]:
        """Items that are proven to be it, under whatever key."""
        near = dict.fromkeys([*self._guided(then), *self._named(then, after)])
        items = [(int(self._keys[row]), identity_at(self.table, row)) for row in near
                 if self._is_new(row, after)]  # fmt: skip
        proven = [(at, now) for at, now in items if verdict(self.kind, then, now) == "proven"]
        guided = [(at, now) for at, now in proven if then.guid and now.guid == then.guid]
        chosen = guided or proven
        if len(chosen) > 1:
            chosen = _closest(then, chosen)
        return [at for at, _ in chosen], "guid" if guided else "titles"

    def _guided(self, then: ItemIdentity) -> list[int]:
        if not then.guid:
            return []
        if self._by_guid is None:
            self._by_guid = _groups(self.table["guid"].tolist())
        return self._by_guid.get(then.guid, [])

    def _is_new(self, row: int, after: int) -> bool:
        return self._seen is None or after < 0 or int(self._seen[row]) > after

    def _named(self, then: ItemIdentity, after: int) -> list[int]:
        if self._by_name is None:
            texts = (self.table[name].tolist() for name in ("title", "artist", "album"))
            self._by_name = _groups(
                [tuple(map(folded, names)) for names in zip(*texts, strict=True)]
            )
        name = (folded(then.title), folded(then.artist), folded(then.album))
        return [row for row in self._by_name.get(name, []) if self._is_new(row, after)]


def _closest(
    then: ItemIdentity, found: list[tuple[int, ItemIdentity]]
) -> list[tuple[int, ItemIdentity]]:
    """Of several those with the same parents, position and length, as far as that narrows."""

    def traits(now: ItemIdentity) -> tuple[bool, ...]:
        return (
            _named_alike(then, now) == 3,
            _placed(then, now) is True,
            _apart(then, now, LENGTH_WITHIN_MS) is False,
            _apart(then, now, SAME_LENGTH_MS) is False,
        )

    for number in range(4):
        fitting = [pair for pair in found if traits(pair[1])[number]]
        found = fitting or found
    return found


def _groups(values: Sequence[Any]) -> dict[Any, list[int]]:
    groups: dict[Any, list[int]] = {}
    for row, value in enumerate(values):
        groups.setdefault(value, []).append(row)
    return groups


def _give_up_contested(
    before: NDArray[np.int64],
    keys: NDArray[np.int64],
    ways: NDArray[np.object_],
    candidates: NDArray[np.int64],
) -> None:
    """Of several that lay claim to one item, none has it, but the one that had its key.

    What is remembered of one key twice, before and after a retag, is one claim.
    """
    claimant = np.where(before == 0, -1 - np.arange(len(before)), before)
    claims = pd.DataFrame({"now": keys, "before": claimant})[keys != 0].drop_duplicates()
    contested = claims["now"][claims["now"].duplicated(keep=False)].to_numpy()
    lost = np.flatnonzero(np.isin(keys, contested) & (ways != "key"))
    keys[lost], ways[lost], candidates[lost] = 0, "", 1
