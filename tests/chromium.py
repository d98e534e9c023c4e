"""A real browser without a window: what a page looks like, says and asks for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--proxy-server=http://127.0.0.1:9",  # nobody there: what the browser itself wants stays here
    "--enable-logging=stderr",
)


def browser() -> str | None:
    """The command of an installed Chromium; None without one."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Opened:
    """A page that was opened.

    Attributes:
        dom: its HTML, scripts run.
        console: every line on its console.
        requests: addresses it asked for, its own apart.
        picture: a screenshot.
    """

    dom: str
    console: list[str]
    requests: list[str]
    picture: Path


def open_page(
    page: Path | str, folder: Path, *, width: int, height: int = 900, wait_ms: int = 0
) -> Opened:
    """Open a page as a person would by clicking on it.

    Args:
        page: a file, or the address of a page on loopback.
        folder: where the browser may write.
        width, height: of the window, in CSS pixels.
        wait_ms: what scripts of the page may take after it was loaded.
    """
    command = browser()
    assert command is not None
    address = page.as_uri() if isinstance(page, Path) else page
    name = re.sub(r"\W+", "-", address.rpartition("/")[2]) or "page"
    log, picture = folder / "net.json", folder / f"{name}-{width}.png"
    done = subprocess.run(
        [
            command,
            *FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},{height}",
            f"--log-net-log={log}",
            f"--screenshot={picture}",
            *([f"--virtual-time-budget={wait_ms}"] if wait_ms else []),
            "--proxy-bypass-list=127.0.0.1",
            "--dump-dom",
            address,
        ],
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    console = re.findall(r":CONSOLE[:(]\d+\)?\] (.*)", done.stderr)
    return Opened(done.stdout, console, _asked_for(log), picture)


def _asked_for(log: Path) -> list[str]:
    """Addresses that pages asked for; the browser's own requests have no origin."""
    noted = json.loads(log.read_text(encoding="utf-8"))
    names = {number: name for name, number in noted["constants"]["logEventTypes"].items()}
    started = [
        event.get("params", {})
        for event in noted["events"]
        if names[event["type"]] == "URL_REQUEST_START_JOB"
    ]
    return [
        one["url"] for one in started if one.get("initiator", "not an origin") != "not an origin"
    ]
