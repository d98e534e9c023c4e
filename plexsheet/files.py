"""Files: written whole or not at all, under names that are free."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import IO

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d{6} )+")
_OURS = re.compile(r"( (result|refreshed)( \d{4}-\d\d-\d\d \d{6})?( \(\d+\))?)+$")


def own_stem(name: str) -> str:
    """A file's name as the person gave it, without what earlier results added to it.

    >>> own_stem("2026-11-22 113105 music result.xlsx"), own_stem("music.ods")
    ('music', 'music')
    """
    stem = _STAMP.sub("", PurePath(name).stem)
    return _OURS.sub("", stem) or stem


def free_name(path: Path) -> Path:
    """The path, or the first of "name (2)", "name (3)" ... that is not taken."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """A file that takes ``path``'s place when the block ends well, and else leaves no trace.

    The folder is not made: one that was taken away must not come back.

    Args:
        path: what is replaced, or made.
        private: only this user may read it.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    handle, name = tempfile.mkstemp(prefix=".plexsheet-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not private:
            Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def write_whole(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text so that another process sees the old one or the new one, never a part.

    Raises:
        OSError: it could not be written; the old file is as it was.
    """
    with replacing(path, private=private) as file:
        file.write(text.encode("utf-8"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
