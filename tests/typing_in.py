"""Typing into cells of an .xlsx file, in the XML itself: nothing else in the file is touched."""

from __future__ import annotations

import re
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from openpyxl.utils import column_index_from_string, get_column_letter
from python_calamine import CalamineWorkbook

_CELL = r'<c r="([A-Z]+)\d+"([^>]*?)(?:/>|>(.*?)</c>)'


def typed_into_xml(path: Path, cells: list[tuple[str, str, str, Any]]) -> bool:
    """Set cells of a workbook; false, and nothing was done, where one of them is a formula.

    Args:
        path: the workbook.
        cells: sheet, key, column header, and a text, number or bool, or None for an empty cell.

    Raises:
        KeyError: no such sheet, key or column.
    """
    with zipfile.ZipFile(path) as file:
        parts = {info.filename: file.read(info) for info in file.infolist()}
    for name, values in _places(path, cells).items():
        part = _part_of(parts, name)
        xml = parts[part].decode("utf-8")
        for row, wanted in values.items():
            found = re.search(rf'(<row r="{row}"[^>]*?)(?:/>|>(.*?)</row>)', xml, re.DOTALL)
            if found is None:
                raise KeyError(f"{name} has no row {row}")
            inner = _row(row, found[2] or "", wanted)
            if inner is None:
                return False
            xml = f"{xml[: found.start()]}{found[1]}>{inner}</row>{xml[found.end() :]}"
        parts[part] = xml.encode("utf-8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for part, content in parts.items():
            file.writestr(part, content)
    return True


def _places(
    path: Path, cells: list[tuple[str, str, str, Any]]
) -> dict[str, dict[int, dict[int, Any]]]:
    """Sheet, row and column of each value, counted from 1; of rows with one key the last."""
    book = CalamineWorkbook.from_path(path)
    places: dict[str, dict[int, dict[int, Any]]] = defaultdict(lambda: defaultdict(dict))
    for sheet in {sheet for sheet, *_ in cells}:
        head, *rows = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        columns = {str(header): number for number, header in enumerate(head, 1)}
        keys = (row[columns["Key"] - 1] for row in rows)
        row_of = {_plain(key): number for number, key in enumerate(keys, 2)}
        for name, key, column, value in cells:
            if name == sheet:
                places[sheet][row_of[str(key)]][columns[column]] = value
    return places


def _plain(key: object) -> str:
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)


def _part_of(parts: dict[str, bytes], sheet: str) -> str:
    """The part of the file that is a sheet."""
    named = rf'<sheet [^>]*?name="{re.escape(escape(sheet))}"[^>]*?r:id="(\w+)"'
    number = re.search(named, parts["xl/workbook.xml"].decode("utf-8"))
    if number is None:
        raise KeyError(sheet)
    links = re.findall(r"<Relationship [^>]*>", parts["xl/_rels/workbook.xml.rels"].decode("utf-8"))
    link = next(link for link in links if f'Id="{number[1]}"' in link)
    target = re.search(r'Target="/?(?:xl/)?([^"]+)"', link)
    assert target is not None
    return f"xl/{target[1]}"


def _row(row: int, inner: str, wanted: dict[int, Any]) -> str | None:
    """A row with these values by column; None where one of them stands in place of a formula."""
    cells = {
        column_index_from_string(found[1]): (found[0], found[2], found[3] or "")
        for found in re.finditer(_CELL, inner, re.DOTALL)
    }
    texts = {column: text for column, (text, _, _) in cells.items()}
    for column, value in wanted.items():
        _, attributes, content = cells.get(column, ("", "", ""))
        if "<f" in content:
            return None
        texts[column] = _cell(f"{get_column_letter(column)}{row}", attributes, value)
    return "".join(texts[column] for column in sorted(texts))


def _cell(place: str, attributes: str, value: Any) -> str:
    style = re.search(r' s="\d+"', attributes)
    head = f'<c r="{place}"{style[0] if style else ""}'
    if value is None:
        return f"{head}/>"
    if isinstance(value, str):
        text = f'<t xml:space="preserve">{escape(value)}</t>'
        return f'{head} t="inlineStr"><is>{text}</is></c>'
    if isinstance(value, bool):
        return f'{head} t="b"><v>{int(value)}</v></c>'
    number = int(value) if float(value).is_integer() else float(value)
    return f"{head}><v>{number!r}</v></c>"
