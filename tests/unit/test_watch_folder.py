"""Looks, private copies, the ledger, jobs and moves, on a real disk."""

from __future__ import annotations

import errno
import json
import os
import threading
import zipfile
from pathlib import Path

import pytest

from plexsheet.files import own_stem, write_whole
from plexsheet.watching.change_events import file_system
from plexsheet.watching.event_log import EventLog, counted, sentence, summary
from plexsheet.watching.folder import (
    Folder,
    completeness,
    is_full,
    look_at,
    private_copy,
    put_away,
)
from plexsheet.watching.jobs import JobReport, Jobs
from plexsheet.watching.ledger import HandledFile, Ledger
from plexsheet.watching.status import OneWatcher, read_status, status_lines


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "workbooks")
    made.prepare()
    return made


def zipped(path: Path, text: str = "x" * 5000) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", text)
        archive.writestr("[Content_Types].xml", text)
    return path


def entry_of(path: Path, relative: str, digest: str = "d") -> HandledFile:
    look = look_at(path)
    assert look is not None
    return HandledFile(relative, look.size, look.mtime_ns, look.inode, digest, "imported")


class TestLooks:
    def test_only_what_may_be_imported_is_seen(self, folder):
        for name in (
            "a.xlsx",
            "~$a.xlsx",
            ".~lock.a.xlsx#",
            "note.txt",
            "2026/b.ods",
            "inbox/c.csv",
            "inbox/note.txt",
            "inbox/5F3A0000",
            "results/d.xlsx",
            "results/d.txt",
            "done/e.xlsx",
            "failed/f.xlsx",
            "working/g.xlsx",
            ".hidden/h.xlsx",
        ):
            path = folder.root / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("x")
        (folder.inbox / "empty.xlsx").touch()
        (folder.inbox / "folder.xlsx").mkdir()
        os.mkfifo(folder.inbox / "pipe.xlsx")

        seen = {path: role for path, (role, _) in folder.looks().items()}

        assert seen == {
            "a.xlsx": "edit",
            "2026/b.ods": "edit",
            "inbox/c.csv": "drop",
            "inbox/note.txt": "drop",
            "results/d.xlsx": "result",
        }

    def test_a_lock_beside_a_file_is_seen_with_its_age(self, folder):
        (folder.inbox / "a.xlsx").write_text("x")
        lock = folder.inbox / ".~lock.a.xlsx#"
        lock.write_text("me")
        os.utime(lock, (1, 1))

        _, look = folder.looks()["inbox/a.xlsx"]

        assert look.lock_age_s > 10**6
        assert folder.is_open(folder.inbox / "a.xlsx")

    def test_a_loop_of_links_is_not_followed(self, folder):
        (folder.inbox / "round").symlink_to(folder.root)
        (folder.inbox / "a.xlsx").write_text("x")

        assert list(folder.looks()) == ["inbox/a.xlsx"]

    def test_free_names_keep_the_suffix_and_fit_the_file_system(self, folder):
        long = "ü" * 120 + ".xlsx"

        first = folder.free_name(folder.done, long, stamp="2026-11-22 113105")
        first.touch()
        second = folder.free_name(folder.done, long, stamp="2026-11-22 113105")
        second.with_name(second.name + ".txt").touch()

        assert first != second
        assert second.suffix == ".xlsx"
        assert second.stem.endswith("(2)")


