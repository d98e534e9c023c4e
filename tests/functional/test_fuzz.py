"""A short, repeatable walk through each fuzz target; ``make fuzz`` walks on."""

from __future__ import annotations

import pytest

from tests.fuzz.__main__ import mutated
from tests.fuzz.targets import TARGETS, seeds

ROUNDS = {"cells": 400, "text_file": 400, "parts": 250, "whole_file": 25}


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_anything_is_read_or_refused_with_a_sentence(name: str) -> None:
    sound = seeds(name)

    for data in [*sound, *(mutated(sound, seed) for seed in range(ROUNDS[name]))]:
        TARGETS[name](data)
