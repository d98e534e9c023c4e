"""The letters that spreadsheet programs give to columns (pure)."""

from __future__ import annotations


def letters_of(column: int) -> str:
    """Letters of a column counted from 0.

    >>> letters_of(0), letters_of(27)
    ('A', 'AB')
    """
    letters = ""
    column += 1
    while column:
        column, place = divmod(column - 1, 26)
        letters = chr(65 + place) + letters
    return letters
