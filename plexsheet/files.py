"""Names of workbook files."""

from __future__ import annotations

import re
from pathlib import PurePath

_STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d{6} )+")
_OURS = re.compile(r"( (result|refreshed)( \d{4}-\d\d-\d\d \d{6})?( \(\d+\))?)+$")


def own_stem(name: str) -> str:
    """A file's name as the person gave it, without what earlier results added to it.

    >>> own_stem("2026-11-22 113105 music result.xlsx"), own_stem("music.ods")
    ('music', 'music')
    """
    stem = _STAMP.sub("", PurePath(name).stem)
    return _OURS.sub("", stem) or stem
