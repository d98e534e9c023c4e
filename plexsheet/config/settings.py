"""Every setting, declared once (pure).

A field gives a setting's key, type, default, limits and one sentence.  Reading and
checking a file, the messages about it and docs/configuration.md all come from these
declarations.
"""

# ruff: noqa: RUF009 - _key and _group make dataclass fields, as field() does
from __future__ import annotations

import dataclasses
import hashlib
import json
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

PREFIX = "PLEXSHEET_"
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


def _key(default: Any, sentence: str, **more: Any) -> Any:
    """A setting: default, what it does, ``low``, ``high``, ``choices``, ``key`` in the file.

    Without ``key`` it is the field's name in capitals.
    """
    return field(default=default, metadata={"sentence": sentence, **more})


def _group(kind: type, sentence: str, key: str = "") -> Any:
    metadata = {"sentence": sentence} | ({"key": key} if key else {})
    return field(default_factory=kind, metadata=metadata)


def key_of(setting: dataclasses.Field[Any]) -> str:
    """The key in the file for a field of a settings class."""
    return str(setting.metadata.get("key", setting.name.upper()))


@dataclass(frozen=True)
class TwinSettings:
    """TWIN_LOGIC: which tracks may be the same recording."""

    enabled: bool = _key(True, "Whether the same recording on several albums is recognised.")
    duration_tolerance_s: float = _key(
        5.0, "How many seconds two copies may differ in length.",
        key="DURATION_TOLERANCE_SEC", low=0,
    )  # fmt: skip
    exclude_keywords: tuple[str, ...] = _key(
        ("live", "demo", "reprise", "instrumental", "commentary", "acoustic", "remix"),
        "Words in a title that make it another recording.",
    )
    exclude_parentheses: bool = _key(
        True, "Whether a title with parentheses is another recording than one without."
    )
    exclude_live_albums: bool = _key(True, "Whether tracks of live albums are never twins.")
    twin_tag: str = _key(
        "", "Mood put on inferred ratings of twins, never on what you rated; empty for none."
    )


@dataclass(frozen=True)
class ExclusionSettings:
    """UPWARD_EXCLUSION_RULES: which tracks do not count for their album."""

    enabled: bool = _key(True, "Whether short tracks and the words below are left out.")
    min_duration_s: float = _key(
        80.0, "Tracks shorter than this do not count for their album.",
        key="MIN_DURATION_SEC", low=0,
    )  # fmt: skip
    keywords: tuple[str, ...] = _key(
        ("intro", "outro", "interview", "skit", "applause", "commentary"),
        "Whole words in a title that mark such a track.",
    )
    case_sensitive: bool = _key(False, "Whether upper and lower case matter in them.")


@dataclass(frozen=True)
class InferenceSettings:
    """Everything a person can set about inference; ratings on the 0-10 scale."""

    model: Literal["learned", "classic"] = _key(
        "learned", "How ratings are inferred.", choices=("learned", "classic")
    )
    listening: Literal["auto", "true", "false"] = _key(
        "auto",
        "Whether plays count as evidence; auto leaves them out if that proves better.",
        choices=("auto", "true", "false"),
        also={
            "1": "true",
            "yes": "true",
            "on": "true",
            "0": "false",
            "no": "false",
            "off": "false",
        },
    )
    min_confidence: float = _key(
        0.0, "Percent below which an inferred rating is not written.", low=0, high=100
    )
    confidence_c: float = _key(
        3.0, "Classic: how many ratings the prior is worth.", low=0, above=True
    )
    bias_critic: float = _key(
        1.5, "Classic: points added to a critic rating, ten-point scale.", low=-10, high=10
    )
    weight_critic: float = _key(3.0, "Classic: weight of the critic rating in the prior.", low=0)
    weight_global: float = _key(1.0, "Classic: weight of the library's mean in the prior.", low=0)
    album_gravity: float = _key(
        0.8, "Classic: how far an album keeps to its artist's rating.",
        key="ALBUM_INHERITANCE_GRAVITY", low=0, high=1,
    )  # fmt: skip
    track_gravity: float = _key(
        0.3, "Classic: how far a track keeps to its album's rating.",
        key="TRACK_INHERITANCE_GRAVITY", low=0, high=1,
    )  # fmt: skip
    twins: TwinSettings = _group(
        TwinSettings, "Which tracks may be the same recording.", "TWIN_LOGIC"
    )
    exclusions: ExclusionSettings = _group(
        ExclusionSettings, "Which tracks do not count for their album.", "UPWARD_EXCLUSION_RULES"
    )


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
    polling: bool = _key(False, "Whether to poll the folder instead of using system notices.")
    notify: tuple[str, ...] = _key(
        (), "Where the watcher sends notices, as apprise writes addresses; empty for nowhere."
    )


