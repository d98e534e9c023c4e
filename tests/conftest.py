"""What tests share: real libraries where they are at hand, and LibreOffice where it must be."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from plexsheet.cli import NEW_OBJECTS_BEFORE_COLLECTION
from tests import beginnings
from tests.chromium import browser
from tests.effort import enough

# A shell lets what it starts in the background ignore Ctrl-C, and all its children; here it counts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Commands that run in this process are to collect garbage as seldom as in one of their own.
gc.set_threshold(NEW_OBJECTS_BEFORE_COLLECTION)

# A busy machine is no defect of what is tested.
settings.register_profile("plexsheet", deadline=None, max_examples=enough(100, 10))
settings.load_profile("plexsheet")

REPO = Path(__file__).parent.parent
SHARED = Path(os.environ.get("PLEXSHEET_SHARED", REPO.parent / "shared"))


def has_libreoffice() -> bool:
    """Whether LibreOffice and the interpreter that can steer it are installed."""
    return shutil.which("soffice") is not None and Path("/usr/bin/python3").exists()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests whose program is missing; in CI that is a failure."""
    if item.get_closest_marker("libreoffice") and not has_libreoffice():
        _missing("LibreOffice", "libreoffice-calc python3-uno")
    if item.get_closest_marker("chromium") and browser() is None:
        _missing("Chromium", "chromium")


def _missing(program: str, packages: str) -> None:
    if os.environ.get(f"PLEXSHEET_REQUIRE_{program.upper()}"):
        pytest.fail(f"{program} is required here and is not installed")
    pytest.skip(f"{program} is not installed: sudo apt-get install {packages}")


@pytest.fixture(scope="session", autouse=True)
def _shelf(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One place for what tests begin with, whichever process they run in."""
    base = tmp_path_factory.getbasetemp()
    beginnings.shelf = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shelf"


@pytest.fixture(scope="session")
def shared_libraries() -> Path:
    """The folder of real libraries; tests that need it are skipped where it is absent."""
    folder = SHARED / "libraries"
    if not folder.is_dir():
        pytest.skip(f"no real libraries here ({folder} does not exist)")
    return folder


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--variants``, for whoever waits for the end of all tests."""
    parser.addoption(
        "--variants",
        type=int,
        metavar="N",
        help="of each slow test with parameters only N variants, spread over them",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out variants of slow tests, where that is asked for."""
    most = config.getoption("--variants")
    if most is None:
        return
    tests: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            tests.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left = [
        item
        for variants in tests.values()
        for place, item in enumerate(variants)
        if place not in {round(k * (len(variants) - 1) / max(most - 1, 1)) for k in range(most)}
    ]
    config.hook.pytest_deselected(items=left)
    gone = set(left)
    items[:] = [item for item in items if item not in gone]
