"""Build what is published, and prove that a stranger can install and use it.

``make release`` builds sdist and wheel twice and compares them bit by bit, runs twine's
check, looks inside, and installs both into bare environments of every Python from 3.11 on
that this machine has.  For a Python it does not have, it asks the registry whether every
dependency has a wheel for it.  ``make release VERSION=1.2.3`` first sets the version, in
``plexsheet/__init__.py`` alone, and turns the changelog's *Unreleased* into its section.
``make wheel`` does the same for this Python only, with the dependencies at hand.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

REPO = Path(__file__).parents[2]
INIT = REPO / "plexsheet" / "__init__.py"
CHANGELOG = REPO / "CHANGELOG.md"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SHARED = (
    "share/man/man1/plexsheet.1",
    "share/bash-completion/completions/plexsheet",
    "share/zsh/site-functions/_plexsheet",
    "share/fish/vendor_completions.d/plexsheet.fish",
)
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def say(text: str) -> None:
    """Tell the person who makes the release."""
    print(text, flush=True)  # noqa: T201


def run(command: list[object], **options: object) -> str:
    """Run a command and return its output; what it said is shown where it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return str(done.stdout)


# The version


def version_now() -> str:
    """The version of the checkout."""
    found = re.search(r'^__version__ = "(.+)"$', INIT.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1]


