"""Settings: config.json, environment and keyring into one frozen ``Config``.

Every setting is declared once, as a field with its name, type, default, limits and
one sentence; reading, checking, the messages and docs/configuration.md all come from
that declaration.  The file of plex-rating-utils 1.4.0 is accepted as it is.

What wins: ``PLEXSHEET_<KEY>`` in the environment, then the chosen profile, then the
file, then the defaults.  All problems of a file are told at once, each with its line.
"""

# ruff: noqa: RUF009 - _key and _group make dataclass fields, as field() does
from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import os
import re
import stat
import sys
import tempfile
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from plexsheet.errors import ConfigError, FileExists

if TYPE_CHECKING:
    from plexsheet.inference.model import Settings

FILE_NAME = "config.json"
PREFIX = "PLEXSHEET_"
KEYRING_SERVICE = "plexsheet"
_OUR_VARIABLES = frozenset({"PLEXSHEET_CONFIG", "PLEXSHEET_PROFILE"})
_PLACEHOLDER = re.compile(r"enter[-_ ]|your[-_ ]|change[-_ ]?me|^<.*>$|^x{4,}$", re.IGNORECASE)
_MAKES_CLASSIC = frozenset(
    {
        "CONFIDENCE_C",
        "BIAS_CRITIC",
        "WEIGHT_CRITIC",
        "WEIGHT_GLOBAL",
        "ALBUM_INHERITANCE_GRAVITY",
        "TRACK_INHERITANCE_GRAVITY",
    }
)
WITHOUT_EFFECT = {
    "HIJACK_INTEGER_ONLY": "whether a rating is yours is known from what plexsheet wrote itself",
    "COOLDOWN_SLEEP_SINGLE": "the pause after each write follows how long Plex took for it",
}


