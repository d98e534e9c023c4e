from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from plexsheet.workbook.schema import check

ANY_TEXT = st.text(st.characters(codec=None), max_size=60)  # lone surrogates included


@given(ANY_TEXT)
@example("\ud800\udc00\ud800")
@example("a\r\nb\rc\td")
@example("x" * 40_000)
@example("🎵" * 20_000)
def test_text_written_to_a_cell_compares_equal_with_the_text_it_came_from(text: str) -> None:
    assert check.normal_text(check.cell_text(text)) == check.normal_text(text)


@given(ANY_TEXT)
def test_cell_text_can_be_encoded_and_holds_no_control_character(text: str) -> None:
    cell = check.cell_text(text)
    cell.encode("utf-8")
    assert not any((ord(c) < 32 and c != "\n") or c in "\ufffe\uffff" for c in cell)


def test_long_text_is_cut_at_whole_characters() -> None:
    assert check.cell_text("🎵" * 20_000) == "🎵" * 16_383
    assert check.cell_text("x" * 40_000) == "x" * 32_767


def test_the_check_changes_with_key_kind_and_each_title() -> None:
    base = check.check_number("track", 5, "So What", "Miles Davis", "Kind of Blue")
    others = [
        check.check_number("track", 6, "So What", "Miles Davis", "Kind of Blue"),
        check.check_number("album", 5, "So What", "Miles Davis", "Kind of Blue"),
        check.check_number("track", 5, "So what", "Miles Davis", "Kind of Blue"),
        check.check_number("track", 5, "So What", "Miles", "Kind of Blue"),
        check.check_number("track", 5, "So What", "Miles Davis", ""),
        check.check_number("track", 5, "", "So What", "Kind of Blue"),
    ]
    assert len({base, *others}) == 7


def test_the_check_of_one_row_is_for_ever_the_same() -> None:
    # a base in someone's state database was made with it
    number = check.check_number("track", 5, "So What", "Miles Davis", "Kind of Blue")
    assert check.check_texts(np.array([number]))[0] == "dymiqzpt"


@given(st.lists(st.tuples(st.integers(1, 2**53), ANY_TEXT, ANY_TEXT, ANY_TEXT), max_size=5))
def test_many_at_once_are_the_numbers_of_each(rows: list[tuple[int, str, str, str]]) -> None:
    keys, titles, artists, albums = (
        (list(c) for c in zip(*rows, strict=True)) if rows else ([],) * 4
    )
    together = check.check_numbers("track", keys, titles, artists, albums)
    assert together.tolist() == [check.check_number("track", *row) for row in rows]


@given(st.lists(st.integers(0, 2**40 - 1), max_size=20))
def test_characters_and_number_are_one(numbers: list[int]) -> None:
    texts = check.check_texts(np.array(numbers, dtype=np.int64))
    assert [check.check_of_text(text) for text in texts] == numbers
    assert [check.check_of_text(text.lstrip("0") or "0") for text in texts] == numbers


def test_no_check_can_be_read_as_a_power_of_ten_or_a_month() -> None:
    assert not set("eaou") & set(check.ALPHABET)
    assert len(set(check.ALPHABET)) == 32
