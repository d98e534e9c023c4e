"""Build the wheel, install it away from the checkout, and run the round trip with that copy.

A package can work in its checkout and lack a file once installed; this finds out.
Run by ``make wheel``; not collected by pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REPO = Path(__file__).parent.parent
WANTED = ("plexsheet/templates/config.json", "plexsheet/cli/__init__.py")


def run(command: list[str], **options: object) -> str:
    """Run a command and return its output; its own words are shown where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return str(done.stdout)


def main() -> None:
    """Build, look inside, install, run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dist, site, away = folder / "dist", folder / "site", folder / "away"
        away.mkdir()
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation"]
        run([*build, "--outdir", str(dist), str(REPO)])
        (wheel,) = dist.glob("*.whl")
        missing = set(WANTED) - set(zipfile.ZipFile(wheel).namelist())
        if missing:
            sys.exit(f"the wheel lacks {sorted(missing)}")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        run([*install, "--disable-pip-version-check", "--target", str(site), str(wheel)])
        env = os.environ | {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1", "HOME": str(away)}
        python = [sys.executable]
        where = run(
            [*python, "-c", "import plexsheet; print(plexsheet.__file__)"], cwd=away, env=env
        )
        if not where.startswith(str(site)):
            sys.exit(f"the checkout was imported, not the wheel: {where}")
        shown = run([*python, "-m", "plexsheet", "--version"], cwd=away, env=env)
        run([*python, "-m", "plexsheet", "demo"], cwd=away, env=env)
        print(f"{wheel.name}: {shown.strip()}, and the demo runs from the installed wheel")  # noqa: T201


if __name__ == "__main__":
    main()
