"""Build sdist and wheel, install the wheel away from the checkout, and use that copy.

A package can work in its checkout and lack a file once installed; this finds out.  What
passed is left in ``dist/``.
Run by ``make wheel``; not collected by pytest.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPO = Path(__file__).parent.parent


def run(command: list[str], **options: object) -> str:
    """Run a command and return its output; its own words are shown where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return str(done.stdout)


def built(dist: Path) -> Path:
    """The wheel, made from the sdist, so that the sdist lacks nothing either."""
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", str(dist), str(REPO)])
    (wheel,) = dist.glob("*.whl")
    (_,) = dist.glob("*.tar.gz")
    return wheel


def wanted() -> set[str]:
    """What the wheel has to hold: every module, every template."""
    modules = (REPO / "plexsheet").rglob("*.py")
    templates = (path for path in (REPO / "templates").iterdir() if path.is_file())
    return (
        {"plexsheet/py.typed"}
        | {str(path.relative_to(REPO)) for path in modules}
        | {f"plexsheet/templates/{path.name}" for path in templates}
    )


class Installed:
    """The wheel, installed into a folder of its own and run away from the checkout."""

    def __init__(self, wheel: Path, folder: Path) -> None:
        self.site, self.away = folder / "site", folder / "away"
        self.away.mkdir()
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        run([*install, "--disable-pip-version-check", "--target", str(self.site), str(wheel)])
        self.env = os.environ | {
            "PYTHONPATH": str(self.site),
            "PYTHONSAFEPATH": "1",
            "HOME": str(self.away),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }
        self.env.pop("PLEXSHEET_CONFIG", None)

    def python(self, *words: str) -> str:
        """Run the interpreter with this copy, and only this copy, in reach."""
        return run([sys.executable, *words], cwd=self.away, env=self.env)

    def script(self, *words: str) -> str:
        """Run the console script."""
        (script,) = self.site.glob("bin/plexsheet*")
        return run([sys.executable, str(script), *words], cwd=self.away, env=self.env)

    @contextmanager
    def server(self) -> Iterator[tuple[str, str]]:
        """A demo server, of the checkout: its address and token."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.plex.server", "--tracks", "200"],
            cwd=REPO,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url, token = process.stdout.readline().split()
            yield url, token.removeprefix("token=")
        finally:
            process.terminate()
            process.communicate()


def first_steps(copy: Installed) -> None:
    """From nothing to a workbook, with the templates that came with the wheel."""
    with copy.server() as (url, token):
        copy.script("init", "--url", url, "--token", token, "--library", "Music")
        written = json.loads((copy.away / "config.json").read_text("utf-8"))
        template = json.loads((REPO / "templates" / "config.json").read_text("utf-8"))
        if set(written) != set(template):
            sys.exit(f"init wrote {sorted(written)}")
        copy.script("doctor")
        copy.script("export", "music.xlsx")
    if not (copy.away / "music.xlsx").stat().st_size:
        sys.exit("the exported workbook is empty")


def main() -> None:
    """Build, look inside, install, run."""
    with tempfile.TemporaryDirectory() as name:
        wheel = built(Path(name) / "dist")
        missing = wanted() - set(zipfile.ZipFile(wheel).namelist())
        if missing:
            sys.exit(f"the wheel lacks {sorted(missing)}")
        copy = Installed(wheel, Path(name))
        where = copy.python("-c", "import plexsheet; print(plexsheet.__file__)")
        if not where.startswith(str(copy.site)):
            sys.exit(f"the checkout was imported, not the wheel: {where}")
        shown = copy.python("-m", "plexsheet", "--version")
        if copy.script("--version") != shown:
            sys.exit("the console script is another version")
        first_steps(copy)
        copy.python("-m", "plexsheet", "demo")
        dist = REPO / "dist"
        dist.mkdir(exist_ok=True)
        for made in wheel.parent.iterdir():
            shutil.copy2(made, dist)
        print(f"dist/{wheel.name}: {shown.strip()}; set up, exported, the demo run from it")  # noqa: T201


if __name__ == "__main__":
    main()
