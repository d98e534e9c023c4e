"""Files that hurt readers, made when a test needs them: none of them lies in the repository.

Each builder writes one file into a folder and returns its path.  What a file is meant to
break is said in its name.
"""

from __future__ import annotations

import io
import random
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import xlsxwriter

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override '
    'PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
    'spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType='
    '"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
)
RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    f'relationships"><Relationship Id="rId1" Type="{REL}/officeDocument" Target="xl/workbook.xml"/>'
    "</Relationships>"
)
BOOK = (
    f'<?xml version="1.0"?><workbook {NS} xmlns:r="{REL}"><sheets>'
    '<sheet name="Tracks" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
BOOK_RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships">'
    f'<Relationship Id="rId1" Type="{REL}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="rId2" Type="{REL}/sharedStrings" Target="sharedStrings.xml"/>'
    "</Relationships>"
)


def text(column: str, row: int, value: str) -> str:
    return f'<c r="{column}{row}" t="inlineStr"><is><t>{value}</t></is></c>'


HEADER = f'<row r="1">{text("A", 1, "Key")}{text("B", 1, "My rating")}</row>'
ROW = f'<row r="2">{text("A", 2, "1")}<c r="B2"><v>4</v></c></row>'


def sheet(rows: str, *, before: str = "", doctype: str = "") -> bytes:
    return (
        f'<?xml version="1.0"?>{doctype}<worksheet {NS}>{before}<sheetData>{rows}</sheetData>'
        "</worksheet>"
    ).encode()


def packed(path: Path, sheet1: bytes, **parts: bytes | str) -> Path:
    """An .xlsx of hand-written parts (``xl__x`` for xl/x)."""
    held: dict[str, bytes | str] = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELS,
        "xl/workbook.xml": BOOK,
        "xl/_rels/workbook.xml.rels": BOOK_RELS,
        "xl/worksheets/sheet1.xml": sheet1,
    }
    for name, content in parts.items():
        held[name.replace("__", "/") + ("" if "." in name else ".xml")] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return path


def sound(path: Path) -> Path:
    """A small sound workbook, to be damaged."""
    with xlsxwriter.Workbook(path) as made:
        tracks = made.add_worksheet("Tracks")
        tracks.write_row(0, 0, ["Key", "Artist", "Album", "Title", "My rating", "Action", "Was"])
        for row in range(1, 60):
            tracks.write_row(row, 0, [str(row), "Artist", "Album", f"Title {row}", 4, "", 4])
    return path


def ods(path: Path, cells: str, *, body: str = "") -> Path:
    names = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in (("office", "office"), ("table", "table"), ("text", "text"))
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {names} office:version="1.3"><office:body>'
        f'<office:spreadsheet><table:table table:name="Tracks">{cells}</table:table>{body}'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return path


# ---------------------------------------------------------------- builders


def not_a_workbook(name: str, content: bytes) -> Callable[[Path], Path]:
    def build(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return build


def cell_far_away(folder: Path) -> Path:
    far = f'<row r="1048576">{text("XFD", 1048576, "x")}</row>'
    return packed(folder / "far.xlsx", sheet(HEADER + ROW + far))


def cell_beyond_the_grid(folder: Path) -> Path:
    far = '<row r="4294967295"><c r="ZZZZZZZ4294967295"><v>1</v></c></row>'
    return packed(folder / "beyond.xlsx", sheet(HEADER + ROW + far))


def many_strings_announced(folder: Path) -> Path:
    strings = f'<?xml version="1.0"?><sst {NS} count="4294967295" uniqueCount="4294967295"/>'
    return packed(folder / "unique.xlsx", sheet(HEADER + ROW), xl__sharedStrings=strings)


def huge_cell(folder: Path, megabytes: int = 1024) -> Path:
    """One cell of 1 GiB, one megabyte packed."""
    path = folder / "bomb.xlsx"
    packed(path, sheet(HEADER))
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as part,
    ):
        part.write(f'<?xml version="1.0"?><sst {NS}><si><t>'.encode())
        for _ in range(megabytes):
            part.write(b"A" * (1 << 20))
        part.write(b"</t></si></sst>")
    return path


def smaller_bomb(folder: Path) -> Path:
    """Below the size from which the ratio counts, many times over: 12 million cells."""
    rows = "".join(
        f'<row r="{n}">' + "".join(f'<c r="{c}{n}"><v>1</v></c>' for c in "ABCDEFGHIJ") + "</row>"
        for n in range(2, 120_000)
    )
    return packed(folder / "cells.xlsx", sheet(HEADER + rows))


