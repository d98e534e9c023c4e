"""Any folder of spreadsheets through the reader: ``python -m tests.corpus FOLDER``.

Each file must be read or refused with one sentence, within a minute and the memory its
size allows, without a traceback, and be left as it is.  Foreign files are read a second
time as a list, their first two headers taken for Key and My rating, so that their cells
are looked at as well.
"""

from __future__ import annotations

import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from plexsheet.errors import PlexsheetError
from plexsheet.workbook.edits.validate import validate
from plexsheet.workbook.reading import child, reader, reader_process

SLOWEST_S = 60.0


@dataclass(frozen=True)
class Tried:
    """What became of one file.

    Attributes:
        how: ``read``, the code of its refusal, or what went wrong.
        wrong: whether that is a fault of ours.
    """

    path: Path
    how: str
    seconds: float
    wrong: bool = False


def tried(path: Path, mapping: Mapping[str, str] | None = None) -> Tried:
    """Read and judge one file."""
    before, began = path.read_bytes(), time.monotonic()
    try:
        raw = reader.read(path, mapping=mapping, extras=True)
        judged = validate(raw, None, next_year=2027)
        how, wrong = "read", not (raw.sheets or raw.stopped)
        assert all(message.text for message in (*raw.messages, *judged.messages))
    except PlexsheetError as error:
        how, wrong = error.code, "\n" in error.message or not error.message
    except Exception:  # noqa: BLE001  (counted and shown)
        how, wrong = traceback.format_exc(), True
    seconds = time.monotonic() - began
    return Tried(path, how, seconds, wrong or seconds > SLOWEST_S or path.read_bytes() != before)


def attempts(path: Path) -> Iterator[Tried]:
    """A file as it is, and as a list."""
    yield tried(path)
    headers = _headers(path)
    if len(headers) > 1:
        yield tried(path, {headers[0]: "Key", headers[1]: "My rating"})


def _headers(path: Path) -> list[str]:
    """The first two texts of a file's first row, as its first sheet has them."""
    try:
        with child.child(path) as opened:
            sheets = opened.ask("open")[0]["sheets"]
            rows = opened.ask("head", sheet=sheets[0])[0]["rows"] if sheets else []
    except PlexsheetError:
        return []
    return [text for text in (rows[0] if rows else []) if text.strip()][:2]


def main(folder: Path) -> int:
    """Try all files of a folder; 1 if any of them does what none may."""
    counts: Counter[str] = Counter()
    slowest, faults = 0.0, 0
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in files:
        for one in attempts(path):
            counts[one.how if not one.wrong else "wrong"] += 1
            slowest = max(slowest, one.seconds)
            if one.wrong:
                faults += 1
                sys.stdout.write(f"{path}: {one.how} ({one.seconds:.1f} s)" + "\n")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    allowed = (
        reader_process.MEMORY_BASE + reader_process.MEMORY_PER_BYTE * _largest(files)
    ) // 1_000_000
    sys.stdout.write(f"{len(files)} files; {dict(counts.most_common())}" + "\n")
    sys.stdout.write(
        f"slowest {slowest:.1f} s; largest child {peak} MB of {allowed} allowed" + "\n"
    )
    return int(bool(faults))


def _largest(files: list[Path]) -> int:
    return max((path.stat().st_size for path in files), default=0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
