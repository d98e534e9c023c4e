"""The whole library with all that is known of it, and who carries our tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, Library
from plexsheet.operations.read import Reading, reading_of
from plexsheet.operations.session import Session
from plexsheet.ownership import Owned
from plexsheet.plan.infer import TagNames
from plexsheet.state import events, journal

Keys = Mapping[Kind, NDArray[np.int64]]


@dataclass(frozen=True)
class Marked:
    """A library with all we know of it.

    Attributes:
        reading: the library, and whose its ratings are.
        carriers: for each kind our tag names, each with the keys that carry it.
        unproven: for each kind keys of rated items that carry our tag, of which neither an entry
            of ours nor an event says whose the rating is.
        unmarked: for each kind keys of items that we remember with our tag and that carry none
            of our tags: somebody took it off, so the rating may be the person's.
        proven: for each kind keys that carry our tag though an event made them the person's.
    """

    reading: Reading
    shadow: Mapping[Kind, Any]
    carriers: Mapping[Kind, Mapping[str, NDArray[np.int64]]]
    unproven: Keys
    unmarked: Keys
    proven: Keys

    @property
    def library(self) -> Library:
        """The library as read now."""
        return self.reading.library

    @property
    def owned(self) -> Owned:
        """Whose its ratings are."""
        return self.reading.owned


def look(session: Session, names: Collection[str]) -> Marked:
    """Read the library and who carries our tags: one listing per kind, one per kind and tag."""
    state, gateway, scope = session.state, session.gateway, session.scope
    reading = reading_of(session, gateway.read_library(session.progress))
    shadow = state.shadows(scope)
    carriers = {
        kind: {name: gateway.carriers(kind, name) for name in dict.fromkeys(names) if name}
        for kind in KINDS
    }
    unproven, unmarked, proven = {}, {}, {}
    for kind in KINDS:
        everyone = [np.empty(0, dtype=np.int64), *carriers[kind].values()]
        carrying = np.unique(np.concatenate(everyone))
        known = shadow[kind]["key"].to_numpy()
        unproven[kind], proven[kind] = _unknown(session, reading, kind, known, carrying)
        unmarked[kind] = _unmarked(reading, kind, shadow[kind], carrying)
    return Marked(reading, shadow, carriers, unproven, unmarked, proven)


def _unknown(
    session: Session,
    reading: Reading,
    kind: Kind,
    known: NDArray[np.int64],
    carrying: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keys with our tag and no entry of ours: without any proof, and proven the person's."""
    rated = ~np.isnan(reading.library.ratings(kind))
    manual = reading.library.keys(kind)[rated & reading.owned.evidence.manual[kind]]
    keys = np.setdiff1d(np.intersect1d(manual, carrying), known)
    told = events.histories(session.state, session.scope, kind, keys.tolist())
    theirs = [key for key, history in told.items() if history[-1].owner == "person"]
    proven = np.array(sorted(theirs), dtype=np.int64)
    return np.setdiff1d(keys, proven), proven


def _unmarked(
    reading: Reading, kind: Kind, shadow: pd.DataFrame, carrying: NDArray[np.int64]
) -> NDArray[np.int64]:
    tagged = shadow["key"].to_numpy()[shadow["tags"].to_numpy() != ""]
    ours = ~reading.owned.evidence.manual[kind] & ~np.isnan(reading.library.ratings(kind))
    standing = np.intersect1d(tagged, reading.library.keys(kind)[ours])
    return np.setdiff1d(standing, carrying)


def tag_names(session: Session) -> TagNames:
    """The moods of the settings, as plans take them."""
    config = session.config
    return TagNames(inferred=config.inferred_tag, twin=config.twins.twin_tag)


def all_tag_names(session: Session) -> list[str]:
    """Our tag names of today, and those that entries of the state still carry."""
    tags = tag_names(session)
    names = [tags.inferred, tags.twin]
    for kind in KINDS:
        for joined in session.state.shadow(session.scope, kind)["tags"].unique().tolist():
            names += journal.names(joined)
    known: dict[str, str] = {}
    for name in names:
        known.setdefault(name.casefold(), name)
    return [name for name in known.values() if name]
