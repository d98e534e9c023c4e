"""plex_state.json of plex-rating-utils: read in its three formats, taken over, written again.

Its entries say what that program wrote to which rating key.  An entry whose rating still
stands in Plex is remembered as inferred; one that differs was changed by the person and
is theirs.  What cannot be taken over (items gone, entries marked manual) is kept aside,
so that writing the file again loses nothing.

The formats: a number for each rating key; ``{"r", "t"}`` for each, r on the ten-point
scale, t whether it came from a twin; the same under ``ratings`` beside ``version`` and
``library_uuid``, with ``m`` for entries the person overrode.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plexsheet.errors import StateError, WrongLibrary
from plexsheet.files import write_whole
from plexsheet.library import KINDS, Kind, Library, rows_of
from plexsheet.state.store import State

Layout = Literal["flat", "pairs", "stamped"]
VERSION = "1.4.0"
STANDS_WITHIN = 0.1  # it wrote rounded to a tenth and took less than that for no change
_KEPT = "plex_state"  # name under which the state keeps what the file said

_DESCRIBED: Mapping[Layout, str] = {
    "flat": "a number for each rating key",
    "pairs": "rating and twin mark for each rating key",
    "stamped": "stamped with version and library",
}


@dataclass(frozen=True)
class StateFile:
    """A plex_state.json as read.

    Attributes:
        entries: rating key to what the file has for it, as it stands there.
        version, library_uuid: "" where the format has none.
    """

    name: str
    layout: Layout
    entries: Mapping[int, Any]
    version: str = ""
    library_uuid: str = ""

    @property
    def described(self) -> str:
        """The format in words."""
        stamp = f" of plex-rating-utils {self.version}" if self.version else ""
        return _DESCRIBED[self.layout] + stamp


def parse(content: bytes, name: str) -> StateFile:
    """Read a plex_state.json of any of its formats.

    Args:
        content: the file.
        name: for messages.

    Raises:
        StateError: not such a file; says what is wrong with it.

    >>> parse(b'{"7": 8.5}', "plex_state.json").layout
    'flat'
    """
    try:
        values = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise _unreadable(name, "it is not JSON, or was cut off") from error
    if not isinstance(values, dict):
        raise _unreadable(name, "it should begin with {")
    stamped = isinstance(values.get("ratings"), dict)
    raw = values["ratings"] if stamped else values
    entries: dict[int, Any] = {}
    for key, entry in raw.items():
        rating = _rating(entry)
        if not key.isdigit() or rating is None:
            raise _unreadable(name, f"the entry “{key[:40]}” is none of a rating")
        entries[int(key)] = entry
    layout: Layout = "stamped" if stamped else "flat"
    if not stamped and any(isinstance(entry, dict) for entry in entries.values()):
        layout = "pairs"
    return StateFile(
        name,
        layout,
        entries,
        str(values.get("version") or "") if stamped else "",
        str(values.get("library_uuid") or "") if stamped else "",
    )


def _unreadable(name: str, what: str) -> StateError:
    return StateError(
        f"{name} is not a state file of plex-rating-utils: {what}. Nothing was taken over. "
        "Give the plex_state.json that plex-rating-utils wrote, or use “plexsheet reconstruct”."
    )


def _rating(entry: Any) -> float | None:
    value = entry.get("r") if isinstance(entry, dict) else entry
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _is_manual(entry: Any) -> bool:
    return isinstance(entry, dict) and (bool(entry.get("m")) or entry.get("t") == 2)


def _is_twin(entry: Any) -> bool:
    return isinstance(entry, dict) and entry.get("t") == 1


@dataclass(frozen=True)
class TakeOver:
    """What a plex_state.json means for one library.

    Attributes:
        shadow: for each kind the entries of the shadow state to come.
        originals: the file's entries of those, by rating key.
        overrides, manual, orphans: entries not taken over: the rating in Plex differs;
            marked as the person's; not in this library.
    """

    shadow: Mapping[Kind, pd.DataFrame]
    originals: Mapping[int, Any] = field(default_factory=dict)
    overrides: Mapping[int, Any] = field(default_factory=dict)
    manual: Mapping[int, Any] = field(default_factory=dict)
    orphans: Mapping[int, Any] = field(default_factory=dict)

    @property
    def taken(self) -> int:
        """How many entries are taken over."""
        return len(self.originals)

    def counts(self) -> dict[str, int]:
        """How many entries went where."""
        return {
            "taken_over": self.taken,
            "overrides": len(self.overrides),
            "manual": len(self.manual),
            "orphans": len(self.orphans),
        }


def match(
    file: StateFile,
    library: Library,
    tagged: Mapping[str, Mapping[Kind, NDArray[np.int64]]] | None = None,
    *,
    now: float | None = None,
) -> TakeOver:
    """Compare a plex_state.json with a library as Plex holds it now.

    Args:
        file: as parsed.
        library: as read now.
        tagged: our moods, and the rating keys of each kind that carry them.
        now: epoch seconds of the entries to come.

    Raises:
        WrongLibrary: the file is stamped with another library.
    """
    if file.library_uuid and file.library_uuid != library.identity.section_uuid:
        raise WrongLibrary(
            f"{file.name} belongs to the library {file.library_uuid}; you are connected to "
            f"“{library.identity.title}” ({library.identity.section_uuid}). Nothing was taken "
            "over. Choose the right library with LIBRARY_NAME or --profile."
        )
    shadow: dict[Kind, pd.DataFrame] = {}
    left = dict(file.entries)
    sorted_out: dict[str, dict[int, Any]] = {"originals": {}, "overrides": {}, "manual": {}}
    for kind in KINDS:
        known = set(library.keys(kind).tolist())
        here = [key for key in left if key in known]
        shadow[kind] = _of_kind(kind, {key: left.pop(key) for key in here}, library, sorted_out)
        shadow[kind]["tags"] = _tags(shadow[kind]["key"].to_numpy(), kind, tagged or {})
        shadow[kind]["written_at"] = int(time.time() if now is None else now)
    return TakeOver(shadow, orphans=left, **sorted_out)


def _of_kind(
    kind: Kind, entries: Mapping[int, Any], library: Library, into: dict[str, dict[int, Any]]
) -> pd.DataFrame:
    """Entries of one kind sorted out; those that still stand as shadow entries."""
    keys = np.fromiter(entries, dtype=np.int64, count=len(entries))
    rows = rows_of(library.keys(kind), keys)
    ratings = library.ratings(kind)[rows]
    rated_at = library.table(kind)["last_rated_at"].to_numpy()[rows]
    taken = []
    for place, (key, entry) in enumerate(entries.items()):
        stands = abs(ratings[place] - (_rating(entry) or 0.0)) < STANDS_WITHIN
        where = "manual" if _is_manual(entry) else "originals" if stands else "overrides"
        into[where][key] = entry
        if where == "originals":
            taken.append(place)
    why = ["twin" if _is_twin(entries[int(keys[place])]) else "inferred" for place in taken]
    return pd.DataFrame(
        {
            "key": keys[taken],
            "value": ratings[taken],
            "last_rated_at": rated_at[taken],
            "run": np.zeros(len(taken), dtype=np.int64),
            "why": np.array(why, dtype=object),
        }
    )


def _tags(
    keys: NDArray[np.int64], kind: Kind, tagged: Mapping[str, Mapping[Kind, NDArray[np.int64]]]
) -> NDArray[Any]:
    tags = np.full(len(keys), "", dtype=object)
    for name, carriers in tagged.items():
        for row in np.flatnonzero(np.isin(keys, carriers[kind])):
            tags[row] = f"{tags[row]}\n{name}".strip()
    return tags


def remember(state: State, scope: int, found: TakeOver) -> None:
    """Put what was taken over into the state, and keep the rest for ``entries_of``."""
    kept = state.kv(scope, _KEPT, {"originals": {}, "rest": {}})
    rest = {**found.overrides, **found.manual, **found.orphans}
    kept["originals"] |= {str(key): entry for key, entry in found.originals.items()}
    kept["rest"] |= {str(key): entry for key, entry in rest.items()}
    with state.database.transaction():
        for kind in KINDS:
            state.put_shadow(scope, kind, found.shadow[kind])
        state.set_kv(scope, _KEPT, kept)


def decided(state: State, scope: int) -> bool:
    """Whether the person has taken a plex_state.json over into this library, or declined."""
    return state.kv(scope, _KEPT) is not None


def decline(state: State, scope: int) -> None:
    """Remember that the person did not want what a plex_state.json says."""
    state.set_kv(scope, _KEPT, {"originals": {}, "rest": {}})


def entries_of(state: State, scope: int) -> dict[int, dict[str, Any]]:
    """What plexsheet remembers of a library, as entries of a plex_state.json."""
    kept = state.kv(scope, _KEPT, {"originals": {}, "rest": {}})
    entries = {int(key): _full(entry) for key, entry in kept["rest"].items()}
    for kind in KINDS:
        shadow = state.shadow(scope, kind)
        for key, value, why in zip(shadow["key"], shadow["value"], shadow["why"], strict=True):
            original = kept["originals"].get(str(key))
            old = None if original is None else _rating(original)
            if old is not None and abs(old - value) < STANDS_WITHIN:
                entries[int(key)] = _full(original)
            else:
                twin = int(why == "twin")
                entries[int(key)] = {"r": round(float(value), 4), "t": twin, "m": False}
    return dict(sorted(entries.items()))


def _full(entry: Any) -> dict[str, Any]:
    """An entry of any format with all its parts."""
    parts = entry if isinstance(entry, dict) else {"r": entry}
    return {"t": 0, "m": False} | parts


def render(entries: Mapping[int, Mapping[str, Any]], library_uuid: str, layout: Layout) -> str:
    """Entries as the text of a plex_state.json.

    >>> json.loads(render({7: {"r": 8.5, "t": 0, "m": False}}, "u", "flat"))
    {'7': 8.5}
    """
    values: dict[str, Any]
    if layout == "flat":
        values = {str(key): entry["r"] for key, entry in entries.items()}
    elif layout == "pairs":
        values = {str(k): {"r": e["r"], "t": 2 if e["m"] else e["t"]} for k, e in entries.items()}
    else:
        ratings = {str(key): dict(entry) for key, entry in entries.items()}
        values = {"version": VERSION, "library_uuid": library_uuid, "ratings": ratings}
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def write(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        StateError: the folder cannot be written.
    """
    try:
        write_whole(path, text)
    except OSError as error:
        raise StateError(
            f"{path} cannot be written: {error.strerror}. Choose another folder."
        ) from error
