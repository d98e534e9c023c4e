"""The watcher: one loop that looks, takes, hands over, delivers and says so.

Everything happens in this one thread; others only wake it.  It survives what lasts:
Plex or the disk away, the folder gone, a worker dead.  What waits is in ``working/``.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from plexsheet.errors import worst
from plexsheet.watching.change_events import GATHER_S, ChangeEvents
from plexsheet.watching.choices import MOST_STARTS, NEVER_ENDS, NOT_A_WORKBOOK, Choices
from plexsheet.watching.delivery import BAD, Delivery
from plexsheet.watching.event_log import EventLog, sentence
from plexsheet.watching.folder import Folder, is_full
from plexsheet.watching.intake import Intake
from plexsheet.watching.jobs import Job, JobReport, Jobs
from plexsheet.watching.ledger import Ledger
from plexsheet.watching.stability import naming, pause_s
from plexsheet.watching.status import BEAT_S, OneWatcher, Status, progress_of
from plexsheet.watching.worker_process import Hand, death

MOST_CRASHES = 2
GONE_S = 2.0
FIRST_PAUSE_S = {"busy": 1.0, "disk-full": 2.0}


class Watcher:
    """A folder, watched.

    Args:
        choices: which, and how.
        log: where to say what happens.
        command: how to start a worker; None for the usual way.
    """

    def __init__(
        self, choices: Choices, log: EventLog, *, command: Sequence[str] | None = None
    ) -> None:
        self.choices = choices
        self.log = log
        self.folder = Folder(choices.root)
        self.wake = threading.Event()
        self.stopping = False
        self.queue: list[Job] = []
        self.active: Job | None = None
        self.refreshing: Job | None = None  # waits until the imports are through
        self.jobs = Jobs(self.folder.working)
        self.hand = Hand(self.wake.set, *([command] if command else []))
        self.changes = ChangeEvents(choices.root, self.wake, polling=choices.polling)
        self.worst = 0
        self._failures = 0
        self._resume_at = 0.0
        self._look_at = 0.0
        self._refresh_at = 0.0
        self._backlog = 0
        self._interrupted: set[str] = set()  # jobs that were, and go on at the next start
        self._gave_up = False  # something was not ready; with ``once`` that ends it
        self._progress = ""
        self._plex = ""

    def stop(self) -> None:
        """End soon: the chunk being written is finished, the rest goes on at the next start."""
        self.stopping = True
        self.wake.set()

    def run(self) -> int:
        """Watch until ``stop``, or with ``once`` until nothing is left to do.

        Returns:
            0; 5 when an import was interrupted; with ``once`` the worst outcome.

        Raises:
            Busy: another watcher has the folder.
            OSError: the folder cannot be made.
        """
        self.folder.prepare()
        self.lock = OneWatcher(self.folder.own)
        self.lock.take()
        try:
            self._begin()
            while not self.stopping:
                self._turn()
                if self.choices.once and self._nothing_left():
                    break
                self._wait()
            return self._finish()
        finally:
            self.changes.stop()
            self.hand.end()
            self._show(doing="")
            self.lock.release()

    # Beginning and end

    def _begin(self) -> None:
        self._known = self.folder.identity()
        self.ledger = Ledger(self.folder.own / "seen.jsonl")
        self.intake = Intake(self.folder, self.ledger, self.jobs, self.choices.patience, self.log)
        self.delivery = Delivery(self.folder, self.jobs, self.intake)
        mode = "writes at once" if self.choices.auto_apply else "preview, YES in Apply writes"
        self.status = Status(self.folder.own, mode=mode)
        if not self.choices.once:
            self.changes.start()
        for job in self.jobs.left():
            if job.kind == "refresh":
                self.refreshing = job
            else:
                self.queue.append(job)
        self._show()
        self.log.say(
            "started",
            f"Watching {self.folder.root} ({mode}{self._looking(', ')}). Drop workbooks into "
            "inbox/, or save them where they are.",
            folder=str(self.folder.root),
            waiting=len(self.queue),
        )

    def _looking(self, before: str = "") -> str:
        if not self.changes.polling or self.choices.once:
            return ""
        return f"{before}polling: {self.changes.why}"

    def _finish(self) -> int:
        interrupted = False
        if self.active is not None:
            self.hand.stop()
            deadline = time.monotonic() + 120
            while self.active is not None and time.monotonic() < deadline:
                self._hear()
                self.wake.wait(0.5)
                self.wake.clear()
            left = self.active is not None and self._is_owed(self.active)
            interrupted = left or bool(self._interrupted)
        waiting = len(self.queue)
        self.log.say(
            "stopped",
            f"Stopped; {waiting} waiting; the next start goes on with them."
            if waiting
            else "Stopped.",
            waiting=waiting,
        )
        if interrupted:
            return 5
        return self.worst if self.choices.once else 0

    # One turn of the loop

    def _turn(self) -> None:
        if not self._folder_is_there():
            return
        self._hear()
        if time.monotonic() >= self._look_at:
            self._look()
        self._deliver_reported()
        self._next()
        with contextlib.suppress(OSError):
            self.ledger.flush()
        self._show()

    def _wait(self) -> None:
        """Sleep until something happens or is due."""
        now = time.monotonic()
        due = [self._look_at, now + BEAT_S]
        rest = self.hand.rest()
        if rest is not None:
            due.append(now + rest)
        if self.active is None and (self.queue or self.refreshing):
            due.append(self._resume_at if self.queue else max(self._resume_at, self._refresh_at))
        if self.wake.wait(max(0.0, min(due) - now)):
            # Once awake, give the rest of a save's events the time to arrive.
            time.sleep(GATHER_S if self.active is None else 0.02)
            self.wake.clear()
            if self.changes.announced.is_set():
                self._look_at = 0.0

    def _folder_is_there(self) -> bool:
        found = self.folder.identity()
        if found is None:
            self.log.once(
                "gone", "folder-gone", f"{self.folder.root} is gone; waiting for it to come back."
            )
            self._look_at = self._resume_at = time.monotonic() + GONE_S
            return False
        another = found != self._known or self.lock.lost()
        try:
            if another:
                self._come_back()
            self.folder.restore()
        except FileNotFoundError:  # gone again meanwhile
            self._look_at = self._resume_at = time.monotonic() + GONE_S
            return False
        except OSError as error:
            what = "no room on the disk" if is_full(error) else (error.strerror or str(error))
            self.log.once("unwritable", "unwritable", f"{self.folder.root}: {what}; waiting.")
            self._look_at = self._resume_at = time.monotonic() + GONE_S
            return False
        self.log.over("unwritable")
        if self.log.over("gone") or another:
            self.log.say("folder-back", f"{self.folder.root} is back.")
        return True

    def _come_back(self) -> None:
        """The folder was removed and made again: what was in it is gone, what we know is not."""
        self.folder.restore()
        self.lock.release()
        self.lock.take()
        self._known = self.folder.identity()
        if not self.choices.once:
            self.changes.stop()
            self.changes.start()
        there = [job for job in self.queue if job is self.active or not self._is_lost(job)]
        self.queue = there
        waiting = self.refreshing if self.refreshing is not self.active else None
        if waiting and self._is_lost(waiting):
            self.refreshing = None
        self._look_at = 0.0

    def _is_owed(self, job: Job) -> bool:
        """Whether stopping in it leaves something undone; a fresh workbook is only made later."""
        return job.kind == "import" or self.jobs.began(job)

    def _is_lost(self, job: Job) -> bool:
        """Whether a job's folder went away with the watched folder."""
        return not self.jobs.folder(job).is_dir()

    # Looking

    def _look(self) -> None:
        began, processor = time.monotonic(), time.thread_time()
        announced = self.changes.announced.is_set()
        self.changes.announced.clear()
        found = self.intake.look(self.queue)
        processor, took = time.thread_time() - processor, time.monotonic() - began
        self._backlog = found.backlog
        for job in found.jobs:
            self._take(job)
        if (found.jobs or found.wake_at is not None) and not self._paused():
            # By the time the file has settled, the worker has loaded what it needs.
            with contextlib.suppress(OSError):
                self.hand.warm()
        if not self.choices.once and self.changes.looked(
            began, news=found.news, announced=announced
        ):
            self.log.say("polling", f"From now on looking regularly: {self.changes.why}.")
        self._look_at = began + self.changes.next_look_s(processor, took)
        if found.wake_at is not None:
            self._look_at = min(self._look_at, max(found.wake_at, began + 5 * took))

    def _take(self, job: Job) -> None:
        """Put a job in line; while nothing can be imported a newer save replaces an older one."""
        if naming(PurePath(job.name).name) == "foreign":
            report = JobReport("refused", code="F01", message=NOT_A_WORKBOOK, exit_code=3)
            with contextlib.suppress(OSError):
                self.jobs.write_report(job, report)
        if self._paused() and job.role != "drop":
            for older in [old for old in self.queue if old.source == job.source]:
                if older is not self.active and not self.jobs.began(older):
                    self.queue.remove(older)
                    self.jobs.remove(older)
        self.queue.append(job)

    def _paused(self) -> bool:
        return time.monotonic() < self._resume_at

    # Handing over

    def _next(self) -> None:
        if self.active is not None or self._paused() or self.stopping:
            return
        job = self._first()
        if job is None:
            return
        job = self._replace(job, starts=job.starts + 1)
        if job.starts > MOST_STARTS:
            self._ended(job, JobReport("refused", code="crash", message=NEVER_ENDS, exit_code=3))
            return
        try:
            self.hand.give(job.id, self.choices.order(job, self.jobs, self.folder.root))
        except OSError as error:
            self._later(job, JobReport("later", code="start", message=f"No process: {error}."))
            return
        self.active, self._progress = job, ""

    def _first(self) -> Job | None:
        """What to do next: what was begun, then files, at last the fresh workbook."""
        if self.refreshing and self.jobs.began(self.refreshing):
            return self.refreshing  # its run is open, and nothing else may write before
        for job in self.queue:
            if self.jobs.report(job) is None:
                return job
        if self.refreshing and not self.queue and self._refresh_due():
            return self.refreshing
        return None

    def _refresh_due(self) -> bool:
        return self.choices.once or time.monotonic() >= self._refresh_at

    def _replace(self, job: Job, **changes: Any) -> Job:
        new = self.jobs.update(job, **changes)
        if job in self.queue:
            self.queue[self.queue.index(job)] = new
        elif job is self.refreshing:
            self.refreshing = new
        return new

    # Hearing

    def _hear(self) -> None:
        for message in self.hand.hear():
            job = self.active
            if "resumed" in message and job is not None:
                self.log.say(
                    "resumed",
                    f"{job.source or 'Inference'}: run {message['resumed']} went on where it "
                    "was interrupted.",
                    run=message["resumed"],
                )
            if job is None:
                continue
            if "stage" in message:
                self._progress = progress_of(message)
            if "report" in message and message.get("job") == job.id:
                self.active = None
                self._ended(
                    job, JobReport.of(message["report"]), message["report"].get("topic", "")
                )
            elif "ended" in message:
                self.active = None
                self._died(job, int(message["ended"]))

    def _died(self, job: Job, status: int) -> None:
        report = self.jobs.report(job)
        if report is not None:  # it had finished, only the message was lost
            self._ended(job, report)
            return
        message = (
            f"The process that read this file {death(status)}; the file may be damaged or far "
            "too large. Nothing more was changed. Export a fresh workbook and edit that."
        )
        self._ended(job, JobReport("crashed", code="crash", message=message, exit_code=3))

    def _ended(self, job: Job, report: JobReport, topic: str = "") -> None:
        if self._is_lost(job):
            self._forget(job)
            if report.status in ("applied", "nothing"):  # else there is nothing to tell, or left
                self._tell(job, report, "")
            return
        if report.status == "later":
            self._later(job, report, topic)
        elif report.status == "interrupted":
            if self._is_owed(job):
                self._interrupted.add(job.id)
            self._resume_at = time.monotonic() + 1.0
        elif report.status == "crashed" and job.crashes + 1 < MOST_CRASHES:
            self._replace(job, crashes=job.crashes + 1)
            self._resume_at = time.monotonic() + 1.0
        else:
            if report.status != "crashed":
                self._work_goes_on()
            with contextlib.suppress(OSError):
                self.jobs.write_report(job, report)
            self._deliver(job, report)

    def _later(self, job: Job, report: JobReport, topic: str = "") -> None:
        """What is not ready now is tried again, less and less often, and told once."""
        self._failures += 1
        topic = topic or report.code
        pause = pause_s(self._failures, first=FIRST_PAUSE_S.get(topic, 5.0))
        self._resume_at = time.monotonic() + pause
        # Trying is not the file's fault.
        self._replace(job, starts=max(0, job.starts - 1))
        if topic == "plex":
            self._plex = f"not available: {report.message}"
        self.log.once(
            f"later {topic}",
            "waiting",
            f"{report.message} Trying again, at least every five minutes; "
            f"{len(self.queue)} waiting.",
            code=report.code,
            waiting=len(self.queue),
        )
        self.worst = worst((self.worst, report.exit_code or 4))
        self._gave_up = True

    def _work_goes_on(self) -> None:
        self._failures, self._resume_at = 0, 0.0
        self._plex = "answering"
        for topic in ("plex", "busy", "open-run", "state", "config", "disk-full", "start"):
            if self.log.over(f"later {topic}"):
                self.log.say("going-on", f"Going on; {len(self.queue)} waiting.")

    # Delivering

    def _deliver_reported(self) -> None:
        """Deliver what an earlier process left finished, or what could not be moved then."""
        for job in list(self.queue):
            if job is self.active or job == self.active:
                continue
            report = self.jobs.report(job)
            if report is not None:
                self._deliver(job, report)

    def _deliver(self, job: Job, report: JobReport) -> None:
        wrote = report.status == "applied" and job.kind == "import" and report.run is not None
        try:
            if wrote:
                self._want_refresh(job)
            shown = self.delivery.deliver(job, report)
        except OSError as error:
            what = "No room on the disk" if is_full(error) else (error.strerror or str(error))
            self.log.once(
                f"stuck {job.id}",
                "stuck",
                f"{job.source}: done, but its files cannot be moved yet ({what}).",
            )
            if job not in self.queue:
                self.queue.append(job)
            self._resume_at = time.monotonic() + GONE_S
            return
        self._forget(job)
        self._tell(job, report, shown)
        if self._backlog and len(self.queue) < 5:
            self._look_at = 0.0

    def _forget(self, job: Job) -> None:
        self.queue = [other for other in self.queue if other.id != job.id]
        if self.refreshing and self.refreshing.id == job.id:
            self.refreshing = None
        self._interrupted.discard(job.id)

    def _tell(self, job: Job, report: JobReport, shown: str) -> None:
        text = sentence(job, report, shown)
        self.worst = worst((self.worst, report.exit_code))
        event = "failed" if report.status in BAD else report.status
        if job.kind == "refresh":
            event = "refreshed"
        fields = {"file": job.source, "run": report.run, "counts": dict(report.counts)}
        fields |= {"result": shown, "code": report.code}
        self.log.say(event, text, **{name: value for name, value in fields.items() if value})
        self.status.ended({"time": time.time(), "event": event, "text": text})

    def _want_refresh(self, job: Job) -> None:
        """After an import: infer anew and write a fresh workbook, once the saving has ended."""
        if self.refreshing is None:
            self.refreshing = self.jobs.refresh()
        place = self.jobs.folder(self.refreshing) / "file"
        copy = self.jobs.copy(job)
        if copy.exists():
            for older in place.glob("carry.*"):
                older.unlink()
            shutil.copyfile(copy, place / f"carry{copy.suffix.lower()}")
        self._refresh_at = time.monotonic() + self.choices.patience.refresh_s

    # Telling

    def _nothing_left(self) -> bool:
        if self.active is not None:
            return False
        if self._gave_up:
            return True
        busy = self.queue or self.refreshing or self._backlog
        held_up = {*self.intake.open, *self.intake.unreadable}
        waiting = self.intake.stability.waiting.keys() - held_up
        return not busy and not waiting

    def _show(self, doing: str | None = None) -> None:
        if not hasattr(self, "status"):
            return
        if doing is None:
            doing = self.active.source or "inferring" if self.active else ""
            progress = self._progress if self.active else ""
        else:
            progress = ""
        others = [job.source for job in self.queue if job is not self.active]
        if self._backlog:
            others.append(f"… and {self._backlog:,} more")
        self.status.show(
            plex=self._plex or "not asked yet",
            doing=doing,
            progress=progress,
            queue=others,
            open=list(self.intake.open),
            looking=self._looking(),
        )
