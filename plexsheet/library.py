"""A music library as columns (pure).

Three pandas DataFrames, one row per artist, album and track, with a schema that
is checked once at the door.  Arithmetic runs on the numpy arrays inside; nothing
here reads Plex, a file or the clock.

Unknown is one thing per type: NaN for ratings, 0 for integers and times (Plex's
ids, years, track numbers and epochs all begin at 1), ``""`` for text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["artist", "album", "track"]
KINDS: tuple[Kind, Kind, Kind] = ("artist", "album", "track")
KIND_NUMBER: Mapping[Kind, int] = {"artist": 0, "album": 1, "track": 2}  # in the state file

SHARING = "plex://"  # guids of Plex's own catalogue; tracks with one of these share a rating
INT, FLOAT, TEXT = "int64", "float64", "object"

COMMON = {
    "key": INT,  # rating key
    "guid": TEXT,  # plex://track/…, local://…, or an agent's own
    "title": TEXT,
    "sort_title": TEXT,  # equal to title where Plex sends none
    "user_rating": FLOAT,  # 0-10, NaN unrated
    "last_rated_at": INT,  # epoch seconds, 0 never
    "view_count": INT,
    "skip_count": INT,
    "last_viewed_at": INT,
    "added_at": INT,
    "updated_at": INT,
}
SCHEMA: Mapping[Kind, Mapping[str, str]] = {
    "artist": COMMON | {"genres": TEXT},  # "; " between genres
    "album": COMMON
    | {
        "artist_key": INT,
        "artist": TEXT,  # title of the album artist
        "year": INT,
        "released": TEXT,  # YYYY-MM-DD, "" unknown
        "critic_rating": FLOAT,  # 0-10, NaN unknown
        "genres": TEXT,
        "format": TEXT,  # "Album", "EP", "Single", "" unknown
        "subformat": TEXT,  # "Live", "Compilation", … "; " between several
        "studio": TEXT,
    },
    "track": COMMON
    | {
        "album_key": INT,
        "artist_key": INT,  # the album artist
        "album": TEXT,
        "artist": TEXT,  # title of the album artist
        "track_artist": TEXT,  # "" where it is the album artist
        "disc": INT,
        "index": INT,  # track number
        "year": INT,  # of the album
        "duration_ms": INT,
        "rating_count": INT,  # listeners, a popularity; not a rating
    },
}


def page_address(server_id: str) -> str:
    """Web address of an item's page in Plex but for its key, which comes last; no token in it.

    ``""`` where the server is unknown.

    >>> page_address("srv 1") + "12"
    'https://app.plex.tv/desktop/#!/server/srv%201/details?key=%2Flibrary%2Fmetadata%2F12'
    """
    if not server_id:
        return ""
    server, items = quote(server_id, safe=""), quote("/library/metadata/", safe="")
    return f"https://app.plex.tv/desktop/#!/server/{server}/details?key={items}"


@dataclass(frozen=True)
class Identity:
    """Which library, on which server, seen by whom."""

    server_id: str
    server_name: str
    section_uuid: str
    section_id: int
    title: str
    account_id: str
    account: str
    server_version: str = ""
    owner: bool = True

    @property
    def scope(self) -> tuple[str, str, str]:
        """What state is kept under: server id, section UUID, account id."""
        return (self.server_id, self.section_uuid, self.account_id)


@dataclass(frozen=True)
class Library:
    """All artists, albums and tracks of one music library, as read at one time.

    Attributes:
        identity: the library's server, section and account.
        artists, albums, tracks: tables with the columns of ``SCHEMA``, unique ``key``,
            a RangeIndex, in Plex's id order.
        read_at: epoch seconds by the server's clock when reading began.
    """

    identity: Identity
    artists: pd.DataFrame
    albums: pd.DataFrame
    tracks: pd.DataFrame
    read_at: int = 0

    def table(self, kind: Kind) -> pd.DataFrame:
        """The table of a kind."""
        return {"artist": self.artists, "album": self.albums, "track": self.tracks}[kind]

    def keys(self, kind: Kind) -> NDArray[np.int64]:
        """Rating keys of a kind, shape (items,)."""
        return self.table(kind)["key"].to_numpy()

    def ratings(self, kind: Kind) -> NDArray[np.float64]:
        """User ratings of a kind as Plex holds them, shape (items,), 0-10, NaN unrated."""
        return self.table(kind)["user_rating"].to_numpy()


def table(kind: Kind, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A table of ``SCHEMA[kind]`` from columns, missing ones filled with *unknown*.

    Args:
        kind: which schema.
        columns: name to values, all of one length; ``key`` is required.

    Raises:
        ValueError: a column is not of the schema, or keys are not unique.

    >>> table("artist", {"key": [1], "title": ["Nina"]}).loc[0, "sort_title"]
    'Nina'
    """
    schema = SCHEMA[kind]
    unknown = set(columns) - set(schema)
    if unknown:
        raise ValueError(f"not columns of {kind}: {sorted(unknown)}")
    rows = len(columns["key"])
    filled = {"sort_title": columns.get("title", [""] * rows)} | dict(columns)
    arrays = {name: _array(filled.get(name), dtype, rows) for name, dtype in schema.items()}
    if not unique(arrays["key"]):
        raise ValueError(f"keys of {kind} are not unique")
    return pd.DataFrame(arrays, copy=False)


def unique(keys: NDArray[np.int64]) -> bool:
    """Whether no key is there twice; at once where they ascend, as Plex lists them.

    >>> unique(np.array([3, 4, 9])), unique(np.array([9, 3, 9]))
    (True, False)
    """
    return bool((keys[1:] > keys[:-1]).all()) or len(np.unique(keys)) == len(keys)


def _array(values: Any, dtype: str, rows: int) -> NDArray[Any]:
    if values is None:
        return np.full(rows, {INT: 0, FLOAT: np.nan, TEXT: ""}[dtype], dtype=dtype)
    array = np.empty(rows, dtype=object) if dtype == TEXT else np.asarray(values, dtype=dtype)
    if dtype == TEXT:
        array[:] = values
    return array


def rows_of(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.intp]:
    """Row of each wanted key among unique ``keys``; -1 where it is not there.

    Args:
        keys: shape (items,), unique, any order.
        wanted: shape (n,), any values.

    Returns:
        Shape (n,).

    >>> rows_of(np.array([7, 3, 9]), np.array([9, 4])).tolist()
    [2, -1]
    """
    if len(keys) == 0:
        return np.full(len(wanted), -1, dtype=np.intp)
    order = np.argsort(keys, kind="stable")
    place = np.clip(np.searchsorted(keys, wanted, sorter=order), 0, len(keys) - 1)
    row = order[place]
    return np.where(keys[row] == wanted, row, -1).astype(np.intp)
