"""The same edits made and saved by every spreadsheet program that can be had: read alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.programs import PROGRAMS, WORDS, Program, needs, recorded, sample

LIBREOFFICE = [pytest.mark.libreoffice, pytest.mark.xdist_group("libreoffice")]


@pytest.mark.slow
@pytest.mark.parametrize(
    "program",
    [
        pytest.param(one, id=one.name, marks=LIBREOFFICE if one.name == "LibreOffice" else ())
        for one in PROGRAMS
    ],
)
def test_each_operation_comes_to_what_the_table_says(program: Program, tmp_path: Path) -> None:
    needs(program)

    found = program.outcomes(tmp_path)

    assert found == recorded()[program.name]
    assert set(found.values()) <= set(WORDS)


def test_the_table_is_what_a_person_would_want() -> None:
    expected = {operation.name: operation.expects for operation in sample().operations()}

    for program, outcomes in recorded().items():
        for name, word in outcomes.items():
            assert word == expected[name], (program, name)
