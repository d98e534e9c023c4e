"""Workbook files: their names, and by what a file is known again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePath

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d{6} )+")
_OURS = re.compile(r"( (result|refreshed)( \d{4}-\d\d-\d\d \d{6})?( \(\d+\))?)+$")


def own_stem(name: str) -> str:
    """A file's name as the person gave it, without what earlier results added to it.

    >>> own_stem("2026-11-22 113105 music result.xlsx"), own_stem("music.ods")
    ('music', 'music')
    """
    stem = _STAMP.sub("", PurePath(name).stem)
    return _OURS.sub("", stem) or stem


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hex.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
