"""The whole library with all that is known of it, and who carries our tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from plexsheet.library import KINDS, Kind, Library
from plexsheet.operations.read import reading_of
from plexsheet.operations.session import Session
from plexsheet.ownership import Owned
from plexsheet.plan.infer import TagNames
from plexsheet.state import journal


@dataclass(frozen=True)
class Marked:
    """A library with all we know of it.

    Attributes:
        carriers: for each kind our tag names, each with the keys that carry it.
    """

    library: Library
    owned: Owned
    shadow: Mapping[Kind, Any]
    carriers: Mapping[Kind, Mapping[str, NDArray[np.int64]]]


def look(session: Session, names: Collection[str]) -> Marked:
    """Read the library and who carries our tags: one listing per kind, one per kind and tag."""
    state, gateway, scope = session.state, session.gateway, session.scope
    reading = reading_of(session, gateway.read_library(session.progress))
    carriers = {
        kind: {name: gateway.carriers(kind, name) for name in dict.fromkeys(names) if name}
        for kind in KINDS
    }
    return Marked(reading.library, reading.owned, state.shadows(scope), carriers)


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
