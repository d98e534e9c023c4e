"""Ctrl-C while writing: once is tidy, twice is at once, and either way nothing is in doubt."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from tests.driver import Tool, set_cells
from tests.plex.server import DemoPlex

pexpect = pytest.importorskip("pexpect")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and terminals of Unix")
PATIENCE_S = 120


def until(what: Callable[[], Any], told: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < end, f"not within {PATIENCE_S} s: {told}"
        time.sleep(0.005)


def at_gate(plex: DemoPlex) -> None:
    assert plex.gate.wait_until_waiting(PATIENCE_S), "no request came to the gate"


def shown_until_at_gate(plex: DemoPlex, terminal: Any) -> None:
    """The same while somebody looks: a terminal nobody reads fills up, and the process waits."""

    def waiting() -> bool:
        with suppress(pexpect.TIMEOUT):
            terminal.read_nonblocking(4096, timeout=0.01)
        return bool(plex.gate.wait_until_waiting(0.05))

    until(waiting, "a request came to the gate")


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def runs(tool: Tool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tool("history", "--json").json["runs"]
    return found


def statuses(tool: Tool) -> set[str]:
    """What the journal says about the rows of all runs."""
    with closing(sqlite3.connect(tool.state)) as db:
        return {status for (status,) in db.execute("SELECT DISTINCT status FROM journal")}


def finished_as_undisturbed(tool: Tool, plex: DemoPlex) -> None:
    """Resuming ends the run; afterwards inference has nothing left to do, and wrote all once."""
    result = tool("resume", "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert [run["status"] for run in runs(tool)] == ["done"]
    keys = [write.key for write in plex.writes if write.field == "userRating"]
    assert len(keys) == len(set(keys)) == runs(tool)[0]["counts"]["written"]
    again = tool("infer", "--preview", "--json").json["counts"]
    assert again["artists"] + again["albums"] + again["tracks"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_one_ctrl_c_finishes_the_request_and_stops_tidily(
    tool: Tool, plex: DemoPlex, sign: signal.Signals
) -> None:
    plex.gate.set(3, "after")
    process = tool.spawn("infer", "--yes", "--json")
    at_gate(plex)

    process.send_signal(sign)
    plex.gate.release()
    code, out, err = ended(process)

    assert code == 5, out + err
    told = json.loads(out)
    assert told["error"]["code"] == "interrupted"
    assert "plexsheet resume" in told["error"]["message"]
    assert statuses(tool) == {"verified", "planned"}, "nothing is in doubt"
    finished_as_undisturbed(tool, plex)


def test_two_ctrl_c_stop_at_once_although_plex_does_not_answer(tool: Tool, plex: DemoPlex) -> None:
    plex.gate.set(3, "after")
    process = tool.spawn("infer", "--yes", "--json")
    at_gate(plex)

    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None, "one alone waits for the answer"
    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)  # while the gate is shut

    assert code == 5, out + err
    assert json.loads(out)["error"]["code"] == "interrupted"
    plex.gate.release(apply=False)
    finished_as_undisturbed(tool, plex)


def test_ctrl_c_while_waiting_for_a_server_that_is_down_stops_tidily(
    tool: Tool, plex: DemoPlex
) -> None:
    plex.gate.set(2, "before")
    process = tool.spawn("infer", "--yes")
    at_gate(plex)
    plex.set_faults(every_nth=1, kind="503")  # from now on, so that it waits and tries again
    plex.gate.release(apply=False)
    until(lambda: plex.faults.failed >= 2, "it tries again")

    process.send_signal(signal.SIGINT)
    code, out, err = ended(process)

    assert code == 5, out + err
    assert "plexsheet resume" in out + err
    assert "Traceback" not in err
    plex.reset_faults()
    finished_as_undisturbed(tool, plex)


def test_an_import_that_was_stopped_says_how_to_go_on(tool: Tool, plex: DemoPlex) -> None:
    tool.export()
    keys = [item["key"] for item in plex.items("track")][:40]
    set_cells(
        tool.workbook,
        [("Tracks", str(key), "My rating", 1 + n % 9 / 2) for n, key in enumerate(keys)],
    )
    plex.gate.set(2, "after")
    process = tool.spawn("import", tool.workbook, "--yes")
    at_gate(plex)

    process.send_signal(signal.SIGINT)
    plex.gate.release()
    code, out, err = ended(process)

    assert code == 5, out + err
    assert "plexsheet resume" in out + err
    assert tool("resume", "--yes").exit_code == 0
    for n, key in enumerate(keys):
        assert plex.rating(key) == 2 * (1 + n % 9 / 2)
    assert tool.importing().json["counts"]["applied"] == 0


# On a terminal


@pytest.fixture
def terminal(tool: Tool) -> Iterator[Any]:
    """``infer`` in a terminal of its own, with somebody before it."""
    words = ["-m", "plexsheet", "--config", str(tool.config), "infer", "--yes"]
    child = pexpect.spawn(
        sys.executable, words, encoding="utf-8", timeout=PATIENCE_S, dimensions=(30, 110)
    )
    yield child
    child.close(force=True)


@pytest.fixture
def gated(plex: DemoPlex) -> None:
    plex.gate.set(3, "after")


def test_on_a_terminal_one_ctrl_c_asks_and_resume_goes_on(
    gated: None, terminal: Any, tool: Tool, plex: DemoPlex
) -> None:
    shown_until_at_gate(plex, terminal)
    terminal.sendintr()
    terminal.expect("Ctrl-C again stops at once")
    plex.gate.release()
    terminal.expect("Paused; nothing is lost")

    terminal.sendline("r")
    terminal.expect(r"Run 1: [\d,]+ written, 0 held")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 0
    assert [run["status"] for run in runs(tool)] == ["done"]


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["q\n", "\x03"], ids=["quit", "Ctrl-C at the question"])
def test_on_a_terminal_one_ctrl_c_asks_and_quit_stops_tidily(
    gated: None, terminal: Any, tool: Tool, plex: DemoPlex, answer: str
) -> None:
    shown_until_at_gate(plex, terminal)
    terminal.sendintr()
    terminal.expect("Ctrl-C again stops at once")
    plex.gate.release()
    terminal.expect("r or q")

    terminal.send(answer)
    terminal.expect("plexsheet resume")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 5
    assert statuses(tool) == {"verified", "planned"}
    finished_as_undisturbed(tool, plex)


def test_on_a_terminal_a_second_ctrl_c_stops_without_asking(
    gated: None, terminal: Any, tool: Tool, plex: DemoPlex
) -> None:
    shown_until_at_gate(plex, terminal)
    terminal.sendintr()
    terminal.expect("Ctrl-C again stops at once")
    terminal.sendintr()
    terminal.expect("plexsheet resume")
    terminal.expect(pexpect.EOF)
    terminal.close()

    assert terminal.exitstatus == 5
    assert "Paused" not in (terminal.before or "")
    plex.gate.release(apply=False)
    finished_as_undisturbed(tool, plex)