class TestCopies:
    def test_a_copy_is_byte_for_byte_and_knows_its_original(self, folder, tmp_path):
        source = zipped(folder.inbox / "a.xlsx")

        copied = private_copy(source, tmp_path / "copy")

        assert (tmp_path / "copy").read_bytes() == source.read_bytes()
        assert copied.look == look_at(source)

    def test_a_file_that_changes_while_it_is_copied_is_not_taken(self, folder, tmp_path):
        source = folder.inbox / "a.csv"
        source.write_bytes(b"x" * 40_000_000)
        stop = threading.Event()

        def grow() -> None:
            with source.open("ab") as file:
                while not stop.is_set():
                    file.write(b"y")
                    file.flush()

        writer = threading.Thread(target=grow)
        writer.start()
        copied = [private_copy(source, tmp_path / "copy") for _ in range(3)]
        stop.set()
        writer.join()

        assert copied == [None, None, None]
        assert private_copy(source, tmp_path / "copy") is not None

    def test_a_pipe_does_not_hold_the_watcher_up(self, folder, tmp_path):
        os.mkfifo(folder.inbox / "a.xlsx")

        assert private_copy(folder.inbox / "a.xlsx", tmp_path / "copy") is None

    def test_every_truncation_of_a_workbook_is_partial(self, tmp_path):
        whole = zipped(tmp_path / "whole.xlsx").read_bytes()
        cut = tmp_path / "cut.xlsx"

        found = set()
        for size in range(1, len(whole)):
            cut.write_bytes(whole[:size])
            found.add(completeness(cut))

        assert found == {"partial"}
        assert completeness(tmp_path / "whole.xlsx") == "whole"

    @pytest.mark.parametrize(
        ("name", "content", "state"),
        [
            ("a.xlsx", b"\0" * 9000, "partial"),
            ("a.xlsx", b"\xd0\xcf\x11\xe0" + b"x" * 900, "whole"),
            ("a.xlsx", b"<html>", "whole"),
            ("a.csv", b"Key,My rating\n1,4\n", "whole"),
            ("a.csv", b"Key,My rating\n1,4", "unended"),
        ],
    )
    def test_what_is_waited_for(self, tmp_path, name, content, state):
        (tmp_path / name).write_bytes(content)

        assert completeness(tmp_path / name) == state


class TestPuttingAway:
    def test_a_drop_moves_byte_for_byte(self, folder, tmp_path):
        source, copy = folder.inbox / "a.xlsx", tmp_path / "copy"
        source.write_bytes(b"1")
        copied = private_copy(source, copy)

        assert put_away(source, copied.look, copy, folder.done / "a.xlsx")

        assert (folder.done / "a.xlsx").read_bytes() == b"1"
        assert not source.exists()

    def test_a_newer_save_stays_and_the_imported_copy_is_put_away(self, folder, tmp_path):
        source, copy = folder.inbox / "a.xlsx", tmp_path / "copy"
        source.write_bytes(b"1")
        copied = private_copy(source, copy)
        source.write_bytes(b"22")

        assert not put_away(source, copied.look, copy, folder.done / "a.xlsx")

        assert (folder.done / "a.xlsx").read_bytes() == b"1"
        assert source.read_bytes() == b"22"

    def test_a_file_deleted_meanwhile_is_kept_as_it_was_imported(self, folder, tmp_path):
        source, copy = folder.inbox / "a.xlsx", tmp_path / "copy"
        source.write_bytes(b"1")
        copied = private_copy(source, copy)
        source.unlink()

        put_away(source, copied.look, copy, folder.done / "a.xlsx")

        assert (folder.done / "a.xlsx").read_bytes() == b"1"

    def test_a_second_time_after_an_interruption_changes_nothing(self, folder, tmp_path):
        source, copy = folder.inbox / "a.xlsx", tmp_path / "copy"
        source.write_bytes(b"1")
        copied = private_copy(source, copy)
        put_away(source, copied.look, copy, folder.done / "a.xlsx")
        source.write_bytes(b"22")

        put_away(source, copied.look, copy, folder.done / "a.xlsx")

        assert (folder.done / "a.xlsx").read_bytes() == b"1"
        assert source.read_bytes() == b"22"


