"""The watched folder from outside: files saved, ratings in Plex, what it says and leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import openpyxl
import psutil
import pytest

from plexsheet.watching.jobs import APPLYING, Jobs
from tests.driver import Tool, rows_of_sheet, set_cells
from tests.effort import enough
from tests.plex.server import DemoPlex
from tests.watching import (
    LONG_S,
    SETTLE_S,
    Watching,
    cpu_s,
    in_pieces,
    memory_mb,
    replace_file,
    save_as_excel,
    until,
    watching,
)

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals as on Unix"),
    # openpyxl does not keep every extension of a workbook; a person's program does.
    pytest.mark.filterwarnings("ignore:.*extension is not supported:UserWarning"),
]


TRACKS = 160
STAMP = len("2026-11-22 113105 ")  # before the names of files put away


@pytest.fixture
def tool(tmp_path: Path) -> Iterator[Tool]:
    with DemoPlex(tracks=TRACKS) as plex:
        yield Tool(tmp_path, plex, WATCH={"SETTLE_SEC": SETTLE_S})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workbooks"
    (made / "inbox").mkdir(parents=True)
    return made


def unrated(tool: Tool, count: int = 1) -> list[int]:
    """Keys of tracks without a rating."""
    rated = tool.plex.ratings("track")
    return [item["key"] for item in tool.plex.items("track") if item["key"] not in rated][:count]


def edited(tool: Tool, cells: list[tuple[str, str, str, object]]) -> bytes:
    """A fresh export with these cells set, as bytes."""
    set_cells(tool.export(), cells)
    return tool.workbook.read_bytes()


def rated(key: int, value: object, sheet: str = "Tracks") -> list[tuple[str, str, str, object]]:
    return [(sheet, str(key), "My rating", value)]


def in_plex(tool: Tool, key: int) -> float | None:
    value: float | None = tool.plex.rating(key)
    return value


def times_written(tool: Tool, key: int) -> int:
    return sum(
        write.key == key and write.field == "userRating" and write.via != "demo"
        for write in tool.plex.writes
    )


def files(folder: Path) -> list[str]:
    """What lies in a folder, time stamps removed."""
    return sorted(path.name[STAMP:] for path in folder.iterdir() if not path.name.startswith("."))


def imports_left(folder: Path) -> list[str]:
    """Files taken and not finished; a fresh workbook still to be made does not count."""
    jobs = [json.loads(path.read_text()) for path in (folder / "working").glob("*/job.json")]
    return [job["name"] for job in jobs if job["kind"] == "import"]


def confirm(result: Path, word: str = "YES") -> None:
    """Type into the Apply cell of a result workbook and save it in place."""
    book = openpyxl.load_workbook(result)
    start = book["Start"]
    cell = next(row[0] for row in start.iter_rows(max_col=1) if row[0].value == "Apply")
    start.cell(cell.row, 2).value = word
    book.save(result)
    book.close()


class TestDropping:
    def test_a_drop_is_a_preview_until_yes_is_typed_into_apply(self, tool, folder):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 4.5))
        with watching(tool, folder) as watcher:
            replace_file(folder / "inbox" / "music.xlsx", content)
            told = watcher.wait_for("preview")

            assert told["counts"]["would_apply"] == 1
            assert in_plex(tool, key) is None
            assert (folder / told["result"]).with_suffix(".txt").read_text().count("type YES") == 1
            [done] = (folder / "done").iterdir()
            assert done.read_bytes() == content
            assert done.name.endswith(" music.xlsx")

            confirm(folder / told["result"])
            applied = watcher.wait_for("applied")

            assert in_plex(tool, key) == 9.0
            assert applied["counts"]["applied"] == 1
            assert (folder / told["result"]).exists()
        assert times_written(tool, key) == 1
        assert imports_left(folder) == []

    @pytest.mark.slow
    @pytest.mark.parametrize("word", ["no", "4.5"])
    def test_anything_but_yes_stays_a_preview(self, tool, folder, word):
        key = unrated(tool)[0]
        with watching(tool, folder) as watcher:
            replace_file(folder / "inbox" / "a.xlsx", edited(tool, rated(key, 4.5)))
            confirm(folder / watcher.wait_for("preview")["result"], word)

            watcher.wait_for("preview")

        assert in_plex(tool, key) is None

    def test_edits_after_a_confirmed_preview_are_no_conflict_with_oneself(self, tool, folder):
        """The workbook whose preview was confirmed in the result has gone along."""
        keys = unrated(tool, 5)
        workbook = folder / "music.xlsx"
        content = edited(tool, [cell for key in keys for cell in rated(key, 4.5)])
        with watching(tool, folder) as watcher:
            replace_file(workbook, content)
            confirm(folder / watcher.wait_for("preview")["result"])
            watcher.wait_for("applied")
            set_cells(workbook, [cell for key in keys for cell in rated(key, 3)])
            again = watcher.wait_for("preview", file="music.xlsx")
            assert (again["counts"]["would_apply"], again["counts"].get("conflicts", 0)) == (5, 0)
            confirm(folder / again["result"])
            watcher.wait_for("applied")

        assert [in_plex(tool, key) for key in keys] == [6.0] * 5

    def test_a_result_edited_further_leaves_the_first_workbook_behind(self, tool, folder):
        """What the first workbook still shows is old then, and must not undo the newer rating."""
        keys = unrated(tool, 3)
        workbook = folder / "music.xlsx"
        content = edited(tool, [cell for key in keys for cell in rated(key, 4.5)])
        with watching(tool, folder) as watcher:
            replace_file(workbook, content)
            result = folder / watcher.wait_for("preview")["result"]
            set_cells(result, [cell for key in keys for cell in rated(key, 2)])
            confirm(result)
            watcher.wait_for("applied")
            other = unrated(tool)[0]
            set_cells(workbook, rated(other, 5))
            again = watcher.wait_for("preview", file="music.xlsx")

            assert again["counts"]["would_apply"] == 1
        assert [in_plex(tool, key) for key in keys] == [4.0] * 3

    def test_a_conflict_copy_is_told_once_and_not_imported(self, tool, folder):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 4.5))
        names = ("music (Anna's conflicted copy 2026-11-28).xlsx", ".later.xlsx.icloud")
        with watching(tool, folder, "--auto-apply") as watcher:
            for name in names:
                replace_file(folder / name, content)
            told = {watcher.wait_for("aside")["file"] for _ in names}
            watcher.nothing_else()

        assert told == set(names)
        assert len(watcher.told("aside")) == 2
        assert in_plex(tool, key) is None

    def test_auto_apply_writes_at_once_and_offers_a_fresh_workbook(self, tool, folder):
        key = unrated(tool)[0]
        replace_file(folder / "inbox" / "music.xlsx", edited(tool, rated(key, 4.5)))

        with watching(tool, folder, "--auto-apply") as watcher:  # found at the start
            told = watcher.wait_for("applied")
            fresh = watcher.wait_for("refreshed")

        assert in_plex(tool, key) == 9.0
        assert told["run"]
        rows = {row["Key"]: row for row in rows_of_sheet(folder / fresh["result"], "Tracks")}
        assert rows[str(key)]["My rating"] == 4.5
        assert [write.key for write in tool.plex.writes if write.via != "demo"] == [key]

    def test_inferred_ratings_are_written_only_when_asked(self, tool, folder):
        key = unrated(tool)[0]
        replace_file(folder / "inbox" / "music.xlsx", edited(tool, rated(key, 4.5)))

        with watching(tool, folder, "--auto-apply", "--then-infer") as watcher:
            told = watcher.wait_for("refreshed")

        assert told["run"]
        assert len(tool.plex.ratings("track")) > 0.8 * TRACKS

    @pytest.mark.slow
    @pytest.mark.parametrize("accident", ["emptied", "sorted alone", "budget", "conflict"])
    def test_what_looks_like_an_accident_is_held_even_so(self, tmp_path, folder, accident):
        with DemoPlex(tracks=TRACKS) as plex:
            tool = Tool(
                tmp_path,
                plex,
                WATCH={"SETTLE_SEC": SETTLE_S, "AUTO_APPLY": True},
                CHANGE_BUDGET={"SHARE": 0.01, "MIN_ROWS": 10, "MAX_ROWS": 60},
            )
            cells, code, count = accidents(tool)[accident]
            replace_file(folder / "inbox" / "music.xlsx", edited(tool, cells))
            if accident == "conflict":
                plex.rate(int(cells[0][1]), 2.0)  # after the export
            before = plex.ratings()
            with watching(tool, folder) as watcher:
                told = watcher.wait_for("applied")

            text = (folder / told["result"]).with_suffix(".txt").read_text()
            assert plex.ratings() == before
            assert told["counts"].get("applied", 0) == 0
            assert told["counts"]["held"] + told["counts"]["conflicts"] == count
            assert code in text
            if accident == "sorted alone":
                assert told["code"] == "S02"
                assert "Nothing on Tracks was changed" in told["text"]
            else:
                assert code in shown_changes(folder / told["result"])
            assert files(folder / "done") == ["music.xlsx"]

    def test_a_file_open_in_an_editor_waits_until_it_is_closed(self, tool, folder):
        key = unrated(tool)[0]
        lock = folder / "inbox" / ".~lock.music.xlsx#"
        with watching(tool, folder, "--auto-apply") as watcher:
            lock.write_text(",me,here,;")
            replace_file(folder / "inbox" / "music.xlsx", edited(tool, rated(key, 3)))
            assert watcher.wait_for("open")["code"] == "F02"
            watcher.nothing_else()
            lock.unlink()
            watcher.wait_for("applied")

        assert in_plex(tool, key) == 6.0

    def test_a_lock_left_by_a_crash_does_not_hold_it_for_ever(self, tool, folder):
        key = unrated(tool)[0]
        lock = folder / "inbox" / "~$music.xlsx"
        lock.write_text("me")
        os.utime(lock, (time.time() - 700,) * 2)
        replace_file(folder / "inbox" / "music.xlsx", edited(tool, rated(key, 3)))

        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("lock-ignored")
            watcher.wait_for("applied")

    def test_the_same_save_dropped_again_is_not_imported_again(self, tool, folder):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 3))
        with watching(tool, folder, "--auto-apply") as watcher:
            replace_file(folder / "inbox" / "one.xlsx", content)
            watcher.wait_for("applied")
            tool.plex.rate(key, 8.0)  # changed in Plexamp since
            replace_file(folder / "inbox" / "two.xlsx", content)
            again = watcher.wait_for("nothing")

        assert "Already imported" in again["text"]
        assert in_plex(tool, key) == 8.0
        assert files(folder / "done") == ["one.xlsx", "two.xlsx"]

    @pytest.mark.slow
    @pytest.mark.parametrize("seed", range(3))
    def test_a_file_growing_slowly_is_read_whole(self, tool, folder, seed):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 3.5))
        with watching(tool, folder, "--auto-apply") as watcher:
            in_pieces(
                folder / "inbox" / "music.xlsx",
                content,
                chance=random.Random(seed),
                pause_s=2 * SETTLE_S,
            )
            told = watcher.wait_for("applied")

        assert told["counts"]["applied"] == 1
        assert in_plex(tool, key) == 7.0
        assert not watcher.told("failed")


class TestInPlace:
    def test_each_save_is_one_import_of_its_own_change(self, tool, folder):
        keys = unrated(tool, enough(20, 5))
        tool.workbook = folder / "mine" / "music.xlsx"
        tool.workbook.parent.mkdir()
        chance = random.Random(7)
        tool.export()
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
            draft = folder.parent / "draft.xlsx"
            draft.write_bytes(tool.workbook.read_bytes())
            for number, key in enumerate(keys):
                set_cells(draft, rated(key, (number % 10 + 1) / 2))
                save_as_excel(tool.workbook, draft.read_bytes(), chance=chance, pause_s=0.2)
                told = watcher.wait_for("applied")
                assert told["counts"]["applied"] == 1, told
            assert not watcher.told("failed")
            watcher.wait_for("refreshed")
            watcher.nothing_else()
            assert len(watcher.told("applied")) == len(keys)

        assert [in_plex(tool, key) for key in keys] == [n % 10 + 1 for n in range(len(keys))]
        assert {times_written(tool, key) for key in keys} == {1}
        assert tool.workbook.read_bytes() == draft.read_bytes()
        assert not list((folder / "done").iterdir())

    def test_saved_while_open_is_imported_while_open(self, tool, folder):
        key = unrated(tool)[0]
        tool.workbook = folder / "music.xlsx"
        tool.export()
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
            (folder / ".~lock.music.xlsx#").write_text(",me,here,;")
            set_cells(tool.workbook, rated(key, 2))
            watcher.wait_for("applied")

        assert in_plex(tool, key) == 4.0

    def test_a_save_made_while_nobody_watched_is_imported_at_the_next_start(self, tool, folder):
        key = unrated(tool)[0]
        tool.workbook = folder / "music.xlsx"
        tool.export()
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
        set_cells(tool.workbook, rated(key, 2))
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("applied")
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("refreshed")  # was cut short by the stop
            watcher.nothing_else()

        assert times_written(tool, key) == 1

    def test_copies_and_renames_of_what_was_imported_are_not_new(self, tool, folder):
        tool.workbook = folder / "music.xlsx"
        tool.export()
        with watching(tool, folder) as watcher:
            watcher.wait_for("nothing")
            (folder / "copy.xlsx").write_bytes(tool.workbook.read_bytes())
            tool.workbook.rename(folder / "renamed.xlsx")
            watcher.nothing_else()

    def test_the_result_takes_the_place_of_the_last_one_unless_that_is_open(self, tool, folder):
        keys = unrated(tool, 3)
        tool.workbook = folder / "music.xlsx"
        tool.export()
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("nothing")
            set_cells(tool.workbook, rated(keys[0], 2))
            assert watcher.wait_for("applied")["result"] == "results/music result.xlsx"
            set_cells(tool.workbook, rated(keys[1], 2))
            assert watcher.wait_for("applied")["result"] == "results/music result.xlsx"
            (folder / "results" / ".~lock.music result.xlsx#").write_text("me")
            before = (folder / "results" / "music result.xlsx").read_bytes()
            set_cells(tool.workbook, rated(keys[2], 2))
            other = watcher.wait_for("applied")["result"]

        assert other != "results/music result.xlsx"
        assert (folder / other).is_file()
        assert (folder / "results" / "music result.xlsx").read_bytes() == before


HOSTILE: dict[str, Callable[[bytes], bytes]] = {
    "empty archive.xlsx": lambda whole: b"PK\5\6" + b"\0" * 18,
    "text.xlsx": lambda whole: b"hello",
    "web page.xlsx": lambda whole: b"<html><table></table></html>",
    "encrypted.xlsx": lambda whole: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5000,
    "noise.ods": lambda whole: b"PK\3\4" + random.Random(1).randbytes(9000),
    "cut off.xlsx": lambda whole: whole[: len(whole) // 2],
    "picture.png": lambda whole: b"\x89PNG\r\n\x1a\n",
    "old.xls": lambda whole: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "bits.xlsx": lambda whole: flipped(whole, 40),
    "name\nwith 🎵 'quotes' \".csv": lambda whole: b"what,ever\n1,2\n",
    "zeros.csv": lambda whole: b"\0" * 4000,
}


def flipped(content: bytes, count: int) -> bytes:
    """The same with some bits turned over."""
    chance, changed = random.Random(5), bytearray(content)
    for _ in range(count):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


class TestTrouble:
    def test_every_bad_file_ends_in_failed_with_a_reason(self, tool, folder):
        key = unrated(tool)[0]
        good = edited(tool, rated(key, 4))
        for name, make in HOSTILE.items():
            replace_file(folder / "inbox" / name, make(good))
        replace_file(folder / "inbox" / "zz good.xlsx", good)
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("applied")
            until(lambda: len(watcher.told("failed")) == len(HOSTILE))

        assert in_plex(tool, key) == 8.0
        bad = sorted([*HOSTILE, *(f"{name}.txt" for name in HOSTILE)])
        assert files(folder / "failed") == bad
        for text in (folder / "failed").glob("*.txt"):
            assert "nothing was written" in text.read_text(), text
        assert not list((folder / "inbox").iterdir())

    def test_a_file_whose_worker_dies_fails_and_the_watcher_goes_on(self, tool, folder):
        key, other = unrated(tool, 2)
        first = edited(tool, rated(key, 4))
        second = edited(tool, rated(other, 4))
        tool.plex.set_faults(read_ms=1500)
        with watching(tool, folder, "--auto-apply") as watcher:
            replace_file(folder / "inbox" / "deadly.xlsx", first)
            killed = set()
            while not watcher.told("failed"):
                if watcher.status().get("doing") == "inbox/deadly.xlsx":
                    killed |= kill_workers(watcher, killed)
                time.sleep(0.02)
            told = watcher.wait_for("failed")
            assert len(killed) == 2
            tool.plex.set_faults(read_ms=0)
            replace_file(folder / "inbox" / "good.xlsx", second)
            watcher.wait_for("applied")

        assert "SIGKILL" in told["text"]
        assert (in_plex(tool, key), in_plex(tool, other)) == (None, 8.0)
        assert files(folder / "failed") == ["deadly.xlsx", "deadly.xlsx.txt"]

    def test_plex_down_is_told_once_and_the_queue_is_kept(self, tool, folder):
        key, other = unrated(tool, 2)
        contents = [edited(tool, rated(key, 4)), edited(tool, rated(other, 2))]
        tool.plex.set_faults(every_nth=1, kind="drop_before")
        with watching(tool, folder, "--auto-apply") as watcher:
            replace_file(folder / "inbox" / "one.xlsx", contents[0])
            watcher.wait_for("waiting")
            replace_file(folder / "inbox" / "two.xlsx", contents[1])
            until(lambda: len(watcher.status().get("queue", [])) == 2)
            assert "not available" in watcher.status()["plex"]
            assert len(watcher.told("waiting")) == 1
            watcher.end()
        tool.plex.reset_faults()
        with watching(tool, folder, "--auto-apply") as watcher:
            watcher.wait_for("applied")
            watcher.wait_for("applied")

        assert (in_plex(tool, key), in_plex(tool, other)) == (8.0, 4.0)
        assert files(folder / "done") == ["one.xlsx", "two.xlsx"]

    def test_plex_back_is_noticed_without_a_restart(self, tool, folder):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 4))
        tool.plex.set_faults(every_nth=1, kind="drop_before")
        with watching(tool, folder, "--auto-apply") as watcher:
            replace_file(folder / "inbox" / "one.xlsx", content)
            watcher.wait_for("waiting")
            tool.plex.reset_faults()
            watcher.wait_for("going-on")
            watcher.wait_for("applied")

    @pytest.mark.slow
    @pytest.mark.parametrize("how", ["kill", "term"])
    def test_interrupted_while_writing_it_goes_on_where_it_was(self, tool, folder, how):
        *keys, wrong = unrated(tool, 41)
        cells = [rated(key, 1 + n % 9 / 2)[0] for n, key in enumerate(keys)]
        content = edited(tool, [*cells, *rated(wrong, 7)])
        replace_file(folder / "inbox" / "music.xlsx", content)
        tool.plex.gate.set(3, "before", "writes")
        watcher = Watching(tool, folder, "--auto-apply").start()
        try:
            assert tool.plex.gate.wait_until_waiting(LONG_S)
            if how == "kill":
                watcher.kill()
                tool.plex.gate.release()
            else:
                # The gate opens once the signal was heard; a chunk is being written till then.
                watcher.process.send_signal(signal.SIGTERM)
                time.sleep(0.5)
                tool.plex.gate.release()
                assert watcher.process.wait(LONG_S) == 5
        finally:
            watcher.kill()
        some = sum(times_written(tool, key) for key in keys)
        assert 0 < some < 40

        with watching(tool, folder, "--auto-apply") as again:
            told = again.wait_for("applied")
            again.wait_for("refreshed")
            assert (told["counts"]["applied"], told["counts"]["errors"]) == (40, 1)
            assert told["run"] == again.told("resumed")[0]["run"]

        # Interrupted or not, the result tells of every row, those refused, too.
        rows = {row["Key"]: row for row in rows_of_sheet(folder / told["result"], "Tracks")}
        assert [rows[str(key)]["Status"] for key in keys] == ["Applied"] * 40
        assert rows[str(wrong)]["Status"] == "Error"
        assert files(folder / "done") == ["music.xlsx"]
        assert [in_plex(tool, key) for key in keys] == [2 * (1 + n % 9 / 2) for n in range(40)]
        assert {times_written(tool, key) for key in keys} == {1}
        assert not list((folder / "inbox").iterdir())
        assert imports_left(folder) == []

    def test_an_import_that_ended_unheard_is_told_in_full(self, tool, folder):
        """Killed after the last write, before a word of it: the restart tells the rest."""
        key, wrong = unrated(tool, 2)
        jobs = Jobs(folder / "working")
        jobs.working.mkdir()
        source = folder / "inbox" / "music.xlsx"
        replace_file(source, edited(tool, [*rated(key, 4), *rated(wrong, 7)]))
        job = jobs.keep(jobs.claim(source, "inbox/music.xlsx", "drop")[0])
        (jobs.folder(job) / APPLYING).touch()
        assert tool("import", source, "--yes").exit_code == 1

        with watching(tool, folder, "--auto-apply") as watcher:
            told = watcher.wait_for("applied")

        assert (told["counts"]["applied"], told["counts"]["errors"]) == (1, 1)
        assert times_written(tool, key) == 1
        assert files(folder / "done") == ["music.xlsx"]

    def test_interrupted_while_writing_inferred_ratings_they_go_first(self, tool, folder):
        key, other = unrated(tool, 2)
        contents = edited(tool, rated(key, 4)), edited(tool, rated(other, 2))
        replace_file(folder / "inbox" / "one.xlsx", contents[0])
        with watching(tool, folder, "--auto-apply", "--then-infer") as watcher:
            watcher.wait_for("applied")
            tool.plex.gate.set(2, "before", "writes")
            assert tool.plex.gate.wait_until_waiting(LONG_S)
            watcher.kill()
            tool.plex.gate.release()
        replace_file(folder / "inbox" / "two.xlsx", contents[1])

        with watching(tool, folder, "--auto-apply", "--then-infer") as again:
            again.wait_for("refreshed")
            again.wait_for("applied", file="inbox/two.xlsx")
            again.wait_for("refreshed")

        assert (in_plex(tool, key), in_plex(tool, other)) == (8.0, 4.0)
        assert len(tool.plex.ratings("track")) > 0.8 * TRACKS

    @pytest.mark.slow
    @pytest.mark.parametrize("how", ["moved away", "removed", "removed with what was in it"])
    def test_the_folder_removed_and_made_again(self, tool, folder, how):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 4))
        with watching(tool, folder, "--auto-apply") as watcher:
            if how == "moved away":
                folder.rename(folder.with_name("elsewhere"))
            elif how == "removed":
                remove(folder)
            else:
                tool.plex.set_faults(every_nth=1, kind="drop_before")
                replace_file(folder / "inbox" / "lost.xlsx", content)
                watcher.wait_for("waiting")
                remove(folder)
                tool.plex.reset_faults()
            watcher.wait_for("folder-gone")
            (folder / "inbox").mkdir(parents=True)
            replace_file(folder / "inbox" / "music.xlsx", content)
            watcher.wait_for("folder-back")
            watcher.wait_for("applied")

        assert in_plex(tool, key) == 8.0
        assert files(folder / "done") == ["music.xlsx"]

    def test_a_folder_removed_and_made_again_at_once_is_watched_on(self, tool, folder):
        """So fast that it was never seen to be gone; file systems give it the same number."""
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 4))
        with watching(tool, folder, "--auto-apply") as watcher:
            remove(folder)
            (folder / "inbox").mkdir(parents=True)
            watcher.wait_for("folder-back")
            replace_file(folder / "inbox" / "music.xlsx", content)
            watcher.wait_for("applied")
            assert tool("watch", folder).exit_code == 2  # and held against a second one

        assert in_plex(tool, key) == 8.0

    def test_a_full_disk_is_told_and_waited_out(self, tool, folder):
        key = unrated(tool)[0]
        content = edited(tool, rated(key, 4))
        with watching(tool, folder, "--auto-apply") as watcher:
            # No file may grow beyond this: writing fails as it does on a full disk.
            resource.prlimit(watcher.process.pid, resource.RLIMIT_FSIZE, (2000, -1))
            replace_file(folder / "inbox" / "music.xlsx", content)
            watcher.wait_for("disk-full")
            # The limit passes on to the worker, which may be started any moment.
            resource.prlimit(watcher.process.pid, resource.RLIMIT_FSIZE, (-1, -1))
            for worker in workers_of(watcher):
                resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (-1, -1))
            watcher.wait_for("applied")

        assert in_plex(tool, key) == 8.0

    def test_a_second_watcher_is_refused(self, tool, folder):
        with watching(tool, folder) as watcher:
            second = tool("watch", folder)

            assert second.exit_code == 2
            assert f"process {watcher.process.pid}" in second.output


def workers_of(watcher: Watching) -> list[psutil.Process]:
    return psutil.Process(watcher.process.pid).children()


def kill_workers(watcher: Watching, killed: set[int]) -> set[int]:
    """SIGKILL to the worker, unless it is one killed before."""
    found = [worker for worker in workers_of(watcher) if worker.pid not in killed]
    for worker in found:
        worker.kill()
    return {worker.pid for worker in found}


def accidents(tool: Tool) -> dict[str, tuple[list[tuple[str, str, str, object]], str, int]]:
    """Cells that look like an accident, the code they are held with, and how many rows."""
    keys = unrated(tool, 60)
    for number, key in enumerate(keys[:40]):
        tool.plex.rate(key, float(number % 9 + 1))
    tool.export()
    rows = [row for row in rows_of_sheet(tool.workbook, "Tracks") if row["My rating"]]
    values = sorted(row["My rating"] for row in rows)
    alone = [rated(row["Key"], value)[0] for row, value in zip(rows, values, strict=True)]
    return {
        "emptied": ([rated(row["Key"], None)[0] for row in rows[:30]], "W23", 30),
        "sorted alone": (alone, "S02", 0),  # the sheet is stopped, its rows are not looked at
        "budget": ([rated(key, 1 + n % 7 / 2)[0] for n, key in enumerate(keys[40:])], "S04", 20),
        "conflict": (rated(int(rows[0]["Key"]), 5), "C50", 1),
    }


def remove(folder: Path) -> None:
    """Remove a folder in which the watcher may just be writing something."""
    while folder.exists():
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)


def shown_changes(result: Path) -> set[str]:
    """The codes on a result's sheet Changes."""
    return {row["Code"] for row in rows_of_sheet(result, "Changes")}


