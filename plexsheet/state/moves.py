"""Rows about items that have other keys now."""

from __future__ import annotations

from typing import Any

from plexsheet.library import Kind


def tables_about(kind: Kind) -> list[tuple[str, str]]:
    """The tables whose rows belong to items of a kind, and which of their rows do."""
    every = "scope = ?1 AND kind = ?2"
    tables = [("shadow", every), ("excluded", every), ("event", every)]
    if kind == "track":  # of tracks alone: no column for the kind
        tables.append(("twin_decision", "scope = ?1 AND ?2 = ?2"))
    return tables


def follow_moves(db: Any, table: str, where: str, values: tuple[int, int]) -> None:
    """Give the rows of a table the keys their items have now.

    Rows first go to keys nobody has, so that none is in the way of another.
    """
    of_row = f"moved.key = {table}.key AND moved.identity = {table}.identity"
    moving = f"{where} AND EXISTS (SELECT 1 FROM moved WHERE {of_row})"  # noqa: S608
    apart = -(2**62)
    db.execute(
        f"UPDATE OR REPLACE {table} SET (key, identity) = (SELECT {apart} + new_key, now "  # noqa: S608
        f"FROM moved WHERE {of_row}) WHERE {moving}",
        values,
    )
    db.execute(
        f"UPDATE OR REPLACE {table} SET key = key - {apart} "  # noqa: S608
        f"WHERE {where} AND key < {apart // 2}",
        values,
    )
