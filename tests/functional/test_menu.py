"""The menu as a person uses it: a real process on a pseudo-terminal, against the demo server."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psutil
import pytest

from plexsheet.cli.menu import BACK, MENUS
from tests.driver import Tool, set_cells
from tests.plex.faults import Gate

pexpect = pytest.importorskip("pexpect", reason="needs a pseudo-terminal, which Windows has not")

PATIENCE_S = 60  # a busy machine is no failure
WRITES = r"Write [\d,]+ changes? to Plex"
LETTER = "Start at the letter"
OPENS = {entry.key: entry.menu for entry in MENUS["main"][1] if entry.menu}


class Terminal:
    """A person at a terminal: sees, types, presses Ctrl-C."""

    def __init__(self, tool: Tool, *words: str, **environment: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "plexsheet", "--config", str(tool.config), *words],
            dimensions=(60, 120),
            timeout=PATIENCE_S,
            encoding="utf-8",
            cwd=str(tool.folder),
            # Nobody answers where the cursor is, as a terminal would.
            env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"} | environment,
        )

    def sees(self, pattern: str) -> str:
        """Wait for a text; gives what came before it."""
        self.child.expect(pattern)
        return str(self.child.before)

    def sees_a_request_at(self, gate: Gate) -> None:
        """Wait until one stands at the gate, reading on meanwhile.

        What nobody reads fills the terminal within seconds and holds up the process.
        """
        latest = time.monotonic() + PATIENCE_S
        while not gate.wait_until_waiting(0):
            assert time.monotonic() < latest, "no request came to the gate"
            self.child.expect([pexpect.TIMEOUT], timeout=0.1)

    def types(self, text: str) -> None:
        self.child.send(f"{text}\r")

    def ctrl_c(self) -> None:
        """Press it while the process waits for the person, as a person would.

        In the instant between a question and the read that waits for its answer, Python
        notes the signal and acts on it only after the answer.
        """
        process = psutil.Process(self.child.pid)
        still, spent = 0, process.cpu_times()
        while still < 3:
            time.sleep(0.03)
            rested = process.status() == psutil.STATUS_SLEEPING
            still = still + 1 if rested and process.cpu_times() == spent else 0
            spent = process.cpu_times()
        self.child.sendintr()

    def sees_menu(self, name: str) -> str:
        """Wait until a menu stands there whole; gives what came before its last line."""
        last = MENUS[name][1][-1]
        return self.sees(rf"{last.key}\) {last.label}")

    def opens(self, name: str) -> None:
        """Go from the main menu into another one."""
        self.sees_menu("main")
        if name != "main":
            self.types(next(key for key, menu in OPENS.items() if menu == name))
            self.sees_menu(name)

    def ended(self) -> int:
        """Wait for the end; gives the exit code."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        return int(self.child.exitstatus)

    def kill(self) -> None:
        self.child.close(force=True)


TRACKS = 150


@pytest.fixture
def terminal(tool: Tool) -> Iterator[Callable[..., Terminal]]:
    started: list[Terminal] = []

    def start(*words: str, **environment: str) -> Terminal:
        started.append(Terminal(tool, *words, **environment))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@dataclass(frozen=True)
class Visit:
    """One entry of a menu, carried out.

    Attributes:
        asks: what is asked, and what the person answers, in order.
        shows: what is seen at last.
        first: what happened before.
    """

    menu: str
    key: str
    asks: tuple[tuple[str, str], ...]
    shows: str
    first: Callable[[Tool], object] = lambda tool: None


def inferred(tool: Tool) -> None:
    tool.infer()


def edited(tool: Tool) -> None:
    key = next(iter(tool.plex.ratings("track")))
    set_cells(tool.export(), [("Tracks", str(key), "My rating", 1.5)])


def retagged(tool: Tool) -> None:
    tool.plex.tag(next(iter(tool.plex.ratings("artist"))), "mood", ["Calm"])


def forgotten(tool: Tool) -> None:
    for file in tool.folder.glob("plexsheet.db*"):
        file.unlink()


