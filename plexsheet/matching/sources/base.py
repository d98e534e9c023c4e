"""What every source offers, and what it raises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from plexsheet.matching.rows import ListOptions, ListRow

HEAD_BYTES = 65_536


class UnreadableList(Exception):
    """A list that cannot be read; says why, to follow “because”."""


class Unsaid(Exception):
    """A list that does not say something the person must: a whole sentence of what to type."""


@dataclass(frozen=True)
class Head:
    """The beginning of a file.

    Attributes:
        path: of the file or folder.
        data: its first bytes, ``b""`` for a folder.
        text: the same as lower-case text, as far as it is text.
    """

    path: Path
    data: bytes
    text: str


@dataclass(frozen=True)
class ListSource:
    """One format.

    Attributes:
        name: as ``--from`` takes it.
        label: as people call it.
        recognises: whether a file is of it, by its content.
        read: its rows.
    """

    name: str
    label: str
    recognises: Callable[[Head], bool]
    read: Callable[[Path, ListOptions], Iterable[ListRow]]


def head_of(path: Path) -> Head:
    """The beginning of a file, for recognising it.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        return Head(path, b"", "")
    with path.open("rb") as file:
        data = file.read(HEAD_BYTES)
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16" if wide else "utf-8", "ignore").lstrip("\ufeff")
    return Head(path, data, text.lower())
