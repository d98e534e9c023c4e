"""``init`` and ``doctor`` against a real server on loopback."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path

import pytest

from tests.driver import Tool, plexsheet
from tests.plex.server import DemoPlex

TRACKS = 120


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in, and no keyring that a token could vanish into."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    return tmp_path


def test_init_writes_a_config_only_its_owner_can_read(here: Path, plex: DemoPlex):
    result = plexsheet("init", "--url", plex.url + "/", "--token", plex.token)

    assert result.exit_code == 0, result.output
    written = json.loads((here / "config.json").read_text())
    assert (written["PLEX_URL"], written["LIBRARY_NAME"]) == (plex.url, "Music")
    assert written["MODEL"] == "learned"
    assert (here / "config.json").stat().st_mode & 0o077 == 0
    assert plex.token not in result.output
    assert plexsheet("doctor").exit_code == 0


def test_init_says_what_it_wrote_as_json(here: Path, plex: DemoPlex):
    result = plexsheet("init", "--url", plex.url, "--token", plex.token, "--json")

    assert result.json == {
        "error": None,
        "config": "config.json",
        "taken_over": False,
        "url": plex.url,
        "library": "Music",
        "token_in": "file",
    }


def test_init_writes_nothing_over_a_config(here: Path, plex: DemoPlex):
    (here / "config.json").write_text("{}")

    refused = plexsheet("init", "--url", plex.url, "--token", plex.token)

    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert (here / "config.json").read_text() == "{}"
    assert plexsheet("init", "--url", plex.url, "--token", plex.token, "--force").exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--token", "x"], 2, "--url must be given"),
        (["--url", "URL", "--token", "wrong"], 4, "token"),
        (["--url", "http://127.0.0.1:1", "--token", "x"], 4, "127.0.0.1:1"),
        (["--url", "localhost", "--token", "x"], 2, "must be an address as http://"),
        (["--url", "192.168.1.20:32400", "--token", "x"], 2, "must be an address as http://"),
        (["--url", "URL", "--token", "TOKEN", "--library", "Films"], 4, "Music"),
        (["--login", "--token", "x"], 2, "--login"),
    ],
)
def test_init_writes_nothing_before_the_server_agreed(
    here: Path, plex: DemoPlex, words: list[str], code: int, said: str
):
    named = {"URL": plex.url, "TOKEN": plex.token}

    result = plexsheet("init", *(named.get(word, word) for word in words))

    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert not (here / "config.json").exists()


def test_init_takes_a_config_of_plex_rating_utils_as_it_is(here: Path, plex: DemoPlex):
    old = {
        "version": "1.4.0",
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.token,
        "LIBRARY_NAME": "Music",
        "CONFIDENCE_C": 3.0,
    }
    before = json.dumps(old)
    (here / "config.json").write_text(before)
    (here / "plex_state.json").write_text('{"1": 8.0}')

    result = plexsheet("init")

    assert result.exit_code == 0, result.output
    assert "1.4.0" in result.stdout
    assert "state import" in result.stdout
    assert plex.token not in result.output
    assert (here / "config.json").read_text() == before
    assert (here / "plex_state.json").read_text() == '{"1": 8.0}'


def test_doctor_has_a_line_for_each_thing_and_a_cure_for_each_fault(tmp_path: Path, plex: DemoPlex):
    tool = Tool(tmp_path, plex)

    result = tool("doctor", "--json")

    checks = {check["name"]: check for check in result.json["checks"]}
    assert result.exit_code == 0
    assert {
        "versions",
        "config",
        "token",
        "workbook folder",
        "free disk",
        "spreadsheet program",
        "connection",
        "server",
        "account",
        "library",
        "maintenance",
        "state",
        "open run",
        "mood locks",
        "batch edits",
    } <= set(checks)
    assert "120 tracks" in checks["library"]["detail"]
    assert plex.writes == []
    assert plex.token not in result.output


def test_doctor_names_the_cure_of_what_stops_everything(tmp_path: Path, plex: DemoPlex):
    tool = Tool(tmp_path, plex, PLEX_TOKEN="wrong")

    result = tool("doctor")

    assert result.exit_code == 4
    assert "✘ connection" in result.stdout
    assert "Fix the lines marked ✘" in result.stdout


def test_doctor_tells_a_home_user_without_stopping_them(tmp_path: Path, plex: DemoPlex):
    tool = Tool(tmp_path, plex, PLEX_TOKEN=plex.home_token)

    result = tool("doctor")

    assert result.exit_code == 0
    assert "✘ account" in result.stdout
    assert "owner's token" in result.stdout


@pytest.mark.parametrize("settings", [{"PLEX_URLS": "x"}, {"DRY_RUN": 3}])
def test_doctor_finds_settings_that_do_not_stand(
    tmp_path: Path, plex: DemoPlex, settings: dict[str, object]
):
    assert Tool(tmp_path, plex, **settings)("doctor").exit_code == 2


def test_doctor_finds_a_state_of_another_program(tmp_path: Path, plex: DemoPlex):
    tool = Tool(tmp_path, plex)
    with contextlib.closing(sqlite3.connect(tool.state)) as other:
        other.execute("CREATE TABLE theirs (x)")
        other.commit()

    result = tool("doctor")

    assert result.exit_code == 2
    assert "✘ state" in result.stdout


def test_probe_writes_one_rating_and_takes_it_back(tmp_path: Path, plex: DemoPlex):
    tool, before = Tool(tmp_path, plex), plex.ratings()

    result = tool("doctor", "--probe", "--yes")

    assert result.exit_code == 0, result.output
    assert "many ratings go in one request" in result.stdout
    assert plex.ratings() == before
    assert len({write.key for write in plex.writes}) == 1


def test_probe_without_a_yes_writes_nothing(tmp_path: Path, plex: DemoPlex):
    assert Tool(tmp_path, plex)("doctor", "--probe").exit_code == 0
    assert plex.writes == []


def test_probe_learns_that_a_server_refuses_batches(tmp_path: Path, plex: DemoPlex):
    tool, before = Tool(tmp_path, plex, PLEX_TOKEN=plex.home_token), plex.ratings()

    result = tool("doctor", "--probe", "--yes")

    assert "one by one" in result.stdout
    assert plex.ratings() == before


def test_output_into_a_pipe_has_no_control_codes(tmp_path: Path, plex: DemoPlex):
    with Tool(tmp_path, plex).spawn("doctor", env=os.environ | {"FORCE_COLOR": ""}) as process:
        out, _ = process.communicate(timeout=60)

    assert "✔ library" in out
    assert "\x1b" not in out


def unreadable_state(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.state.write_bytes(b"SQLite format 3\x00" + b"scrap" * 2000)


def no_office(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tool.folder))


def file_for_a_folder(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    (tool.folder / "workbooks").write_text("in the way")


def open_to_others(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.config.chmod(0o644)


def other_library(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLEXSHEET_LIBRARY_NAME", "Films")


def no_token(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    Tool(tool.folder, tool.plex, PLEX_TOKEN="")


def nobody_there(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.plex.close()


def stopped_run(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.plex.gate.set(2, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert tool.plex.gate.wait_until_waiting(120)
        process.kill()
        process.communicate()
    tool.plex.gate.release(False)


FAULTS = {
    "state": (unreadable_state, 2),
    "spreadsheet program": (no_office, 0),
    "workbook folder": (file_for_a_folder, 2),
    "config": (open_to_others, 0),
    "connection": (other_library, 4),
    "token": (no_token, 2),
    "open run": (stopped_run, 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_a_line_with_its_cure(
    tmp_path: Path, plex: DemoPlex, name: str, monkeypatch: pytest.MonkeyPatch
):
    break_, exit_code = FAULTS[name]
    tool = Tool(tmp_path, plex)
    break_(tool, monkeypatch)

    result = tool("doctor", "--json")

    wrong = [check for check in result.json["checks"] if not check["ok"]]
    assert name in [check["name"] for check in wrong], result.output
    assert all(check["cure"] for check in wrong)
    assert result.exit_code == exit_code
    assert f"✘ {name}" in tool("doctor").stdout


def test_a_server_that_is_away_is_told_with_its_address(
    tmp_path: Path, plex: DemoPlex, monkeypatch: pytest.MonkeyPatch
):
    tool = Tool(tmp_path, plex)
    nobody_there(tool, monkeypatch)

    result = tool("doctor")

    assert result.exit_code == 4
    assert "the connection was refused" in " ".join(result.stdout.split())
    assert "Check that the server runs" in " ".join(result.stdout.split())
