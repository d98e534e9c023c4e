"""The file appears whole under its name, or not at all."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plexsheet.errors import UsageError
from tests.sample_library import export, small_view

REPO = Path(__file__).parents[2]


def test_a_folder_that_does_not_exist_is_said_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: its folder does not exist") as caught:
        export(tmp_path / "none" / "music.xlsx", small_view())
    assert caught.value.exit_code == 2


def test_a_folder_in_the_files_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "music.xlsx").mkdir()
    with pytest.raises(UsageError, match="there is a folder of that name"):
        export(tmp_path / "music.xlsx", small_view())
    assert list(tmp_path.iterdir()) == [tmp_path / "music.xlsx"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_one_may_not_write_in_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="you may not write in that folder"):
        export(tmp_path / "music.xlsx", small_view())


def test_an_existing_file_is_replaced_and_nothing_else_left(tmp_path: Path) -> None:
    path = tmp_path / "music.xlsx"
    path.write_text("old")
    export(path, small_view())
    assert path.read_bytes()[:2] == b"PK"
    assert list(tmp_path.iterdir()) == [path]


WRITE = (
    "import sys; from pathlib import Path; from plexsheet.errors import UsageError;"
    "from tests.sample_library import *\n"
    "try: export(Path(sys.argv[1]), quick_view(make_library(3000)))\n"
    "except UsageError as error: print(error.message); sys.exit(error.exit_code)"
)


def test_a_full_disk_leaves_the_old_file_and_no_partial_one(tmp_path: Path) -> None:
    path = tmp_path / "music.xlsx"
    path.write_text("old")

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = subprocess.run(
        [sys.executable, "-B", "-c", WRITE, str(path)],
        capture_output=True, text=True, check=False, cwd=REPO, preexec_fn=no_room,
    )  # fmt: skip

    assert done.returncode == 2, done.stderr
    assert done.stdout.startswith(f"“{path}” cannot be written: ")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_no_space_left_is_said_as_such() -> None:
    from plexsheet.workbook.writing.writer import _unwritable

    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    assert "the disk is full" in _unwritable(Path("music.xlsx"), caught.value).message
