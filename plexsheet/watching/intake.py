"""From looks at the folder to jobs: what is new, settled, whole and not yet imported."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from plexsheet.watching.event_log import EventLog
from plexsheet.watching.folder import Copied, Folder, completeness, is_full
from plexsheet.watching.jobs import Job, Jobs
from plexsheet.watching.ledger import HandledFile, Ledger
from plexsheet.watching.stability import Look, Patience, Role, Stability, naming

MOST_CLAIMED = 20  # private copies at a time; thousands of files wait where they are
LATER_S = 5.0
OLD_S = 5.0


@dataclass
class FoundFiles:
    """What one look led to.

    Attributes:
        jobs: new, in the order to do them.
        news: a file was seen that the look before did not show.
        wake_at: when to look again even without an event, monotonic; None: no need.
        backlog: files that are ready and wait for room.
    """

    jobs: list[Job] = field(default_factory=list)
    news: bool = False
    wake_at: float | None = None
    backlog: int = 0


class Intake:
    """What turns files into jobs.

    Args:
        folder: the watched folder.
        ledger: what was handled before.
        jobs: where new jobs are kept.
        patience: how long is waited for what.
        log: where to say what holds a file up.
    """

    def __init__(
        self, folder: Folder, ledger: Ledger, jobs: Jobs, patience: Patience, log: EventLog
    ) -> None:
        self.folder = folder
        self.ledger = ledger
        self.jobs = jobs
        self.log = log
        self.stability = Stability(patience)
        self.open: tuple[str, ...] = ()
        self.unreadable: set[str] = set()

    def look(self, queued: Sequence[Job]) -> FoundFiles:
        """Look once, and take what is ready.

        Args:
            queued: jobs not finished; the file each was copied from is not taken again.
        """
        looks = self.folder.looks()
        claimed = {job.source: job.look for job in queued}
        wanted = {
            path: (role, look)
            for path, (role, look) in looks.items()
            if claimed.get(path) != look and not self._handled(path, role, look)
        }
        self._tell_aside()
        before = set(self.stability.waiting)
        now = time.monotonic()
        settled = self.stability.round(wanted, now)
        self._tell_open(wanted, settled.open)
        found = FoundFiles(news=not wanted.keys() <= before, wake_at=settled.wake_at)
        for path in settled.ready:
            if len(queued) + len(found.jobs) >= MOST_CLAIMED:
                found.backlog += 1
                continue
            job = self._claim(path, *wanted[path], now)
            if job is not None:
                found.jobs.append(job)
        return found

    def _handled(self, path: str, role: Role, look: Look) -> bool:
        """Whether a file that stays where it is is the one handled before.

        A result that nobody knows and that is older than the ledger was written before
        the ledger was lost: the person has not changed it since we look.
        """
        if role == "drop":
            return False
        if self.ledger.unchanged(path, look):
            return True
        if role == "result" and self.ledger.entry(path) is None:
            old = look.mtime_ns / 1e9 < self.ledger.born - OLD_S
            if old:
                self._record(path, look, "", "old")
            return old
        return False

    def _tell_aside(self) -> None:
        """Say once of each conflict copy and placeholder that it waits for the person."""
        for path, sentence in self.folder.aside.items():
            self.log.once(f"aside {path}", "aside", sentence, file=path)

    def _tell_open(self, wanted: dict[str, tuple[Role, Look]], crashed: Sequence[str]) -> None:
        waiting = []
        for path, (role, look) in wanted.items():
            if role != "drop" or look.lock_age_s is None:
                continue
            if look.lock_age_s < self.stability.patience.lock_s:
                waiting.append(path)
                self.log.once(
                    f"open {path}",
                    "open",
                    f"{path}: The file is still open in Excel or LibreOffice; waiting for it.",
                    code="F02",
                    file=path,
                )
        for path in crashed:
            self.log.say(
                "lock-ignored",
                f"{path}: its lock file is older than "
                f"{self.stability.patience.lock_s / 60:.0f} minutes; imported in spite of it.",
                code="F02",
                file=path,
            )
        self.open = tuple(waiting)

    def _claim(self, path: str, role: Role, look: Look, now: float) -> Job | None:
        try:
            claim = self.jobs.claim(self.folder.root / path, path, role)
            if claim is None:  # it changed while it was copied
                self.stability.taken(path)
                return None
            draft, copied = claim
            if self._waits_to_be_whole(path, draft, now):
                self.jobs.remove(draft)
                return None
            if role != "drop" and self.ledger.knows(copied.digest):
                self.jobs.remove(draft)
                self.stability.taken(path)
                self._record(path, copied.look, copied.digest, "imported")
                return None
            job = self.jobs.keep(draft)
        except FileNotFoundError:  # gone since the look
            self.stability.taken(path)
            return None
        except OSError as error:
            self._hold_up(path, error, now)
            return None
        self.log.over("disk")
        self.log.over(f"open {path}")
        self.log.over(f"unreadable {path}")
        self.unreadable.discard(path)
        self.stability.taken(path)
        return job

    def _waits_to_be_whole(self, path: str, draft: Job, now: float) -> bool:
        if naming(PurePath(path).name) == "foreign":
            return False
        state = completeness(self.jobs.copy(draft))
        if state == "whole":
            return False
        patience = self.stability.patience
        limit = patience.unfinished_s if state == "partial" else patience.unended_s
        return not self.stability.unfinished(path, now, limit)

    def _hold_up(self, path: str, error: OSError, now: float) -> None:
        if is_full(error):
            self.log.once(
                "disk",
                "disk-full",
                "There is no room left on the disk; files wait until there is.",
            )
        else:
            self.log.once(
                f"unreadable {path}",
                "unreadable",
                f"{path}: cannot be read yet ({error.strerror or error}); trying again.",
                file=path,
            )
        self.unreadable.add(path)
        self.stability.later(path, now + LATER_S)

    def _record(self, path: str, look: Look, digest: str, why: str) -> None:
        entry = HandledFile(path, look.size, look.mtime_ns, look.inode, digest, why)  # type: ignore[arg-type]
        try:
            # What is only seen, not done, is seen again after a crash.
            self.ledger.record(entry, at_once=why != "old")
        except OSError:  # kept in memory, written later
            return

    def imported(self, job: Job) -> None:
        """Remember the file of a finished job that stays where it is."""
        if job.role != "drop" and job.kind == "import":
            self._record(job.source, job.look, job.digest, "imported")

    def ours(self, path: str, copied: Copied) -> None:
        """Remember a file about to be put at ``path`` as written by plexsheet."""
        self._record(path, copied.look, copied.digest, "ours")
