"""Every place that words a message gives its sentence the fields it has, no more and no less."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import plexsheet
from plexsheet.messages import CODES

PACKAGE = Path(plexsheet.__file__).parent
SPEAKERS = {"text", "say"}
ABOUT_THE_ROW = {"variant", "sheet", "row", "kind", "key", "title", "field", "was", "value"}


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """Where a message is worded: place, code, and the names of the fields given."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name not in SPEAKERS or not isinstance(first, ast.Constant):
                continue
            given = {word.arg for word in node.keywords}
            if first.value in CODES and None not in given:
                place = f"{path.relative_to(PACKAGE)}:{node.lineno}"
                yield place, str(first.value), {str(word) for word in given}


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


CALLS = list(calls())


def test_the_calls_are_found() -> None:
    assert len(CALLS) > 20


@pytest.mark.parametrize(("place", "code", "given"), CALLS, ids=[f"{p}-{c}" for p, c, _ in CALLS])
def test_a_message_gets_the_fields_of_its_sentence(place: str, code: str, given: set[str]) -> None:
    entry = CODES[code]
    sentences = [entry.template, *entry.variants.values()]

    fits = [fields(sentence) <= given for sentence in sentences]
    known = set().union(*map(fields, sentences)) | ABOUT_THE_ROW

    assert any(fits), f"{place}: {code} wants {[fields(s) for s in sentences]}, not {given}"
    assert given <= known, f"{place}: {code} has no {given - known}"