class TestOnce:
    def test_it_empties_the_folder_and_ends(self, tool, folder):
        key = unrated(tool)[0]
        replace_file(folder / "inbox" / "a.xlsx", edited(tool, rated(key, 4)))

        done = tool("watch", folder, "--once", "--auto-apply")
        again = tool("watch", folder, "--once", "--auto-apply")

        assert done.exit_code == 0, done.output
        assert again.exit_code == 0
        assert in_plex(tool, key) == 8.0
        assert not list((folder / "inbox").iterdir())
        assert (folder / "results" / "Music refreshed.xlsx").exists()

    def test_its_exit_code_is_the_worst_outcome(self, tool, folder):
        key = unrated(tool)[0]
        (folder / "inbox" / "bad.xlsx").write_text("no workbook")
        assert tool("watch", folder, "--once").exit_code == 3
        replace_file(folder / "inbox" / "row.xlsx", edited(tool, rated(key, 7)))
        assert tool("watch", folder, "--once", "--auto-apply").exit_code == 1
        replace_file(folder / "inbox" / "down.xlsx", edited(tool, rated(key, 4)))
        tool.plex.set_faults(every_nth=1, kind="drop_before")

        assert tool("watch", folder, "--once", "--auto-apply").exit_code == 4

        tool.plex.reset_faults()
        assert tool("watch", folder, "--once", "--auto-apply").exit_code == 0
        assert in_plex(tool, key) == 8.0