def interrupted(tool: Tool) -> None:
    """An inference killed in the middle of its writing."""
    tool("undo", "--inferred", "--yes")
    tool.plex.gate.set(2, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert tool.plex.gate.wait_until_waiting(PATIENCE_S)
        process.kill()
        process.communicate()
    tool.plex.gate.release(False)


def bulk_edited(kind: str) -> Callable[[Tool], None]:
    """A file of the Bulk menu in which one rating was changed."""

    def edit(tool: Tool) -> None:
        file = tool.folder / f"{kind}_ratings.csv"
        rows = file.read_text("utf-8-sig").splitlines()
        cells = rows[1].rsplit(",", 2)
        file.write_text("\n".join([rows[0], f"{cells[0]},2.5,manual"]) + "\n", "utf-8")

    return edit


def bulk_exported(tool: Tool) -> None:
    assert tool("export", "--csv", tool.folder / "bulk").exit_code == 0
    for kind in ("artist", "album", "track"):
        shutil.move(tool.folder / "bulk" / f"{kind}s.csv", tool.folder / f"{kind}_ratings.csv")


def listed_elsewhere(tool: Tool) -> None:
    """A list of another player with one song that nobody rated here."""
    rated = tool.plex.ratings("track")
    titles = Counter(item["title"] for item in tool.plex.items("track"))
    song = next(
        item
        for item in tool.plex.items("track")
        if item["key"] not in rated and titles[item["title"]] == 1
    )
    line = ",".join(f'"{song[name]}"' for name in ("title", "artist", "album"))
    (tool.folder / "list.csv").write_text(f"Title,Artist,Album,Stars\n{line},4\n", encoding="utf-8")


VISITS = (
    *(Visit("main", key, ((LETTER, ""), (WRITES, "n")), "Nothing was written") for key in "1234"),
    Visit("main", "5", ((LETTER, "A"), (WRITES, "n")), "Nothing was written"),
    Visit("main", "0", ((LETTER, ""), (WRITES, "y")), "Run 1: .* written"),
    Visit("main", "e", (("Write to the file", "book.xlsx"),), "book.xlsx"),
    Visit("main", "i", (("Workbook to import", "music.xlsx"), (WRITES, "y")), "1 applied", edited),
    Visit("main", "h", (), "One run row by row"),
    Visit("admin", "1", (), "inferred ratings checked", inferred),
    Visit("admin", "5", ((WRITES, "y"),), "Run 2: .* written", retagged),
    Visit("admin", "2", ((WRITES, "n"),), "Nothing was written"),
    Visit("admin", "6", (("Number of the run", "1"), (WRITES, "y")), "Run 3: .* written"),
    Visit("admin", "8", (), "Export and import can run"),
    Visit("admin", "7", (("Go on with run", "y"),), "Run 4: .* written", interrupted),
    Visit("admin", "3", ((WRITES, "n"),), "Nothing was written", forgotten),
    Visit("admin", "4", ((WRITES, "y"),), "Run 1: .* written"),
    Visit("bulk", "1", (("Write to the file", ""),), r"[\d,]+ rows\. Edit userRating"),
    Visit("bulk", "2", (("Write to the file", ""),), r"[\d,]+ rows\. Edit userRating"),
    Visit("bulk", "3", (("Write to the file", ""),), r"[\d,]+ rows\. Edit userRating"),
    Visit("bulk", "3", (("Write to the file", ""), ("Replace it", "y")), r"rows\. Edit userRating"),
    *(
        Visit("bulk", key, (("Read the file", ""), (WRITES, "y")), "1 applied", bulk_edited(kind))
        for key, kind in zip("456", ("artist", "album", "track"), strict=True)
    ),
    Visit(
        "bulk",
        "7",
        (
            ("Library file, table", "list.csv"),
            ("Workbook to decide", ""),
            (r"Write 1 rating to Plex", "y"),
        ),
        "1 rating taken over",
        listed_elsewhere,
    ),
    Visit("reports", "1", (), "Coverage"),
    Visit("reports", "2", (), "Histogram"),
    Visit("reports", "3", (), "Twins"),
    Visit("reports", "4", (), "Dissenters"),
    Visit("reports", "5", (), "Accuracy"),
    Visit("reports", "6", (), "Critics"),
    Visit("reports", "7", (), "Thresholds"),
    Visit("reports", "8", (), "Rate next"),
    Visit("reports", "9", (), "Prior and run"),
    Visit("reports", "l", (), "Listening"),
    Visit("reports", "t", (("Write to the file", ""),), "plexsheet-reports.txt"),
    Visit("reports", "p", (("Write to the file", "page.html"),), "page.html"),
    Visit("reports", "c", (), "reads the whole library anew"),
)


def test_every_entry_of_every_menu_is_visited_below():
    entries = {(name, entry.key) for name, (_, all_) in MENUS.items() for entry in all_}
    ways = {("main", key) for key in OPENS} | {(name, BACK) for name in MENUS}

    assert {(visit.menu, visit.key) for visit in VISITS} | ways == entries


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MENUS))
def test_each_entry_asks_shows_and_comes_back_to_its_menu(
    tool: Tool, terminal: Callable[..., Terminal], name: str
):
    person = terminal()
    person.opens(name)

    for visit in (one for one in VISITS if one.menu == name):
        visit.first(tool)
        person.types(visit.key)
        for question, answer in visit.asks:
            person.sees(question)
            person.types(answer)
        person.sees(visit.shows)
        person.sees_menu(name)

    person.types("x")
    if name != "main":
        person.sees_menu("main")
        person.types("X")
    assert person.ended() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", list(MENUS))
