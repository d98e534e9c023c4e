"""Tests of plexsheet, and what they share."""

import pytest

# What fails in a helper is shown with its values too.  Before any of them is imported.
pytest.register_assert_rewrite(
    *(f"tests.{name}" for name in ("driver", "killing", "libreoffice", "screens", "watching"))
)
