"""What a file is by its content, before any cell of it is read.

Runs in the child process of the reader and imports the standard library alone.  A
workbook is a zip archive (or an older OLE file, or text), and everything that can be
known from its directory is checked here: size unpacked, number of parts, encryption.
Suffixes are not believed: web pages and CSV named .xlsx are common.
"""

from __future__ import annotations

import contextlib
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO
from xml.parsers import expat

MAX_PARTS = 10_000
MAX_UNPACKED = 4 << 30
MAX_RATIO = 100
RATIO_FROM = 50 << 20  # bytes unpacked from which the ratio counts
MAX_SMALL_PART = 4 << 20  # of parts that only say what is where

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_OTHER_TYPES = (
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"GIF8", "a picture"),
    (b"{\\rtf", "a text document"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "a database"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_ODS = "application/vnd.oasis.opendocument.spreadsheet"


class Refused(Exception):
    """The file is not read; carries the code of the sentence that says why."""

    def __init__(self, code: str, variant: str = "", **values: object) -> None:
        super().__init__(code, variant)
        self.code, self.variant, self.values = code, variant, values


def sniff(path: Path) -> str:
    """The format of a file: ``xlsx``, ``xlsb``, ``ods``, ``fods``, ``xls`` or ``csv``.

    Raises:
        Refused: it is none of these, empty, encrypted, or beyond the limits.
    """
    with path.open("rb") as file:
        head = file.read(65_536)
    if not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise Refused("F01", "empty")
    if head.startswith(b"PK"):
        return _zip_format(path)
    if head.startswith(_OLE):
        return _ole_format(path)
    for magic, found in _OTHER_TYPES:
        if head.startswith(magic):
            raise Refused("F01", "type", found=found)
    return _text_format(head)


def _text_format(head: bytes) -> str:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:2000].lower()
    if start.startswith(b"<"):
        if b"<office:document" in start and _ODS.encode() in head:
            return "fods"
        raise Refused("F01", "type", found=_markup(start))
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        zeros = head.count(b"\0")
        if zeros and zeros < len(head) // 3:  # more than that is UTF-16 without its mark
            raise Refused("F01")
        if sum(head.count(sign) for sign in range(1, 9)) > len(head) // 50:
            raise Refused("F01")
    return "csv"


def _markup(start: bytes) -> str:
    """What a file of angle brackets is, by its first bytes in lower case."""
    if b"<workbook" in start or b"excel.sheet" in start or b"<office:document" in start:
        return "an XML file of a spreadsheet program"
    page = b"<html" in start or start.startswith(b"<!doctype html") or b"<table" in start
    return "a web page" if page else "an XML file"


def _ole_format(path: Path) -> str:
    import msoffcrypto

    encrypted = False
    with path.open("rb") as file, contextlib.suppress(Exception):
        encrypted = msoffcrypto.OfficeFile(file).is_encrypted()
    if encrypted:
        raise Refused("F01", "password")
    return "xls"