def test_ctrl_c_at_each_question_comes_back_to_the_menu_and_writes_nothing(
    tool: Tool, terminal: Callable[..., Terminal], name: str
):
    person = terminal()
    person.opens(name)
    if name == "bulk":
        bulk_exported(tool)

    for visit in (one for one in VISITS if one.menu == name):
        visit.first(tool)
        before = tool.plex.ratings(), len(tool.plex.writes)
        for place in range(len(visit.asks)):
            person.types(visit.key)
            for question, answer in visit.asks[:place]:
                person.sees(question)
                person.types(answer)
            person.sees(visit.asks[place][0])
            person.ctrl_c()
            person.sees_menu(name)
        assert (tool.plex.ratings(), len(tool.plex.writes)) == before, visit

    if name != "main":
        person.ctrl_c()
        person.sees_menu("main")
    person.ctrl_c()
    assert person.ended() == 0


def test_somebody_without_settings_is_led_through_them_into_the_menu(
    tool: Tool, terminal: Callable[..., Terminal]
):
    tool.config.unlink()
    keyring = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    person = terminal(**keyring)

    person.sees(r"Write them now\? \[Y/n\]: ")
    person.types("")
    person.sees(r"Sign in at plex\.tv .*\[Y/n\]: ")
    person.types("n")
    person.sees("Address of your Plex server .*: ")
    person.types("localhost")  # asked for again
    person.sees("must be an address as http://")
    person.sees("Address of your Plex server .*: ")
    person.types(tool.plex.url)
    person.sees("Plex token .not shown.: ")
    person.types(tool.plex.token)
    person.sees("Written: ")
    person.sees_menu("main")
    person.types("x")

    assert person.ended() == 0
    assert tool.config.exists()


@pytest.mark.parametrize("questions", [0, 1, 2])
def test_ctrl_c_while_setting_up_writes_no_settings(
    tool: Tool, terminal: Callable[..., Terminal], questions: int
):
    tool.config.unlink()
    person = terminal()
    asked = (r"Write them now\?", r"Sign in at plex\.tv", "Address of your Plex server")
    for question, answer in zip(asked[:questions], ("y", "n"), strict=False):
        person.sees(question)
        person.types(answer)
    person.sees(asked[questions])

    person.ctrl_c()

    assert person.ended() == 5
    assert not tool.config.exists()


def test_arrow_keys_move_the_pointer_and_enter_takes_it(
    tool: Tool, terminal: Callable[..., Terminal]
):
    person = terminal()
    person.sees_menu("main")

    person.child.send("\x1b[B" * list_place("main", "h"))
    person.types("")

    person.sees(r"\$ plexsheet history")
    person.sees("No runs yet")
    person.sees_menu("main")
    person.child.send("\x1b[A")  # up from the first is the last: eXit
    person.types("")
    assert person.ended() == 0


def list_place(name: str, key: str) -> int:
    """How far down an entry stands."""
    return [entry.key for entry in MENUS[name][1]].index(key)


