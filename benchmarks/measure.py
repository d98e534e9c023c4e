"""A piece of work in a process of its own, and what it took.

    figures = in_child("benchmarks.steps:read", config)

Memory is only true in a fresh process: in one that has done other things its peak is
theirs.  The function runs in the child, gets JSON-ready arguments and returns JSON-ready
figures; ``peak_mb`` is added to them.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
Figures = dict[str, Any]


def peak_mb() -> float:
    """The most memory this process had at any time, in MB of a million bytes.

    Not ``ru_maxrss`` where it can be helped: Linux hands it on to a new process, so that
    the child of a big process looks as big as its parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


@contextmanager
def timed(figures: Figures, name: str = "") -> Iterator[None]:
    """Put the seconds of a block into figures: on the clock and of the processor.

    The names are ``seconds`` and ``cpu``, after ``name`` if one is given.  Children of this
    process count once they have ended.
    """
    before = "" if not name else f"{name}_"
    clock, cpu = time.perf_counter(), _cpu()
    yield
    figures[f"{before}seconds"] = time.perf_counter() - clock
    figures[f"{before}cpu"] = _cpu() - cpu


def _cpu() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return time.process_time()
    both = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(used.ru_utime + used.ru_stime for used in both)


def in_child(function: str, *arguments: Any, timeout_s: float | None = None) -> Figures:
    """Figures of a function, run in a fresh process.

    Args:
        function: ``module:name``; it takes JSON-ready arguments and returns a dictionary.
        arguments: of the function; paths become texts.
        timeout_s: the process is ended after so long.

    Raises:
        RuntimeError: it failed; its last words are in the message.
    """
    given = json.dumps(arguments, default=str)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measure", function],
        input=given,
        capture_output=True,
        text=True,
        cwd=REPO,
        timeout=timeout_s,
    )
    if done.returncode:
        raise RuntimeError(f"{function} failed:\n{done.stderr[-4000:]}")
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    """Run one function as ``in_child`` asks for."""
    module, _, name = sys.argv[1].partition(":")
    function: Callable[..., Figures] = getattr(importlib.import_module(module), name)
    figures = function(*json.load(sys.stdin))
    print(json.dumps(figures | {"peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
