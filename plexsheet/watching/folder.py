"""The watched folder on disk: looks, private copies, names, moves."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time
import zipfile
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from plexsheet.watching.stability import FOLDERS, Look, Role, lock_names, naming, role_of
from plexsheet.watching.sync_names import conflict_copy_of, placeholder_of

OWN = ".plexsheet-watch"  # lock, ledger, status
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
CHUNK = 1 << 20
CONFLICT_COPY = (
    "{name}: a conflict copy of {other}, made because two computers saved it. It is not imported "
    "by itself. To see what differs: plexsheet diff; to import it: plexsheet import, or give it a "
    "name of its own."
)
PLACEHOLDER = (
    "{name}: only a placeholder is here, the file itself is in iCloud. It is imported once it is "
    "downloaded: open it, or choose Download Now in the Finder."
)
ARCHIVE = b"PK\3\4"  # how a zip archive begins, and with it .xlsx and .ods


def is_full(error: OSError) -> bool:
    """Whether an error says that there is no room left on the disk."""
    return error.errno in FULL


@dataclass(frozen=True)
class Copied:
    """A private copy, and the file it was made of as it was then.

    Attributes:
        digest: SHA-256 of the content, in hex.
    """

    look: Look
    digest: str


class Folder:
    """A watched folder.

    Args:
        root: the folder; it and its five folders are made by ``prepare``.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.inbox, self.working, self.done, self.failed, self.results = (
            root / name for name in FOLDERS
        )
        self.own = root / OWN
        self.aside: dict[str, str] = {}  # found at the last look: path, sentence why it waits

    def prepare(self) -> None:
        """Make what is missing.

        Raises:
            OSError: it cannot be made.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.restore()

    def restore(self) -> None:
        """Make the folders inside again; the root itself is the person's to bring back.

        Raises:
            OSError: the root is gone, or nothing can be written in it.
        """
        for path in (self.inbox, self.working, self.done, self.failed, self.results, self.own):
            with contextlib.suppress(FileExistsError):
                path.mkdir()

    def identity(self) -> tuple[int, int] | None:
        """Which folder this is on disk; another value after it was removed and made again."""
        try:
            found = self.root.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def relative(self, path: Path) -> str:
        """A path as it is shown and recorded: relative, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def looks(self) -> dict[str, tuple[Role, Look]]:
        """One look at every file that may want to be imported, by relative path.

        What a synchroniser left beside them is kept in ``aside``.
        """
        self.aside = {}
        return dict(self._looks(self.root, PurePath(), time.time()))

    def _looks(
        self, folder: Path, relative: PurePath, now: float
    ) -> Iterator[tuple[str, tuple[Role, Look]]]:
        try:
            with os.scandir(folder) as listing:
                entries = {entry.name: entry for entry in listing}
        except OSError:  # removed, or not readable, between two looks
            return
        for name, entry in entries.items():
            path = relative / name
            role = role_of(path if relative.parts else PurePath(name))
            try:
                if entry.is_dir(follow_symlinks=False):
                    if _entered(path):
                        yield from self._looks(folder / name, path, now)
                elif self._put_aside(path, entries):
                    continue
                elif role and _wanted(role, name):
                    look = _look(entry, entries, now)
                    if look is not None:
                        yield path.as_posix(), (role, look)
            except OSError:
                continue

    def _put_aside(self, path: PurePath, siblings: Container[str]) -> bool:
        """Whether a file is a conflict copy or a placeholder, which waits for the person."""
        real = placeholder_of(path.name) or path.name
        if role_of(path.with_name(real)) is None or naming(real) != "workbook":
            return False
        other = conflict_copy_of(path.name, siblings)
        if other:
            self.aside[path.as_posix()] = CONFLICT_COPY.format(name=path.as_posix(), other=other)
        elif real != path.name:
            self.aside[path.as_posix()] = PLACEHOLDER.format(name=path.with_name(real).as_posix())
        return path.as_posix() in self.aside

    def look(self, path: str) -> Look | None:
        """One file as it is now, without its lock."""
        return look_at(self.root / path)

    def is_open(self, path: Path) -> bool:
        """Whether a lock beside a file says that an editor has it open."""
        return any((path.parent / name).exists() for name in lock_names(path.name))

    def free_name(self, folder: Path, name: str, *, stamp: str = "") -> Path:
        """A name in a folder that is not taken, with the time stamp before it."""
        wanted = f"{stamp} {name}".strip()
        stem, suffix = PurePath(wanted).stem, PurePath(wanted).suffix
        # Room for the stamp, a count and ".txt" within the 255 bytes of a file name.
        stem = cut(stem, 200)
        candidates = (
            folder / (f"{stem}{suffix}" if count < 2 else f"{stem} ({count}){suffix}")
            for count in range(1, 100_000)
        )
        return next(path for path in candidates if not os.path.lexists(path))


