"""Names that synchronisers give: conflict copies and placeholders (pure).

Two computers that save one file leave two files: Dropbox, Nextcloud, Seafile and others name
the second "(… conflicted copy …)" in the person's language, Syncthing ".sync-conflict-…",
OneDrive "-COMPUTER".  Which of them holds the person's edits, nobody but they can tell.
"""

from __future__ import annotations

import re
from collections.abc import Container
from pathlib import PurePath

_WORD = r"(?:conflict|conflit|conflicto|conflitto|conflito|konflikt|競合)"
_PATTERNS = (
    re.compile(rf"(?P<of>.+?) ?[(\[][^)\]]*{_WORD}[^)\]]*[)\]](?: ?\(\d+\))?", re.IGNORECASE),
    re.compile(r"(?P<of>.+?)\.sync-conflict-\d{8}-\d{6}(?:-\w+)?", re.IGNORECASE),
    re.compile(rf"(?P<of>.+?)[._-]{_WORD}[._-]\d[\w-]*", re.IGNORECASE),  # ownCloud
    re.compile(
        rf"(?P<of>.+?)_[^_]+_\w{{3}}-\d\d-\d{{6}}-\d{{4}}_{_WORD}", re.IGNORECASE
    ),  # Synology
    re.compile(r"(?P<of>.+?)-(?:DESKTOP|LAPTOP|WIN)-[0-9A-Z]{6,}(?:-\d+)?"),
)
# A computer's name as Windows and macOS give it; a copy only where the other file is there too.
_COMPUTER = re.compile(
    r"(?P<of>.+?)-(?:(?=[^-]*[A-Z])[0-9A-Z][0-9A-Z-]{2,14}|[^-]*(?:MacBook|iMac|Mac)[^-]*)(?:-\d+)?"
)
_ICLOUD = re.compile(r"\.(?P<of>.+)\.icloud")


def conflict_copy_of(name: str, siblings: Container[str] = ()) -> str:
    """The file that a conflict copy is a copy of; ``""`` where the name is not one's.

    >>> conflict_copy_of("music (Anna's conflicted copy 2026-11-28).xlsx")
    'music.xlsx'
    >>> conflict_copy_of("music-ATTIC.xlsx"), conflict_copy_of("music-ATTIC.xlsx", {"music.xlsx"})
    ('', 'music.xlsx')
    """
    path = PurePath(name)
    for pattern in _PATTERNS:
        found = pattern.fullmatch(path.stem)
        if found:
            return f"{found['of']}{path.suffix}"
    found = _COMPUTER.fullmatch(path.stem)
    other = f"{found['of']}{path.suffix}" if found else ""
    return other if other and other in siblings else ""


def placeholder_of(name: str) -> str:
    """The file that a placeholder of iCloud stands for; ``""`` where the name is not one's.

    >>> placeholder_of(".music.xlsx.icloud"), placeholder_of("music.xlsx")
    ('music.xlsx', '')
    """
    found = _ICLOUD.fullmatch(name)
    return found["of"] if found else ""
