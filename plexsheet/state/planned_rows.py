"""A plan written down row by row, on the disk before the first request leaves."""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from plexsheet.library import KIND_NUMBER, KINDS, rows_of
from plexsheet.plan.model import Plan
from plexsheet.state.journal import LOCAL
from plexsheet.state.runs import Origin, refuse_open_run
from plexsheet.state.store import State


def begin(
    state: State, scope: int, plan: Plan, origin: Origin | None = None, undoes: int = 0
) -> int:
    """Write a whole plan down, on the disk before this returns.

    Returns:
        The run's number.

    Raises:
        OpenRun: an earlier run is not settled.
        StateError: it cannot be written; nothing was.
    """
    refuse_open_run(state, scope)
    origin = origin or Origin()
    outcomes = zlib.compress(json.dumps([asdict(o) for o in plan.outcomes]).encode())
    with state.database.transaction() as db:
        cursor = db.execute(
            "INSERT INTO run (scope, kind, status, started, file, export, content_hash, undoes, "
            "notes, outcomes) VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?, ?)",
            (
                scope,
                plan.kind,
                time.time(),
                origin.file,
                origin.export_id,
                origin.content_hash,
                undoes or None,
                json.dumps(dict(plan.notes), default=str),
                outcomes,
            ),
        )
        run = int(cursor.lastrowid or 0)
        db.executemany(
            f"INSERT INTO journal (run, status, {_PLANNED}) VALUES (?, 'planned', {_MARKS})",  # noqa: S608
            ((run, *values) for values in _records(state, scope, plan.changes)),
        )
    return run


_PLANNED = (
    "ord, kind, key, field, before, after, before_text, after_text, reason, owner_after, why, "
    "tags_add, tags_remove, shares, title, sheet, row, shadow_value, shadow_at, shadow_why, "
    "shadow_tags, identity"
)


_MARKS = ", ".join("?" * len(_PLANNED.split(",")))


def _records(state: State, scope: int, table: pd.DataFrame) -> Iterator[tuple[Any, ...]]:
    """Rows of a plan in the order they are carried out, with our shadow entries."""
    shadow = _shadow_columns(state, scope, table)
    order = execution_order(table)
    text = table["before_text"].to_numpy(), table["after_text"].to_numpy()
    columns: list[Iterable[Any]] = [
        range(len(table)),
        (KIND_NUMBER[kind] for kind in table["kind"].to_numpy()[order]),
        table["key"].to_numpy()[order].tolist(),
        table["field"].to_numpy()[order],
        _nullable(table["before"].to_numpy()[order]),
        _nullable(table["after"].to_numpy()[order]),
        *((value or None for value in values[order]) for values in text),
        table["reason"].to_numpy()[order],
        table["owner_after"].to_numpy()[order],
        (value or None for value in table["why"].to_numpy()[order]),
        *(
            ("\n".join(value) or None for value in table[name].to_numpy()[order])
            for name in ("tags_add", "tags_remove")
        ),
        (value or None for value in table["shares"].to_numpy()[order].tolist()),
        table["title"].to_numpy()[order],
        (value or None for value in table["sheet"].to_numpy()[order]),
        (value or None for value in table["row"].to_numpy()[order].tolist()),
        *(column[order].tolist() for column in shadow),
        _identities(state, scope, table)[order].tolist(),
    ]
    return zip(*columns, strict=True)


def _shadow_columns(state: State, scope: int, table: pd.DataFrame) -> list[Any]:
    """Value, time, why and tags of our entry for each row of a plan; None without one."""
    columns = [np.full(len(table), None, dtype=object) for _ in range(4)]
    kinds = table["kind"].to_numpy()
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if not len(rows):
            continue
        entries = state.shadow(scope, kind)
        found = rows_of(entries["key"].to_numpy(), table["key"].to_numpy()[rows])
        here, rows = found[found >= 0], rows[found >= 0]
        for column, name in zip(columns, ("value", "last_rated_at", "why", "tags"), strict=True):
            column[rows] = entries[name].to_numpy()[here].astype(object)
    return columns


def _identities(state: State, scope: int, table: pd.DataFrame) -> Any:
    """What the item of each row of a plan is called, by its number."""
    numbers = np.zeros(len(table), dtype=np.int64)
    kinds = table["kind"].to_numpy()
    for kind in KINDS:
        rows = np.flatnonzero(kinds == kind)
        if len(rows):
            keys = table["key"].to_numpy()[rows]
            numbers[rows] = state.identities(scope, kind).latest(keys)
    return numbers


def execution_order(table: pd.DataFrame) -> Any:
    """Row numbers of a plan in the order of writing.

    Decisions first; then artists, albums, tracks, with equal changes side by side so that
    few requests carry them; last those that share a rating with a row already written.
    """
    if not len(table):
        return np.empty(0, dtype=np.intp)
    tags = [pd.factorize(_joined(table[name]))[0] for name in ("tags_remove", "tags_add")]
    local = np.isin(table["field"].to_numpy().astype(str), LOCAL)
    part = np.where(local, 0, np.where(table["shares"].to_numpy() > 0, 2, 1))
    kinds = np.array([KIND_NUMBER[kind] for kind in table["kind"].to_numpy()])
    fields = pd.factorize(table["field"])[0]
    texts = pd.factorize(table["after_text"])[0]
    after = table["after"].to_numpy()
    key = table["key"].to_numpy()
    return np.lexsort((key, *tags, texts, after, fields, kinds, part))


def _joined(column: pd.Series[Any]) -> Any:
    joined = np.empty(len(column), dtype=object)
    joined[:] = ["\n".join(tags) for tags in column.to_numpy()]
    return joined


def _nullable(values: Any) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]