def cut(text: str, limit: int) -> str:
    """A text cut to so many bytes of UTF-8.

    >>> cut("aéb", 2), cut("aéb", 3)
    ('a', 'aé')
    """
    return text.encode("utf-8", "surrogateescape")[:limit].decode("utf-8", "ignore")


def _entered(path: PurePath) -> bool:
    if path.name.startswith("."):
        return False
    return len(path.parts) > 1 or path.name not in ("working", "done", "failed")


def _wanted(role: Role, name: str) -> bool:
    kind = naming(name)
    return kind == "workbook" or (kind == "foreign" and role == "drop")


def _look(
    entry: os.DirEntry[str], siblings: dict[str, os.DirEntry[str]], now: float
) -> Look | None:
    found = Path(entry.path).stat()  # on Windows a listing has no inodes, and old sizes
    if not stat.S_ISREG(found.st_mode) or found.st_size == 0:
        return None
    ages = [
        now - siblings[lock].stat(follow_symlinks=False).st_mtime
        for lock in lock_names(entry.name)
        if lock in siblings
    ]
    return Look(found.st_size, found.st_mtime_ns, found.st_ino, min(ages, default=None))


def look_at(path: Path) -> Look | None:
    """One regular file as it is now; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Look(found.st_size, found.st_mtime_ns, found.st_ino)


def private_copy(source: Path, target: Path) -> Copied | None:
    """Copy a file to read it in peace; None when it changed meanwhile.

    Raises:
        OSError: it cannot be read, or there is no room for the copy.
    """
    digest = hashlib.sha256()
    # O_NONBLOCK: a pipe put there since the look must not hold the watcher up.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(source, flags), "rb") as reading:  # noqa: PTH123 - flags above
        before = os.fstat(reading.fileno())
        if not stat.S_ISREG(before.st_mode):
            return None
        size = 0
        with target.open("wb") as writing:
            while block := reading.read(CHUNK):
                digest.update(block)
                writing.write(block)
                size += len(block)
            writing.flush()
            os.fsync(writing.fileno())
        after = os.fstat(reading.fileno())
    look = Look(before.st_size, before.st_mtime_ns, before.st_ino)
    same = (after.st_size, after.st_mtime_ns) == (look.size, look.mtime_ns)
    if not same or size != look.size or look_at(source) != look:
        return None
    return Copied(look, digest.hexdigest())


def completeness(path: Path) -> str:
    """Whether a copy is whole: ``whole``, ``partial`` or ``unended``.

    A zip archive ends with its directory, so one that was cut off has none.  What does
    not begin as a zip archive is not waited for: the reader says what is wrong with it.
    A text file without an end to its last line may still be growing.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if path.suffix.lower() == ".csv":
            file.seek(-1, os.SEEK_END)
            return "whole" if file.read(1) in b"\r\n\0" else "unended"
        if start != ARCHIVE:
            # Written byte by byte; or the size was set first, the content comes later.
            return "partial" if ARCHIVE.startswith(start) or not any(start) else "whole"
        try:
            with zipfile.ZipFile(file):
                return "whole"
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            return "partial"


def move(source: Path, target: Path) -> None:
    """Move a file, over a border between file systems if need be.

    Raises:
        OSError: it could not be moved; the source is still there.
    """
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        draft = target.with_name(f".{target.name}.tmp")
        try:
            shutil.copy2(source, draft)
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
        source.unlink()


def put_away(source: Path, expected: Look, copy: Path, target: Path) -> bool:
    """Move a dropped file away, byte for byte, unless a newer save has taken its place.

    Then the newer one stays to be imported next, and the private copy, which is what was
    imported, goes to ``target`` instead.

    Returns:
        Whether the dropped file itself was moved.

    Raises:
        OSError: neither could be moved.
    """
    if target.exists():  # done before an interruption
        return True
    if look_at(source) == expected:
        move(source, target)
        found = look_at(target)
        if found is None or (found.size, found.mtime_ns) == (expected.size, expected.mtime_ns):
            return True
        # A save slipped in between the look and the move: give it back.
        if not source.exists():
            move(target, source)
        else:
            move(target, target.with_name(f"{target.stem} (overtaken){target.suffix}"))
    move(copy, target)
    return False


def remove_all(paths: Iterable[Path]) -> None:
    """Remove folders and files of our own; what cannot be removed now is left for later."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def now_stamp(when: float | None = None) -> str:
    """A time stamp for names: local time, to the second.

    >>> len(now_stamp())
    17
    """
    return time.strftime("%Y-%m-%d %H%M%S", time.localtime(when))