@dataclass(frozen=True)
class WorkbookColumns:
    """WORKBOOK_COLUMNS: which columns the sheets show; none named: all."""

    artists: tuple[str, ...] = _key((), "Columns of Artists, by their headers.")
    albums: tuple[str, ...] = _key((), "Columns of Albums.")
    tracks: tuple[str, ...] = _key((), "Columns of Tracks.")
    twins: tuple[str, ...] = _key((), "Columns of Twins.")
    rate_next: tuple[str, ...] = _key((), "Columns of Rate next.")


@dataclass(frozen=True)
class _Connection:
    """Which library on which server; a class so that its keys come first."""

    version: str = _key("", "Version stamp of plex-rating-utils; without effect.", key="version")
    plex_url: str = _key("", "Address of the Plex server, as http://plex.local:32400.")
    plex_token: Secret = _key(
        Secret(), "Plex token of the server's owner; may live in the system keyring instead."
    )
    library_name: str = _key("Music", "Name of the music library.")
    verify_tls: bool = _key(
        True,
        "Whether the certificate of an https server must fit its address; false sends the token "
        "to whoever answers there.",
    )


@dataclass(frozen=True)
class Config(InferenceSettings, _Connection):
    """All settings.  Ratings in stars or on Plex's 0-10 scale as each sentence says.

    Attributes:
        path: the file read; None where the environment alone had the settings.
        base: folder that relative paths start from.
        profile: the profile chosen, "" for none.
        notices: sentences the person should read once.
    """

    rounding: str = _key(
        "0.05",
        "Step in stars that inferred ratings are rounded to.",
        choices=("none", "0.05", "0.5", "1"),
        also={"half": "0.5", "whole": "1", "1.0": "1", "0": "none", "false": "none"},
    )
    dynamic_precision: bool = _key(
        True, "Whether changes too small to matter in a large library are left unwritten."
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
    cooldown_batch: int = _key(50, "Pause after this many single writes.", low=1)
    cooldown_sleep: float = _key(5.0, "Length of that pause in seconds.", low=0)
    change_budget: ChangeBudget = _group(
        ChangeBudget, "How many changes an import may make before you have to confirm the number."
    )
    workbook_columns: WorkbookColumns = _group(
        WorkbookColumns,
        "Which columns the sheets of an export show; none named: all. Key, Check, Was, My rating "
        "and Action are always there.",
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

    def inference_settings(self) -> InferenceSettings:
        """What inference needs of the settings."""
        names = (each.name for each in dataclasses.fields(InferenceSettings))
        return InferenceSettings(**{name: getattr(self, name) for name in names})

    def digest(self) -> str:
        """Twelve characters that change when a setting of inference does."""
        return hashlib.sha256(repr(self.inference_settings()).encode()).hexdigest()[:12]


# The source of docs/configuration.md


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
    """Every setting, in the order of the documentation."""
    yield from _document(Config, ())


def groups() -> dict[str, str]:
    """Keys that hold settings of their own, and what these are about."""
    fields = (each for each in dataclasses.fields(Config) if each.metadata)
    return {
        key_of(each): each.metadata["sentence"]
        for each in fields
        if each.default_factory is not dataclasses.MISSING
    }


def _document(kind: type, place: tuple[str, ...]) -> Iterator[Setting]:
    types_of = typing.get_type_hints(kind)
    for each in dataclasses.fields(kind):
        if not each.metadata:
            continue
        inner = types_of[each.name]
        here = (*place, key_of(each))
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