def deep_elements(folder: Path) -> Path:
    return packed(folder / "deep.xlsx", sheet(HEADER + "<a>" * 200_000 + "</a>" * 200_000))


def billion_laughs(folder: Path) -> Path:
    laughs = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9)
    )
    doctype = f"<!DOCTYPE x [{laughs}]>"
    row = f'<row r="2">{text("A", 2, "&j;")}<c r="B2"><v>4</v></c></row>'
    return packed(folder / "laughs.xlsx", sheet(HEADER + row, doctype=doctype))


def outside_entity(folder: Path) -> Path:
    doctype = '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    row = f'<row r="2">{text("A", 2, "&secret;")}<c r="B2"><v>4</v></c></row>'
    return packed(folder / "xxe.xlsx", sheet(HEADER + row, doctype=doctype))


def laughing_properties(folder: Path) -> Path:
    doctype = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    custom = (
        f'<?xml version="1.0"?>{doctype}<Properties><property name="x">&b;</property></Properties>'
    )
    return packed(folder / "props.xlsx", sheet(HEADER + ROW), docProps__custom=custom)


def many_parts(folder: Path) -> Path:
    path = packed(folder / "parts.xlsx", sheet(HEADER + ROW))
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(10_001):
            archive.writestr(f"x/{number}", b"")
    return path


def declared_huge(folder: Path) -> Path:
    """The directory says five gigabytes."""
    path = sound(folder / "declared.xlsx")
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    at = data.rfind(b"PK\x01\x02", 0, at)
    data[at + 24 : at + 28] = struct.pack("<I", 0xFFFFFFF0)
    path.write_bytes(data)
    return path


def one_part_twice(folder: Path) -> Path:
    path = packed(folder / "twice.xlsx", sheet(HEADER + ROW))
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings(action="ignore"):
        info = zipfile.ZipInfo("xl/worksheets/sheet1.xml")
        archive.writestr(info, sheet(HEADER))
    return path


def encrypted_parts(folder: Path) -> Path:
    path = sound(folder / "locked.xlsx")
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(magic)
        while at >= 0:
            data[at + place] |= 1
            at = data.find(magic, at + 4)
    path.write_bytes(data)
    return path


def encrypted_ole(folder: Path) -> Path:
    """A real encrypted workbook."""
    from msoffcrypto.format.ooxml import OOXMLFile

    plain = io.BytesIO(sound(folder / "plain.xlsx").read_bytes())
    (folder / "plain.xlsx").unlink()
    path = folder / "secret.xlsx"
    with path.open("wb") as target:
        OOXMLFile(plain).encrypt("password", target)
    return path


def wide_repetition(folder: Path) -> Path:
    cell = '<table:table-cell table:number-columns-repeated="16384"><text:p>x</text:p>'
    rows = f'<table:table-row table:number-rows-repeated="1048575">{cell}</table:table-cell>'
    return ods(folder / "wide.ods", rows + "</table:table-row>")


def two_billion_spaces(folder: Path) -> Path:
    cell = '<table:table-cell><text:p><text:s text:c="2000000000"/></text:p></table:table-cell>'
    return ods(folder / "spaces.ods", f"<table:table-row>{cell}</table:table-row>")


def formulas_repeated(folder: Path) -> Path:
    key = "<table:table-cell><text:p>Key</text:p></table:table-cell>"
    rating = "<table:table-cell><text:p>My rating</text:p></table:table-cell>"
    cell = '<table:table-cell table:number-columns-repeated="2" table:formula="of:=1"/>'
    many = f'<table:table-row table:number-rows-repeated="1000000000">{cell}</table:table-row>'
    return ods(folder / "formulas.ods", f"<table:table-row>{key}{rating}</table:table-row>{many}")


def outside_links(folder: Path) -> Path:
    path = folder / "links.xlsx"
    with xlsxwriter.Workbook(path) as made:
        tracks = made.add_worksheet("Tracks")
        tracks.write_row(0, 0, ["Key", "My rating", "Title"])
        tracks.write_formula(1, 1, "='http://127.0.0.1:9/[x.xlsx]S'!A1", None, 4)
        tracks.write_string(1, 0, "1")
        tracks.write_formula(1, 2, '=WEBSERVICE("http://127.0.0.1:9/")', None, "t")
    return path


