"""What was taken to be done, each in a folder of its own in ``working/``.

A job is on disk, complete, before anything is done about it, and so is how it ends
before anything is moved: after a kill at any moment the next start goes on from there.

    working/<id>/job.json      what it is
    working/<id>/<name>        the private copy
    working/<id>/applying      writing to Plex has begun; an open run is this job's
    working/<id>/report.json   what came of it; only the moves remain
    working/<id>/moves.json    where everything goes, decided once
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from plexsheet.files import write_whole
from plexsheet.watching.folder import Copied, private_copy, remove_all
from plexsheet.watching.stability import Look, Role

JOB, REPORT, MOVES, APPLYING = "job.json", "report.json", "moves.json", "applying"


@dataclass(frozen=True)
class Job:
    """One thing to do.

    Attributes:
        id: name of its folder; sorts by time.
        kind: ``import`` of a file, or ``refresh``: infer and write a fresh workbook.
        role: how the file came here.
        source: path of the original, relative to the watched folder.
        name: the private copy's name, which is the original's.
        look, digest: the original as it was copied, SHA-256 in hex.
        queued: epoch seconds.
        starts: how often a worker began with it.
        crashes: how often a worker died of it.
    """

    id: str
    kind: Literal["import", "refresh"]
    role: Role
    source: str
    name: str
    look: Look
    digest: str
    queued: float
    starts: int = 0
    crashes: int = 0


@dataclass(frozen=True)
class JobReport:
    """What came of a job, as the worker tells it.

    Attributes:
        status: ``applied``, ``preview``, ``nothing`` (no edits, or imported before),
            ``refused`` (the file was stopped), ``interrupted`` (goes on at the next start),
            ``later`` (Plex, the state or the disk is not ready), ``crashed``.
        run: the run that wrote, or None.
        counts: rows by outcome, disjoint.
        lines: sentences for the summary, worst first.
        results: files in the job's folder to hand out, by purpose (``result``, ``refreshed``).
        code, message: of the error, where there is one.
        exit_code: what a command with this outcome would return.
    """

    status: str
    run: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    lines: tuple[str, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    exit_code: int = 0

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> JobReport:
        """A report from JSON; a field of another version is left out."""
        known = {name: raw[name] for name in cls.__dataclass_fields__ if name in raw}
        known["lines"] = tuple(known.get("lines", ()))
        return cls(**known)


class Jobs:
    """The folder ``working/``."""

    def __init__(self, working: Path) -> None:
        self.working = working
        self._last = 0

    def folder(self, job: Job) -> Path:
        """Where a job lives."""
        return self.working / job.id

    def copy(self, job: Job) -> Path:
        """Its private copy."""
        return self.working / job.id / "file" / job.name

    def claim(self, source: Path, relative: str, role: Role) -> tuple[Job, Copied] | None:
        """Take a private copy of a file as a draft job; None when the file changed meanwhile.

        The draft counts only after ``keep``; ``drop`` takes it back.

        Raises:
            OSError: it cannot be read, or there is no room.
        """
        draft = self._draft()
        try:
            copied = private_copy(source, draft / "file" / source.name)
        except OSError:
            remove_all([draft])
            raise
        if copied is None:
            remove_all([draft])
            return None
        job = Job(
            draft.name,
            "import",
            role,
            relative,
            source.name,
            copied.look,
            copied.digest,
            time.time(),
        )
        return job, copied

    def refresh(self) -> Job:
        """A job without a file: infer, and write a fresh workbook.

        Raises:
            OSError: there is no room.
        """
        draft = self._draft()
        job = Job(draft.name, "refresh", "result", "", "", Look(0, 0, 0), "", time.time())
        return self.keep(job)

    def keep(self, draft: Job) -> Job:
        """Make a draft a job that outlives this process.

        Raises:
            OSError: there is no room.
        """
        job = replace(draft, id=draft.id.removeprefix("."))
        write_whole(self.folder(draft) / JOB, _text(job))
        self.folder(draft).rename(self.folder(job))
        return job

    def update(self, job: Job, **changes: Any) -> Job:
        """Record a change of a job; a full disk costs the record, not the job."""
        job = replace(job, **changes)
        try:
            write_whole(self.folder(job) / JOB, _text(job))
        except OSError:
            return job
        return job

    def remove(self, job: Job) -> None:
        """Forget a job and its copy."""
        remove_all([self.folder(job)])

    def left(self) -> list[Job]:
        """Jobs of an earlier process, oldest first; drafts and ruins are removed."""
        found = []
        for folder in sorted(self.working.iterdir()):
            job = _read_job(folder)
            if job is not None:
                found.append(job)
            elif _is_ruin(folder):
                shutil.rmtree(folder, ignore_errors=True)
        return found

    def report(self, job: Job) -> JobReport | None:
        """What the worker left in the job's folder, if it came that far."""
        raw = read_json(self.folder(job) / REPORT)
        return JobReport.of(raw) if raw else None

    def write_report(self, job: Job, report: JobReport) -> None:
        """Record what came of a job.

        Raises:
            OSError: there is no room.
        """
        write_whole(self.folder(job) / REPORT, json.dumps(asdict(report)))

    def began(self, job: Job) -> bool:
        """Whether writing to Plex had begun."""
        return (self.folder(job) / APPLYING).exists()

    def moves(self, job: Job) -> dict[str, str] | None:
        """Where everything goes, if that was decided already."""
        return read_json(self.folder(job) / MOVES)

    def decide_moves(self, job: Job, moves: Mapping[str, str]) -> None:
        """Record where everything goes, before the first move.

        Raises:
            OSError: there is no room.
        """
        write_whole(self.folder(job) / MOVES, json.dumps(moves))

    def _draft(self) -> Path:
        """A new job's folder; ``working/`` is not made, it may have been taken away."""
        draft = self.working / f".{self._new_id()}"
        draft.mkdir()
        (draft / "file").mkdir()
        return draft

    def _new_id(self) -> str:
        self._last = max(self._last + 1, time.time_ns())
        return f"{self._last:020d}"


def _text(job: Job) -> str:
    return json.dumps(asdict(job))


def _is_ruin(folder: Path) -> bool:
    """Whether a folder is a draft, or what a late report made of a job that was finished."""
    ours = re.fullmatch(r"(\.?)\d{20}", folder.name)
    return ours is not None and (bool(ours[1]) or not (folder / JOB).exists())


def _read_job(folder: Path) -> Job | None:
    raw = None if folder.name.startswith(".") else read_json(folder / JOB)
    if raw is None:
        return None
    try:
        return Job(**(raw | {"look": Look(**raw["look"]), "id": folder.name}))
    except (TypeError, KeyError):  # of another version; its file is still where it was
        return None


def read_json(path: Path) -> dict[str, Any] | None:
    """A JSON object from a file; None where there is none or it is torn."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None