class Secret:
    """A text that shows itself only when asked by name, so that no log or traceback has it."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret(hidden)" if self._text else "Secret(none)"

    __str__ = __repr__

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret is not written anywhere")


def _key(default: Any, sentence: str, **limits: Any) -> Any:
    """A setting: its default, what it does, and ``low``, ``high``, ``choices``."""
    return field(default=default, metadata={"sentence": sentence, **limits})


def _group(kind: type, sentence: str) -> Any:
    return field(default_factory=kind, metadata={"sentence": sentence})


@dataclass(frozen=True)
class TwinLogic:
    """TWIN_LOGIC: which tracks may be the same recording."""

    enabled: bool = _key(True, "Whether the same recording on several albums is recognised.")
    duration_tolerance_sec: float = _key(
        5.0, "How many seconds two copies may differ in length.", low=0
    )
    exclude_keywords: tuple[str, ...] = _key(
        ("live", "demo", "reprise", "instrumental", "commentary", "acoustic", "remix"),
        "Words in a title that make it another recording.",
    )
    exclude_parentheses: bool = _key(
        True, "Whether a title with parentheses is another recording than one without."
    )
    exclude_live_albums: bool = _key(True, "Whether tracks of live albums are nobody's twins.")
    twin_tag: str = _key("", "Mood put on rated twins; empty for none.")


@dataclass(frozen=True)
class UpwardExclusionRules:
    """UPWARD_EXCLUSION_RULES: which tracks do not speak for their album."""

    enabled: bool = _key(True, "Whether short tracks and the words below are left out.")
    min_duration_sec: float = _key(
        80.0, "Tracks shorter than this do not speak for their album.", low=0
    )
    keywords: tuple[str, ...] = _key(
        ("intro", "outro", "interview", "skit", "applause", "commentary"),
        "Whole words in a title that mark such a track.",
    )
    case_sensitive: bool = _key(False, "Whether upper and lower case matter in them.")


@dataclass(frozen=True)
class ChangeBudget:
    """CHANGE_BUDGET: from how many changes on an import asks for the number to be typed."""

    share: float = _key(0.2, "Part of a sheet's rows that may change.", low=0, high=1)
    min_rows: int = _key(200, "Rows that may always change.", low=0)
    max_rows: int = _key(2000, "Rows above which it always asks.", low=0)


@dataclass(frozen=True)
class Watch:
    """WATCH: the watched folder."""

    auto_apply: bool = _key(False, "Whether edits are written at once instead of previewed.")
    then_infer: bool = _key(False, "Whether inference runs after each import.")
    settle_sec: float = _key(
        2.0, "How many seconds a file must stay the same before it is read.", low=0.1
    )
    polling: bool = _key(False, "Whether to look instead of waiting for the system's notice.")


@dataclass(frozen=True)
class Config:
    """All settings.  Ratings in stars or on Plex's 0-10 scale as each sentence says.

    Attributes:
        path: the file read; None where the environment alone had the settings.
        base: folder that relative paths start from.
        profile: the profile chosen, "" for none.
        notices: sentences the person should read once.
    """

    version: str = _key("", "Version stamp of plex-rating-utils; without effect.")
    plex_url: str = _key("", "Address of the Plex server, as http://plex.local:32400.")
    plex_token: Secret = _key(
        Secret(), "Plex token of the server's owner; may live in the system keyring instead."
    )
    library_name: str = _key("Music", "Name of the music library.")
    model: Literal["learned", "classic"] = _key(
        "learned", "How ratings are inferred.", choices=("learned", "classic")
    )
    listening: Literal["auto", "true", "false"] = _key(
        "auto",
        "Whether what was played is evidence; auto leaves it out once it proved worse.",
        choices=("auto", "true", "false"),
        also={"1": "true", "yes": "true", "on": "true", "0": "false", "no": "false", "off": "false"},
    )
    min_confidence: float = _key(
        0.0, "Percent below which an inferred rating is not written.", low=0, high=100
    )
    rounding: str = _key(
        "0.05",
        "Step in stars that inferred ratings are rounded to.",
        choices=("none", "0.05", "0.5", "1"),
        also={"half": "0.5", "whole": "1", "1.0": "1", "0": "none", "false": "none"},
    )
    dynamic_precision: bool = _key(
        True, "Whether drifts too small to matter in a large library are left unwritten."
    )
    inferred_tag: str = _key(
        "Rating_Inferred", "Mood put on every inferred rating; empty for none."
    )
    dry_run: bool = _key(False, "Whether every command only shows what it would write.")
    write_mode: Literal["auto", "batch", "rate"] = _key(
        "auto",
        "Many items in a request, one by one, or whichever the server takes.",
        choices=("auto", "batch", "rate"),
    )
    cooldown_batch: int = _key(50, "Ratings written one by one between two rests.", low=1)
    cooldown_sleep: float = _key(5.0, "Seconds of such a rest.", low=0)
    confidence_c: float = _key(
        3.0, "Classic: how many ratings the prior is worth.", low=0, above=True
    )
    bias_critic: float = _key(
        1.5, "Classic: points added to a critic rating, ten-point scale.", low=-10, high=10
    )
    weight_critic: float = _key(3.0, "Classic: weight of the critic rating in the prior.", low=0)
    weight_global: float = _key(1.0, "Classic: weight of the library's mean in the prior.", low=0)
    album_inheritance_gravity: float = _key(
        0.8, "Classic: how far an album keeps to its artist's rating.", low=0, high=1
    )
    track_inheritance_gravity: float = _key(
        0.3, "Classic: how far a track keeps to its album's rating.", low=0, high=1
    )
    twin_logic: TwinLogic = _group(TwinLogic, "Which tracks may be the same recording.")
    upward_exclusion_rules: UpwardExclusionRules = _group(
        UpwardExclusionRules, "Which tracks do not speak for their album."
    )
    change_budget: ChangeBudget = _group(
        ChangeBudget, "From how many changes on an import asks for the number to be typed."
    )
    workbook_dir: Path = _key(Path("./workbooks"), "Folder of exports and of the watched files.")
    state_file: Path = _key(Path("./plexsheet.db"), "The state database.")
    bulk_artist_filename: Path = _key(
        Path("./artist_ratings.csv"), "The menu's file for artists as CSV."
    )
    bulk_album_filename: Path = _key(
        Path("./album_ratings.csv"), "The menu's file for albums as CSV."
    )
    bulk_track_filename: Path = _key(
        Path("./track_ratings.csv"), "The menu's file for tracks as CSV."
    )
    watch: Watch = _group(Watch, "The watched folder.")

    path: Path | None = None
    base: Path = Path()
    profile: str = ""
    profiles: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The file and library, nothing that could be secret."""
        return f"Config(path={str(self.path)!r}, library_name={self.library_name!r})"

    @property
    def rounding_stars(self) -> float | None:
        """The rounding step in stars; None for none."""
        return None if self.rounding == "none" else float(self.rounding)

    def token(self, server_id: str = "") -> str:
        """The Plex token: from the settings, else from the system keyring.

        Raises:
            ConfigError: there is none, or the address is missing.
        """
        found = self.plex_token.reveal() or (
            _keyring_token(self.plex_url) or (_keyring_token(server_id) if server_id else "")
        )
        where = str(self.path) if self.path is not None else "the environment"
        missing = "PLEX_URL" if not self.plex_url else "" if found else "PLEX_TOKEN"
        if missing:
            raise ConfigError(
                f"{missing} is not set in {where}. Nothing was done. Set it there, or run "
                "“plexsheet init”."
            )
        return found

    def inference_settings(self) -> Settings:
        """What inference needs of the settings."""
        from plexsheet.inference.model import ExclusionSettings, Settings, TwinSettings

        twins, rules = self.twin_logic, self.upward_exclusion_rules
        return Settings(
            model=self.model,
            listening=self.listening != "false",
            confidence_c=self.confidence_c,
            bias_critic=self.bias_critic,
            weight_critic=self.weight_critic,
            weight_global=self.weight_global,
            album_gravity=self.album_inheritance_gravity,
            track_gravity=self.track_inheritance_gravity,
            min_confidence=self.min_confidence,
            twins=TwinSettings(
                enabled=twins.enabled,
                duration_tolerance_s=twins.duration_tolerance_sec,
                exclude_keywords=twins.exclude_keywords,
                exclude_parentheses=twins.exclude_parentheses,
                exclude_live_albums=twins.exclude_live_albums,
            ),
            exclusions=ExclusionSettings(
                enabled=rules.enabled,
                min_duration_s=rules.min_duration_sec,
                keywords=rules.keywords,
                case_sensitive=rules.case_sensitive,
            ),
        )

    def digest(self) -> str:
        """Twelve characters that change when a setting of inference does."""
        return hashlib.sha256(repr(self.inference_settings()).encode()).hexdigest()[:12]


