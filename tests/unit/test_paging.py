"""How many items are asked for at a time."""

from __future__ import annotations

from plexsheet.plex.paging import LARGEST, QUICK_S, SLOW_S, SMALLEST, PageSize


def test_a_quick_server_is_asked_for_more_up_to_a_limit():
    pace = PageSize()
    sizes = []
    for _ in range(6):
        pace.took(QUICK_S / 2, asked=pace.size)
        sizes.append(pace.size)

    assert sizes == [2000, 4000, LARGEST, LARGEST, LARGEST, LARGEST]


def test_a_slow_server_is_asked_for_less_down_to_a_limit():
    pace = PageSize()
    for _ in range(10):
        pace.took(SLOW_S * 2, asked=pace.size)

    assert pace.size == SMALLEST


def test_neither_quick_nor_slow_changes_nothing():
    pace = PageSize()

    pace.took((QUICK_S + SLOW_S) / 2, asked=1000)

    assert pace.size == 1000


def test_a_short_last_page_says_little_of_larger_ones():
    pace = PageSize(size=4000)

    pace.took(0.01, asked=30)

    assert pace.size == 4000


def test_what_the_server_cuts_off_is_not_asked_for_again():
    pace = PageSize()

    pace.short(250)
    pace.took(0.01, asked=250)

    assert pace.size == 250


def test_a_page_that_failed_halves_the_next():
    pace = PageSize()

    pace.smaller()

    assert pace.size == 500
