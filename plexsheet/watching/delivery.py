"""Handing out what came of a job: result and summary to results/, the original away."""

from __future__ import annotations

import contextlib
from pathlib import Path, PurePath

from plexsheet.files import digest_of, own_stem, write_whole
from plexsheet.watching.event_log import summary
from plexsheet.watching.folder import (
    Copied,
    Folder,
    cut,
    look_at,
    move,
    now_stamp,
    put_away,
)
from plexsheet.watching.intake import Intake
from plexsheet.watching.jobs import Job, JobReport, Jobs

BAD = ("refused", "crashed")
MOST_STEM = 150  # characters of a name that results are named after


class Delivery:
    """What puts everything in its place, in steps that may be repeated."""

    def __init__(self, folder: Folder, jobs: Jobs, intake: Intake) -> None:
        self.folder = folder
        self.jobs = jobs
        self.intake = intake

    def deliver(self, job: Job, report: JobReport) -> str:
        """Move the results and the original, and forget the job.

        Returns:
            The result's path relative to the folder, the reason's for a failed file, or "".

        Raises:
            OSError: something cannot be moved now; call again later.
        """
        moves = self.jobs.moves(job)
        if moves is None:
            moves = self._names(job, report)
            self.jobs.decide_moves(job, moves)
        shown = moves.get("result") or moves.get("refreshed") or moves.get("summary", "")
        for purpose in ("result", "refreshed"):
            if purpose in moves:
                self._hand_out(self.jobs.folder(job) / report.results[purpose], moves[purpose])
        if "original" in moves:
            put_away(
                self.folder.root / job.source,
                job.look,
                self.jobs.copy(job),
                self.folder.root / moves["original"],
            )
        if "summary" in moves:
            target = self.folder.root / moves["summary"]
            write_whole(target, summary(job, report, moves.get("result", "")))
        self.intake.imported(job)
        self.jobs.remove(job)
        return shown

    def _names(self, job: Job, report: JobReport) -> dict[str, str]:
        """Where everything goes."""
        folder, stamp = self.folder, now_stamp()
        moves: dict[str, Path] = {}
        stem = cut(own_stem(job.name), MOST_STEM)
        for purpose in ("result", "refreshed"):
            if purpose in report.results:
                suffix = PurePath(report.results[purpose]).suffix
                if purpose == "refreshed":  # named after the library
                    stem = cut(own_stem(report.results[purpose]), MOST_STEM)
                moves[purpose] = self._result_name(f"{stem} {purpose}{suffix}", job, stamp)
        if job.kind == "import" and job.role == "drop":
            place = folder.failed if report.status in BAD else folder.done
            moves["original"] = folder.free_name(place, job.name, stamp=stamp)
        if "result" in moves:
            moves["summary"] = moves["result"].with_suffix(".txt")
        elif report.status in BAD and "original" in moves:
            original = moves["original"]
            moves["summary"] = original.with_name(f"{original.name}.txt")
        elif report.status in (*BAD, "applied") and "refreshed" not in moves:
            name = f"{stem} result.txt"
            moves["summary"] = (
                folder.free_name(folder.results, name, stamp=stamp)
                if job.role == "drop"
                else folder.results / name
            )
        return {purpose: folder.relative(path) for purpose, path in moves.items()}

    def _result_name(self, name: str, job: Job, stamp: str) -> Path:
        """A result's name: the one used before if that file is ours still and not open."""
        if job.role == "drop":
            return self.folder.free_name(self.folder.results, name, stamp=stamp)
        path = self.folder.results / name
        if not path.exists() or self._replaceable(path):
            return path
        stem, suffix = PurePath(name).stem, PurePath(name).suffix
        return self.folder.free_name(self.folder.results, f"{stem} {stamp}{suffix}")

    def _replaceable(self, path: Path) -> bool:
        relative = self.folder.relative(path)
        entry, look = self.intake.ledger.entry(relative), look_at(path)
        if entry is None or entry.why != "ours" or look is None or self.folder.is_open(path):
            return False
        return self.intake.ledger.unchanged(relative, look)

    def _hand_out(self, made: Path, relative: str) -> None:
        look = look_at(made)
        if look is None:  # handed out before an interruption
            return
        target = self.folder.root / relative
        if target.exists() and not self._replaceable(target):
            # Opened or changed since the name was chosen: that file is the person's now.
            target = self.folder.free_name(target.parent, target.name, stamp=now_stamp())
        self.intake.ours(self.folder.relative(target), Copied(look, digest_of(made)))
        move(made, target)
        moved = look_at(target)
        if moved is not None and moved != look:  # copied over a border: another inode
            digest = ""
            with contextlib.suppress(OSError):
                digest = digest_of(target)
            self.intake.ours(self.folder.relative(target), Copied(moved, digest))
