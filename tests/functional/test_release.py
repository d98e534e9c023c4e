"""What is published: one version, the manual, completion, and the container image."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from plexsheet import __version__
from plexsheet.cli import COMMANDS
from tests.tools.manual import SHARE, pages
from tests.tools.release import PYTHONS, SHARED, with_section
from tests.tools.release import section as changelog_section

REPO = Path(__file__).parent.parent.parent
PROJECT = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))


def test_the_version_stands_in_one_place():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "plexsheet/__init__.py"
    for path in ("README.md", "Dockerfile", "docs/share/man/man1/plexsheet.1"):
        assert __version__ not in (REPO / path).read_text("utf-8"), path


def test_every_python_that_is_tried_is_announced():
    announced = re.findall(r"Python :: (3\.\d+)", str(PROJECT["project"]["classifiers"]))

    assert tuple(announced) == PYTHONS


def test_the_lock_has_every_dependency():
    locked = {line.split("==")[0] for line in (REPO / "requirements.lock").read_text().splitlines()}
    extras = PROJECT["project"]["optional-dependencies"]
    named = [
        *PROJECT["project"]["dependencies"],
        *(one for kind in extras.values() for one in kind),
    ]

    assert {re.match(r"[\w-]+", one)[0] for one in named} <= locked


def test_a_release_turns_what_is_unreleased_into_its_section():
    now = (REPO / "CHANGELOG.md").read_text("utf-8")
    before = now.replace("## Unreleased\n", "## Unreleased\n\n- A change.\n", 1)

    after = with_section(before, "99.0.0")

    assert changelog_section(after, "99.0.0").startswith("- A change.")
    assert changelog_section(after, "99.0.0") == changelog_section(before, "Unreleased")
    assert changelog_section(after, "Unreleased") == ""


def test_a_release_of_nothing_is_refused():
    released = with_section("# C\n\n## Unreleased\n\n- A change.\n", "99.0.0")

    with pytest.raises(SystemExit, match="nothing under Unreleased"):
        with_section(released, "99.0.1")


@pytest.mark.parametrize("name", sorted(pages()))
def test_manual_and_completion_are_what_the_program_says_now(name: str):
    assert f"share/{name}" in SHARED
    assert (SHARE / name).read_text("utf-8") == pages()[name], f"share/{name}: make docs"


def test_the_manual_is_read_without_a_warning():
    if shutil.which("groff") is None:
        pytest.skip("groff is not installed")
    page = SHARE / "man" / "man1" / "plexsheet.1"

    done = subprocess.run(
        ["groff", "-Kutf8", "-man", "-ww", "-Tutf8", "-P-c", str(page)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""
    for name in COMMANDS:
        assert f"plexsheet {name}" in done.stdout


def test_bash_completes_commands_with_the_script_that_is_installed(tmp_path: Path):
    script = SHARE / "bash-completion" / "completions" / "plexsheet"
    line = (
        f'source "{script}"; COMP_WORDS=(plexsheet ex); COMP_CWORD=1; '
        '_plexsheet_completion plexsheet; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", line],
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["export"]


def _engine() -> str | None:
    """A container engine that answers."""
    for name in ("docker", "podman"):
        if shutil.which(name):
            asked = subprocess.run([name, "info"], capture_output=True, check=False, timeout=60)
            if asked.returncode == 0:
                return name
    return None


@pytest.mark.slow
def test_the_image_is_built_and_started():
    engine = _engine()
    if engine is None:
        pytest.skip("no container engine answers here; the next test follows the Dockerfile")
    tag = "plexsheet-test"
    subprocess.run([engine, "build", "--tag", tag, str(REPO)], check=True, timeout=1200)

    shown = subprocess.run(
        [engine, "run", "--rm", tag, "--version"], capture_output=True, text=True, check=True
    )

    assert shown.stdout.split()[-1] == __version__


def test_the_dockerfile_has_all_it_needs_to_install(tmp_path: Path):
    """Its build stage without an engine: only what it copies, and what it is allowed to copy."""
    text = (REPO / "Dockerfile").read_text("utf-8")
    stage = text.split("\nFROM ")[1]
    allowed = (REPO / ".dockerignore").read_text("utf-8").splitlines()
    for line in re.findall(r"^COPY (.*)$", stage, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            assert f"!{source}" in allowed, f"{source} is kept from the build by .dockerignore"
            if (REPO / source).is_dir():
                shutil.copytree(REPO / source, tmp_path / "source" / target)
            else:
                (tmp_path / "source").mkdir(exist_ok=True)
                shutil.copy(REPO / source, tmp_path / "source" / target)
    python = re.search(r"^FROM python:(\d\.\d+)-slim", text, re.MULTILINE)
    assert python is not None and python[1] in PYTHONS
    assert "pip install --no-cache-dir --constraint requirements.lock ." in stage

    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--ignore-installed", "--prefix", str(tmp_path / "opt"), "."),
        ],
        cwd=tmp_path / "source",
        check=True,
    )

    assert (tmp_path / "opt" / "bin" / "plexsheet").exists()
    for name in SHARED:
        assert (tmp_path / "opt" / name).is_file()