def strange_numbers(folder: Path) -> Path:
    cells = [
        "<v>NaN</v>", "<v>1e400</v>", "<v>-1e400</v>", "<v>four</v>", "<v></v>", "<v>0x4</v>",
        "<v>4.00000000000000000000000000001</v>", "<v>1e-320</v>",
    ]  # fmt: skip
    rows = "".join(
        f'<row r="{n}">{text("A", n, str(n))}<c r="B{n}">{cell}</c></row>'
        for n, cell in enumerate(cells, 2)
    )
    return packed(folder / "numbers.xlsx", sheet(HEADER + rows))


def sheet_in_utf16(folder: Path) -> Path:
    data = sheet(HEADER + ROW).decode().replace('<?xml version="1.0"?>', "")
    return packed(folder / "utf16.xlsx", data.encode("utf-16"))


def no_sheets(folder: Path) -> Path:
    return packed(folder / "none.xlsx", b"", xl__workbook=BOOK.replace("Tracks", ""))


def csv_of_one_line(folder: Path) -> Path:
    path = folder / "line.csv"
    path.write_bytes(b"Key,My rating\n" + b"1," * 3_000_000)
    return path


def csv_unclosed_quote(folder: Path) -> Path:
    path = folder / "quote.csv"
    path.write_bytes(b'Key,My rating\n"' + b"x\n" * 2_000_000)
    return path


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "empty": not_a_workbook("a.xlsx", b""),
    "zeros": not_a_workbook("a.xlsx", bytes(10_000)),
    "web page": not_a_workbook("a.xlsx", b"<!DOCTYPE html><html><table><tr><td>1</table>"),
    "xml": not_a_workbook("a.xlsx", b'<?xml version="1.0"?><Workbook/>'),
    "pdf": not_a_workbook("a.xlsx", b"%PDF-1.7\n" + bytes(range(256)) * 10),
    "picture": not_a_workbook("a.ods", b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "noise": not_a_workbook("a.xlsx", random.Random(1).randbytes(20_000)),
    "ole noise": not_a_workbook("a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + bytes(4_000)),
    "ole random": not_a_workbook(
        "a.xls", bytes.fromhex("d0cf11e0a1b11ae1") + random.Random(2).randbytes(20_000)
    ),
    "zip noise": not_a_workbook("a.xlsx", b"PK\x03\x04" + random.Random(3).randbytes(5_000)),
    "plain text": not_a_workbook("a.xlsx", b"hello there\nnothing to see\n"),
    "cell far away": cell_far_away,
    "cell beyond the grid": cell_beyond_the_grid,
    "many strings announced": many_strings_announced,
    "huge cell": huge_cell,
    "deep elements": deep_elements,
    "billion laughs": billion_laughs,
    "outside entity": outside_entity,
    "laughing properties": laughing_properties,
    "many parts": many_parts,
    "declared huge": declared_huge,
    "one part twice": one_part_twice,
    "encrypted parts": encrypted_parts,
    "encrypted workbook": encrypted_ole,
    "wide repetition": wide_repetition,
    "two billion spaces": two_billion_spaces,
    "formulas repeated": formulas_repeated,
    "sheet in UTF-16": sheet_in_utf16,
    "no sheets": no_sheets,
    "csv of one line": csv_of_one_line,
    "csv with an unclosed quote": csv_unclosed_quote,
}
READABLE: dict[str, Callable[[Path], Path]] = {
    "outside links": outside_links,
    "strange numbers": strange_numbers,
    "twelve hundred thousand cells": smaller_bomb,
}


def damaged(original: bytes, seed: int) -> Iterator[bytes]:
    """A file cut off, with bits flipped, and with a part's bytes replaced."""
    dice = random.Random(seed)
    for share in (0.05, 0.3, 0.6, 0.9, 0.999):
        yield original[: int(len(original) * share)]
    for _ in range(12):
        data = bytearray(original)
        for _ in range(dice.randint(1, 20)):
            data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        yield bytes(data)


def with_damaged_part(original: bytes, name: str, seed: int) -> bytes:
    """The archive with one part's text mutated, packed correctly again."""
    dice = random.Random(seed)
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(original)) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            data = bytearray(old.read(part))
            if part == name and data:
                for _ in range(dice.randint(1, 6)):
                    at = dice.randrange(len(data))
                    data[at : at + dice.randint(0, 8)] = dice.choice(
                        (b"", b"<", b">", b'"', b"&#0;", b"9" * 12, b"\xff", b"]]>", b"r=")
                    )
            new.writestr(part, bytes(data))
    return target.getvalue()


def adler(data: bytes) -> int:
    """A short name for some bytes."""
    return zlib.adler32(data)
