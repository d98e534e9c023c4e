"""Somebody who has never seen plexsheet: from an empty folder to a first rating, and back."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.driver import plexsheet, rows_of_sheet, set_cells
from tests.functional.test_login import ACCOUNT_TOKEN, PlexTv, plex_tv, resource
from tests.plex.server import DemoPlex

pexpect = pytest.importorskip("pexpect", reason="needs a pseudo-terminal, which Windows has not")

PATIENCE_S = 60
__all__ = ["plex_tv"]  # a fixture of another module


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in, on a computer without a keyring or settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.setenv("TERM", "xterm")
    for name in [name for name in os.environ if name.startswith("PLEXSHEET_")]:
        monkeypatch.delenv(name)
    return tmp_path


def at_a_terminal(*words: str) -> pexpect.spawn:
    return pexpect.spawn(
        sys.executable,
        ["-m", "plexsheet", *words],
        timeout=PATIENCE_S,
        encoding="utf-8",
        dimensions=(50, 120),
    )


def ends(person: pexpect.spawn) -> int:
    person.expect(pexpect.EOF)
    person.close()
    return int(person.exitstatus)


def test_from_an_empty_folder_to_a_first_rating_and_back(here: Path, plex: DemoPlex):
    before = plex.ratings()

    person = at_a_terminal("init")
    person.expect("Address of your Plex server .*: ")
    person.sendline(plex.url)
    person.expect("Plex token .not shown.: ")
    person.sendline(plex.token)
    person.expect("Next: plexsheet doctor, then plexsheet export")
    assert plex.token not in person.before
    assert ends(person) == 0

    assert "Export and import can run" in plexsheet("doctor").stdout

    exported = plexsheet("export")
    assert exported.exit_code == 0, exported.output
    (workbook,) = (here / "workbooks").glob("plexsheet Music *.xlsx")
    unrated = next(row for row in rows_of_sheet(workbook, "Tracks") if row["My rating"] == "")
    key = int(unrated["Key"])
    set_cells(workbook, [("Tracks", str(key), "My rating", 4.5)])

    shown = plexsheet("import", workbook, "--preview")
    assert "unrated → ★★★★½" in shown.stdout
    assert plex.rating(key) is None
    assert plexsheet("import", workbook, "--yes").exit_code == 0
    assert plex.rating(key) == 9.0

    assert plexsheet("infer", "--yes").exit_code == 0
    assert len(plex.ratings()) > len(before) + 100
    assert plex.rating(key) == 9.0

    coverage = plexsheet("report", "coverage", "--json").json
    tracks = next(row for row in coverage["rows"] if row["Kind"] == "Tracks")
    assert tracks["Manual"] == len([k for k in before if k in plex.ratings("track")]) + 1
    assert plexsheet("report", "all", "--output", here / "ratings.html").exit_code == 0

    runs = plexsheet("history", "--json").json["runs"]
    assert [run["kind"] for run in runs] == ["infer", "import"]
    for one in runs:
        assert plexsheet("undo", one["run"], "--yes").exit_code == 0
    assert plex.ratings() == before


@pytest.mark.slow
@pytest.mark.parametrize("answers", [("y", 3), ("n", 0)])
def test_what_plex_rating_utils_left_is_offered_and_its_files_stay(
    here: Path, plex: DemoPlex, answers: tuple[str, int]
):
    """Its config.json is used as it is, its plex_state.json shown and taken over if wanted."""
    answer, taken = answers
    ours = list(plex.ratings("track"))[:3]
    config = {
        "version": "1.4.0",
        "PLEX_URL": plex.url,
        "PLEX_TOKEN": plex.token,
        "LIBRARY_NAME": "Music",
        "CONFIDENCE_C": 3.0,
        "DRY_RUN": False,
    }
    state = {str(key): {"r": plex.rating(key), "t": 0} for key in ours}
    (here / "config.json").write_text(json.dumps(config), "utf-8")
    (here / "config.json").chmod(0o600)
    (here / "plex_state.json").write_text(json.dumps(state | {"999999": {"r": 5.0, "t": 0}}))
    before = {name: (here / name).read_bytes() for name in ("config.json", "plex_state.json")}

    person = at_a_terminal("init")
    person.expect(r"config.json of plex-rating-utils 1\.4\.0")
    person.expect("rating and twin mark for each rating key, 4 entries")
    person.expect("still as inferred +3")
    person.expect("not in this library +1")
    person.expect("Take over 3 inferred ratings")
    person.sendline(answer)
    person.expect("Next: plexsheet doctor")
    assert ends(person) == 0

    assert plexsheet("verify", "--json").json["counts"]["checked"] == taken
    assert {name: (here / name).read_bytes() for name in before} == before
    assert plex.writes == []
    second = plexsheet("infer", "--preview")
    assert "plex_state.json" not in second.output, "offered once, not each time"


def test_a_first_run_beside_an_old_state_file_says_what_it_means(here: Path, plex: DemoPlex):
    assert plexsheet("init", "--url", plex.url, "--token", plex.token).exit_code == 0
    (here / "plex_state.json").write_text('{"1": 8.0}')

    result = plexsheet("infer", "--preview")

    assert result.exit_code == 0
    assert "plexsheet state import" in result.stderr
    assert "counts as rated by you" in result.stderr


def test_signing_in_writes_a_config_that_works(here: Path, plex: DemoPlex, plex_tv: PlexTv):
    plex_tv.resources = (
        "<resources>"
        + resource("Attic", server_id(plex), ("127.0.0.1", plex.port, plex.url, 1, 0)).replace(
            "server-token", plex.token
        )
        + "</resources>"
    )

    result = plexsheet("init", "--login", "--json")

    assert result.exit_code == 0, result.output
    assert "https://plex.tv/link" in result.stderr
    assert "ABCD" in result.stderr
    assert plex.token not in result.output
    assert ACCOUNT_TOKEN not in result.output
    assert result.json["library"] == "Music"
    assert json.loads((here / "config.json").read_text())["PLEX_URL"] == plex.url
    assert plexsheet("doctor").exit_code == 0
    used = {headers["X-Plex-Client-Identifier"] for headers in plex_tv.headers_seen}
    assert used == {(here / "none" / "plexsheet" / "client-id").read_text().strip()}


def test_signing_in_at_a_terminal_counts_down_and_lets_one_choose_the_server(
    here: Path, plex: DemoPlex, plex_tv: PlexTv
):
    plex_tv.confirm_after = 4
    local = ("127.0.0.1", plex.port, plex.url, 1, 0)
    plex_tv.resources = (
        "<resources>"
        + resource("Friend", "f", local, owned=0)
        + resource("Attic", server_id(plex), local).replace("server-token", plex.token)
        + "</resources>"
    )
    # The stand-in's address, as the fixture sets it in this process.
    program = (
        "import sys\n"
        "from plexapi.myplex import MyPlexPinLogin\n"
        "from plexsheet.plex import login\n"
        f"MyPlexPinLogin.PINS, login.PLEX_TV = '{plex_tv.url}/api/v2/pins', '{plex_tv.url}'\n"
        "from plexsheet.cli import run\n"
        "sys.exit(run(['init', '--login']))\n"
    )
    person = pexpect.spawn(
        sys.executable, ["-c", program], timeout=PATIENCE_S, encoding="utf-8", dimensions=(40, 100)
    )

    person.expect("Open https://plex.tv/link and type the code ABCD")
    person.expect(r"\rWaiting for you to confirm: \d+ s")
    person.expect(r"\r +\rSigned in\.")
    person.expect(r"1 +Attic\r\n")
    person.expect(r"2 +Friend \(shared with you\)")
    person.expect("Server .*: ")
    person.sendline("1")
    person.expect("Written: config.json")

    assert ends(person) == 0
    assert json.loads((here / "config.json").read_text())["PLEX_URL"] == plex.url


def server_id(plex: DemoPlex) -> str:
    import requests

    root = requests.get(f"{plex.url}/identity", timeout=30).text
    return root.partition('machineIdentifier="')[2].partition('"')[0]


def test_signing_in_that_nobody_confirms_writes_nothing(
    here: Path, plex_tv: PlexTv, monkeypatch: pytest.MonkeyPatch
):
    from plexsheet.cli import init

    monkeypatch.setattr(init, "LOGIN_WAIT_S", 0.2)
    plex_tv.confirm_after = 0

    result = plexsheet("init", "--login")

    assert result.exit_code == 4
    assert "not confirmed" in result.stderr
    assert not (here / "config.json").exists()


def test_signing_in_with_an_account_that_has_no_server_says_what_to_do(here: Path, plex_tv: PlexTv):
    result = plexsheet("init", "--login")

    assert result.exit_code == 4
    assert "--url and --token" in result.stderr
    assert not (here / "config.json").exists()


def test_several_servers_are_chosen_from_and_own_ones_come_first(
    here: Path, plex: DemoPlex, plex_tv: PlexTv
):
    local = ("127.0.0.1", plex.port, plex.url, 1, 0)
    plex_tv.resources = (
        "<resources>"
        + resource("Friend", "f", local, owned=0)
        + resource("Attic", server_id(plex), local).replace("server-token", plex.token)
        + "</resources>"
    )

    result = plexsheet("init", "--login")

    assert result.exit_code == 2
    assert "Attic, Friend (shared with you)" in result.stderr