class TestLedger:
    def test_it_is_the_same_after_a_restart(self, tmp_path):
        file = tmp_path / "a.xlsx"
        file.write_text("1")
        Ledger(tmp_path / "seen").record(entry_of(file, "a.xlsx", "abc"))

        ledger = Ledger(tmp_path / "seen")

        assert ledger.unchanged("a.xlsx", look_at(file))
        assert ledger.knows("abc")
        file.write_text("22")
        assert not ledger.unchanged("a.xlsx", look_at(file))

    def test_a_torn_last_line_costs_that_line_alone(self, tmp_path):
        for name in ("a", "b"):
            (tmp_path / name).write_text(name)
            Ledger(tmp_path / "seen").record(entry_of(tmp_path / name, name, name * 3))
        with (tmp_path / "seen").open("a") as file:
            file.write('{"path": "c", "si')

        Ledger(tmp_path / "seen").record(entry_of(tmp_path / "a", "d", "ddd"))

        ledger = Ledger(tmp_path / "seen")
        assert [ledger.knows(digest) for digest in ("aaa", "bbb", "ccc", "ddd")] == [1, 1, 0, 1]

    def test_it_outlives_its_folder(self, tmp_path):
        own = tmp_path / "own"
        own.mkdir()
        (tmp_path / "a").write_text("1")
        ledger = Ledger(own / "seen")
        ledger.record(entry_of(tmp_path / "a", "a", "abc"))
        (own / "seen").unlink()

        ledger.record(entry_of(tmp_path / "a", "b", "def"))

        assert Ledger(own / "seen").knows("abc")

    def test_many_saves_of_one_file_are_compacted(self, tmp_path, monkeypatch):
        monkeypatch.setattr("plexsheet.watching.ledger.KEEP", 10)
        ledger = Ledger(tmp_path / "seen")
        for number in range(50):
            ledger.record(HandledFile("a", number, number, 1, f"d{number}", "imported"))

        again = Ledger(tmp_path / "seen")

        assert len((tmp_path / "seen").read_text().splitlines()) == 2
        assert again.entry("a").size == 49

    def test_what_cannot_be_written_is_written_later(self, tmp_path):
        ledger = Ledger(tmp_path / "missing" / "seen")
        (tmp_path / "missing").write_text("in the way")
        with pytest.raises(OSError):
            ledger.record(HandledFile("a", 1, 1, 1, "abc", "ours"))
        (tmp_path / "missing").unlink()
        with pytest.raises(OSError):  # a folder taken away is not brought back
            ledger.flush()
        (tmp_path / "missing").mkdir()

        ledger.flush()

        assert Ledger(tmp_path / "missing" / "seen").knows("abc")


class TestJobs:
    def test_a_job_is_there_after_a_restart_and_a_draft_is_not(self, folder):
        source = zipped(folder.inbox / "a.xlsx")
        jobs = Jobs(folder.working)
        job = jobs.keep(jobs.claim(source, "inbox/a.xlsx", "drop")[0])
        jobs.claim(source, "inbox/a.xlsx", "drop")

        left = Jobs(folder.working).left()

        assert left == [job]
        assert [path.name for path in folder.working.iterdir()] == [job.id]
        assert jobs.copy(job).read_bytes() == source.read_bytes()

    def test_a_job_file_of_another_version_is_left_alone(self, folder):
        (folder.working / "1").mkdir()
        (folder.working / "1" / "job.json").write_text(json.dumps({"what": "ever"}))

        assert Jobs(folder.working).left() == []

    def test_jobs_are_in_order_even_within_one_tick_of_the_clock(self, folder):
        jobs = Jobs(folder.working)
        source = zipped(folder.inbox / "a.xlsx")

        made = [jobs.keep(jobs.claim(source, "inbox/a.xlsx", "drop")[0]) for _ in range(30)]

        assert [job.id for job in jobs.left()] == [job.id for job in made]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    (tmp_path / "a").mkdir()
    write_whole(tmp_path / "a" / "b", "one")
    (tmp_path / "full").write_text("in the way")

    with pytest.raises(OSError):
        write_whole(tmp_path / "full" / "b", "two")

    assert (tmp_path / "a" / "b").read_text() == "one"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_a_full_disk_is_told_from_other_errors():
    assert is_full(OSError(errno.ENOSPC, "")) and is_full(OSError(errno.EDQUOT, ""))
    assert not is_full(OSError(errno.EACCES, ""))


