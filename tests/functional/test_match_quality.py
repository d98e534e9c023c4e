"""How surely songs of noisy lists are found in real libraries, and how rarely the wrong one."""

from __future__ import annotations

import pytest

from benchmarks.matching import measured


# The larger libraries, and more lists of each: python -m benchmarks.matching FOLDER.
@pytest.mark.parametrize("name", ["lib-c", "lib-e", "struct-b"])
def test_noisy_lists_against_libraries_that_thresholds_were_not_chosen_on(name, shared_libraries):
    figures, _, _ = measured(name, shared_libraries, seed=4)

    assert figures.sure >= 0.95 * figures.there
    assert figures.sure + figures.likely >= 0.98 * figures.there
    assert figures.sure_wrong <= 0.001 * figures.sure + 1  # one may be chance in so few
    assert figures.false <= 0.001 * figures.absent + 1
