"""What the watcher says: one plain line per event, or one JSON object per event."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from plexsheet.watching.jobs import Job, JobReport

WORDS = {
    "applied": "written",
    "would_apply": "would be written",
    "held": "held",
    "errors": "refused",
    "conflicts": "in conflict",
}


class EventLog:
    """Says events.

    Args:
        write: takes one finished line.
        as_json: JSON lines instead of sentences.

    Attributes:
        also: told of each event and its sentence, too.
    """

    def __init__(self, write: Callable[[str], None], *, as_json: bool = False) -> None:
        self._write = write
        self._as_json = as_json
        self.also: Callable[[str, str], None] = lambda event, text: None
        self._said: set[str] = set()

    def say(self, event: str, text: str, **fields: Any) -> None:
        """One event: its stable name, its sentence, and what a script wants to know."""
        self.also(event, _plain(text))
        try:
            if self._as_json:
                line = {"time": _iso(), "event": event, "text": text} | fields
                self._write(json.dumps(line, ensure_ascii=False, default=str))
            else:
                self._write(f"{time.strftime('%H:%M:%S')}  {_plain(text)}")
        except OSError:  # the terminal is gone or the log's disk is full; the work goes on
            return

    def once(self, topic: str, event: str, text: str, **fields: Any) -> bool:
        """The same, but only the first time until ``over``; whether it was said."""
        if topic in self._said:
            return False
        self._said.add(topic)
        self.say(event, text, **fields)
        return True

    def over(self, topic: str) -> bool:
        """A state that was told once has ended; whether it had been told."""
        told = topic in self._said
        self._said.discard(topic)
        return told


def _iso() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S%z")


def _plain(text: str) -> str:
    """A text on one line, without control characters a file name may smuggle in."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def counted(counts: Mapping[str, int]) -> str:
    """Counts of rows as words, those that are 0 left out.

    >>> counted({"applied": 3, "held": 1, "unchanged": 9996})
    '3 written, 1 held'
    """
    return ", ".join(f"{counts[name]:,} {word}" for name, word in WORDS.items() if counts.get(name))


def sentence(job: Job, report: JobReport, result: str = "") -> str:
    """What came of a job, in one line."""
    see = f" See {result}." if result else ""
    run = f" (run {report.run})" if report.run else ""
    if job.kind == "refresh":
        return f"{report.message or 'Inference is up to date.'}{run}{see}"
    if report.status in ("applied", "preview"):
        mode = "preview, " if report.status == "preview" else ""
        said = counted(report.counts) or "nothing to write"
        why = f" {report.message}" if report.message else ""
        return f"{job.source}: {mode}{said}{run}.{why}{see}"
    if report.status == "nothing":
        return f"{job.source}: {report.message or 'no edits.'}"
    return f"{job.source}: {report.message}{see}"


def summary(job: Job, report: JobReport, result: str = "") -> str:
    """The text file beside a result."""
    head = [f"plexsheet, {time.strftime('%Y-%m-%d %H:%M:%S')}", ""]
    head.append(f"File:    {job.source}" if job.kind == "import" else "Inference")
    head.append(f"Outcome: {_outcome(report)}")
    if report.run:
        head.append(f"Run:     {report.run}   (take it back: plexsheet undo {report.run})")
    if result:
        head.append(f"Result:  {result}")
    if report.message:
        head += ["", f"{report.code}  {report.message}".strip()]
    if report.status == "preview" and report.counts.get("would_apply"):
        head += [
            "",
            "Nothing was written to Plex. To carry this out, open the result workbook, type YES",
            "in the cell Apply on the sheet Start, and save.",
        ]
    if report.lines:
        head += ["", *report.lines]
    return "\n".join(head) + "\n"


def _outcome(report: JobReport) -> str:
    words = {
        "applied": "written to Plex",
        "preview": "preview, nothing was written",
        "nothing": "nothing to do",
        "refused": "stopped, nothing was written",
        "crashed": "could not be read, nothing was written",
    }
    said = counted(report.counts)
    word = words.get(report.status, report.status)
    return f"{word}: {said}" if said else word