def set_version(version: str) -> None:
    """Give the checkout a version, and what changed since the last one its own section.

    Raises:
        SystemExit: it is no version, or nothing changed.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        sys.exit(f"{version} is not a version. Write it as 1.2.3.")
    CHANGELOG.write_text(with_section(CHANGELOG.read_text("utf-8"), version), "utf-8")
    text = INIT.read_text("utf-8")
    INIT.write_text(re.sub(r'(?m)^__version__ = ".*"$', f'__version__ = "{version}"', text))


def with_section(changelog: str, version: str, on: date | None = None) -> str:
    r"""A changelog in which what was unreleased is the section of a version.

    Raises:
        SystemExit: there is such a section, or nothing is unreleased.

    >>> print(with_section("# C\n\n## Unreleased\n\n- New.\n", "1.0.0", date(2026, 12, 1)))
    # C
    <BLANKLINE>
    ## Unreleased
    <BLANKLINE>
    ## 1.0.0 (2026-12-01)
    <BLANKLINE>
    - New.
    <BLANKLINE>
    """
    if section(changelog, version):
        sys.exit(f"CHANGELOG.md has a section {version} already.")
    if not section(changelog, "Unreleased"):
        sys.exit("CHANGELOG.md has nothing under Unreleased.")
    heading = f"## {version} ({(on or date.today()).isoformat()})"
    return changelog.replace("## Unreleased\n", f"## Unreleased\n\n{heading}\n", 1)


def section(changelog: str, name: str) -> str:
    r"""What a changelog says under a version or *Unreleased*; "" for nothing.

    >>> section("## Unreleased\n\n## 1.0.0 (2026-12-01)\n\n- New.\n", "1.0.0")
    '- New.'
    """
    found = re.search(
        rf"^## {re.escape(name)}\b.*\n((?:(?!## ).*\n?)*)", changelog, flags=re.MULTILINE
    )
    return found[1].strip() if found else ""


# Building


def built(dist: Path) -> tuple[Path, Path]:
    """Wheel and sdist; the wheel is made from the sdist, so the sdist lacks nothing either."""
    stamp = run(["git", "log", "-1", "--format=%ct"], cwd=REPO).strip() if _in_git() else "0"
    env = os.environ | {"SOURCE_DATE_EPOCH": stamp}
    run([sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, REPO], env=env)
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    return wheel, sdist


def _in_git() -> bool:
    return (REPO / ".git").exists()


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def wanted_in_wheel() -> set[str]:
    """What the wheel has to hold: every module, every template, manual and completion."""
    modules = (REPO / "plexsheet").rglob("*.py")
    templates = (path for path in (REPO / "templates").iterdir() if path.is_file())
    data = f"plexsheet-{version_now()}.data/data"
    return (
        {"plexsheet/py.typed"}
        | {str(path.relative_to(REPO)) for path in modules}
        | {f"plexsheet/templates/{path.name}" for path in templates}
        | {f"{data}/{name}" for name in SHARED}
    )


def check_contents(wheel: Path, sdist: Path) -> None:
    """Exit where the wheel lacks something or has what is not for its users."""
    held = set(zipfile.ZipFile(wheel).namelist())
    extra = [
        name for name in held if not name.startswith(("plexsheet/", f"plexsheet-{version_now()}."))
    ]
    if missing := wanted_in_wheel() - held:
        sys.exit(f"the wheel lacks {sorted(missing)}")
    if extra:
        sys.exit(f"the wheel has {sorted(extra)}")
    with tarfile.open(sdist) as archive:
        top = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    needed = {"plexsheet", "templates", "tests", "docs", "README.md", "LICENSE"}
    if missing := needed - top:
        sys.exit(f"the sdist lacks {sorted(missing)}")


# Installing


class Bare:
    """A new environment of one Python, with nothing of the checkout in reach."""

    def __init__(self, python: str | Path, folder: Path, *, borrow: bool = False) -> None:
        """Make it.

        Args:
            python: the interpreter.
            folder: where.
            borrow: use the dependencies of this environment instead of downloading them.
        """
        self.home = folder / "home"
        self.home.mkdir(parents=True)
        self.place, self.borrow = folder / "env", borrow
        run([python, "-m", "venv", self.place])
        self.bin = next(path for name in ("bin", "Scripts") if (path := self.place / name).is_dir())
        self.env = {"HOME": str(self.home), "PATH": f"{self.bin}{os.pathsep}{os.defpath}"}
        self.env |= {"LANG": "C.UTF-8", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}

    def install(self, dist: Path) -> None:
        """Install a wheel or an sdist; a second one takes the place of the first."""
        options = ["--force-reinstall", "--no-deps"] if self.borrow or self._has() else []
        pip = [self.bin / "python", *PIP, "install", *options, dist]
        run(pip, env=os.environ | {"PATH": self.env["PATH"]})
        if self.borrow:
            self._lend()

    def _lend(self) -> None:
        """Let it use the packages of this environment; only now, or pip would remove ours."""
        asked = [self.bin / "python", "-c", "import site; print(site.getsitepackages()[0])"]
        # After the environment's own, so that its plexsheet is the one that runs.
        lent = Path(run(asked).strip(), "borrowed.pth")
        lent.write_text(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})\n")

    def _has(self) -> bool:
        return any(self.bin.glob("plexsheet*"))

    def __call__(self, *words: object) -> str:
        """Run a command of the environment as a person with an empty home would."""
        command = [self.bin / str(words[0]), *words[1:]]
        return run(command, cwd=self.home, env=self.env)  # type: ignore[arg-type]

    def prove(self) -> str:
        """Use what was installed: version, manual, completion, first steps; the version."""
        version = self("plexsheet", "--version").split()[-1]
        if (
            version != version_now()
            or self("python", "-m", "plexsheet", "--version").split()[-1] != version
        ):
            sys.exit(f"{version} was installed, not {version_now()}")
        where = self("python", "-c", "import plexsheet; print(plexsheet.__file__)")
        if not where.startswith(str(self.place)):
            sys.exit(f"the checkout was imported, not what was installed: {where}")
        if missing := [name for name in SHARED if not (self.place / name).is_file()]:
            sys.exit(f"not installed: {missing}")
        self("plexsheet", "demo", "--tracks", "400")
        if left := [path.name for path in self.home.iterdir() if path.name != ".config"]:
            sys.exit(f"the demo left {left}")  # in .config is the id that Plex knows us by
        self.first_steps()
        return version

    def first_steps(self) -> None:
        """From nothing to a workbook, with the templates that were installed."""
        server = subprocess.Popen(
            [self.bin / "python", "-m", "plexsheet.demo.server", "--tracks", "200"],
            cwd=self.home,
            env=self.env,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            url, token = server.stdout.readline().split()
            token = token.removeprefix("token=")
            self("plexsheet", "init", "--url", url, "--token", token, "--library", "Music")
            self("plexsheet", "doctor")
            self("plexsheet", "export", "music.xlsx")
        finally:
            server.terminate()
            server.communicate()
        shutil.rmtree(self.home)
        self.home.mkdir()


def interpreter(version: str) -> Path | None:
    """A Python of that version on this machine."""
    places = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python")]
    places += [Path(found) for name in (f"python{version}",) if (found := shutil.which(name))]
    for place in [*places, Path(sys.executable)]:
        asked = [place, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.strip() == version:
            return place
    return None


def prove_everywhere(wheel: Path, sdist: Path, folder: Path) -> Iterator[str]:
    """Install both into every Python there is; one line for each."""
    for version in PYTHONS:
        python = interpreter(version)
        if python is None:
            yield f"Python {version}: not on this machine; {_wheels_for(version, folder)}"
            continue
        began = time.monotonic()
        bare = Bare(python, folder / version)
        bare.install(wheel)
        bare.prove()
        bare("python", "-m", "pip", "check")
        bare.install(sdist)
        bare.prove()
        shutil.rmtree(folder / version)
        took_s = time.monotonic() - began
        yield f"Python {version}: wheel and sdist installed and used, {took_s:.0f} s"


def _wheels_for(version: str, folder: Path) -> str:
    """Whether every dependency can be had without a compiler."""
    target = folder / f"wheels-{version}"
    command = [sys.executable, *PIP, "install", "--dry-run", "--ignore-installed", "--target"]
    command += [str(target), "--python-version", version, "--only-binary", ":all:"]
    run([*command, *_dependencies()])
    return "every dependency has a wheel for it"


def _dependencies() -> list[str]:
    return list(
        tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    )


# The two ways to run it


def here() -> None:
    """Build once, look inside, install with the dependencies at hand, use it."""
    with tempfile.TemporaryDirectory() as name:
        wheel, sdist = built(Path(name) / "dist")
        check_contents(wheel, sdist)
        bare = Bare(sys.executable, Path(name) / "bare", borrow=True)
        bare.install(wheel)
        version = bare.prove()
        keep(wheel, sdist)
    say(f"dist/{wheel.name}: plexsheet {version}, set up, exported, the demo run from it")


def release() -> None:
    """Build twice, compare, check, install everywhere."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel, sdist = built(folder / "dist")
        again = built(folder / "again")
        for first, second in zip((wheel, sdist), again, strict=True):
            if digest(first) != digest(second):
                sys.exit(f"{first.name} is another file each time it is built")
        say(f"Built twice, the same bits: {wheel.name}, {sdist.name}")
        run([sys.executable, "-m", "twine", "check", "--strict", wheel, sdist])
        check_contents(wheel, sdist)
        say("twine check passed; the contents are complete")
        for line in prove_everywhere(wheel, sdist, folder):
            say(line)
        keep(wheel, sdist)
    notes = section(CHANGELOG.read_text("utf-8"), version_now())
    where = f"section {version_now()}" if notes else "Unreleased (no section for this version yet)"
    say(f"Changelog: {where}")
    for path in (wheel, sdist):
        say(f"{digest(REPO / 'dist' / path.name)}  dist/{path.name}")


def keep(*made: Path) -> None:
    """Leave what passed in dist/, and nothing else."""
    dist = REPO / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    for path in made:
        shutil.copy2(path, dist)


def main() -> None:
    """Arguments in, a release out."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.release", description=__doc__)
    parser.add_argument("--here", action="store_true", help="this Python only, as make wheel does")
    parser.add_argument("--version", help="set this version first")
    given = parser.parse_args()
    if given.version:
        set_version(given.version)
    if given.here:
        here()
    else:
        release()


if __name__ == "__main__":
    main()