class TestStatus:
    def test_it_tells_from_another_shell(self, tool, folder):
        stopped = tool("watch", folder, "--status")
        with watching(tool, folder) as watcher:
            running = tool("watch", folder, "--status")

        assert (stopped.exit_code, running.exit_code) == (1, 0)
        assert "not running" in stopped.output
        assert f"process {watcher.process.pid}" in running.output
        assert tool("watch", folder, "--status").exit_code == 1


class TestLooking:
    def test_polling_works_without_events(self, tool, folder):
        with watching(tool, folder, "--polling") as watcher:
            (folder / "inbox" / "a.txt").write_text("x")
            watcher.wait_for("failed")

        assert "polling" in watcher.events[0]["text"]

    def test_a_thousand_files_cost_next_to_nothing(self, tool, folder):
        (folder / "results").mkdir()
        for number in range(1000):
            path = folder / "results" / f"{number}.xlsx"
            path.write_bytes(b"x" * 100)
            os.utime(path, (time.time() - 1000,) * 2)
        with watching(tool, folder, "--polling") as watcher:
            pid = watcher.process.pid
            time.sleep(2)
            before, began = cpu_s(pid), time.monotonic()
            time.sleep(8)
            share = (cpu_s(pid) - before) / (time.monotonic() - began)

            # `python -m benchmarks.watch` measures: a fifth of this. The clock's tick is
            # a tenth of a percent here, and a busy machine makes the same work dearer.
            assert share <= 0.01
            assert memory_mb(pid) <= 150
            assert not psutil.Process(pid).children()
