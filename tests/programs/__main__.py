"""Run every program that is here and write docs/programs.json."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.programs import TABLE, measured


def main() -> None:
    """Write the table; programs that are not here keep what is known of them."""
    known = json.loads(TABLE.read_text(encoding="utf-8")) if TABLE.exists() else {}
    with tempfile.TemporaryDirectory(prefix="plexsheet-programs-") as folder:
        known |= dict(measured(Path(folder)))
    TABLE.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
