"""How much a test tries: all of it in CI, a part of it where a person waits for the end.

``.ci/run`` sets PLEXSHEET_THOROUGH.  Without it every rule is checked all the same, with fewer
draws of the same kind; ``make test`` then also takes one variant of each slow test only.
"""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")
THOROUGH = bool(os.environ.get("PLEXSHEET_THOROUGH"))


def enough(thorough: T, at_a_desk: T) -> T:
    """How many are enough here, or how large a one."""
    return thorough if THOROUGH else at_a_desk
