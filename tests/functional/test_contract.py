"""What scripts rely on: ``--json`` is one object at every exit, and the exit codes mean one thing.

The tables are the contract, row by row.  Objects may gain members; none may lose one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
import pytest

from plexsheet.cli import COMMANDS, cli, run
from plexsheet.demo.items import TRACK
from plexsheet.reports import catalogue
from tests.documentation import every_command
from tests.driver import Result, Tool, set_cells
from tests.plex.server import DemoPlex

NO_JSON = {"menu", "demo", "watch"}
RUN = {"run", "preview", "counts"}
RUN_COUNTS = {"written", "left_alone", "failed"}
MATCH = {"run", "source", "format", "preview", "counts", "review_file", "rows"}
MATCH_COUNTS = {
    "rows", "rated", "sure", "likely", "ambiguous", "unmatched", "skipped", "same", "conflicts",
    "applied",
}  # fmt: skip
IMPORT = {"run", "file", "preview", "counts", "stopped_sheets", "result_file", "rows"}
IMPORT_COUNTS = {"applied", "would_apply", "held", "errors", "conflicts", "unchanged"}
IMPORT_ROW = {
    "sheet", "row", "key", "field", "was", "yours", "plex_now", "outcome", "code", "message",
}  # fmt: skip
INFER = {"run", "preview", "model", "prior", "counts", "requests", "seconds"}
INFER_COUNTS = {
    "artists", "albums", "tracks", "written", "cleared", "drift_skipped", "taken_over",
}  # fmt: skip
TRACKS = 120


@pytest.fixture
def tool(tmp_path: Path, plex: DemoPlex) -> Tool:
    made = Tool(tmp_path, plex)
    made.export()
    made.infer()
    return made


def unrated(tool: Tool) -> str:
    return str(next(i["key"] for i in tool.plex.items("track") if not tool.plex.rating(i["key"])))


def edited(tool: Tool, value: object = 1.5) -> Path:
    """The workbook exported before the inference, with one rating typed."""
    key = str(next(iter(tool.plex.ratings("track"))))
    set_cells(tool.workbook, [("Tracks", key, "My rating", value)])
    return tool.workbook


def second_book(tool: Tool) -> Path:
    file = tool.folder / "second.xlsx"
    assert tool("export", file).exit_code == 0
    return file


# command line: (arguments of a working tool, members, members of counts)
Make = Callable[[Tool], list[object]]
SHAPES: Mapping[str, tuple[Make, set[str], set[str]]] = {
    "init": (
        lambda t: ["init", "--url", t.plex.url, "--token", t.plex.token],
        {"config", "library"},
        set(),
    ),
    "doctor": (lambda t: ["doctor"], {"checks"}, set()),
    "export": (
        lambda t: ["export", t.folder / "new.xlsx"],
        {"file", "export_id", "rows", "requests", "seconds"},
        set(),
    ),
    "import": (lambda t: ["import", edited(t), "--yes"], IMPORT, IMPORT_COUNTS),
    "infer": (lambda t: ["infer", "--preview"], INFER, INFER_COUNTS),
    "match": (lambda t: ["match", list_of_songs(t), "--preview"], MATCH, MATCH_COUNTS),
    "report-bug": (
        lambda t: ["report-bug", t.folder / "bug.zip", "--yes"],
        {"file", "written", "parts"},
        set(),
    ),
    "report": (lambda t: ["report", "coverage"], {"report", "rows", "summary"}, set()),
    "report all": (lambda t: ["report", "all"], {"report", "reports"}, set()),
    "history": (lambda t: ["history"], {"runs"}, set()),
    "history RUN": (
        lambda t: ["history", "1"],
        {"run", "kind", "started", "finished", "status", "counts", "rows"},
        {"written"},
    ),
    "undo": (lambda t: ["undo", "1", "--preview"], RUN, RUN_COUNTS),
    "undo --inferred": (lambda t: ["undo", "--inferred", "--yes"], RUN, RUN_COUNTS),
    "resume": (lambda t: ["resume"], RUN, RUN_COUNTS),
    "verify": (
        lambda t: ["verify"],
        {"counts", "rows"},
        {"checked", "overrides", "orphans", "tag_mismatches"},
    ),
    "reconstruct": (lambda t: ["reconstruct", "--preview"], RUN, RUN_COUNTS),
    "sync-tags": (lambda t: ["sync-tags", "--preview"], RUN, RUN_COUNTS),
    "restore": (lambda t: ["restore", edited(t), "--preview"], RUN, RUN_COUNTS),
    "diff": (lambda t: ["diff", t.workbook, second_book(t)], {"counts", "rows"}, set()),
    "state path": (lambda t: ["state", "path"], {"path", "exists"}, set()),
    "state export": (
        lambda t: ["state", "export", t.folder / "out.json"],
        {"file", "entries"},
        set(),
    ),
    "state import": (
        lambda t: ["state", "import", state_file(t)],
        {"file", "preview", "counts"},
        {"taken_over", "overrides", "manual", "orphans"},
    ),
}


def list_of_songs(tool: Tool) -> Path:
    """A list of another player, with one song of the library and its rating."""
    track = next(iter(tool.plex.store.items[TRACK].values()))
    album = track.parent
    file = tool.folder / "songs.csv"
    names = (album.parent.title, album.title, track.title)
    quoted = ",".join(f'"{name}"' for name in names)
    file.write_text(f"Artist,Album,Title,Rating (0-100)\n{quoted},80\n", encoding="utf-8")
    return file


def state_file(tool: Tool) -> Path:
    file = tool.folder / "old.json"
    key = next(iter(tool.plex.ratings("artist")))
    file.write_text(json.dumps({str(key): tool.plex.rating(key)}))
    return file


def one_object(result: Result) -> dict[str, Any]:
    """The object on stdout, and proof that there is nothing else."""
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    found = json.loads(lines[0], parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
    assert isinstance(found, dict)
    return found


def test_every_command_has_a_shape_or_none_to_have():
    named = {name.split(" --")[0].removesuffix(" RUN").removesuffix(" all") for name in SHAPES}

    assert named | NO_JSON | {"state"} == {name for name, _ in every_command()} | {"state"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHAPES)
def test_json_is_one_object_with_these_members(
    tool: Tool, name: str, monkeypatch: pytest.MonkeyPatch
):
    arguments, members, counts = SHAPES[name]
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    words = [*arguments(tool), "--json"]
    if name == "init":
        words.append("--force")

    result = tool(*words)

    found = one_object(result)
    assert found["error"] is None
    assert members <= set(found)
    assert counts <= set(found.get("counts", {}))
    assert tool.plex.token not in result.output


def test_rows_of_an_import_have_every_member_and_counts_are_disjoint(tool: Tool):
    keys = [str(i["key"]) for i in tool.plex.items("track")[:2]]
    set_cells(
        tool.workbook,
        [("Tracks", keys[0], "My rating", 2), ("Tracks", keys[1], "My rating", "gut")],
    )

    found = one_object(tool("import", tool.workbook, "--yes", "--json"))

    assert [set(row) for row in found["rows"]] == [IMPORT_ROW] * 2
    assert set(found["counts"]) == IMPORT_COUNTS
    assert found["counts"]["applied"] == 1
    assert found["counts"]["errors"] == 1
    assert found["counts"]["would_apply"] == 0
    total = sum(len(tool.plex.items(kind)) for kind in ("artist", "album", "track"))
    assert sum(found["counts"].values()) >= total


def test_several_files_are_one_object_with_one_for_each(tool: Tool):
    found = one_object(tool("import", edited(tool), second_book(tool), "--yes", "--json"))

    assert found["error"] is None
    assert [set(one) >= IMPORT for one in found["files"]] == [True, True]


# Exit codes


def refused(tool: Tool) -> list[object]:
    return ["import", edited(tool, "gut"), "--yes"]


def changed_since(tool: Tool) -> list[object]:
    path = edited(tool)
    tool.plex.rate(next(iter(tool.plex.ratings("track"))), 7.0)
    return ["import", path, "--yes"]


def overridden(tool: Tool) -> list[object]:
    tool.plex.rate(next(iter(tool.plex.ratings("album"))), 1.0)
    return ["verify"]


def imported(tool: Tool) -> list[object]:
    path = edited(tool)
    assert tool("import", path, "--yes").exit_code == 0
    return ["import", path, "--yes"]


def scrap(tool: Tool) -> list[object]:
    file = tool.folder / "scrap.xlsx"
    file.write_bytes(edited(tool).read_bytes()[:5000])
    return ["import", file, "--yes"]


def scrap_beside_a_refusal(tool: Tool) -> list[object]:
    return [*refused(tool)[:2], scrap(tool)[1], "--yes"]


def open_run(tool: Tool) -> None:
    tool("undo", "--inferred", "--yes")
    tool.plex.gate.set(2, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert tool.plex.gate.wait_until_waiting(120)
        process.kill()
        process.communicate()
    tool.plex.gate.release(False)


def beside_an_open_run(tool: Tool) -> list[object]:
    open_run(tool)
    return ["infer", "--yes"]


def without_plex(tool: Tool) -> list[object]:
    tool.plex.close()
    return ["verify"]


def with_a_wrong_token(tool: Tool) -> list[object]:
    Tool(tool.folder, tool.plex, PLEX_TOKEN="wrong")
    return ["export", tool.folder / "x.xlsx"]


def unknown_key(tool: Tool) -> list[object]:
    Tool(tool.folder, tool.plex, DRYRUN=True)
    return ["verify"]


def dry(tool: Tool) -> list[object]:
    Tool(tool.folder, tool.plex, DRY_RUN=True)
    return ["import", edited(tool), "--yes"]


CODES: Mapping[str, tuple[int, str | None, Make]] = {
    "a clean import": (0, None, lambda t: ["import", edited(t), "--yes"]),
    "a clean preview": (0, None, lambda t: ["import", edited(t), "--preview"]),
    "nothing to do": (0, None, lambda t: ["infer", "--yes"]),
    "already imported": (0, None, imported),
    "DRY_RUN": (0, None, dry),
    "nothing to resume": (0, None, lambda t: ["resume"]),
    "verify, all well": (0, None, lambda t: ["verify"]),
    "a row refused": (1, None, refused),
    "a row refused in a preview": (1, None, lambda t: [*refused(t)[:2], "--preview"]),
    "a conflict": (1, None, changed_since),
    "verify found something": (1, None, overridden),
    "no --yes": (1, None, lambda t: ["import", edited(t)]),
    "no --yes for undo": (1, None, lambda t: ["undo", "1"]),
    "wrong usage": (2, "usage", lambda t: ["infer", "9"]),
    "no such option": (2, "usage", lambda t: ["export", "--nope"]),
    "no such command": (2, "usage", lambda t: ["exprot"]),
    "no such file": (2, "usage", lambda t: ["import", t.folder / "none.xlsx"]),
    "an unknown key": (2, "config", unknown_key),
    "a file exists": (2, "file-exists", lambda t: ["export", t.workbook]),
    "an open run": (2, "open-run", beside_an_open_run),
    "no such run": (2, "usage", lambda t: ["undo", "77", "--yes"]),
    "a file stopped": (3, "F01", scrap),
    "a stop outranks a refusal": (3, None, scrap_beside_a_refusal),
    "Plex away": (4, "P70", without_plex),
    "Plex refuses": (4, "unauthorized", with_a_wrong_token),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CODES)
def test_exit_codes_mean_one_thing(tool: Tool, case: str):
    exit_code, error, make = CODES[case]
    words = make(tool)

    result = tool(*words, "--json")

    assert result.exit_code == exit_code, result.output
    found = one_object(result)
    if error is None:
        assert found["error"] is None
    else:
        assert found["error"]["code"] == error
        assert set(found["error"]) == {"code", "message"}
        assert found["error"]["message"].endswith((".", "?", "!"))
    assert "Traceback" not in result.output


def test_interrupted_is_five_and_resumable(tool: Tool):
    tool("undo", "--inferred", "--yes")
    tool.plex.gate.set(2, "before", "writes")
    with tool.spawn("infer", "--yes", "--json") as process:
        assert tool.plex.gate.wait_until_waiting(120)
        process.send_signal(signal.SIGINT)
        tool.plex.gate.release()
        out, err = process.communicate(timeout=120)

    assert process.returncode == 5, err
    assert json.loads(out)["run"] is not None
    resumed = one_object(tool("resume", "--yes", "--json"))
    assert resumed["counts"]["failed"] == 0
    assert tool("verify").exit_code == 0


def test_the_same_words_without_json_end_with_the_same_code(tool: Tool):
    for words in (["infer", "9"], ["export", tool.workbook], ["undo", "77"], ["verify"]):
        assert tool(*words).exit_code == tool(*words, "--json").exit_code


# Help and errors


def every_help() -> list[str]:
    return [name for name, _ in every_command()]


@pytest.mark.parametrize("name", every_help())
def test_every_command_has_help_with_examples(name: str):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run([*name.split(), "--help"])

    assert code == 0
    assert "Example" in out.getvalue()
    assert f"plexsheet {name}" in out.getvalue()
    assert "--json" in out.getvalue() or name.split()[0] in NO_JSON | {"state"}


@pytest.mark.parametrize(
    "words",
    [["infer", "9"], ["exprot"], ["export", "--nope"], ["report", "coverag"], ["import"]],
)
def test_errors_have_one_shape_and_no_traceback(tool: Tool, words: list[str]):
    result = tool(*words)

    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert result.stdout == ""


def test_a_preview_of_inference_shows_its_rows_the_largest_changes_first(tmp_path: Path):
    with DemoPlex(tracks=60) as plex:
        tool = Tool(tmp_path, plex)
        first = tool("infer", "2", "--preview")
        rated = plex.ratings("artist")
        unrated = [one["title"] for one in plex.items("artist") if one["key"] not in rated]
        assert unrated
        assert all(title in first.stdout for title in unrated)
        assert "+Rating_Inferred" in first.stdout
        tool.infer()
        for key in list(plex.ratings("track"))[:3]:
            plex.rate(key, 1.0)

        again = tool("infer", "--preview")
        counts = one_object(tool("infer", "--preview", "--json"))["counts"]

        tracks = counts["tracks"] + counts["taken_over"]
        assert f"Tracks: {tracks:,} to change" in again.stdout
        assert "unrated" not in again.stdout
        assert plex.writes[-1].via == "demo", "a preview wrote"


def test_a_mistyped_command_is_told_the_nearest_one(tool: Tool):
    assert "Did you mean “verify”?" in tool("verfy").stderr
    assert one_object(tool("verfy", "--json"))["error"]["code"] == "usage"


def test_a_workbook_by_another_ending_is_not_written(tool: Tool):
    for name in ("music.ods", "music.csv", "music"):
        result = tool("export", tool.folder / name)
        assert result.exit_code == 2
        assert "music.xlsx" in result.stderr
        assert not (tool.folder / name).exists()


def test_a_start_letter_beyond_everything_says_so(tool: Tool):
    assert "everything from “zzz” on stands" in tool("infer", "--start-at", "zzz").stdout


@pytest.mark.parametrize(("name", "sign"), [("comma", ","), ("semicolon", ";"), ("tab", "\t")])
def test_csv_has_the_separator_asked_for_and_is_read_back(tool: Tool, name: str, sign: str):
    assert tool("export", "--csv", tool.folder / name, "--separator", name).exit_code == 0
    file = tool.folder / name / "artists.csv"

    assert file.read_text("utf-8-sig").startswith(f"ratingKey{sign}artistName{sign}")
    result = one_object(tool("import", file, "--yes", "--json"))
    assert result["counts"]["errors"] == result["counts"]["applied"] == 0


def test_verbose_tells_each_request_and_never_the_token(tool: Tool):
    tool.plex.reset_requests()
    told = tool("--verbose", "verify")

    lines = [line for line in told.stderr.splitlines() if line.startswith("GET ")]
    assert len(lines) == sum(tool.plex.requests.values())
    assert all(": 200 after " in line for line in lines)
    assert str(tool.config) in told.stderr
    assert tool.plex.token not in told.output
    assert "GET " not in tool("verify").output


def test_quiet_says_results_and_errors_only(tool: Tool):
    assert tool("--quiet", "history").stderr == ""
    assert tool("history").stderr != ""
    assert tool("--quiet", "undo", "77").stderr != ""


@pytest.mark.parametrize(
    "words",
    [["doctor"], ["infer", "--preview"], ["history"], ["history", "1"], ["verify"],
     ["undo", "1", "--preview"], ["report", "all"]],
)  # fmt: skip
def test_what_goes_into_a_pipe_has_no_control_codes_and_fits_the_width(
    tool: Tool, words: list[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "72")

    result = tool(*words)

    assert result.exit_code == 0, result.output
    assert not set(result.output) & {chr(n) for n in range(32) if chr(n) not in "\n\t"}
    assert max(map(len, result.stdout.splitlines())) <= 72


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("re", {"report", "report-bug", "resume", "reconstruct", "restore"}),
        ("report rate", {"rate-next"}),
    ],
)
def test_the_shell_completes_commands_and_what_they_take(typed: str, offered: set[str]):
    words = ["plexsheet", *typed.split()]
    environment = {
        "_PLEXSHEET_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }

    done = subprocess.run(
        [shutil.which("plexsheet", path=str(Path(sys.executable).parent)) or "plexsheet"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered


REPORTS = tuple(entry.name for entry in catalogue.REPORTS)


def test_every_report_comes_in_every_format(tool: Tool):
    found = one_object(tool("report", "all", "--json"))
    assert [one["report"] for one in found["reports"]] == list(REPORTS)

    for ending, begins in (
        ("txt", "Coverage\n========"),
        ("csv", "Coverage\r\nKind,Items,"),
        ("json", '{\n  "error": null'),
        ("html", "<!doctype html>"),
    ):
        file = tool.folder / f"all.{ending}"
        assert tool("report", "all", "--output", file).exit_code == 0
        written = file.read_bytes().decode("utf-8-sig")
        assert written.startswith(begins)
        assert len(written) > 1000
        assert tool("report", "all", "--output", file).exit_code == 2, "replaced without --force"
        form = "text" if ending == "txt" else ending
        assert tool("report", "all", "--format", form).stdout.startswith(begins)


def test_rate_next_names_at_most_twenty_or_as_many_as_asked(tool: Tool):
    assert 0 < len(one_object(tool("report", "rate-next", "--json"))["rows"]) <= 20
    assert len(one_object(tool("report", "rate-next", "--top", "3", "--json"))["rows"]) == 3


@pytest.mark.parametrize("columns", ["", "wide", "-3", "0"])
def test_a_width_that_is_none_is_no_reason_to_fail(
    tool: Tool, columns: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", columns)

    assert tool("history").exit_code == 0


def test_help_of_the_whole_names_every_command():
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run(["--help"]) == 0

    assert all(f"  {name} " in out.getvalue() for name in COMMANDS)
    assert isinstance(cli, click.Group)


def test_after_a_run_nothing_more_crosses_a_threshold(tmp_path: Path):
    """Reports say what will stand in Plex, rounded, not what was computed on the way there."""
    with DemoPlex(tracks=150) as plex:
        tool = Tool(tmp_path, plex)
        tool.infer()

        found = one_object(tool("report", "thresholds", "--json"))

        assert found["summary"]["enter"] == found["summary"]["leave"] == 0
        assert one_object(tool("infer", "--json"))["counts"]["tracks"] == 0
