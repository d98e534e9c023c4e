"""Which file is ready to be imported, from looks at it over time (pure).

Editors write a workbook in many ways: a temporary file renamed over the old one
(LibreOffice, Excel), byte by byte in place (network shares, LibreOffice across file
systems), with locks that come and go inside one save.  None of it matters here: a file
is ready when two looks, a settling time apart, show the same file.  Whether its content
is complete is asked of the content afterwards (``unfinished``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal

WORKBOOKS = frozenset({".xlsx", ".xlsm", ".ods", ".csv"})
# Half-made files of editors, browsers and synchronisers; they end under another name.
TEMPORARY = frozenset(
    {".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".osl-tmp", ".swp", ".lock"}
)
FOLDERS = ("inbox", "working", "done", "failed", "results")

Role = Literal["drop", "edit", "result"]
Naming = Literal["workbook", "foreign", "ignored"]


def role_of(path: PurePath) -> Role | None:
    """What a file at this path, relative to the watched folder, is there for.

    ``drop`` moves away when it is imported, ``edit`` stays where it is, ``result`` was
    written by plexsheet and is of interest once the person changed it, None is nobody's
    business.

    >>> role_of(PurePath("inbox/a.xlsx")), role_of(PurePath("2026/a.xlsx"))
    ('drop', 'edit')
    >>> role_of(PurePath("done/a.xlsx")) is None
    True
    """
    if any(part.startswith(".") for part in path.parts):
        return None
    top = path.parts[0] if len(path.parts) > 1 else ""
    if top == "inbox":
        return "drop"
    if top == "results":
        return "result"
    return None if top in FOLDERS else "edit"


def naming(name: str) -> Naming:
    """Whether a name is a workbook's, something else's, or to be ignored.

    Names without a suffix are Excel's temporary files.

    >>> naming("a.XLSX"), naming("a.pdf"), naming("~$a.xlsx"), naming("4B2F1000")
    ('workbook', 'foreign', 'ignored', 'ignored')
    """
    suffix = PurePath(name).suffix.lower()
    if name.startswith((".", "~$")) or name.endswith(("~", "#")):
        return "ignored"
    if not suffix or suffix in TEMPORARY:
        return "ignored"
    return "workbook" if suffix in WORKBOOKS else "foreign"


def lock_names(name: str) -> tuple[str, str]:
    """The lock files of Excel and LibreOffice beside an open workbook.

    >>> lock_names("a.xlsx")
    ('~$a.xlsx', '.~lock.a.xlsx#')
    """
    return f"~${name}", f".~lock.{name}#"


@dataclass(frozen=True)
class Look:
    """A file as one look found it.

    Attributes:
        size: bytes.
        mtime_ns: last change of the content.
        inode: which file it is; another one after a rename over it.
        lock_age_s: age of the lock beside it; None where there is none.
    """

    size: int
    mtime_ns: int
    inode: int
    lock_age_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds.

    Who sets a longer settling time has slow shares or slow hands: the rest grows with it.

    Attributes:
        settle_s: the same at two looks this far apart is settled.
        lock_s: a lock older than this was left by a crash; it is told once, then ignored.
    """

    settle_s: float = 2.0
    lock_s: float = 600.0

    @property
    def unfinished_s(self) -> float:
        """An incomplete file that no longer changes is taken as broken after this."""
        return max(10.0, 30 * self.settle_s)

    @property
    def unended_s(self) -> float:
        """The same for a text file without an end to its last line."""
        return max(2.0, 5 * self.settle_s)

    @property
    def refresh_s(self) -> float:
        """From the last import to a fresh workbook: ten saves in one sitting make one."""
        return 7.5 * self.settle_s


@dataclass
class Waiting:
    """One file that is not ready yet."""

    look: Look
    steady_since: float
    not_before: float
    locked: bool = False
    told_lock: bool = False


@dataclass(frozen=True)
class StableFiles:
    """What one round of looks tells.

    Attributes:
        ready: files to take, those changed longest ago first.
        open: files told once to be open in an editor, or locked by one that crashed.
        wake_at: when to look again even if nothing happens; None: no need.
    """

    ready: tuple[str, ...]
    open: tuple[str, ...]
    wake_at: float | None


class Stability:
    """All files that are not ready yet.  Times are seconds of any steady clock."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self.waiting: dict[str, Waiting] = {}

    def round(self, looks: Mapping[str, tuple[Role, Look]], now: float) -> StableFiles:
        """Take one look at every candidate; files not looked at are forgotten.

        A drop waits while its lock is there (the lock goes and comes within one save, so
        it starts the wait anew); a file edited in place is read at each completed save.
        """
        for gone in self.waiting.keys() - looks.keys():
            del self.waiting[gone]
        ready: list[str] = []
        told: list[str] = []
        times: list[float] = []
        for path, (role, look) in looks.items():
            entry = self._noted(path, look, now)
            if role == "drop" and look.lock_age_s is not None:
                if look.lock_age_s < self.patience.lock_s:
                    entry.locked = True
                    continue
                if not entry.told_lock:
                    entry.told_lock = True
                    told.append(path)
            elif entry.locked:
                entry.locked, entry.steady_since = False, now
            due = max(entry.steady_since + self.patience.settle_s, entry.not_before)
            if now >= due:
                ready.append(path)
            else:
                times.append(due)
        ready.sort(key=lambda path: (looks[path][1].mtime_ns, path))
        return StableFiles(tuple(ready), tuple(told), min(times, default=None))

    def _noted(self, path: str, look: Look, now: float) -> Waiting:
        entry = self.waiting.get(path)
        if entry is None:
            entry = self.waiting[path] = Waiting(look, now, now)
        elif entry.look != look:
            entry.look, entry.steady_since, entry.not_before = look, now, now
        return entry

    def unfinished(self, path: str, now: float, limit_s: float) -> bool:
        """A ready file turned out incomplete: wait on, or give up after ``limit_s`` unchanged.

        Returns:
            True when it has been waited for long enough.
        """
        entry = self.waiting[path]
        if now - entry.steady_since >= limit_s:
            return True
        entry.not_before = min(now + self.patience.settle_s, entry.steady_since + limit_s)
        return False

    def later(self, path: str, when: float) -> None:
        """Leave a ready file alone until ``when``: it cannot be read or taken now."""
        if path in self.waiting:
            self.waiting[path].not_before = when

    def taken(self, path: str) -> None:
        """Forget a file: it was taken."""
        self.waiting.pop(path, None)


def pause_s(failures: int, *, first: float = 5.0, longest: float = 300.0) -> float:
    """How long to wait after so many failures in a row: doubling, up to five minutes.

    >>> [pause_s(n) for n in (1, 2, 3, 10)]
    [5.0, 10.0, 20.0, 300.0]
    """
    return min(longest, first * 2.0 ** min(failures - 1, 30))
