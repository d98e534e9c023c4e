"""What a server tells beside its items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from plexsheet.library import Kind


@dataclass(frozen=True)
class Changes:
    """What an incremental read sees: rated, changed and new items; never cleared ratings.

    Attributes:
        tables: for each kind the items changed since, with the columns of the schema.
        totals: for each kind how many items the library holds now.
        read_at: epoch seconds by the server's clock when reading began.
    """

    tables: Mapping[Kind, pd.DataFrame]
    totals: Mapping[Kind, int]
    read_at: int


@dataclass(frozen=True)
class Activity:
    """Something the server is busy with: a scan, a refresh."""

    title: str
    subtitle: str
    type: str
    percent: int