class TestOneWatcher:
    def test_a_second_is_refused_and_told_who_has_it(self, folder):
        from plexsheet.errors import Busy

        first, second = OneWatcher(folder.own), OneWatcher(folder.own)
        first.take()
        write_whole(folder.own / "status.json", json.dumps({"pid": 4711, "host": "x"}))

        with pytest.raises(Busy, match="process 4711 on x"):
            second.take()

        first.release()
        second.take()
        second.release()

    def test_the_status_says_running_hanging_or_stopped(self, folder):
        assert read_status(folder.own)[1] == "stopped"
        lock = OneWatcher(folder.own)
        lock.take()
        write_whole(folder.own / "status.json", json.dumps({"beat": 0}))
        assert read_status(folder.own)[1] == "hanging"
        write_whole(folder.own / "status.json", json.dumps({"beat": 1e12}))
        assert read_status(folder.own)[1] == "running"
        lock.release()
        assert read_status(folder.own)[1] == "stopped"

    def test_a_torn_status_still_makes_lines(self, folder):
        for state in ("running", "hanging", "stopped"):
            assert any(line.startswith("Watcher:") for line in status_lines(folder.root, {}, state))


class TestWords:
    def job(self, folder, name: str = "a.xlsx"):
        source = folder.inbox / name
        source.write_text("x")
        return Jobs(folder.working).claim(source, f"inbox/{name}", "drop")[0]

    def test_a_line_stays_one_line_whatever_the_file_is_called(self, folder):
        written = []
        job = self.job(folder, "a\n12:00:00  fake.xlsx")

        EventLog(written.append).say("failed", sentence(job, JobReport("refused", message="No.")))

        assert len(written[0].splitlines()) == 1

    def test_json_lines_are_objects_with_a_time_and_an_event(self):
        written = []

        EventLog(written.append, as_json=True).say("applied", "ünï\n", run=5)

        line = json.loads(written[0])
        assert (line["event"], line["run"], line["text"]) == ("applied", 5, "ünï\n")
        assert "\n" not in written[0]

    def test_a_state_is_told_once_until_it_is_over(self):
        written = []
        log = EventLog(written.append)

        log.once("plex", "waiting", "down")
        log.once("plex", "waiting", "down")
        assert len(written) == 1
        assert log.over("plex") and not log.over("plex")
        log.once("plex", "waiting", "down")
        assert len(written) == 2

    def test_counts_name_only_what_there_is(self):
        assert counted({"applied": 1200, "held": 0, "errors": 2, "unchanged": 5}) == (
            "1,200 written, 2 refused"
        )

    def test_the_summary_of_a_preview_says_how_to_go_on(self, folder):
        report = JobReport("preview", counts={"would_apply": 2}, lines=("one", "two"))

        text = summary(self.job(folder), report, "results/a result.xlsx")

        assert "type YES" in text
        assert text.endswith("one\ntwo\n")

    @pytest.mark.parametrize(
        ("name", "stem"),
        [
            ("music.xlsx", "music"),
            ("2026-11-22 113105 music result.xlsx", "music"),
            ("2026-11-22 113105 2026-11-22 113106 music result result (2).xlsx", "music"),
            ("music result 2026-11-22 113105.xlsx", "music"),
            ("result.xlsx", "result"),
            ("plexsheet Music 2026-11-22 1131.xlsx", "plexsheet Music 2026-11-22 1131"),
        ],
    )
    def test_results_of_results_keep_the_first_name(self, name, stem):
        assert own_stem(name) == stem


def test_the_file_system_of_a_path_is_known_on_linux(tmp_path):
    assert file_system(tmp_path)
    assert file_system(Path("/proc")) == "proc"
