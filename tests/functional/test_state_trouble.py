"""A full disk, a state that cannot be written, two plexsheets at once, states old and new.

Refused with one sentence and nothing half done: real processes, real files, real limits.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from plexsheet.errors import StateError
from plexsheet.state import schema
from plexsheet.state.store import open_state
from tests.driver import Tool
from tests.plex.server import DemoPlex

TAG = "rating_inferred"
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1  # of linux/prctl.h and linux/capability.h


def refused(result: Any, *words: str) -> None:
    """Exit code 2 and one sentence after another, without a traceback."""
    assert result.exit_code == 2, result.output
    message = result.json["error"]["message"]
    assert "Traceback" not in result.output
    for word in words:
        assert word in message


# The disk is full


def spawned(tool: Tool, *words: object, kilobytes: int) -> tuple[int, str]:
    """Run a command whose files may not grow beyond a limit; exit code and error."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))

    with tool.spawn(*words, "--json", preexec_fn=limited) as process:
        out, err = process.communicate(timeout=200)
    assert "Traceback" not in err
    return process.returncode, (json.loads(out)["error"] or {}).get("message", "")


@pytest.mark.slow
@pytest.mark.parametrize("more", [0, 24, 96, 160, 240])
def test_a_disk_that_fills_up_loses_nothing(tool: Tool, plex: DemoPlex, more: int):
    """The file may grow by so many kilobytes: it fails while planning, or while writing."""
    manual = plex.ratings()
    assert tool("export", "--json").exit_code == 0
    size = max(file.stat().st_size for file in tool.folder.glob("plexsheet.db*")) // 1024

    code, message = spawned(tool, "infer", "--yes", kilobytes=size + more)

    if code != 0:
        assert code == 2, message
        assert "disk" in message
        assert "Make room" in message
    assert {key: plex.rating(key) for key in manual} == manual
    runs = tool("history", "--json").json["runs"]
    if not runs:
        assert plex.writes == []  # the plan was not on the disk, so nothing was sent
        tool.infer()
    else:
        assert tool("resume", "--yes").exit_code == 0
    tool.infer()
    assert tool("verify", "--json").json["rows"] == []
    effects = [write.key for write in plex.writes if write.field == "userRating"]
    assert len(effects) == len(set(effects))
    assert {key: plex.rating(key) for key in manual} == manual
    with open_state(tool.state) as state:
        assert state.problems() == []


# It cannot be written


def without_rights(tool: Tool, *words: object) -> tuple[int, str]:
    """Run a command that may write only where the mode of files says so, as root may not ask."""
    libc = ctypes.CDLL(None, use_errno=True)

    def bound() -> None:
        if os.geteuid() == 0 and libc.prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0):
            os._exit(77)

    with tool.spawn(*words, "--json", preexec_fn=bound) as process:
        out, err = process.communicate(timeout=200)
    if process.returncode == 77:
        pytest.skip("root without the right to give up rights")
    assert "Traceback" not in err, err
    return process.returncode, (json.loads(out)["error"] or {}).get("message", "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="rights are given up the Linux way")
@pytest.mark.parametrize("words", [["infer", "--yes"], ["undo", "1", "--yes"], ["export"]])
@pytest.mark.parametrize("folder_too", [True, False])
def test_a_state_that_may_only_be_read_is_refused(
    tool: Tool, plex: DemoPlex, words: list[str], folder_too: bool
):
    tool.infer()
    before, kept = plex.ratings(), tool.state.read_bytes()
    tool.state.chmod(0o444)
    tool.folder.chmod(0o555 if folder_too else 0o755)

    code, message = without_rights(tool, *words)

    tool.folder.chmod(0o755)
    assert code == 2, message
    assert str(tool.folder) in message
    assert "STATE_FILE" in message
    assert plex.ratings() == before
    assert tool.state.read_bytes() == kept


# It is damaged, from the future, or somebody else's


def contents(tool: Tool) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in tool.folder.glob("plexsheet.db")}


def from_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
        db.commit()


def no_database(path: Path) -> None:
    path.write_bytes(b"Dear diary, today I rated three albums.\n" * 200)


def half_of_it(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def scribbled_over(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (from_the_future, "newest plexsheet"),
        (of_another_program, "another program"),
        (no_database, "damaged"),
        (half_of_it, "damaged"),
        (scribbled_over, "damaged"),
    ],
)
def test_a_state_that_cannot_be_trusted_is_refused_and_not_touched(
    tool: Tool, plex: DemoPlex, spoil: Any, word: str
):
    tool.infer()
    for name in ("-wal", "-shm"):
        assert not tool.state.with_name(tool.state.name + name).exists()
    spoil(tool.state)
    kept, before, writes = contents(tool), plex.ratings(), len(plex.writes)

    for words in (["infer", "--yes"], ["undo", "--inferred", "--yes"], ["history"], ["export"]):
        refused(tool(*words, "--json"), str(tool.state), word)

    assert contents(tool) == kept
    assert plex.ratings() == before
    assert len(plex.writes) == writes
    checks = {check["name"]: check for check in tool("doctor", "--json").json["checks"]}
    assert not checks["state"]["ok"]
    assert checks["state"]["cure"]