def test_without_arrow_keys_numbers_and_letters_are_typed(
    tool: Tool, terminal: Callable[..., Terminal]
):
    person = terminal(TERM="dumb")

    person.sees("Full sequence.* infer everything you did not rate")
    person.sees("plexsheet .x. > ")
    person.types("7")
    person.sees("Type one of 0, 1, 2, 3, 4, 5")
    person.types("A")
    person.sees("Verify State")
    person.sees("Admin .x. > ")
    person.types("1")
    person.sees("0 inferred ratings checked")
    person.sees("Verify State .*last time")
    person.sees("Admin .x. > ")
    person.types("")
    person.sees("plexsheet .x. > ")
    person.ctrl_c()
    assert person.ended() == 0


def test_each_entry_says_how_long_it_took_last_time(tool: Tool, terminal: Callable[..., Terminal]):
    first = terminal()
    first.opens("reports")
    first.types("1")
    first.sees("Coverage")
    first.sees_menu("reports")
    first.kill()

    second = terminal()
    second.opens("main")
    second.types("r")

    assert "last time" in second.sees_menu("reports")


def test_the_question_stands_alone_below_the_plan(tool: Tool, terminal: Callable[..., Terminal]):
    """Bars are off the screen while something is asked, and nothing is painted over it."""
    person = terminal("infer")
    person.sees(r"\[y/N\]: ")
    with pytest.raises(pexpect.TIMEOUT):
        person.child.expect(".", timeout=1)

    person.types("n")

    assert "━" not in person.sees("Nothing was written")
    assert person.ended() == 1


def test_the_time_a_plan_takes_is_told_once_this_server_is_known(
    tool: Tool, terminal: Callable[..., Terminal]
):
    tool.plex.set_faults(edit_ms=300)
    inferred(tool)
    assert tool("undo", "--inferred", "--yes").exit_code == 0

    person = terminal("infer")

    person.sees(r"changes to Plex \(about \d+ (s|min \d+ s)\)\? \[y/N\]")
    person.types("n")
    assert person.ended() == 1


def test_ctrl_c_while_writing_pauses_and_r_goes_on(tool: Tool, terminal: Callable[..., Terminal]):
    tool.plex.gate.set(2, "before", "writes")
    person = terminal("infer", "--yes")
    person.sees_a_request_at(tool.plex.gate)

    person.ctrl_c()
    tool.plex.gate.release()
    person.sees("Paused; nothing is lost")
    person.sees("r or q")
    person.types("r")

    person.sees("Run 1: [0-9,]+ written, 0 held")
    assert person.ended() == 0
    assert tool("verify").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("answer", ["q", "\x03"])
def test_ctrl_c_while_writing_and_q_stops_with_the_hint_how_to_go_on(
    tool: Tool, terminal: Callable[..., Terminal], answer: str
):
    tool.plex.gate.set(2, "before", "writes")
    person = terminal("infer", "--yes")
    person.sees_a_request_at(tool.plex.gate)

    person.ctrl_c()
    tool.plex.gate.release()
    person.sees("r or q")
    person.types(answer)

    person.sees("plexsheet resume")
    assert person.ended() == 5
    assert tool("resume", "--yes").exit_code == 0
    assert tool("verify").exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "shows"), [("y", "in one request"), ("n", "not tried yet")])
def test_doctor_asks_before_it_rates_a_track_for_a_moment(
    tool: Tool, terminal: Callable[..., Terminal], answer: str, shows: str
):
    before = tool.plex.ratings()
    person = terminal("doctor", "--probe")

    person.sees(r"Rate “.*” for a moment, and take that back\? \[y/N\]: ")
    assert tool.plex.writes == []
    person.types(answer)
    person.sees(shows)

    assert person.ended() == 0
    assert tool.plex.ratings() == before
    assert bool(tool.plex.writes) is (answer == "y")


def test_no_colours_where_the_person_wants_none(tool: Tool, terminal: Callable[..., Terminal]):
    person = terminal("report", "histogram", NO_COLOR="1")
    person.child.expect(pexpect.EOF)

    assert "\x1b[3" not in person.child.before
    assert "█" in person.child.before