_PATHS = tuple(
    f.name for f in dataclasses.fields(Config) if f.metadata and isinstance(f.default, Path)
)


# Finding and reading the file


def load_config(
    path: str | Path | None = None,
    *,
    profile: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The settings in force.

    Args:
        path: the file; None looks in ``$PLEXSHEET_CONFIG``, ``./config.json`` and the
            user's config folder.  Without any file the environment alone may do.
        profile: name of one of PROFILES; None takes ``$PLEXSHEET_PROFILE``.
        environment: instead of the process's own.

    Raises:
        ConfigError: missing, not JSON, unknown keys, wrong types: each with its line.
    """
    environment = os.environ if environment is None else environment
    found = _find(path, environment)
    if found is None and not environment.get(f"{PREFIX}PLEX_URL"):
        raise ConfigError(
            f"No {FILE_NAME} was found: not here, and not in {user_folder()}. Nothing was done. "
            "Run “plexsheet init”, or name the file with --config."
        )
    source = _read(found) if found is not None else _Source("the environment", {}, {})
    reading = _Reading(source, environment)
    chosen = environment.get(f"{PREFIX}PROFILE", "") if profile is None else profile
    values = reading.checked(chosen)
    config: Config = _Values(reading, ()).take(Config, values)
    reading.stop_if_problems()
    base = found.parent if found is not None else Path.cwd()
    notices = [*reading.notices, *_model_notice(values, source.name), *_open_to_others(found)]
    return dataclasses.replace(
        config,
        **{name: base / getattr(config, name) for name in _PATHS},
        model="classic" if _is_classic(values) else config.model,
        path=found,
        base=base,
        profile=chosen,
        profiles=tuple(source.values.get("PROFILES") or ()),
        notices=tuple(dict.fromkeys(notices)),
    )


def is_configured(path: str | Path | None = None) -> bool:
    """Whether there are settings: a file that ``load_config`` would read, or the environment."""
    try:
        return _find(path, os.environ) is not None or f"{PREFIX}PLEX_URL" in os.environ
    except ConfigError:
        return False


def user_folder() -> Path:
    """Where this person's settings of plexsheet live on this system."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "plexsheet"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "plexsheet"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "plexsheet"


def _find(path: str | Path | None, environment: Mapping[str, str]) -> Path | None:
    named = path or environment.get("PLEXSHEET_CONFIG") or None
    if named is not None:
        found = Path(named).expanduser()
        if not found.is_file():
            raise ConfigError(
                f"{found} does not exist. Nothing was done. Check the name, or run "
                "“plexsheet init” to write a new one."
            )
        return found.absolute()
    for folder in (Path.cwd(), user_folder()):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return None


@dataclass(frozen=True)
class _Source:
    """A parsed file: its name for messages, its values, and the line of each key path."""

    name: str
    values: dict[str, Any]
    lines: Mapping[tuple[str, ...], int]
    twice: tuple[tuple[str, int], ...] = ()


def _read(path: Path) -> _Source:
    try:
        text = path.read_text("utf-8-sig")
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{path} is not valid JSON: line {error.lineno}, column {error.colno}: "
            f"{_json_hint(error, text)}. Nothing was done. Correct that line and run the "
            "command again."
        ) from None  # the error would carry the whole text, token and all
    except UnicodeDecodeError:
        raise ConfigError(
            f"{path} is not UTF-8 text. Nothing was done. Save it as UTF-8 and run the command "
            "again."
        ) from None
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}. Nothing was done. Give yourself the right "
            "to read it and run the command again."
        ) from error
    if not isinstance(values, dict):
        raise ConfigError(
            f"{path} does not hold settings: it should begin with {{ and end with }}. Nothing "
            "was done. Run “plexsheet init” to write a new one."
        )
    lines, twice = _places(text)
    return _Source(str(path), values, lines, tuple(twice))


