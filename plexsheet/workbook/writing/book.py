"""An XlsxWriter workbook that cannot be hurt by what titles contain.

Only typed writes: text stays text, whatever it begins with.  What a cell cannot hold is
dropped (``check.cell_text``), and a title that looks like the library's own rich text
(``<r>…</r>``) is wrapped so that it is read back as it is.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from plexsheet.workbook.schema import styles
from plexsheet.workbook.schema.check import CELL_LIMIT, LIKE_AN_ESCAPE, cell_text, cut
from plexsheet.workbook.schema.meta import META_SHEET, Meta
from plexsheet.workbook.schema.styles import Look

_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "in_memory": True,
}
_RICH = re.compile(r"<r>.*</r>\Z", re.DOTALL)


class Book:
    """A workbook being made.

    Attributes:
        file: XlsxWriter's own object.
    """

    def __init__(self, target: BytesIO | Path, meta: Meta) -> None:
        path = target if isinstance(target, BytesIO) else str(target)
        self.file = xlsxwriter.Workbook(path, _OPTIONS)
        self._formats: dict[tuple[tuple[str, Any], ...], Format] = {}
        self.file.set_properties(
            {
                "title": f"plexsheet – {cell_text(meta.library)}",
                "comments": "Ratings of a Plex music library. Edit the yellow columns only.",
                "created": datetime.fromtimestamp(meta.exported_at, UTC).replace(tzinfo=None),
            }
        )
        for name, value in meta.properties():
            self.file.set_custom_property(name, cell_text(value), "text")

    def sheet(self, name: str) -> Worksheet:
        """A new worksheet."""
        return self.file.add_worksheet(name)

    def format(self, look: Look) -> Format:
        """The format with these properties, made once."""
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self.file.add_format(look)
        return self._formats[key]

    def write(self, sheet: Worksheet, row: int, column: int, value: Any, look: Look) -> None:
        """Write a value by its type; a blank gets its look only."""
        write_value(sheet, row, column, value, self.format(look))

    def hidden_meta(self, meta: Meta, lines: list[tuple[str, str]]) -> None:
        """The hidden sheet in which the workbook says where it comes from."""
        sheet = self.sheet(META_SHEET)
        sheet.hide()
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 60)
        for row, pair in enumerate([("name", "value"), *meta.pairs(), *lines]):
            for column, text in enumerate(pair):
                self.write(sheet, row, column, text, styles.TEXT)

    def close(self) -> None:
        """Finish the file."""
        self.file.close()


def write_value(sheet: Worksheet, row: int, column: int, value: Any, look: Format | None) -> None:
    """Write text, a number, a truth value or a blank; never a formula or a link."""
    if isinstance(value, str):
        text = cell_text(value)
        if text:
            sheet.write_string(row, column, safe(text), look)
            return
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, look)
        return
    elif value is not None and not math.isnan(value):
        sheet.write_number(row, column, value, look)
        return
    if look is not None:
        sheet.write_blank(row, column, None, look)


def safe(text: str) -> str:
    """The text in a form that XlsxWriter writes as that text.

    What it would take for rich text of its own, or for an escape, goes in as rich text of
    one run, in which no underscore is left for it to escape.

    >>> safe("<r>x</r>")
    '<r><t xml:space="preserve">&lt;r&gt;x&lt;/r&gt;</t></r>'
    """
    if _RICH.match(text) or LIKE_AN_ESCAPE.search(text):
        literal = escape(LIKE_AN_ESCAPE.sub("_x005F_", text)).replace("_", "&#95;")
        rich = f'<r><t xml:space="preserve">{literal}</t></r>'
        if len(rich) <= CELL_LIMIT:
            return rich
        return cut(text, CELL_LIMIT - 1) + "\u200b"  # XlsxWriter counts the marks as text
    return text
