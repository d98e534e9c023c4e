"""Settings: what is accepted, what wins, and what a person reads when something is wrong."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from plexsheet import config as settings
from plexsheet.config import Config, load_config, loading, plex_token, write_config
from plexsheet.errors import ConfigError, FileExists

TOKEN = "s3cretTokenOfMine"
MINIMAL = {"PLEX_URL": "http://192.0.2.1:32400", "PLEX_TOKEN": TOKEN, "LIBRARY_NAME": "Music"}
LEGACY = MINIMAL | {
    "version": "1.4.0",
    "CONFIDENCE_C": 3.0,
    "BIAS_CRITIC": 1.5,
    "WEIGHT_CRITIC": 3.0,
    "WEIGHT_GLOBAL": 1.0,
    "DRY_RUN": False,
    "INFERRED_TAG": "Rating_Inferred",
    "DYNAMIC_PRECISION": True,
    "COOLDOWN_BATCH": 50,
    "COOLDOWN_SLEEP": 5,
    "ALBUM_INHERITANCE_GRAVITY": 0.8,
    "TRACK_INHERITANCE_GRAVITY": 0.3,
    "BULK_ARTIST_FILENAME": "./artist_ratings.csv",
    "BULK_ALBUM_FILENAME": "./album_ratings.csv",
    "BULK_TRACK_FILENAME": "./track_ratings.csv",
    "TWIN_LOGIC": {
        "ENABLED": True,
        "DURATION_TOLERANCE_SEC": 5,
        "EXCLUDE_KEYWORDS": ["live", "demo"],
        "EXCLUDE_PARENTHESES": True,
        "EXCLUDE_LIVE_ALBUMS": True,
        "TWIN_TAG": "Twin",
    },
    "UPWARD_EXCLUSION_RULES": {
        "ENABLED": True,
        "MIN_DURATION_SEC": 80,
        "KEYWORDS": ["intro", "skit"],
        "CASE_SENSITIVE": False,
    },
}


@pytest.fixture
def load(tmp_path):
    """Load a config of these values, or of this text."""

    def load(values=MINIMAL, *, profile=None, **environment) -> Config:
        path = tmp_path / "config.json"
        path.write_text(values if isinstance(values, str) else json.dumps(values, indent=1))
        path.chmod(0o600)
        return load_config(path, profile=profile, environment=environment)

    return load


def problem(load, values, **more) -> str:
    with pytest.raises(ConfigError) as caught:
        load(values, **more)
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return caught.value.message


def test_the_file_of_plex_rating_utils_is_accepted_unchanged_and_runs_classic(load):
    config = load(LEGACY)

    assert config.model == "classic"
    assert len(config.notices) == 1
    assert '"MODEL": "learned"' in config.notices[0]
    assert config.twins.twin_tag == "Twin"
    assert config.cooldown_sleep == 5.0
    inference = config.inference_settings()
    assert (inference.model, inference.track_gravity) == ("classic", 0.3)
    assert inference.twins.exclude_keywords == ("live", "demo")
    assert inference.exclusions.min_duration_s == 80.0


@pytest.mark.parametrize(
    ("more", "model"),
    [
        ({}, "learned"),
        ({"version": "1.4.0"}, "learned"),
        ({"COOLDOWN_BATCH": 50, "version": 1.4}, "learned"),
        ({"WEIGHT_GLOBAL": 1.0}, "classic"),
        ({"TRACK_INHERITANCE_GRAVITY": 0.3}, "classic"),
        ({"BIAS_CRITIC": 1, "MODEL": "learned"}, "learned"),
        ({"MODEL": "classic"}, "classic"),
    ],
)
def test_which_model_runs(load, more, model):
    assert load(MINIMAL | more).model == model


def test_older_keys_are_accepted_and_said_to_have_no_effect(load):
    config = load(MINIMAL | {"HIJACK_INTEGER_ONLY": True, "COOLDOWN_SLEEP_SINGLE": 0.1})

    assert [notice.split()[0] for notice in config.notices] == [
        "HIJACK_INTEGER_ONLY",
        "COOLDOWN_SLEEP_SINGLE",
    ]
    assert all("has no effect" in notice for notice in config.notices)


def test_an_unknown_key_is_named_with_its_line_and_the_nearest_key(load):
    text = '{\n"PLEX_URL": "http://h:1",\n"LIBRARYNAME": "Music"\n}'

    assert "line 3: LIBRARYNAME is not a setting; did you mean LIBRARY_NAME?" in problem(load, text)


def test_a_key_inside_a_group_is_named_with_its_line_and_its_group(load):
    text = '{\n"TWIN_LOGIC": {\n  "ENABLE": true\n}}'

    message = problem(load, text)

    assert "line 3: TWIN_LOGIC.ENABLE is not a setting; did you mean ENABLED?" in message


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("DRY_RUN", "yes", 'must be true or false, not "yes"'),
        ("DRY_RUN", 1, "must be true or false, not 1"),
        ("CONFIDENCE_C", 0, "must be a number above 0, not 0"),
        ("CONFIDENCE_C", "3", 'must be a number, not "3"'),
        ("CONFIDENCE_C", True, "must be a number, not true"),
        ("COOLDOWN_BATCH", 2.5, "must be a whole number, not 2.5"),
        ("COOLDOWN_BATCH", 0, "must be a whole number at least 1, not 0"),
        ("MIN_CONFIDENCE", 120, "must be a number from 0 to 100, not 120"),
        ("CONFIDENCE_C", float("inf"), "must be a number above 0"),
        ("CONFIDENCE_C", float("nan"), "must be a number above 0"),
        ("MODEL", "magic", 'must be one of learned, classic, not "magic"'),
        ("ROUNDING", 0.3, "must be one of none, 0.05, 0.5, 1, not 0.3"),
        ("WATCH", True, "must be settings in braces, not true"),
        ("LIBRARY_NAME", None, "must be text in quotes, not null"),
        ("TWIN_LOGIC", {"EXCLUDE_KEYWORDS": "live"}, "must be a list of words in quotes"),
        ("PLEX_URL", "192.0.2.1:32400", "must be an address as http://plex.local:32400"),
        ("PLEX_URL", "http://h:port", "must be an address"),
        ("PLEX_URL", f"http://h:1/?X-Plex-Token={TOKEN}", "put the token into PLEX_TOKEN"),
        ("PLEX_URL", "http://your-server-ip:32400", "still holds the placeholder"),
        ("PLEX_TOKEN", "ENTER_TOKEN_HERE", "still holds the placeholder; put your Plex token"),
        ("PLEX_TOKEN", f"{TOKEN} {TOKEN}", "has characters no Plex token has"),
        ("PLEX_TOKEN", [TOKEN], "must be text in quotes"),
        ("STATE_FILE", "", "must be the name of a file or folder"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_its_line(load, key, value, told):
    message = problem(load, MINIMAL | {key: value})

    assert told in message
    assert f": {key}" in message
    assert "line " in message
    assert "Nothing was done." in message


@pytest.mark.parametrize(
    ("value", "step"), [("none", None), (0.05, 0.05), ("half", 0.5), (1, 1.0), ("whole", 1.0)]
)
def test_rounding_takes_numbers_and_words(load, value, step):
    assert load(MINIMAL | {"ROUNDING": value}).rounding_stars == step


def test_all_problems_are_told_at_once(load):
    message = problem(load, MINIMAL | {"DRY_RUN": "x", "MODL": 1, "WATCH": {"POLLING": 3}})

    assert message.count("line ") == 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n "DRY_RUN": true,\n}', "a comma too many"),
        ('{\n "A": 1\n "B": 2\n}', "line 3, column 2: a comma is missing at the end of the line"),
        ("{'A': 1}", "a name in double quotes is expected"),
        ('{\n // mine\n "A": 1}', "JSON has no comments"),
        ('{"STATE_FILE": "C:\\Users\\x"}', "a backslash in a path is written twice"),
        ("", "line 1, column 1"),
        ("[]", "does not hold settings"),
        ('{"DRY_RUN": true,\n"DRY_RUN": false}', "line 2: DRY_RUN stands here a second time"),
    ],
)
def test_broken_json_is_told_with_line_and_column(load, text, told):
    assert told in problem(load, text)


def test_a_file_saved_by_a_windows_editor_is_read(load, tmp_path):
    (tmp_path / "w.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(MINIMAL).encode())

    assert load_config(tmp_path / "w.json", environment={}).library_name == "Music"


def test_the_environment_wins_over_profile_and_file(load):
    values = MINIMAL | {
        "DRY_RUN": False,
        "PROFILES": {"flat": {"LIBRARY_NAME": "Vinyl", "WATCH": {"POLLING": True}}},
    }

    config = load(
        values,
        profile="flat",
        PLEXSHEET_DRY_RUN="yes",
        PLEXSHEET_WATCH__SETTLE_SEC="7",
        PLEXSHEET_TWIN_LOGIC__EXCLUDE_KEYWORDS="live, demo",
        PLEXSHEET_PLEX_TOKEN="other",
    )

    assert (config.library_name, config.dry_run) == ("Vinyl", True)
    assert (config.watch.polling, config.watch.settle_sec) == (True, 7.0)
    assert config.twins.exclude_keywords == ("live", "demo")
    assert plex_token(config) == "other"


def test_the_environment_stands_in_for_placeholders_and_for_the_file(load, tmp_path, monkeypatch):
    placeholders = MINIMAL | {"PLEX_URL": "http://your-server-ip:1", "PLEX_TOKEN": "ENTER_TOKEN"}
    given = {"PLEXSHEET_PLEX_URL": "http://plex:32400/", "PLEXSHEET_PLEX_TOKEN": TOKEN}

    assert load(placeholders, **given).plex_url == "http://plex:32400"

    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(empty))
    alone = load_config(environment=given)
    assert plex_token(alone) == TOKEN
    assert alone.state_file == empty / "plexsheet.db"
    with pytest.raises(ConfigError, match=r"No config\.json was found.*plexsheet init"):
        load_config(environment={})


def test_a_wrong_variable_is_named(load):
    assert "PLEXSHEET_DRY_RUN must be true or false" in problem(
        load, MINIMAL, PLEXSHEET_DRY_RUN="maybe"
    )
    assert "PLEXSHEET_DRY_RUN is one" in load(PLEXSHEET_DRYRUN="1").notices[0]


def test_a_slip_in_any_profile_is_told_and_an_unknown_profile_names_those_there(load):
    values = MINIMAL | {"PROFILES": {"a": {"LIBRARY_NAME": 5}, "b": {}}}

    assert "LIBRARY_NAME must be text in quotes, not 5" in problem(load, values)

    values["PROFILES"]["a"] = {}
    assert load(values, profile="b").profiles == ("a", "b")
    assert "has no profile “c”; it has: a, b" in problem(load, values, profile="c")


def test_relative_paths_start_at_the_file(load, tmp_path):
    config = load(MINIMAL | {"STATE_FILE": "here/s.db", "WORKBOOK_DIR": str(tmp_path / "abs")})

    assert config.state_file == tmp_path / "here" / "s.db"
    assert config.workbook_dir == tmp_path / "abs"
    assert config.bulk_track_filename == tmp_path / "track_ratings.csv"


def test_where_the_file_is_looked_for(tmp_path, monkeypatch):
    here, home = tmp_path / "here", tmp_path / "home"
    for folder, name in ((here, "Here"), (home / "plexsheet", "Home"), (tmp_path, "Named")):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps(MINIMAL | {"LIBRARY_NAME": name}))
    monkeypatch.chdir(here)
    monkeypatch.setattr(loading, "user_folder", lambda: home / "plexsheet")
    named = {"PLEXSHEET_CONFIG": str(tmp_path / "config.json")}

    assert load_config(environment=named).library_name == "Named"
    assert load_config(environment={}).library_name == "Here"
    (here / "config.json").unlink()
    assert load_config(environment={}).library_name == "Home"
    with pytest.raises(ConfigError, match=r"nowhere\.json does not exist"):
        load_config("nowhere.json")


def test_the_token_shows_nowhere(load):
    config = load(MINIMAL | {"PLEX_URL": "http://me:pass@h:1"})

    shown = f"{config} {config!r} {config.plex_token} {config.plex_token!r} {[config]}"

    assert TOKEN not in shown
    assert "pass" not in shown
    assert plex_token(config) == TOKEN
    with pytest.raises(TypeError):
        __import__("pickle").dumps(config.plex_token)


def test_a_missing_token_is_told_when_it_is_needed(load, monkeypatch):
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    config = load({"PLEX_URL": "http://h:1"})

    with pytest.raises(ConfigError, match=r"PLEX_TOKEN is not set in .*plexsheet init"):
        plex_token(config)


def test_the_token_may_live_in_the_keyring(load, tmp_path):
    """A real keyring backend, in a process of its own since the choice is made at import."""
    load({"PLEX_URL": "http://h:1"})
    backend = "import keyring.backend\nclass Kept(keyring.backend.KeyringBackend):\n"
    backend += " priority = 1\n kept = {}\n"
    backend += " def get_password(self, s, u): return self.kept.get((s, u))\n"
    backend += " def set_password(self, s, u, p): self.kept[s, u] = p\n"
    (tmp_path / "kept.py").write_text(backend)
    program = (
        "from plexsheet.config import keep_in_keyring, load_config, plex_token\n"
        f"print(keep_in_keyring('http://h:1', {TOKEN!r}))\n"
        f"print(plex_token(load_config({str(tmp_path / 'config.json')!r})))"
    )
    environment = os.environ | {
        "PYTHON_KEYRING_BACKEND": "kept.Kept",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{Path(settings.__file__).parents[2]}",
    }

    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["True", TOKEN]


def test_a_file_others_can_read_is_told(load, tmp_path):
    assert load().notices == ()
    (tmp_path / "config.json").chmod(0o644)

    notice = load_config(tmp_path / "config.json", environment={}).notices[0]

    assert "can be read by others" in notice
    assert "chmod 600" in notice


def test_write_config_is_private_loadable_and_never_replaces_unasked(tmp_path):
    path = tmp_path / "new" / "config.json"

    write_config(path, plex_url="http://h:1", token=TOKEN, library_name="Müsik", DRY_RUN=True)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = load_config(path, environment={})
    assert (config.library_name, config.dry_run, config.model) == ("Müsik", True, "learned")
    assert plex_token(config) == TOKEN
    with pytest.raises(FileExists, match="exists already"):
        write_config(path, plex_url="http://h:2", token="", library_name="x")
    write_config(path, plex_url="http://h:2", token="", library_name="x", force=True)
    assert load_config(path, environment={}).plex_url == "http://h:2"
    assert [each.name for each in path.parent.iterdir()] == ["config.json"]


def test_the_template_holds_the_defaults_and_only_known_keys(load):
    values = json.loads(settings.template_text("config.json"))
    flat = {
        ".".join(filter(None, (group, key))): value
        for group, inner in [("", values), *((k, v) for k, v in values.items() if k != "PROFILES")]
        if isinstance(inner, dict)
        for key, value in inner.items()
        if not isinstance(value, dict)
    }

    defaults = {s.name: json.loads(s.default) for s in settings.document()}

    for name in flat.keys() - {"PLEX_URL", "PLEX_TOKEN"}:
        expected = defaults[name]
        assert flat[name] == (float(expected) if name == "ROUNDING" else expected), name
    assert "still holds the placeholder" in problem(load, values)


def test_every_setting_is_described():
    described = list(settings.document())

    assert len({each.name for each in described}) == len(described) > 40
    assert all(each.sentence.endswith(".") and each.type for each in described)
    assert {"TWIN_LOGIC.TWIN_TAG", "version", "WATCH.SETTLE_SEC"} <= {e.name for e in described}


def test_importing_the_settings_imports_nothing_heavy():
    program = (
        "import sys, plexsheet.config; "
        "print([m for m in ('pandas', 'numpy', 'plexapi', 'keyring', 'pydantic')"
        " if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("version", "newer"),
    [
        ("1.4.0", False),
        (1.4, False),
        ("1.3.9", False),
        ("1.4.1", True),
        ("2", True),
        ("next", False),
    ],
)
def test_a_version_newer_than_known_is_said(tmp_path, version, newer):
    file = tmp_path / "config.json"
    file.write_text(json.dumps(MINIMAL | {"version": version}))
    file.chmod(0o600)

    told = [note for note in load_config(file, environment={}).notices if "known here" in note]

    assert len(told) == newer
    assert all(str(version) in note and "1.4.0" in note for note in told)
