"""A settings file parsed, with the line of each of its keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plexsheet.errors import ConfigError


@dataclass(frozen=True)
class SettingsFile:
    """A parsed file: its name for messages, its values, and the line of each key path."""

    name: str
    values: dict[str, Any]
    lines: Mapping[tuple[str, ...], int]
    twice: tuple[tuple[str, int], ...] = ()


def read(path: Path) -> SettingsFile:
    """Parse the file.

    Raises:
        ConfigError: it cannot be read, or is no JSON object; with the line.
    """
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
    return SettingsFile(str(path), values, lines, tuple(twice))


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
