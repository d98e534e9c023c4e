"""The worker process: imports one job after another, as the watcher hands them over.

It reads a job per line and answers in JSON lines.  It touches nothing but its job's
folder, the state and Plex; the watcher moves files.  The end of its input (the watcher
ended, however) stops it after the chunk it is writing.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

from plexsheet.errors import Busy, ConfigError, OpenRun, PlexError, PlexsheetError, StateError
from plexsheet.files import digest_of, write_whole
from plexsheet.watching.folder import is_full
from plexsheet.watching.jobs import APPLYING, REPORT

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.config import Config
    from plexsheet.operations import Session
    from plexsheet.operations.import_ import Prepared
    from plexsheet.operations.import_file import Imported
    from plexsheet.plan import Plan
    from plexsheet.state.runs import Origin

RESULT = "result.xlsx"
UNSAVED = "a result of plexsheet's own, as it was written; it counts once you have saved it."
LATE = "The import was interrupted and has been finished."
MOST_LINES = 200  # rows told in the summary text
WORST_FIRST = ("Error", "Conflict", "Held", "Healed", "Would apply", "Applied", "Kept")
NOT_READY = (PlexError, Busy, OpenRun, StateError, ConfigError)

Order = dict[str, Any]


class Worker:
    """Does jobs.

    Args:
        out: where the watcher listens.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.stopping = threading.Event()
        self._told = 0.0

    def stop(self) -> bool:
        """Whether to end after the chunk being written."""
        return self.stopping.is_set()

    def say(self, **message: Any) -> None:
        """One line to the watcher; when it is gone, stop."""
        try:
            self._out.write(json.dumps(message, default=str) + "\n")
            self._out.flush()
        except OSError:
            self.stopping.set()

    def progress(self, stage: str, done: int, total: int) -> None:
        """What operations call as they get on; told once a second, and at each stage's end."""
        now = time.monotonic()
        if done < total and now - self._told < 1.0:
            return
        self._told = now
        self.say(stage=stage, done=done, total=total)

    def do(self, order: Order) -> dict[str, Any]:
        """One job, to its report; nothing it meets ends the worker."""
        folder = Path(order["folder"])
        try:
            job = refresh if order["kind"] == "refresh" else import_file
            report = job(self, folder, order)
        except NOT_READY as error:
            return _failed("later", error)
        except PlexsheetError as error:
            return _failed("refused", error)
        except (MemoryError, OSError) as error:
            if isinstance(error, OSError) and is_full(error):
                message = "There is no room left on the disk."
                return {"status": "later", "code": "disk-full", "message": message}
            return _crashed(error)
        except Exception as error:  # noqa: BLE001 - a file must not end the watcher
            return _crashed(error)
        return report


def import_file(worker: Worker, folder: Path, order: Order) -> dict[str, Any]:
    """Import the job's private copy: carry it out, or say what it would do."""
    from plexsheet import operations
    from plexsheet.operations import ImportOptions

    config = settings(order)
    copy = folder / "file" / order["name"]
    with operations.session(
        config, purpose="watch", stop_at_open_run=False, progress=worker.progress
    ) as session:
        resumed = finish_open_run(worker, session, folder)
        if resumed is not None and resumed.status == "interrupted":
            return {"status": "interrupted", "run": resumed.run}
        if order["place"] and session.state.made_here(digest_of(copy)):
            return {"status": "nothing", "message": UNSAVED}
        approved = False

        def decide(prepared: Prepared) -> bool | Outcome:
            nonlocal approved
            late = resumed or ended_before(session, folder, prepared)
            if late is not None:
                return late
            approved = (order["apply"] or confirmed(prepared)) and not config.dry_run
            if not (approved and prepared.writes):
                return False
            write_whole(folder / APPLYING, "")  # an open run found later is this job's
            return True

        done = operations.import_file(
            session,
            copy,
            ImportOptions(on_conflict="hold", unattended=True, place=order["place"]),
            decide,
            name=order["name"],
            result=folder / RESULT,
            stopping=lambda: contextlib.nullcontext(worker.stop),
        )
        return told(done, preview=not (approved or done.approved), late=not approved)