def test_a_damaged_state_moved_away_is_reconstructed(tool: Tool, plex: DemoPlex):
    """The way out that the message names."""
    manual = plex.ratings()
    tool.infer()
    scribbled_over(tool.state)
    tool.state.rename(tool.folder / "damaged.db")

    assert tool("reconstruct", "--yes").exit_code == 0

    assert tool("undo", "--inferred", "--yes").exit_code == 0
    assert plex.ratings() == manual


def test_doctor_finds_damage_that_opening_does_not(tool: Tool):
    """A page in the middle: everything else still works, so that it could go unnoticed."""
    tool.infer()
    with closing(sqlite3.connect(tool.state)) as db:
        page = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'journal_pending'")
        start, size = page.fetchone()[0], db.execute("PRAGMA page_size").fetchone()[0]
    content = bytearray(tool.state.read_bytes())
    content[(start - 1) * size + 200 : start * size] = bytes(size - 200)
    tool.state.write_bytes(bytes(content))

    result = tool("doctor", "--json")

    check = next(check for check in result.json["checks"] if check["name"] == "state")
    assert not check["ok"]
    assert result.exit_code == 2


# Older than this plexsheet


def older(path: Path, version: int) -> None:
    """A state as an earlier plexsheet left it, with one library and one rating."""
    with closing(sqlite3.connect(path)) as db:
        db.executescript("".join(schema.MIGRATIONS[:version]))
        db.execute("INSERT INTO scope VALUES (1, 's', 'u', '1', 'Server', 'Music', 'me')")
        db.execute(
            "INSERT INTO shadow (scope, kind, key, value, last_rated_at, written_at, run, why, "
            "tags) VALUES (1, 2, 77, 7.2, 5, 5, 1, 'inferred', 'Tag')"
        )
        db.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")
        db.commit()


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_an_older_state_is_brought_up_to_date_after_a_copy(tmp_path: Path, version: int):
    path = tmp_path / "plexsheet.db"
    older(path, version)

    with open_state(path) as state:
        assert state.shadow(1, "track")["value"].tolist() == [7.2]
        assert state.problems() == []
        assert state.database.read("PRAGMA user_version") == [(schema.VERSION,)]

    (copy,) = tmp_path.glob("*.bak")
    assert f".v{version}-" in copy.name
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (version,)
        assert db.execute("SELECT value FROM shadow").fetchall() == [(7.2,)]


def test_a_state_of_today_is_not_copied(tmp_path: Path):
    for _ in range(2):
        open_state(tmp_path / "plexsheet.db").close()

    assert list(tmp_path.glob("*.bak")) == []


def test_a_migration_that_fails_leaves_the_state_as_it_was(tmp_path: Path):
    """A table of the next version is there already: nothing of the step is kept."""
    path = tmp_path / "plexsheet.db"
    older(path, 1)
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE snapshot (mine TEXT)")
        db.commit()

    with pytest.raises(StateError):
        open_state(path)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
        assert (
            db.execute("SELECT name FROM sqlite_master WHERE name = 'known_items'").fetchall() == []
        )
    assert len(list(tmp_path.glob("*.bak"))) == 1


# Two at once


def test_a_second_writer_is_told_who_writes_and_since_when(tool: Tool, plex: DemoPlex):
    plex.gate.set(3, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert plex.gate.wait_until_waiting(120)
        before = plex.ratings()

        for words in (["infer", "--yes"], ["export"], ["resume", "--yes"], ["undo", "1", "--yes"]):
            holder = f"“plexsheet infer” (process {process.pid} "
            refused(tool(*words, "--json"), holder, "since", "Nothing was changed")
        assert tool("history", "--json").exit_code == 0  # looking is allowed

        assert plex.ratings() == before
        plex.gate.release()
        process.communicate(timeout=200)
    assert process.returncode == 0
    assert tool("verify", "--json").json["rows"] == []


def test_the_lock_of_a_dead_process_keeps_nobody_out(tool: Tool, plex: DemoPlex):
    plex.gate.set(3, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert plex.gate.wait_until_waiting(120)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    plex.gate.release(False)
    assert tool.state.with_name("plexsheet.db.holder").exists()

    assert tool("resume", "--yes").exit_code == 0

    assert tool("verify", "--json").json["rows"] == []
    assert not tool.state.with_name("plexsheet.db.holder").exists()


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"pid": "x"}'])
def test_what_lies_beside_the_lock_never_keeps_anybody_out(tool: Tool, content: bytes):
    for name in ("plexsheet.db.holder", "plexsheet.db.lock"):
        (tool.folder / name).write_bytes(content)

    tool.infer()
