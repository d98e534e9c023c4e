"""Pictures of a whole LibreOffice window, as on a laptop: ``python -m tests.screens``.

A window on a virtual display (Xvfb) of 1366×768 and 1600×900 pixels, at 100 %.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import libreoffice
from tests.libreoffice import Document, LibreOffice
from tests.pictures import FOLDER, demo_view, type_edits
from tests.sample_library import export, reports_of

SIZES = ((1366, 768), (1600, 900))
SHEETS = ("Artists", "Albums", "Tracks", "Rate next", "Twins")
DISPLAY = ":77"
NEEDED = ("soffice", "Xvfb", "import", "convert")
WINDOW_S = 6.0  # from the moment a sheet is shown until it is drawn in full


@contextmanager
def display(width: int, height: int) -> Iterator[None]:
    """A virtual display for the programs started inside."""
    screen = [DISPLAY, "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"]
    server = subprocess.Popen(
        ["Xvfb", *screen], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    before = os.environ.get("DISPLAY")
    os.environ["DISPLAY"] = DISPLAY
    time.sleep(2)
    try:
        yield
    finally:
        server.terminate()
        server.wait(20)
        os.environ.pop("DISPLAY", None)
        if before is not None:
            os.environ["DISPLAY"] = before


def shoot(document: Document, sheet: str, target: Path, size: tuple[int, int]) -> None:
    """A picture of the window with a sheet in it."""
    document.show(sheet, *size)
    time.sleep(WINDOW_S)
    raw = target.with_suffix(".raw.png")
    subprocess.run(["import", "-display", DISPLAY, "-window", "root", str(raw)], check=True)
    subprocess.run(["convert", str(raw), "-colors", "64", f"PNG8:{target}"], check=True)
    raw.unlink()


def main() -> None:
    """Make all pictures."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise SystemExit(f"Not here: {', '.join(missing)}. apt-get install xvfb imagemagick.")
    view = demo_view()
    folder = Path(tempfile.mkdtemp(prefix="plexsheet-screens-"))
    path = export(folder / "music.xlsx", view, reports=reports_of(view))
    for width, height in SIZES:
        with display(width, height):
            office = LibreOffice(window=True)
            document = office.open(path)
            type_edits(document)
            for sheet in SHEETS:
                name = f"screen-{sheet.lower().replace(' ', '-')}-{width}.png"
                shoot(document, sheet, FOLDER / name, (width, height))
            document.close()
            office.end()
    shutil.rmtree(folder)


if __name__ == "__main__":
    assert libreoffice.DRIVER.exists()
    main()
