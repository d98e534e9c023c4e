"""Reports as text, held against golden ones."""

from __future__ import annotations

from pathlib import Path

from plexsheet.reports import catalogue, tables, text
from tests.unit.test_reports import subject

FOLDER = Path(__file__).parent / "reports"


def made(name: str) -> str:
    """A report of a small library, as text."""
    return text.text(tables.build(name, subject()))


def golden(name: str) -> str:
    """What it was when somebody last looked at it."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8")


def renew() -> None:
    """Write the golden files anew."""
    for old in FOLDER.glob("*.txt"):
        old.unlink()
    for name in catalogue.BY_NAME:
        (FOLDER / f"{name}.txt").write_text(made(name), encoding="utf-8")
