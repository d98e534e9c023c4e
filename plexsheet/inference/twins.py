"""Same recordings on different albums (pure).

Rating a track on the studio album should inform its twin on the greatest hits, so
twins are grouped before inference: same artist, same normalised title, lengths within
a tolerance of each other, on two or more albums.  Live and remixed versions are other
recordings: words that say so (``TwinSettings.exclude_keywords``), brackets and live
albums keep a track out.  Copies that share a Plex guid are one item to Plex and share
one rating there; they are twins whatever any rule says.

What the person decided on the Twins sheet comes last and outranks all but the guid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from plexsheet.config.settings import TwinSettings
from plexsheet.inference import titles
from plexsheet.inference.model import TwinDecision
from plexsheet.library import Library, rows_of

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GUID_PREFIX = "plex://"  # other guids (local://…, an older agent's) promise nothing
NOBODY = frozenset(
    {
        *("various artists", "various artist", "various", "va", "v a"),
        *("unknown artist", "unknown"),
        *("verschiedene interpreten", "verschiedene", "diverse interpreten"),
        *("artistes divers", "varios artistas", "artisti vari"),
    }
)


@dataclass(frozen=True)
class Twins:
    """Which tracks are the same recording.

    Attributes:
        group: shape (tracks,), 0 and up in the order of the groups' smallest rating keys,
            -1 where a track has no twin.  A group has two or more tracks.
        evidence: shape (tracks,), why a track is in its group: ``guid`` (shares one with
            another copy), ``decision`` (the person's), ``name`` (artist, title and length),
            ``""`` without twins.
    """

    group: Ints
    evidence: NDArray[Any]

    @staticmethod
    def none(tracks: int) -> Twins:
        """No twins at all."""
        return Twins(np.full(tracks, -1, dtype=np.int64), np.full(tracks, "", dtype=object))

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return int(self.group.max(initial=-1)) + 1


def find(
    library: Library,
    settings: TwinSettings,
    decisions: Mapping[int, TwinDecision] | None = None,
) -> Twins:
    """Groups of tracks that are one recording.

    Args:
        library: names, lengths and guids; ratings are not read.
        settings: the rules; where not enabled, only copies that share a guid are grouped.
        decisions: by rating key of a track; SAME joins what carries one label, SPLIT parts
            a group by letter (no letter: alone), NEVER leaves a track without twins by name.

    Returns:
        Groups and evidence, shape (tracks,).
    """
    keys = library.keys("track")
    item = _items(library)
    cluster = _clusters(library, settings) if settings.enabled else np.full(len(keys), -1)
    chosen = decisions if settings.enabled and decisions else {}
    decided = _decided(keys, item, cluster, chosen)
    cluster = np.where(decided.parted[item], -1, cluster)
    parts = _connected(item, cluster, decided.label)
    return _numbered(keys, item, parts, decided.label)


def _items(library: Library) -> Ints:
    """What Plex holds one rating for: a number per shared guid, else per track."""
    guid = library.tracks["guid"].to_numpy()
    shared = np.array([text.startswith(GUID_PREFIX) for text in guid], dtype=bool)
    item = np.arange(len(guid), dtype=np.int64)
    rows = np.flatnonzero(shared)
    if len(rows):
        codes, unique = pd.factorize(guid[rows])
        first = np.full(len(unique), len(guid), dtype=np.int64)
        np.minimum.at(first, codes, rows)
        item[rows] = first[codes]
    return item


def _clusters(library: Library, settings: TwinSettings) -> Ints:
    """Twins by name: artist, title and length, on two or more albums; -1 elsewhere."""
    song = _songs(library, settings)
    rows = np.flatnonzero(song >= 0)
    length = library.tracks["duration_ms"].to_numpy()[rows]
    cluster = np.full(len(song), -1, dtype=np.int64)
    cluster[rows] = _by_length(song[rows], length, settings.duration_tolerance_s * 1000)
    return _on_two(cluster, library.tracks["album_key"].to_numpy())


def _songs(library: Library, settings: TwinSettings) -> Ints:
    """Artist and title as a number, where two or more tracks share it; -1 elsewhere."""
    tracks = library.tracks
    name = tracks["track_artist"].to_numpy()
    name = np.where(name == "", tracks["artist"].to_numpy(), name)
    artist = _of_unique(name, _artist_numbers)
    title = _of_unique(tracks["title"].to_numpy(), lambda texts: _title_numbers(texts, settings))
    named = (artist >= 0) & (title >= 0) & ~_on_other_versions(library, settings)
    song = np.full(len(name), -1, dtype=np.int64)
    pair = artist[named] * (int(title.max(initial=0)) + 1) + title[named]
    codes = pd.factorize(pair)[0]
    song[named] = np.where(np.bincount(codes)[codes] > 1, codes, -1) if len(codes) else codes
    return song


def _of_unique(texts: NDArray[Any], numbers: Callable[[list[str]], Ints]) -> Ints:
    """``numbers`` of texts, worked out once per different text."""
    codes, unique = pd.factorize(texts)
    return numbers(list(unique))[codes] if len(unique) else np.zeros(0, dtype=np.int64)


def _artist_numbers(names: list[str]) -> Ints:
    plain = np.array(_artists(names), dtype=object)
    return np.where(plain == "", -1, pd.factorize(plain)[0]).astype(np.int64)


def _artists(names: list[str]) -> list[str]:
    plain, _ = titles.normalised(names)
    return ["" if name in NOBODY else _without_article(name) for name in plain]


def _without_article(name: str) -> str:
    if name.startswith("the "):
        return name[4:]
    return name.removesuffix(" the") if name != "the the" else name


def _title_numbers(texts: list[str], settings: TwinSettings) -> Ints:
    """Number of each normalised title; -1 where the title itself says another version."""
    plain, bracketed = titles.normalised(texts)
    other = _holding(texts, settings)
    if settings.exclude_parentheses:
        other |= bracketed
    names = np.array(plain, dtype=object)
    return np.where(other | (names == ""), -1, pd.factorize(names)[0]).astype(np.int64)


def _holding(texts: list[str], settings: TwinSettings) -> Bools:
    """Which texts hold one of the words that say another version."""
    found = titles.has_word(texts, settings.exclude_keywords)
    return np.logical_or.reduce(found) if found else np.zeros(len(texts), dtype=bool)


def _on_other_versions(library: Library, settings: TwinSettings) -> Bools:
    """Tracks of albums whose title or subformat says another version."""
    named = _of_unique(
        library.tracks["album"].to_numpy(), lambda texts: _holding(texts, settings).astype(np.int64)
    ).astype(bool)
    albums = library.albums
    other = _holding(list(albums["title"]), settings)
    if settings.exclude_live_albums:
        other |= np.array(titles.has_word(list(albums["subformat"]), ["live"])[0])
    row = rows_of(library.keys("album"), library.tracks["album_key"].to_numpy())
    return named | np.append(other, np.False_)[row]


def _by_length(song: Ints, length_ms: Ints, tolerance_ms: float) -> Ints:
    """Clusters of one song whose lengths all lie within the tolerance of each other.

    A copy of unknown length joins where its song has a single cluster, and never links
    two; copies of which none has a length are one cluster.

    Args:
        song: shape (tracks,), 0 and up.
        length_ms: shape (tracks,), 0 for an unknown length.
        tolerance_ms: longest difference within a cluster.

    Returns:
        Shape (tracks,), numbers without meaning; -1 for copies left alone.
    """
    cluster = np.full(len(song), -1, dtype=np.int64)
    known = np.flatnonzero(length_ms > 0)
    order = known[np.lexsort((known, length_ms[known], song[known]))]
    sorted_song, sorted_length = song[order], length_ms[order].astype(np.float64)
    starts = np.ones(len(order), dtype=bool)
    starts[1:] = (np.diff(sorted_song) != 0) | (np.diff(sorted_length) > tolerance_ms)
    starts = _tight(starts, sorted_length, tolerance_ms)
    cluster[order] = np.cumsum(starts) - 1
    unknown = np.flatnonzero(length_ms <= 0)
    cluster[unknown] = _joining(song[unknown], song[order], cluster[order])
    return cluster


def _tight(starts: Bools, lengths: NDArray[np.float64], tolerance: float) -> Bools:
    """Chains whose ends are too far apart, cut at their widest gaps until none is."""
    cut = starts.copy()
    first = np.flatnonzero(starts)
    last = np.append(first[1:], len(starts))
    if not len(first):
        return cut
    loose = lengths[last - 1] - lengths[first] > tolerance
    pending = list(zip(first[loose].tolist(), last[loose].tolist(), strict=True))
    while pending:
        low, high = pending.pop()
        if lengths[high - 1] - lengths[low] > tolerance:
            middle = _widest_gap(lengths[low:high]) + low
            cut[middle] = True
            pending += [(low, middle), (middle, high)]
    return cut


def _widest_gap(lengths: NDArray[np.float64]) -> int:
    """Where the widest gap ends; of equal ones, that nearest the middle."""
    gaps = np.diff(lengths)
    widest = np.flatnonzero(gaps == gaps.max()) + 1
    return int(widest[np.argmin(np.abs(widest - len(lengths) / 2))])


def _joining(unknown_song: Ints, song: Ints, cluster: Ints) -> Ints:
    """The cluster that copies of unknown length join; -1 where there are several."""
    pairs = pd.DataFrame({"song": song, "cluster": cluster}).groupby("song")["cluster"]
    single = pairs.first().where(pairs.nunique() == 1, -1)
    fresh = int(cluster.max(initial=-1)) + 1 + pd.factorize(unknown_song)[0]
    joined = single.reindex(unknown_song).to_numpy(dtype=np.float64)
    return np.where(np.isnan(joined), fresh, joined).astype(np.int64)


def _on_two(cluster: Ints, album: Ints) -> Ints:
    """Clusters that are on two or more albums, numbered from 0; -1 elsewhere."""
    known = np.flatnonzero(cluster >= 0)
    if not len(known):
        return cluster
    codes, unique = pd.factorize(cluster[known])
    low = np.full(len(unique), np.iinfo(np.int64).max)
    high = np.full(len(unique), np.iinfo(np.int64).min)
    np.minimum.at(low, codes, album[known])
    np.maximum.at(high, codes, album[known])
    kept = np.full(len(cluster), -1, dtype=np.int64)
    kept[known] = np.where(low[codes] < high[codes], codes, -1)
    return kept


@dataclass(frozen=True)
class _Decided:
    """Decisions by item: what the person joined, and what they took out of its cluster.

    Attributes:
        label: item to the number of what it was joined to.
        parted: shape (tracks,), true for items that leave their cluster.
    """

    label: dict[int, int]
    parted: Bools


def _decided(
    keys: Ints, item: Ints, cluster: Ints, decisions: Mapping[int, TwinDecision]
) -> _Decided:
    """Decisions brought to items; of copies with one guid, the smallest key's counts."""
    parted = np.zeros(len(keys), dtype=bool)
    made = [decisions[key] for key in sorted(decisions)]
    rows = rows_of(keys, np.array([d.key for d in made], dtype=np.int64))
    by_item: dict[int, TwinDecision] = {}
    for row, decision in zip(rows.tolist(), made, strict=True):
        if row >= 0:
            by_item.setdefault(int(item[row]), decision)
    if not by_item:
        return _Decided({}, parted)
    before = _connected(item, cluster, {})
    numbers: dict[tuple[str, ...], int] = {}
    label: dict[int, int] = {}
    for number, decision in by_item.items():
        parted[number] = decision.decision != "SAME"
        name = _label(decision, int(before[number]))
        if name:
            label[number] = numbers.setdefault(name, len(numbers))
    return _Decided(label, parted)


def _label(decision: TwinDecision, before: int) -> tuple[str, ...]:
    """What a decision joins its track to; empty for nothing."""
    if decision.decision == "SAME":
        return ("same", decision.group) if decision.group else ()
    if decision.decision == "SPLIT" and decision.sub_group:
        computed = () if decision.group else (str(before),)
        return ("split", decision.group, *computed, decision.sub_group.strip().casefold())
    return ()


def _connected(item: Ints, cluster: Ints, label: Mapping[int, int]) -> Ints:
    """Parts of tracks linked by item, cluster or label; shape (tracks,)."""
    tracks = len(item)
    named = np.flatnonzero(cluster >= 0)
    labelled = np.array(list(label.keys()), dtype=np.int64)
    labels = np.array(list(label.values()), dtype=np.int64)
    clusters = tracks + int(cluster.max(initial=-1)) + 1
    left = np.concatenate([np.arange(tracks), item[named], labelled])
    right = np.concatenate([item, tracks + cluster[named], clusters + labels])
    nodes = clusters + int(labels.max(initial=-1)) + 1
    links = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(nodes, nodes))
    return np.asarray(connected_components(links, directed=False)[1][:tracks], dtype=np.int64)


def _numbered(keys: Ints, item: Ints, parts: Ints, label: Mapping[int, int]) -> Twins:
    """Parts of two or more tracks, numbered by their smallest keys."""
    if not len(keys):
        return Twins.none(0)
    grouped = np.bincount(parts)[parts] > 1
    order = np.argsort(keys, kind="stable")
    members = order[grouped[order]]
    group = np.full(len(keys), -1, dtype=np.int64)
    group[members] = pd.factorize(parts[members])[0]
    evidence = np.where(grouped, "name", "").astype(object)
    decided = np.zeros(len(keys), dtype=bool)
    decided[list(label)] = True
    evidence[grouped & decided[item]] = "decision"
    evidence[np.bincount(item, minlength=len(keys))[item] > 1] = "guid"
    return Twins(group, evidence)
