"""``history``, ``undo``, ``resume``, ``verify``, ``reconstruct``, ``sync-tags``, ``state``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.driver import Tool
from tests.plex.server import DemoPlex

TAG = "rating_inferred"


@pytest.fixture
def inferred(tool: Tool) -> Tool:
    """A library in which everything was inferred, as run 1."""
    assert tool.infer()["run"] == 1
    return tool


def tagged(plex: DemoPlex) -> set[int]:
    kinds = ("artist", "album", "track")
    return {
        item["key"]
        for kind in kinds
        for item in plex.items(kind)
        if TAG in (name.casefold() for name in item["tags"].get("mood", ()))
    }


# history


def test_history_of_nothing_says_so(tool: Tool):
    result = tool("history")

    assert result.exit_code == 0
    assert "No runs yet" in result.stdout
    assert tool("history", "--json").json == {"error": None, "runs": []}


def test_history_needs_no_plex(inferred: Tool, plex: DemoPlex):
    plex.reset_requests()

    runs = inferred("history", "--json").json["runs"]

    assert [(run["run"], run["kind"], run["status"]) for run in runs] == [(1, "infer", "done")]
    assert runs[0]["counts"]["written"] > 100
    assert sum(plex.requests.values()) == 0


def test_history_of_one_run_shows_its_rows(inferred: Tool):
    one = inferred("history", "1", "--json").json

    assert one["run"] == 1
    assert len(one["rows"]) == one["counts"]["written"]
    assert {row["outcome"] for row in one["rows"]} == {"Applied"}
    assert "★" in inferred("history", "1").stdout


def test_history_of_an_unknown_run_is_a_mistake(inferred: Tool):
    result = inferred("history", "77", "--json")

    assert result.exit_code == 2
    assert "77" in result.json["error"]["message"]


# undo


def test_undo_puts_everything_back(inferred: Tool, plex: DemoPlex):
    manual = {key: value for key, value in plex.ratings().items() if key not in tagged(plex)}

    result = inferred("undo", "1", "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert result.json["counts"]["left_alone"] == 0
    assert plex.ratings() == manual
    assert tagged(plex) == set()


def test_undo_of_an_undo_brings_it_back(inferred: Tool, plex: DemoPlex):
    before = plex.ratings()
    inferred("undo", "1", "--yes")

    inferred("undo", "2", "--yes")

    assert plex.ratings() == before


def test_undo_leaves_alone_what_was_changed_since(inferred: Tool, plex: DemoPlex):
    key = min(tagged(plex) & set(plex.ratings("track")))
    plex.rate(key, 1.0)

    result = inferred("undo", "1", "--yes", "--json")

    assert result.json["counts"]["left_alone"] == 1
    assert plex.rating(key) == 1.0


def test_undo_of_one_sheet_touches_no_other(inferred: Tool, plex: DemoPlex):
    tracks = plex.ratings("track")

    assert inferred("undo", "1", "--sheet", "albums", "--yes").exit_code == 0

    assert plex.ratings("track") == tracks
    assert not tagged(plex) & {album["key"] for album in plex.items("album")}


def test_a_second_undo_says_that_it_was_done_already(inferred: Tool, plex: DemoPlex):
    inferred("undo", "1", "--yes")
    before = plex.ratings()

    result = inferred("undo", "1", "--yes")

    assert result.exit_code == 0
    assert "Run 1 was taken back by run 2" in result.stdout
    assert "plexsheet undo 2" in result.stdout
    assert "you changed it" not in result.stdout
    assert plex.ratings() == before
    inferred("undo", "2", "--yes")
    assert "was taken back" not in inferred("undo", "1", "--preview").stdout


def test_undo_of_the_twins_sheet_takes_back_decisions_and_no_rating(inferred: Tool, plex: DemoPlex):
    before = plex.ratings()

    result = inferred("undo", "1", "--sheet", "Twins", "--yes")

    assert result.exit_code == 0
    assert "Nothing to write" in result.stdout
    assert plex.ratings() == before


def test_undo_inferred_removes_all_of_ours_and_nothing_else(tool: Tool, plex: DemoPlex):
    manual = plex.ratings()
    tool.infer()
    assert len(plex.ratings()) > len(manual)

    assert tool("undo", "--inferred", "--yes").exit_code == 0

    assert plex.ratings() == manual
    assert tagged(plex) == set()


@pytest.mark.parametrize("words", [["undo"], ["undo", "1", "--inferred"], ["undo", "9", "--yes"]])
def test_undo_wants_one_run_that_exists(inferred: Tool, words: list[str]):
    assert inferred(*words).exit_code == 2


@pytest.mark.parametrize("words", [["undo", "1"], ["undo", "--inferred"], ["sync-tags"]])
@pytest.mark.parametrize(("option", "code"), [("--preview", 0), ("", 1)])
def test_without_a_yes_the_plan_is_shown_and_nothing_written(
    inferred: Tool, plex: DemoPlex, words: list[str], option: str, code: int
):
    plex.tag(min(tagged(plex)), "mood", ["Calm"])
    before = plex.ratings(), tagged(plex)

    result = inferred(*words, *([option] if option else []), "--json")

    assert result.exit_code == code, result.output
    assert result.json["preview"] is True
    assert result.json["run"] is None
    assert result.json["counts"]["written"] > 0
    assert (plex.ratings(), tagged(plex)) == before


def test_dry_run_makes_every_write_a_preview_and_says_so(tmp_path: Path, plex: DemoPlex):
    Tool(tmp_path, plex).infer()
    tool, before = Tool(tmp_path, plex, DRY_RUN=True), plex.ratings()

    result = tool("undo", "1", "--yes")

    assert result.exit_code == 0
    assert "DRY_RUN" in result.stdout
    assert plex.ratings() == before


def test_a_run_names_what_it_left_alone(tool: Tool, plex: DemoPlex):
    """Rated by the person between the plan and the writing of it."""
    key = next(item["key"] for item in plex.items("track") if item["userRating"] is None)
    title = plex.find(key).title
    plex.gate.set(2, "before", "writes")
    with tool.spawn("infer", "--yes") as process:
        assert plex.gate.wait_until_waiting(60)
        plex.rate(key, 9.0)
        plex.gate.release()
        out, err = process.communicate(timeout=120)

    assert process.returncode == 1, out + err
    written = " ".join(out.split("Run 1:")[1].split())
    assert title.split()[0] in written  # the rest may stand a line below
    assert "1 held" in written
    assert "Left alone:" in written
    assert plex.rating(key) == 9.0


# verify, sync-tags, reconstruct


def test_verify_finds_nothing_wrong_after_a_run(inferred: Tool, plex: DemoPlex):
    plex.reset_requests()

    result = inferred("verify", "--json")

    assert result.exit_code == 0
    counts = result.json["counts"]
    assert counts.pop("checked") > 100
    assert counts == {"overrides": 0, "orphans": 0, "tag_mismatches": 0}
    assert sum(plex.requests.values()) < 30


def test_verify_finds_overrides_orphans_and_tags(inferred: Tool, plex: DemoPlex):
    ours = sorted(tagged(plex) & set(plex.ratings("track")))
    plex.rate(ours[0], 1.0)
    plex.delete(ours[1])
    plex.tag(ours[2], "mood", ["Calm"])

    result = inferred("verify", "--json")

    assert result.exit_code == 1
    found = {(row["problem"], row["key"]) for row in result.json["rows"]}
    assert {("override", ours[0]), ("orphan", ours[1]), ("tag_mismatch", ours[2])} <= found


def test_sync_tags_mends_tags_and_keeps_the_persons_own(inferred: Tool, plex: DemoPlex):
    key = min(tagged(plex))
    plex.tag(key, "mood", ["Calm"])
    ratings = plex.ratings()

    assert inferred("sync-tags", "--yes").exit_code == 0

    assert key in tagged(plex)
    assert "Calm" in plex.find(key).names("mood")
    assert plex.ratings() == ratings
    assert inferred("verify").exit_code == 0


def test_a_tag_renamed_in_the_settings_is_renamed_in_plex(
    inferred: Tool, tmp_path: Path, plex: DemoPlex
):
    carried = tagged(plex)
    renamed = Tool(tmp_path, plex, INFERRED_TAG="A guess")

    preview = renamed("infer", "--preview")
    assert f"{len(carried):,} to fix; the ratings stay" in preview.stdout
    renamed.infer()

    assert tagged(plex) == set()
    kinds = ("artist", "album", "track")
    moods = {i["key"]: i["tags"].get("mood", ()) for kind in kinds for i in plex.items(kind)}
    assert {key for key, names in moods.items() if "A guess" in names} == carried
    assert renamed("verify").exit_code == 0


def test_reconstruct_finds_inferred_ratings_by_their_tag(inferred: Tool, plex: DemoPlex):
    before = plex.ratings()
    count = inferred("verify", "--json").json["counts"]["checked"]
    for file in inferred.folder.glob("plexsheet.db*"):
        file.unlink()

    result = inferred("reconstruct", "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert plex.ratings() == before
    assert inferred("verify", "--json").json["counts"]["checked"] == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["export"], 0),
        (["infer", "--preview"], 3),
        (["undo", "--inferred", "--preview"], 3),
        (["sync-tags", "--preview"], 3),
    ],
)
def test_a_state_that_was_lost_is_said_and_nothing_is_written_on_its_word(
    inferred: Tool, words: list[str], code: int
):
    """An export shows the ratings as they stand; what would write stops (S08)."""
    assert "reconstruct" not in inferred(*words).stderr
    for file in inferred.folder.glob("plexsheet.db*"):
        file.unlink()

    lost = inferred(*words)

    assert lost.exit_code == code
    assert ("S08" if code else "items carry the tag") in lost.stderr
    assert "reconstruct" in lost.stderr
    assert inferred("reconstruct", "--yes").exit_code == 0
    assert "reconstruct" not in inferred(*words).stderr


def test_reconstruct_without_a_tag_in_the_settings_is_refused(tmp_path: Path, plex: DemoPlex):
    assert Tool(tmp_path, plex, INFERRED_TAG="")("reconstruct", "--yes").exit_code == 2


# resume


def test_a_run_that_is_open_in_another_library_is_told(tmp_path: Path):
    with DemoPlex(tracks=60) as one, DemoPlex(tracks=60, seed=5, identity="two") as two:
        profiles = {"attic": {"PLEX_URL": two.url, "PLEX_TOKEN": two.token}}
        tool = Tool(tmp_path, one, PROFILES=profiles)
        interrupted(tool, two, "--profile", "attic")

        here = tool("resume")

        assert here.exit_code == 0
        assert "Run 1 (infer) of the library “Music”" in here.words
        assert "--profile" in here.words
        tool.infer()  # another library's run bars nothing here
        assert tool("--profile", "attic", "resume", "--yes").exit_code == 0
        assert "Run 1" not in tool("resume").words


def test_nothing_to_resume_is_said_and_is_no_mistake(tool: Tool):
    result = tool("resume", "--json")

    assert result.exit_code == 0
    assert result.json["run"] is None
    assert "nothing to resume" in result.stderr


def interrupted(tool: Tool, plex: DemoPlex, *options: str) -> None:
    """Kill an inference in the middle of its writing."""
    plex.gate.set(3, "before", "writes")
    with tool.spawn(*options, "infer", "--yes") as process:
        assert plex.gate.wait_until_waiting(60)
        process.kill()
        process.communicate()
    plex.gate.release(False)
    plex.gate.set(0, "before", "writes")


def test_an_interrupted_run_is_told_and_finished(tool: Tool, plex: DemoPlex):
    interrupted(tool, plex)
    refused = tool("infer", "--yes", "--json")
    assert refused.exit_code == 2
    assert refused.json["error"]["code"] == "open-run"
    half = tool("verify")
    assert "is not finished" in half.stderr
    assert "sync-tags" not in half.stderr
    asked = tool("resume")
    assert asked.exit_code == 1
    assert "are in doubt" in asked.words

    result = tool("resume", "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert tool("verify").exit_code == 0
    assert tool("history", "--json").json["runs"][0]["status"] == "done"


def test_an_interrupted_run_can_be_taken_back(tool: Tool, plex: DemoPlex):
    manual = plex.ratings()
    interrupted(tool, plex)

    assert tool("resume", "--take-back", "--yes").exit_code == 0

    assert plex.ratings() == manual
    assert tagged(plex) == set()


# state


def test_state_path_is_one_line(tool: Tool):
    assert tool("state", "path").stdout.strip() == str(tool.state)


@pytest.mark.parametrize("layout", ["flat", "pairs", "stamped"])
def test_the_state_of_plex_rating_utils_is_taken_over(tool: Tool, plex: DemoPlex, layout: str):
    keys = list(plex.ratings("track"))
    manual, ours = keys[0], keys[1:4]
    entries = {str(key): {"r": plex.rating(key), "t": 0, "m": False} for key in ours}
    entries[str(manual)] = {"r": 1.0, "t": 0, "m": False}
    text = {
        "flat": {key: entry["r"] for key, entry in entries.items()},
        "pairs": {key: {"r": entry["r"], "t": 0} for key, entry in entries.items()},
        "stamped": {
            "version": "1.4.0",
            "library_uuid": plex.store.section_uuid,
            "ratings": entries,
        },
    }[layout]
    file = tool.folder / "plex_state.json"
    file.write_text(json.dumps(text))
    content, stood = file.read_bytes(), plex.ratings()

    result = tool("state", "import", file, "--yes", "--json")

    assert result.exit_code == 0, result.output
    assert result.json["counts"] == {"taken_over": 3, "overrides": 1, "manual": 0, "orphans": 0}
    assert file.read_bytes() == content
    assert plex.ratings() == stood
    assert plex.writes == []
    again = tool.folder / "again.json"
    assert tool("state", "export", again, "--format", layout).exit_code == 0
    assert json.loads(again.read_text()) == text
    tool("undo", "--inferred", "--yes")
    assert {key for key in stood if key not in plex.ratings()} == set(ours)


def test_state_import_without_a_yes_remembers_nothing(tool: Tool, plex: DemoPlex):
    file = tool.folder / "plex_state.json"
    file.write_text(json.dumps(plex.ratings("track")))

    assert tool("state", "import", file).exit_code == 1
    assert tool("state", "import", file, "--preview").exit_code == 0
    assert tool("verify", "--json").json["counts"]["checked"] == 0


def test_state_of_another_library_is_refused(tool: Tool):
    file = tool.folder / "plex_state.json"
    file.write_text('{"version": "1.4.0", "library_uuid": "other", "ratings": {"1": {"r": 5}}}')

    result = tool("state", "import", file, "--yes", "--json")

    assert result.exit_code == 3
    assert "other" in result.json["error"]["message"]


def test_state_export_writes_over_nothing(inferred: Tool):
    file = inferred.folder / "plex_state.json"
    file.write_text("mine")

    assert inferred("state", "export", file).exit_code == 2
    assert file.read_text() == "mine"
