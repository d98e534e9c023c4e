"""Rules of Excel's that the schemas do not hold; each broken one means "We found a problem".

For each file a list of sentences, empty where all is well.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
LONGEST_TEXT, LONGEST_FORMULA, LONGEST_RULE = 32_767, 8_192, 255
LONGEST_NAME, LONGEST_PROMPT, LONGEST_TITLE = 31, 255, 32
_SHARED = re.compile(r"[\[\]:*?/\\]")


def broken(path: Path) -> list[str]:
    """What Excel would complain of."""
    with zipfile.ZipFile(path) as file:
        return list(_broken(file))


def _broken(file: zipfile.ZipFile) -> Iterator[str]:
    twice = [name for name, count in Counter(file.namelist()).items() if count > 1]
    yield from (f"part {name} is there twice" for name in twice)
    texts = ["".join(t.text or "" for t in si.iter(f"{MAIN}t"))
             for si in _parsed(file, "xl/sharedStrings.xml").iter(f"{MAIN}si")]  # fmt: skip
    names = [
        sheet.get("name", "") for sheet in _parsed(file, "xl/workbook.xml").iter(f"{MAIN}sheet")
    ]
    yield from _names(names)
    styles = _parsed(file, "xl/styles.xml")
    formats = len(styles.find(f"{MAIN}cellXfs") or ())
    looks = len(styles.find(f"{MAIN}dxfs") or ())
    tables: list[str] = []
    for part in (name for name in file.namelist() if name.startswith("xl/worksheets/sheet")):
        sheet = _parsed(file, part)
        yield from (f"{part}: {what}" for what in _cells(sheet, texts, formats))
        yield from (f"{part}: {what}" for what in _rules(sheet, looks))
        for table in _tables(file, part):
            tables.append(table.get("displayName", ""))
            yield from (f"{part}: {what}" for what in _table(sheet, table, texts))
    yield from (f"two tables {name}" for name, count in Counter(tables).items() if count > 1)
    yield from (
        f"table {name} is no name" for name in tables if not re.fullmatch(r"[A-Za-z_]\w*", name)
    )


def _parsed(file: zipfile.ZipFile, part: str) -> Element:
    return ElementTree.fromstring(file.read(part))


def _names(names: list[str]) -> Iterator[str]:
    for name in names:
        if not 0 < len(name) <= LONGEST_NAME or _SHARED.search(name) or name.strip("'") != name:
            yield f"sheet {name!r} has a name Excel refuses"
    if len({name.casefold() for name in names}) < len(names):
        yield "two sheets of one name"


def _cells(sheet: Element, texts: list[str], formats: int) -> Iterator[str]:
    last_row = 0
    for row in sheet.iter(f"{MAIN}row"):
        number = int(row.get("r", "0"))
        if number <= last_row:
            yield f"row {number} comes after row {last_row}"
        last_row, last_column = number, 0
        for cell in row:
            column = _column(cell.get("r", ""), number)
            if column <= last_column:
                yield f"cell {cell.get('r')} is out of order"
            last_column = column
            if int(cell.get("s", "0")) >= formats:
                yield f"cell {cell.get('r')} has a style that does not exist"
            if len(_shown(cell, texts)) > LONGEST_TEXT:
                yield f"cell {cell.get('r')} is too long"
            formula = cell.findtext(f"{MAIN}f") or ""
            if len(formula) > LONGEST_FORMULA or _longest_literal(formula) > LONGEST_RULE:
                yield f"cell {cell.get('r')} has too long a formula"


def _column(address: str, row: int) -> int:
    letters = address.removesuffix(str(row))
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - 64
    return number


def _longest_literal(formula: str) -> int:
    return max((len(text) for text in re.findall(r'"((?:[^"]|"")*)"', formula)), default=0)


def _shown(cell: Element, texts: list[str]) -> str:
    value = cell.findtext(f"{MAIN}v") or ""
    if cell.get("t") == "s":
        return texts[int(value)]
    if cell.get("t") == "inlineStr":
        return "".join(t.text or "" for t in cell.iter(f"{MAIN}t"))
    return value


def _rules(sheet: Element, looks: int) -> Iterator[str]:
    priorities = [rule.get("priority") for rule in sheet.iter(f"{MAIN}cfRule")]
    if len(set(priorities)) < len(priorities):
        yield "two conditional formats have one priority"
    for rule in sheet.iter(f"{MAIN}cfRule"):
        if int(rule.get("dxfId", "0")) >= max(looks, 1):
            yield "a conditional format has a look that does not exist"
    for rule in sheet.iter(f"{MAIN}dataValidation"):
        for formula in rule:
            if len(formula.text or "") > LONGEST_RULE:
                yield f"validation of {rule.get('sqref')} is too long"
        if (
            len(rule.get("error", "")) > LONGEST_PROMPT
            or len(rule.get("errorTitle", "")) > LONGEST_TITLE
        ):
            yield f"the words of the validation of {rule.get('sqref')} are too long"


def _tables(file: zipfile.ZipFile, part: str) -> Iterator[Element]:
    folder, name = posixpath.split(part)
    relations = f"{folder}/_rels/{name}.rels"
    if relations not in file.namelist():
        return
    for relation in _parsed(file, relations):
        if relation.get("Type", "").endswith("/table"):
            yield _parsed(
                file, posixpath.normpath(posixpath.join(folder, relation.get("Target", "")))
            )


def _table(sheet: Element, table: Element, texts: list[str]) -> Iterator[str]:
    headers = [column.get("name", "") for column in table.iter(f"{MAIN}tableColumn")]
    place = re.fullmatch(r"([A-Z]+)(\d+):[A-Z]+(\d+)", table.get("ref", ""))
    if place is None:
        yield f"a table has the range {table.get('ref')}"
        return
    rows = {int(row.get("r", "0")): row for row in sheet.iter(f"{MAIN}row")}
    left = _column(place[1], 0)
    cells = {_column(cell.get("r", ""), int(place[2])): cell for cell in rows[int(place[2])]}
    shown = [
        _shown(cells[left + at], texts) if left + at in cells else "" for at in range(len(headers))
    ]
    if headers != shown:
        yield f"headers {shown} differ from those of the table: {headers}"
    if len({header.casefold() for header in headers}) < len(headers):
        yield "a table has two columns of one name"
    ids = [column.get("id") for column in table.iter(f"{MAIN}tableColumn")]
    if len(set(ids)) < len(ids):
        yield "a table has two columns of one id"
    if int(place[3]) <= int(place[2]):
        yield f"table {table.get('ref')} has no row below its header"
    alone = table.get("displayName") != "tblHelp" and place[2] == "1"  # Help has several tables
    if alone and int(place[3]) < max(rows):
        yield f"table {table.get('ref')} ends above row {max(rows)}"
    filtered = table.find(f"{MAIN}autoFilter")
    if filtered is not None and filtered.get("ref") != table.get("ref"):
        yield f"table {table.get('ref')} is filtered elsewhere"