def _json_hint(error: json.JSONDecodeError, text: str) -> str:
    before = text[: error.pos].rstrip()
    here = text[error.pos : error.pos + 2]
    if "property name" in error.msg and (before.endswith(",") or here.startswith("}")):
        return "a comma too many before the closing brace" if here[:1] == "}" else _quote_hint(here)
    if "property name" in error.msg:
        return _quote_hint(here)
    if "Illegal trailing comma" in error.msg:
        return "a comma too many"
    if "delimiter" in error.msg and "," in error.msg:
        return "a comma is missing at the end of the line before"
    if "escape" in error.msg:
        return "a backslash in a path is written twice: \\\\"
    if here.startswith("'"):
        return "text stands in double quotes"
    return error.msg[:1].lower() + error.msg[1:]


def _quote_hint(here: str) -> str:
    if here.startswith(("//", "#", "/*")):
        return "JSON has no comments"
    return "a name in double quotes is expected"


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')


def _places(text: str) -> tuple[dict[tuple[str, ...], int], list[tuple[str, int]]]:
    """Line of each key path of a valid JSON text, and the keys that stand twice."""
    lines: dict[tuple[str, ...], int] = {}
    twice: list[tuple[str, int]] = []
    stack: list[str | None] = []  # the current key of each open object, None for an array
    key_next = False
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word == "{":
            stack.append("")
            key_next = True
        elif word == "[":
            stack.append(None)
        elif word in "}]":
            stack.pop()
        elif word == ",":
            key_next = bool(stack) and stack[-1] is not None
        elif key_next and word[0] == '"':
            stack[-1] = json.loads(word)
            key_next = False
            place = tuple(name for name in stack if name is not None)
            line = text.count("\n", 0, token.start()) + 1
            if place in lines:
                twice.append((place[-1], line))
            lines[place] = line
        if word not in ("{", ","):
            key_next = False
    return lines, twice


