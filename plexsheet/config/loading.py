"""The settings in force: config.json, profile and environment, found, read and checked.

What wins: ``PLEXSHEET_<KEY>`` in the environment, then the chosen profile, then the
file, then the defaults.  All problems of a file are told at once, each with its line.
The file of plex-rating-utils 1.4.0 is accepted as it is.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import os
import re
import stat
import sys
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from plexsheet.config.file import SettingsFile, read
from plexsheet.config.settings import PREFIX, WITHOUT_EFFECT, Config, Secret, document, key_of
from plexsheet.config.template import FILE_NAME
from plexsheet.errors import ConfigError

_OUR_VARIABLES = frozenset({"PLEXSHEET_CONFIG", "PLEXSHEET_PROFILE"})
_PLACEHOLDER = re.compile(r"enter[-_ ]|your[-_ ]|change[-_ ]?me|^<.*>$|^x{4,}$", re.IGNORECASE)
KNOWN_VERSION = (1, 4, 0)  # of plex-rating-utils, whose settings are known
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
    source = read(found) if found is not None else SettingsFile("the environment", {}, {})
    reading = _Reading(source, environment)
    chosen = environment.get(f"{PREFIX}PROFILE", "") if profile is None else profile
    values = reading.checked(chosen)
    config: Config = _Values(reading, ()).take(Config, values)
    reading.stop_if_problems()
    base = found.parent if found is not None else Path.cwd()
    notices = [
        *reading.notices,
        *_newer_notice(config, source.name),
        *_model_notice(values, source.name),
        *_unverified(config),
        *_open_to_others(found),
    ]
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


# Checking


class _Reading:
    """Values on their way into a ``Config``, collecting what is wrong with them."""

    def __init__(self, source: SettingsFile, environment: Mapping[str, str]) -> None:
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
        types_of = typing.get_type_hints(kind)
        fields = {key_of(f): f for f in dataclasses.fields(kind) if f.metadata}
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
        _ = parts.port  # ValueError where it is no number
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good:
        raise _Wrong("must be an address as http://plex.local:32400", shown=False)
    if parts.query or parts.fragment:
        raise _Wrong("must end with the port; put the token into PLEX_TOKEN", shown=False)
    return url.rstrip("/")


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


def _newer_notice(config: Config, name: str) -> list[str]:
    """A word where the file is stamped with a version nobody here has seen."""
    stamped = re.match(r"\d+(?:\.\d+)*", config.version)
    if stamped is None or [*map(int, stamped[0].split("."))] <= [*KNOWN_VERSION]:
        return []
    known = ".".join(map(str, KNOWN_VERSION))
    return [
        f"{name} is of version {config.version}; the newest plex-rating-utils known here is "
        f"{known}. Its settings are read as those of {known}."
    ]


def _unverified(config: Config) -> list[str]:
    if config.verify_tls or not config.plex_url.startswith("https:"):
        return []
    return [
        "VERIFY_TLS is false: the server's certificate is not checked, so whoever answers at "
        "PLEX_URL gets your token."
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
