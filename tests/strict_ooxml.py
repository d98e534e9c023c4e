"""A workbook as ISO/IEC 29500 Strict: the same parts under the strict namespaces."""

from __future__ import annotations

import zipfile
from pathlib import Path

_STRICT = {
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main": "spreadsheetml/main",
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships": (
        "officeDocument/relationships"
    ),
    "http://schemas.openxmlformats.org/officeDocument/2006/custom-properties": (
        "officeDocument/customProperties"
    ),
    "http://schemas.openxmlformats.org/officeDocument/2006/docPropsVTypes": (
        "officeDocument/docPropsVTypes"
    ),
    "http://schemas.openxmlformats.org/officeDocument/2006/extended-properties": (
        "officeDocument/extendedProperties"
    ),
    "http://schemas.openxmlformats.org/drawingml/2006/": "drawingml/",
}


def write_strict(source: Path, target: Path) -> Path:
    """Write a transitional .xlsx again as a strict one."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            for transitional, strict in _STRICT.items():
                content = content.replace(
                    transitional.encode(), f"http://purl.oclc.org/ooxml/{strict}".encode()
                )
            if name == "xl/workbook.xml":
                content = content.replace(b"<workbook ", b'<workbook conformance="strict" ')
            new.writestr(name, content)
    return target