def confirmed(prepared: Prepared) -> bool:
    """Whether YES was typed into the Apply cell of a preview."""
    answers = {label.strip().casefold(): value for label, value in prepared.raw.start.items()}
    return answers.get("apply", "").strip().casefold() == "yes"


def settings(order: Order) -> Config:
    """The settings, read anew for each job: the person may have put them right."""
    from plexsheet.config import load_config

    return load_config(order["config"], profile=order["profile"])


def finish_open_run(worker: Worker, session: Session, folder: Path) -> Outcome | None:
    """Finish the run this very job began before an interruption.

    A run that somebody else left open is theirs to settle.

    Raises:
        OpenRun: there is one.
        PlexError: Plex stopped it again.
    """
    from plexsheet import operations
    from plexsheet.state.runs import refuse_open_run

    outcome = None
    if (folder / APPLYING).exists() and operations.open_run(session) is not None:
        outcome = operations.resume(session, stop=worker.stop)
        if outcome is not None and outcome.error is not None:
            raise outcome.error
        if outcome is not None and outcome.status == "interrupted":
            return outcome
    if outcome is not None:
        worker.say(resumed=outcome.run)
    refuse_open_run(session.state, session.scope)
    return outcome


def ended_before(session: Session, folder: Path, prepared: Prepared) -> Outcome | None:
    """The run this very job ended without its report being kept, if there is one."""
    from plexsheet.apply.completion import outcomes
    from plexsheet.apply.run import Outcome
    from plexsheet.state import runs

    known = session.state.imported(session.scope, prepared.origin.content_hash)
    if known is None or not (folder / APPLYING).exists():
        return None
    record = runs.run_of(session.state, known[0])
    if record is None:
        return None
    return Outcome(record.id, "done", {}, tuple(outcomes(session.state, record)))


def carried_out(
    worker: Worker, session: Session, folder: Path, plan: Plan, origin: Origin | None
) -> Outcome:
    """Carry out a plan, after marking the job: an open run found later is its own.

    Raises:
        PlexError: Plex stopped it; the run stays open, to be resumed.
    """
    from plexsheet import operations

    write_whole(folder / APPLYING, "")
    outcome = operations.carry_out(session, plan, stop=worker.stop, origin=origin)
    if outcome.error is not None:
        raise outcome.error
    return outcome


def told(done: Imported, *, preview: bool, late: bool) -> dict[str, Any]:
    """The report of an import.

    Args:
        done: what became of it.
        preview: whether nobody approved of writing it.
        late: whether what was written was written before an interruption.
    """
    prepared, outcome = done.prepared, done.outcome
    if outcome is not None and outcome.status == "interrupted":
        return {"status": "interrupted", "run": outcome.run}
    if prepared.already and outcome is None:
        return {"status": "nothing", "message": prepared.already}
    why = [note for note in prepared.notices if note.code.startswith("S")]
    report: dict[str, Any] = {
        "code": why[0].code if why else "",
        "message": " ".join(note.text for note in why),
        "status": "preview" if preview else "applied",
        "run": outcome.run if outcome else None,
        "counts": prepared.counts(),
        "lines": lines(prepared),
        "exit_code": 3 if prepared.stopped else 1 if prepared.refused else 0,
    }
    if done.result is None:
        return report | {"status": "nothing", "message": "no edits."}
    if late and outcome is not None:
        report["message"] = LATE
    return report | {"results": {"result": RESULT}}


def lines(prepared: Prepared) -> list[str]:
    """What happened row by row for the summary text, worst first."""
    rows = [row for row in prepared.outcomes if row.outcome in WORST_FIRST]
    rows.sort(key=lambda row: (WORST_FIRST.index(row.outcome), row.sheet, row.row))
    told = [f"{note.code}  {note.text}" for note in prepared.notices]
    for row in rows[:MOST_LINES]:
        where = f"{row.sheet} row {row.row}" if row.row else row.sheet
        change = f"{row.title}  {_value(row.was)} → {_value(row.yours)}"
        told.append(f"{row.outcome:<11}  {where}: {change}  {row.code} {row.message}".rstrip())
    if len(rows) > MOST_LINES:
        told.append(f"… and {len(rows) - MOST_LINES:,} more rows; all are in the result workbook.")
    return told