# Checking


class _Reading:
    """Values on their way into a ``Config``, collecting what is wrong with them."""

    def __init__(self, source: _Source, environment: Mapping[str, str]) -> None:
        self.source = source
        self.notices: list[str] = []
        self._variables: dict[tuple[str, ...], str] = {}
        self._environment = self._of_environment(environment)
        self._problems = [
            f"{source.name}, line {line}: {name} stands here a second time"
            for name, line in source.twice
        ]

    def checked(self, profile: str) -> dict[str, Any]:
        """File, profile and environment as one set of values, all of them checked.

        A value that another outranks is not looked at: a container's environment may stand
        in for the placeholders of a file.

        Raises:
            ConfigError: something is wrong, or there is no such profile.
        """
        values = {k: v for k, v in self.source.values.items() if k != "PROFILES"}
        profiles = self.source.values.get("PROFILES", {})
        if not isinstance(profiles, dict):
            self.problem(("PROFILES",), "must be {name: settings}")
            profiles = {}
        chosen = self._chosen(profiles, profile)
        over = _deep(chosen, self._environment)
        _Values(self, ()).take(Config, _without(values, over))
        for name, settings in profiles.items():
            place = ("PROFILES", name)
            if isinstance(settings, dict):  # also those not chosen, so that a slip shows today
                mine = _without(settings, self._environment) if name == profile else settings
                _Values(self, place).take(Config, mine)
            else:
                self.problem(place, "must be settings in braces")
        self.stop_if_problems()
        return _deep(values, over)

    def _chosen(self, profiles: dict[str, Any], profile: str) -> dict[str, Any]:
        if not profile:
            return {}
        chosen = profiles.get(profile)
        if not isinstance(chosen, dict):
            there = ", ".join(profiles) or "none"
            raise ConfigError(
                f"{self.source.name} has no profile “{profile}”; it has: {there}. Nothing was "
                "done. Choose one of those with --profile."
            )
        return chosen

    def problem(self, place: tuple[str, ...], what: str) -> None:
        """Remember what is wrong with the setting at a place."""
        name = ".".join(place[2:] if place[:1] == ("PROFILES",) and len(place) > 2 else place)
        line = self.source.lines.get(place)
        where = self._variables.get(place)
        if where is None:
            where = f"{self.source.name}, line {line}: {name}" if line else name
        self._problems.append(f"{where} {what}")

    def stop_if_problems(self) -> None:
        """Raise what was collected.

        Raises:
            ConfigError: there was something.
        """
        if not self._problems:
            return
        sentences = [p if p.endswith("?") else f"{p}." for p in dict.fromkeys(self._problems)]
        told = "\n".join(sentences)
        between = "\n" if len(sentences) > 1 else " "
        raise ConfigError(
            f"{told}{between}Nothing was done. Correct this and run the command again."
        )

    def _of_environment(self, environment: Mapping[str, str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        known = {"__".join(s.place): s for s in document()}
        for variable in sorted(environment):
            if not variable.startswith(PREFIX) or variable in _OUR_VARIABLES:
                continue
            setting = known.get(variable[len(PREFIX) :])
            if setting is None:
                near = _nearest(variable[len(PREFIX) :], known)
                if near:
                    self.notices.append(
                        f"{variable} is not a setting and was ignored; {PREFIX}{near} is one."
                    )
                continue
            inner = values
            for name in setting.place[:-1]:
                inner = inner.setdefault(name, {})
            inner[setting.place[-1]] = _from_text(environment[variable], setting.kind)
            self._variables[setting.place] = variable
        return values


@dataclass(frozen=True)
class _Values:
    """Turns one object of the file into its dataclass."""

    reading: _Reading
    place: tuple[str, ...]

    def take(self, kind: type, values: Mapping[str, Any]) -> Any:
        """An instance of ``kind``; what does not fit is told and left at its default."""
        types_of = _types(kind)
        fields = {_name(f): f for f in dataclasses.fields(kind) if f.metadata}
        taken: dict[str, Any] = {}
        for name, value in values.items():
            place = (*self.place, name)
            if name[:1] in ("_", "$", "/"):
                continue  # a remark
            if name in WITHOUT_EFFECT and kind is Config:
                self.reading.notices.append(
                    f"{name} has no effect here: {WITHOUT_EFFECT[name]}. You may remove it."
                )
            elif name not in fields:
                near = _nearest(name, fields)
                hint = f"; did you mean {near}?" if near else ""
                self.reading.problem(place, f"is not a setting{hint}")
            else:
                try:
                    taken[fields[name].name] = self._value(
                        place, value, types_of[fields[name].name], fields[name].metadata
                    )
                except _Wrong as wrong:
                    self.reading.problem(place, str(wrong))
        return kind(**taken)

    def _value(
        self, place: tuple[str, ...], value: Any, kind: Any, limits: Mapping[str, Any]
    ) -> Any:
        if dataclasses.is_dataclass(kind):
            if not isinstance(value, dict):
                raise _Wrong("must be settings in braces", value)
            return _Values(self.reading, place).take(typing.cast(type, kind), value)
        if "choices" in limits:
            return _choice(value, limits)
        if kind is bool:
            if not isinstance(value, bool):
                raise _Wrong("must be true or false", value)
            return value
        if kind in (int, float):
            return _number(value, kind, limits)
        if kind == tuple[str, ...]:
            if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                raise _Wrong('must be a list of words in quotes, as ["live", "demo"]', value)
            return tuple(value)
        return _text(value, kind, place[-1])


class _Wrong(Exception):
    """A value that does not fit; says what would, and what was there."""

    def __init__(self, what: str, value: Any = None, *, shown: bool = True) -> None:
        there = f", not {json.dumps(value, ensure_ascii=False)[:60]}" if shown else ""
        super().__init__(what + there)


def _choice(value: Any, limits: Mapping[str, Any]) -> str:
    plain = str(value).strip().lower() if isinstance(value, str | int | float) else ""
    plain = "none" if value is None and "none" in limits["choices"] else plain
    plain = str(limits.get("also", {}).get(plain, plain))
    if plain not in limits["choices"]:
        raise _Wrong(f"must be one of {', '.join(limits['choices'])}", value)
    return plain


def _number(value: Any, kind: type, limits: Mapping[str, Any]) -> float | int:
    whole = kind is int
    name = "a whole number" if whole else "a number"
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _Wrong(f"must be {name}", value)
    if whole and value != int(value):
        raise _Wrong(f"must be {name}", value)
    low, high = limits.get("low"), limits.get("high")
    over = value > low if limits.get("above") and low is not None else low is None or value >= low
    if not over or (high is not None and value > high) or abs(value) == float("inf"):
        least = f"above {low}" if limits.get("above") else f"at least {low}"
        between = f"{name} from {low} to {high}" if high is not None else f"{name} {least}"
        raise _Wrong(f"must be {between}", value)
    return kind(value)  # type: ignore[no-any-return]


def _text(value: Any, kind: Any, name: str) -> Any:
    if kind is Secret:
        if not isinstance(value, str):
            raise _Wrong("must be text in quotes", shown=False)
        if _PLACEHOLDER.search(value):
            raise _Wrong("still holds the placeholder; put your Plex token there", shown=False)
        if re.search(r"[^\x21-\x7e]", value.strip()):
            raise _Wrong("has characters no Plex token has; copy it again", shown=False)
        return Secret(value.strip())
    if value is None and name.endswith("TAG"):
        return ""
    if name == "version" and isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise _Wrong("must be text in quotes", value)
    if kind is Path and not value.strip():
        raise _Wrong("must be the name of a file or folder", value)
    if name == "PLEX_URL":
        return _address(value.strip())
    return Path(value).expanduser() if kind is Path else value.strip()


def checked_address(url: str) -> str:
    """The address of a server as PLEX_URL takes it.

    Raises:
        ConfigError: it is none, as where http:// is missing.

    >>> checked_address(" http://plex.local:32400/ ")
    'http://plex.local:32400'
    """
    try:
        return _address(url.strip())
    except _Wrong as wrong:
        raise ConfigError(f"The address {wrong}. Nothing was written.") from wrong


def _address(url: str) -> str:
    if not url:
        return url
    if _PLACEHOLDER.search(url):
        raise _Wrong(
            "still holds the placeholder; put your server's address there, with :32400",
            shown=False,
        )
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port, True)[1]
    except ValueError:
        good = False
    if not good:
        raise _Wrong("must be an address as http://plex.local:32400", shown=False)
    if parts.query or parts.fragment:
        raise _Wrong("must end after the port; a token belongs into PLEX_TOKEN", shown=False)
    return url.rstrip("/")


def _name(of: dataclasses.Field[Any]) -> str:
    return "version" if of.name == "version" else of.name.upper()


def _types(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name.upper(), list(known), n=1, cutoff=0.6)
    return near[0] if near else ""


def _from_text(text: str, kind: Any) -> Any:
    """A variable's text as JSON would have it; what does not fit stays text and is refused."""
    plain = text.strip()
    if kind is bool:
        words = {"true": True, "false": False, "1": True, "0": False}
        words |= {"yes": True, "no": False, "on": True, "off": False}
        return words.get(plain.lower(), text)
    if kind in (int, float):
        try:
            return int(plain) if re.fullmatch(r"[+-]?\d+", plain) else float(plain)
        except ValueError:
            return text
    if kind == tuple[str, ...]:
        try:
            return json.loads(plain) if plain.startswith("[") else _words(plain)
        except ValueError:
            return text
    return text


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _deep(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        inner = merged.get(name)
        both = isinstance(inner, dict) and isinstance(value, dict)
        merged[name] = _deep(inner, value) if both and inner is not None else value
    return merged


def _without(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """The values that others do not outrank."""
    kept: dict[str, Any] = {}
    for name, value in values.items():
        other = over.get(name)
        if isinstance(value, dict) and isinstance(other, dict):
            kept[name] = _without(value, other)
        elif name not in over:
            kept[name] = value
    return kept


def _is_classic(values: Mapping[str, Any]) -> bool:
    return "MODEL" not in values and not _MAKES_CLASSIC.isdisjoint(values)


def _model_notice(values: Mapping[str, Any], name: str) -> list[str]:
    if not _is_classic(values):
        return []
    return [
        f"{name} holds settings of plex-rating-utils and no MODEL, so the classic formulas run. "
        'To try the learned model, which fits itself to your ratings, add "MODEL": "learned"; '
        '"MODEL": "classic" ends this notice.'
    ]


def _open_to_others(path: Path | None) -> list[str]:
    if path is None or sys.platform == "win32":
        return []
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o077:
        return []
    return [
        f"{path} can be read by others on this computer (mode {mode:o}) and may hold your token. "
        f"Run: chmod 600 {path}"
    ]


def _keyring_token(user: str) -> str:
    """The token the system keyring keeps for an address or server; "" where it has none."""
    try:
        import keyring

        return keyring.get_password(KEYRING_SERVICE, user) or ""
    except Exception:  # noqa: BLE001 - keyrings fail in many ways, none of them the person's
        return ""


def keep_in_keyring(user: str, token: str) -> bool:
    """Give the token to the system keyring; false where there is none that works.

    Args:
        user: the address, as PLEX_URL has it.
        token: the Plex token.
    """
    try:
        import keyring

        keyring.set_password(KEYRING_SERVICE, user, token)
        return bool(keyring.get_password(KEYRING_SERVICE, user) == token)
    except Exception:  # noqa: BLE001 - as above
        return False


# Writing the file


def template(name: str) -> str:
    """Text of a file of templates/, from the checkout or the installed package."""
    package = Path(__file__).parent
    for folder in (package / "templates", package.parent / "templates"):
        if (folder / name).is_file():
            return (folder / name).read_text("utf-8")
    raise ConfigError(
        f"The template {name} is missing from this installation. Nothing was done. Install "
        "plexsheet again."
    )


def write_config(
    path: str | Path,
    *,
    plex_url: str,
    token: str,
    library_name: str,
    force: bool = False,
    **settings: Any,
) -> Path:
    """Write a new settings file from the template, readable by its owner alone.

    Args:
        path: the file to make.
        plex_url: address of the server.
        token: "" where the keyring keeps it.
        library_name: the music library.
        force: replace a file that is there.
        settings: others, by key, as ``MODEL="classic"``.

    Raises:
        FileExists: the file is there and ``force`` is false.
        ConfigError: the folder cannot be written.
    """
    path = Path(path).expanduser()
    if path.exists() and not force:
        raise FileExists(
            f"{path} exists already. Nothing was written. Use --force to replace it, or edit it."
        )
    values = json.loads(template(FILE_NAME))
    values |= {"PLEX_URL": plex_url, "PLEX_TOKEN": token, "LIBRARY_NAME": library_name}
    text = json.dumps(values | settings, indent=4, ensure_ascii=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_private(path, text)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}. Nothing was changed. Choose another "
            "folder with --config."
        ) from error
    return path


def _write_private(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# The documentation's source


@dataclass(frozen=True)
class Setting:
    """One setting as the documentation shows it.

    Attributes:
        place: the key, after that of its group if it has one.
        kind: its Python type.
        type: the same in words.
        default: as JSON.
        sentence: what it does.
    """

    place: tuple[str, ...]
    kind: Any
    type: str
    default: str
    sentence: str

    @property
    def name(self) -> str:
        """The key, ``GROUP.KEY`` in a group."""
        return ".".join(self.place)

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + "__".join(self.place)


def document() -> Iterator[Setting]:
    """Every setting, in the order of the template."""
    yield from _document(Config, ())


def _document(kind: type, place: tuple[str, ...]) -> Iterator[Setting]:
    types_of = _types(kind)
    for each in dataclasses.fields(kind):
        if not each.metadata:
            continue
        inner = types_of[each.name]
        here = (*place, _name(each))
        if dataclasses.is_dataclass(inner):
            yield from _document(typing.cast(type, inner), here)
        else:
            yield Setting(
                here,
                inner,
                _in_words(inner, each.metadata),
                _as_json(each.default),
                each.metadata["sentence"],
            )


def _in_words(kind: Any, limits: Mapping[str, Any]) -> str:
    if "choices" in limits:
        return ", ".join(limits["choices"])
    words = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    words |= {Secret: "text", Path: "path"}
    name = words.get(kind, "list of words")
    if limits.get("high") is not None:
        return f"{name}, {limits['low']} to {limits['high']}"
    return name


def _as_json(default: Any) -> str:
    if isinstance(default, Secret):
        return '""'
    if isinstance(default, Path):
        return json.dumps(f"./{default}")
    return json.dumps(list(default) if isinstance(default, tuple) else default, ensure_ascii=False)
