"""Every place that words a message gives its sentence the fields it has, no more and no less."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

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


def test_a_message_gets_the_fields_of_its_sentence() -> None:
    wrong = []
    found = list(calls())
    for place, code, given in found:
        entry = CODES[code]
        sentences = [fields(sentence) for sentence in (entry.template, *entry.variants.values())]
        known = set().union(*sentences) | ABOUT_THE_ROW
        if not any(wanted <= given for wanted in sentences):
            wrong.append(f"{place}: {code} wants {sentences}, not {given}")
        if not given <= known:
            wrong.append(f"{place}: {code} has no {given - known}")

    assert wrong == []
    assert len(found) > 20
