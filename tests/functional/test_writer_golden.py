"""Written workbooks, part for part, against golden ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import RENEW
from tests.golden.workbooks import FOLDER, GOLDEN, Golden, comparable


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.name)
def test_every_part_is_the_golden_one(golden: Golden, tmp_path: Path) -> None:
    path = tmp_path / "made.xlsx"
    golden.write(path)

    made = comparable(path)

    folder = FOLDER / golden.name
    kept = {str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()}
    assert sorted(made) == sorted(kept), f"list of parts {RENEW}"
    for name, text in made.items():
        assert text.splitlines() == kept[name].splitlines(), f"{name} {RENEW}"