def _value(value: float | str) -> str:
    """A rating 0-10 as stars, any other field as it is."""
    from plexsheet.ratings import glyphs, show_stars

    if isinstance(value, str):
        return value
    if value != value:
        return "unrated"
    return f"{glyphs(value)} ({show_stars(value)})"


def refresh(worker: Worker, folder: Path, order: Order) -> dict[str, Any]:
    """Infer, write what changed where that is asked for, and make a fresh workbook."""
    from plexsheet import operations

    config = settings(order)
    run, said = None, list[str]()
    with operations.session(
        config,
        purpose="watch",
        stop_at_open_run=False,
        progress=worker.progress,
        tell=said.append,
    ) as session:
        resumed = finish_open_run(worker, session, folder)
        if resumed is not None and resumed.status == "interrupted":
            return {"status": "interrupted", "run": resumed.run}
        message = ""
        if order["infer"] and not config.dry_run:
            inferred = operations.prepare_infer(session)
            if len(inferred.plan):
                outcome = carried_out(worker, session, folder, inferred.plan, None)
                if outcome.status == "interrupted":
                    return {"status": "interrupted", "run": outcome.run}
                run = outcome.run
            message = f"Inferred: {len(inferred.plan):,} changes written."
        name = f"{_file_name(session.gateway.identity.title)} refreshed.xlsx"
        carry = next((folder / "file").glob("carry.*"), None)
        operations.export(session, folder / name, carry_from=carry)
    return {
        "status": "applied",
        "run": run,
        "message": " ".join(dict.fromkeys([message or "Inference is up to date.", *said])),
        "results": {"refreshed": name},
    }


def _file_name(title: str) -> str:
    return "".join("_" if sign in '<>:"/\\|?*' or ord(sign) < 32 else sign for sign in title)


def _failed(status: str, error: PlexsheetError) -> dict[str, Any]:
    topic = "plex" if isinstance(error, PlexError) else error.code
    return {
        "status": status,
        "code": error.code,
        "topic": topic,
        "message": error.message,
        "exit_code": error.exit_code,
    }


def _crashed(error: BaseException) -> dict[str, Any]:
    """A report of a mistake of ours: where it happened, without values, which may be secret."""
    name = type(error).__name__
    where = traceback.extract_tb(error.__traceback__)[-3:]
    trail = " < ".join(f"{Path(at.filename).name}:{at.lineno}" for at in reversed(where))
    return {
        "status": "crashed",
        "code": "crash",
        "message": f"Reading this file failed inside plexsheet ({name} at {trail}).",
        "exit_code": 3,
    }


def _megabytes() -> int:
    """Memory held at most so far; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1024 * 1024 if sys.platform == "darwin" else 1024)


def _listen(worker: Worker, source: TextIO, orders: queue.SimpleQueue[Order | None]) -> None:
    for line in source:
        with contextlib.suppress(ValueError):
            order = json.loads(line)
            if order.get("stop"):
                worker.stopping.set()
            else:
                orders.put(order)
    worker.stopping.set()
    orders.put(None)


def _preload() -> None:
    """Load what an import needs while the file still settles."""
    for module in ("operations", "workbook.edits.validate", "workbook.writing.result"):
        importlib.import_module(f"plexsheet.{module}")


def main() -> int:
    """Do jobs until the input ends."""
    # Stray prints of libraries must not look like messages.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker(out)
    orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def on_term(number: int, frame: FrameType | None) -> None:
        worker.stopping.set()
        orders.put(None)

    signal.signal(signal.SIGTERM, on_term)
    threading.Thread(target=_listen, args=(worker, sys.stdin, orders), daemon=True).start()
    _preload()
    while (order := orders.get()) is not None:
        if worker.stop():
            report: dict[str, Any] = {"status": "interrupted"}
        else:
            report = worker.do(order)
        if report["status"] not in ("later", "interrupted", "crashed"):
            try:
                write_whole(Path(order["folder"]) / REPORT, json.dumps(report, default=str))
            except OSError:
                message = "There is no room left on the disk."
                report = {"status": "later", "code": "disk-full", "message": message}
        worker.say(report=report, job=order["job"], mb=_megabytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
