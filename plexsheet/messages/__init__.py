"""Every sentence an import can say, once (pure).

The reader, the validator, the plan and the apply step say what happened by a code;
the words are here.  The Help sheet and docs/workbook.md are printed from the same
table, so what a cell's message says and what the manual says cannot drift apart.

A sentence says what is wrong, what was done, and what to type; it quotes the
person's own value.  A code can have several wordings (``mass-emptied`` cells, a
damaged Key that was healed): variants of one code share its meaning and its cure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from plexsheet.messages.codes import Code, Severity
from plexsheet.messages.of_files import FILE, SHEET
from plexsheet.messages.of_rows import MERGE, PLEX, ROW_IDENTITY, ROW_VALUES


@dataclass(frozen=True)
class Message:
    """One thing said about a file, a sheet or a row.

    Attributes:
        code: key of ``CODES``.
        text: the sentence, values filled in.
        sheet: the sheet it is about; ``""`` for the whole file.
        row: row number as the spreadsheet program shows it; 0 for the whole sheet.
        key: rating key of the row's item; 0 where unknown.
        value: what the cell held, as the person sees it.
        field: ``rating``, ``released``, ``exclude``, ``twin``; ``""`` for the row.
        variant: which wording of the code.
        kind: of the row's item.
        title: of the row's item.
        was: base of a rating, 0-10; NaN blank or not about a rating.
    """

    code: str
    text: str
    sheet: str = ""
    row: int = 0
    key: int = 0
    value: str = ""
    field: str = ""
    variant: str = ""
    kind: str = ""
    title: str = ""
    was: float = math.nan

    @property
    def severity(self) -> Severity:
        """How serious it is."""
        return CODES[self.code].severity


CODES: Mapping[str, Code] = {
    code.code: code for code in (*FILE, *SHEET, *ROW_IDENTITY, *ROW_VALUES, *MERGE, *PLEX)
}


def text(code: str, variant: str = "", **values: object) -> str:
    """The sentence of a code, with its fields filled in.

    Integers above 9,999 are grouped by thousands, except Keys, years and what is to be typed
    (fields ``key``, ``last``, ``number``).

    Raises:
        KeyError: the code, its variant, or a field of its template is unknown.

    >>> text("E11", value="7", half="3.5")
    '7 is more than 5 stars. Not applied. (On a ten-point scale this would be 3.5: type 3.5 if \
you mean that.)'
    """
    entry = CODES[code]
    template = entry.variants[variant] if variant else entry.template
    return template.format(**{name: _shown(name, value) for name, value in values.items()})


_PLAIN_NUMBERS = frozenset({"key", "last", "number", "row", "group", "run"})


def _shown(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and name not in _PLAIN_NUMBERS:
        return f"{value:,}"
    return one_line(str(value))


def say(
    code: str,
    *,
    sheet: str = "",
    row: int = 0,
    key: int = 0,
    field: str = "",
    variant: str = "",
    **values: object,
) -> Message:
    """A ``Message`` of a code; ``sheet``, ``row`` and ``key`` fill the sentence as well.

    >>> say("E12", sheet="Tracks", row=7, value="-1").text
    '-1 is not a rating. To remove the rating type CLEAR.'
    """
    known = {"sheet": sheet, "row": row, "key": key} | values
    return Message(
        code,
        text(code, variant, **known),
        sheet,
        row,
        key,
        one_line(str(values.get("value", ""))),
        field,
        variant,
    )


SHOWN_CHARS = 60


def one_line(value: str) -> str:
    r"""A person's value fit to be quoted: one line, no control characters, not too long.

    >>> one_line("a\nb\x1b[31m")
    'a b[31m'
    """
    flat = " ".join(
        "".join(c if c.isprintable() else " " if c.isspace() else "" for c in value).split()
    )
    return flat if len(flat) <= SHOWN_CHARS * 4 else flat[: SHOWN_CHARS * 4 - 1] + "…"
