"""Notices of the watcher: sent over HTTP to whom the settings name, and to nobody else."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.driver import Tool, rows_of_sheet, set_cells
from tests.plex.server import DemoPlex

pytest.importorskip("apprise", reason="apprise sends notices")


class Post(ThreadingHTTPServer):
    """Takes what is posted."""

    def __init__(self, status: int = 200) -> None:
        super().__init__(("127.0.0.1", 0), Letter)
        self.status = status
        self.letters: list[dict[str, str]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"json://user:wordQzmarked@127.0.0.1:{self.server_address[1]}/"


class Letter(BaseHTTPRequestHandler):
    server: Post

    def do_POST(self) -> None:
        """Keep it."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.letters.append(json.loads(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def post() -> Iterator[Post]:
    with Post() as server:
        yield server
        server.shutdown()


def watched_once(tool: Tool) -> tuple[int, str]:
    """Drop an edited workbook, watch once; exit code and everything said."""
    key = str(int(rows_of_sheet(tool.export(), "Tracks")[3]["Key"]))
    set_cells(tool.workbook, [("Tracks", key, "My rating", 4.5)])
    inbox = tool.folder / "workbooks" / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    shutil.move(tool.workbook, inbox / "mine.xlsx")
    with tool.spawn("watch", "--once", "--log-json") as process:
        out, err = process.communicate(timeout=200)
    return process.returncode, out + err


def test_a_preview_is_told_where_the_person_is(tmp_path: Path, plex: DemoPlex, post: Post):
    tool = Tool(tmp_path, plex, WATCH={"NOTIFY": [post.address]})

    code, said = watched_once(tool)

    assert code == 0, said
    (letter,) = post.letters
    assert letter["title"] == "plexsheet"
    assert "mine.xlsx: preview, 1 would be written" in letter["message"]
    assert "wordQzmarked" not in said


def test_nothing_is_sent_unless_it_was_asked_for(tool: Tool, post: Post):
    code, said = watched_once(tool)

    assert code == 0, said
    assert post.letters == []


def test_an_address_that_refuses_is_told_once_and_the_import_goes_on(
    tmp_path: Path, plex: DemoPlex, post: Post
):
    post.status = 500
    tool = Tool(tmp_path, plex, WATCH={"NOTIFY": [post.address], "AUTO_APPLY": True})

    code, said = watched_once(tool)

    assert code == 0, said
    events = [json.loads(line)["event"] for line in said.splitlines() if line.startswith("{")]
    assert events.count("notice-failed") == 1
    assert "applied" in events
    assert "wordQzmarked" not in said


@pytest.mark.parametrize("missing", [False, True])
def test_an_address_nobody_knows_and_a_missing_package_are_said_at_the_start(
    tmp_path: Path, plex: DemoPlex, monkeypatch: pytest.MonkeyPatch, missing: bool
):
    tool = Tool(tmp_path, plex, WATCH={"NOTIFY": ["nonsense-wordQzmarked"]})
    if missing:
        monkeypatch.setitem(sys.modules, "apprise", None)
        monkeypatch.setattr("plexsheet.watching.notices.find_spec", lambda name: None)

    done = tool("watch", "--once")

    assert done.exit_code == 2
    assert ("plexsheet[notify]" in done.output) is missing
    assert "wordQzmarked" not in done.output