def _zip_format(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            _check_directory(archive)
            return _packed_format(archive)
    except Refused:
        raise
    except Exception as error:
        raise Refused("F01") from error


def _check_directory(archive: zipfile.ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS:
        raise Refused("F15", "parts", count=len(parts), limit=MAX_PARTS)
    if any(part.flag_bits & 1 for part in parts):
        raise Refused("F01", "password")
    if len({part.filename for part in parts}) < len(parts):
        raise Refused("F01")
    total = sum(part.file_size for part in parts)
    if total > MAX_UNPACKED:
        raise Refused("F15", size=_gigabytes(total), limit=_gigabytes(MAX_UNPACKED))
    for part in parts:
        if part.file_size > RATIO_FROM and part.file_size > MAX_RATIO * part.compress_size:
            ratio = part.file_size // max(part.compress_size, 1)
            raise Refused("F15", "ratio", ratio=ratio, limit=MAX_RATIO)


def _gigabytes(size: int) -> str:
    return f"{size / (1 << 30):.1f}".removesuffix(".0") + " GB"


def _packed_format(archive: zipfile.ZipFile) -> str:
    names = set(archive.namelist())
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "mimetype" in names and "content.xml" in names:
        if not small_part(archive, "mimetype").strip().startswith(_ODS.encode()):
            raise Refused("F01", "type", found="a document, but no spreadsheet")
        if "META-INF/manifest.xml" in names and b"encryption-data" in small_part(
            archive, "META-INF/manifest.xml"
        ):
            raise Refused("F01", "password")
        return "ods"
    if any(name.startswith("word/") for name in names):
        raise Refused("F01", "type", found="a Word document")
    if any(name.startswith("ppt/") for name in names):
        raise Refused("F01", "type", found="a presentation")
    if not names & {"[Content_Types].xml", "xl/workbook.xml", "_rels/.rels"}:
        raise Refused("F01", "type", found="a zip archive, but no workbook")
    return "xlsx"


def small_part(archive: zipfile.ZipFile, name: str) -> bytes:
    """A part that only says what is where; ``b""`` where it is missing.

    Raises:
        Refused: it is far larger than such a part can be.
    """
    if name not in archive.NameToInfo:
        return b""
    if archive.getinfo(name).file_size > MAX_SMALL_PART:
        raise Refused("F01")
    return archive.read(name)


# ---------------------------------------------------------------- XML, without entities


class Elements:
    """Elements of an XML stream, one call per start, text and end; entities are refused.

    Names come without their namespace prefix, but for LibreOffice's own ``calcext:``.
    """

    def __init__(self) -> None:
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self.text
        self._parser.EntityDeclHandler = self._entity

    def feed(self, source: IO[bytes], chunk: int = 1 << 20) -> None:
        """Parse a stream to its end.

        Raises:
            Refused: it is not well-formed, or declares entities.
        """
        try:
            while data := source.read(chunk):
                self._parser.Parse(data)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise Refused("F01") from error

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def text(self, data: str) -> None:
        """Text inside the current element."""

    def end(self, name: str) -> None:
        """An element ends."""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.start(name.rpartition(":")[2], {_plain(k): v for k, v in attributes.items()})

    def _end(self, name: str) -> None:
        self.end(name.rpartition(":")[2])

    @staticmethod
    def _entity(*_: object) -> None:
        raise Refused("F01")


def _plain(attribute: str) -> str:
    return attribute if attribute.startswith("calcext:") else attribute.rpartition(":")[2]


class _Properties(Elements):
    """Custom document properties of both families: name to text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._name: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name in ("property", "user-defined"):
            self._name = attributes.get("name")
            if self._name is not None:
                self.found[self._name] = ""

    def text(self, data: str) -> None:
        if self._name is not None and len(self.found[self._name]) < 10_000:
            self.found[self._name] += data

    def end(self, name: str) -> None:
        if name in ("property", "user-defined"):
            self._name = None


def custom_properties(path: Path, format_: str) -> dict[str, str]:
    """Custom document properties of a zipped workbook; ``{}`` where it has none."""
    part = {"xlsx": "docProps/custom.xml", "xlsb": "docProps/custom.xml", "ods": "meta.xml"}
    found = _Properties()
    if format_ == "fods":
        with path.open("rb") as source:
            found.feed(source)
    elif format_ in part:
        _feed_part(path, part[format_], found)
    return {name: value.strip() for name, value in found.found.items()}


def _feed_part(path: Path, name: str, elements: Elements) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if small_part(archive, name):
                with archive.open(name) as source:
                    elements.feed(source)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise Refused("F01") from error


class _Sheets(Elements):
    """Sheets of xl/workbook.xml: name to relationship id, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "sheet" and "name" in attributes:
            self.found[attributes["name"]] = attributes.get("id", "")


class _Relations(Elements):
    """Relationships: id to target."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "Relationship":
            self.found[attributes.get("Id", "")] = attributes.get("Target", "")


def sheet_parts(path: Path) -> dict[str, str]:
    """Which part of an .xlsx archive holds each sheet."""
    sheets, relations = _Sheets(), _Relations()
    _feed_part(path, "xl/workbook.xml", sheets)
    _feed_part(path, "xl/_rels/workbook.xml.rels", relations)
    targets = relations.found
    return {name: part_of(targets.get(relation, "")) for name, relation in sheets.found.items()}


def part_of(target: str) -> str:
    """The part that a relationship of the workbook points to.

    >>> part_of("worksheets/sheet1.xml"), part_of("/xl/worksheets/sheet1.xml")
    ('xl/worksheets/sheet1.xml', 'xl/worksheets/sheet1.xml')
    """
    return posixpath.normpath(posixpath.join("/xl", target)).removeprefix("/")


def relations_of(archive: zipfile.ZipFile, part: str) -> dict[str, str]:
    """Relationships that a part lists: id to target.

    Raises:
        Refused: they are damaged.
    """
    relations = _Relations()
    relations.feed(BytesIO(small_part(archive, part) or b"<none/>"))
    return relations.found


def is_sound(path: Path) -> bool:
    """Whether a zip archive is whole and its XML well-formed: then it is not damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return False
            for name in archive.namelist():
                if name.endswith((".xml", ".rels")):
                    with archive.open(name) as source:
                        Elements().feed(source)
    except (Refused, zipfile.BadZipFile, OSError, EOFError, NotImplementedError, zlib.error):
        return False
    return True


@contextlib.contextmanager
def opened_part(path: Path, name: str) -> Iterator[IO[bytes]]:
    """A part of an archive as a stream.

    Raises:
        Refused: it is missing or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open(name) as source:
            yield source
    except (KeyError, zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise Refused("F01") from error
