"""Text in CSV files that no spreadsheet takes for a formula (pure).

A cell that begins with one of ``= + - @`` or a tab is evaluated by Excel and LibreOffice,
whoever wrote it.  An apostrophe before it makes it text.  A text that has apostrophes there
already gets one more, so that taking one off gives back what was written.
"""

from __future__ import annotations

RISKY = "=+-@\t\r\n"


def safe(text: str) -> str:
    """A text as it is written into a CSV file.

    >>> safe("=1+1"), safe("'=1"), safe("'Round Midnight")
    ("'=1+1", "''=1", "'Round Midnight")
    """
    return f"'{text}" if _risky(text) else text


def plain(text: str) -> str:
    """The text that ``safe`` was given.

    >>> plain("'=1+1"), plain("''=1"), plain("'Round Midnight")
    ('=1+1', "'=1", "'Round Midnight")
    """
    return text[1:] if text[:1] == "'" and _risky(text) else text


def _risky(text: str) -> bool:
    return text.lstrip("'")[:1] in RISKY if text.strip("'") else False
