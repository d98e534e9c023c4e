"""How long each step of a round trip takes, as a multiple of the least it could take.

    make bench                                7,500 to 300,000 tracks
    python -m benchmarks --million            1,000,000 as well: half an hour more, 8 GB
    python -m benchmarks --sizes 7500 100000  other sizes

The demo server runs in a process of its own and each step in a fresh one, so that peaks of
memory are true.  ``CPU s`` is what plexsheet itself worked, its children included;
``× floor`` compares it with the least the same work can take, measured in the same run:

    read      the same listings parsed by expat, eighteen values of each item put in a list
    infer     the ratings added up by numpy
    export    the same cells through XlsxWriter's typed calls
    import    the file read by calamine
    apply     as many requests that do nothing (by the clock, the server's work and rests included)
    first run, second run    the same

``growth`` is the exponent e of CPU s ~ tracks^e between the smallest and the largest size.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import Figures, in_child
from benchmarks.plex import Plex, serving, write_config

SIZES = (7_500, 100_000, 300_000)
MILLION = 1_000_000
EDITS = 500
STEPS = ("read", "infer", "export", "import", "apply", "first run", "second run")
LEAST_FOR_GROWTH = 50_000  # below, starting up weighs as much as the work


@dataclass(frozen=True)
class Line:
    """One step at one size."""

    tracks: int
    step: str
    seconds: float
    cpu: float
    peak_mb: float
    requests: int
    floor_s: float
    ratio: float
    remark: str = ""


def step(name: str, *arguments: object, repeats: int = 1) -> Figures:
    """Figures of one of ``benchmarks.steps``; of several runs the one of least CPU time."""
    runs = [in_child(f"benchmarks.steps:{name}", *arguments) for _ in range(repeats)]
    return min(runs, key=lambda figures: figures.get("cpu", 0.0))


class Benchmark:
    """One library, from the first read to the second run."""

    def __init__(self, tracks: int, folder: Path, plex: Plex, *, writes: bool) -> None:
        self.tracks, self.writes = tracks, writes
        self.repeats = 3 if tracks <= 100_000 else 1
        self.config = write_config(folder, plex, INFERRED_TAG="Inferred")
        self.book, self.other = folder / "music.xlsx", folder / "typed.xlsx"
        self.state = folder / "plexsheet.db"

    def lines(self) -> Iterator[Line]:
        """Each step as it is done."""
        yield self._read()
        step("remember", self.config)
        yield self._infer()
        yield self._export()
        step("edit", self.book, EDITS)
        yield self._import()
        yield self._apply()
        if self.writes:
            yield self._run("first run", write=True)
            yield self._run("second run", write=False)

    def _read(self) -> Line:
        done = step("read", self.config, repeats=self.repeats)
        bare = step("read_bare", self.config, repeats=self.repeats)
        dropped = step("read_and_drop", self.config, repeats=self.repeats)
        remark = f"{done['cpu'] / dropped['cpu']:.2f} × a parse that keeps nothing"
        return self._line("read", done, bare["cpu"], remark)

    def _infer(self) -> Line:
        done, bare = step("infer", self.config), step("sum_ratings", self.config)
        return self._line("infer", done, bare["cpu"], f"{done['rated']:,} ratings")

    def _export(self) -> Line:
        done = step("export", self.config, self.book, repeats=self.repeats)
        bare = step("typed_loop", self.config, self.other)
        self.other.unlink()
        sizes = f"file {_mb(self.book):.1f} MB, state {_mb(self.state):.1f} MB"
        return self._line("export", done, bare["cpu"], sizes)

    def _import(self) -> Line:
        done = step("plan_import", self.config, self.book, repeats=self.repeats)
        bare = step("read_workbook_bare", self.config, self.book, repeats=self.repeats)
        return self._line("import", done, bare["cpu"], f"{done['changes']} changes planned")

    def _apply(self) -> Line:
        done = step("apply", self.config, self.book)
        remark = f"{done['written']} written"
        return self._line("apply", done, done["bare_seconds"], remark, clock=True)

    def _run(self, name: str, *, write: bool) -> Line:
        done = step("run", self.config, write)
        remark = f"{done['changes']:,} to write, {done['written']:,} written"
        return self._line(name, done, done["bare_seconds"], remark, clock=True)

    def _line(
        self, name: str, done: Figures, floor_s: float, remark: str, *, clock: bool = False
    ) -> Line:
        took = done["seconds" if clock else "cpu"]
        return Line(
            self.tracks,
            name,
            done["seconds"],
            done["cpu"],
            done["peak_mb"],
            done["requests"],
            floor_s,
            took / floor_s if floor_s else np.nan,
            remark,
        )


def _mb(path: Path) -> float:
    return path.stat().st_size / 1e6


def growth(lines: Sequence[Line], name: str) -> float:
    """Exponent of a step's CPU time in the number of tracks, NaN for a single size."""
    points = sorted((line.tracks, line.cpu) for line in lines if line.step == name)
    large = [point for point in points if point[0] >= LEAST_FOR_GROWTH]
    tracks, cpu = np.log(large if len(large) > 1 else points).T if points else ([], [])
    return float(np.polyfit(tracks, cpu, 1)[0]) if len(tracks) > 1 else np.nan


COLUMNS = ("tracks", "step", "seconds", "CPU s", "peak MB", "requests", "floor s", "× floor", "")
WIDTHS = (9, 10, 8, 8, 8, 8, 9, 9, 0)


def row(cells: Sequence[str]) -> str:
    """A row of the table, which is Markdown as well."""
    padded = [
        text.ljust(width) if place in (1, 8) else text.rjust(width)
        for place, (text, width) in enumerate(zip(cells, WIDTHS, strict=True))
    ]
    return f"| {' | '.join(padded)} |".replace("|  |", "| |")


def shown(line: Line) -> str:
    """A line of the table."""
    return row(
        (
            f"{line.tracks:,}",
            line.step,
            f"{line.seconds:.2f}",
            f"{line.cpu:.2f}",
            f"{line.peak_mb:.0f}",
            str(line.requests),
            f"{line.floor_s:.3g}",
            f"{line.ratio:.3g}" if line.ratio < 1000 else f"{line.ratio:,.0f}",
            line.remark,
        )
    )


def run(sizes: Sequence[int], most_written: int, tell: Callable[[str], None]) -> list[Line]:
    """Print the table, and return what is in it."""
    tell(row(COLUMNS))
    tell("|" + "|".join("-" * (width + 2) for width in WIDTHS) + "|")
    lines: list[Line] = []
    for tracks in sizes:
        with tempfile.TemporaryDirectory() as folder, serving(tracks) as plex:
            bench = Benchmark(tracks, Path(folder), plex, writes=tracks <= most_written)
            for line in bench.lines():
                lines.append(line)
                tell(shown(line))
    found = {name: growth(lines, name) for name in STEPS}
    told = [f"{name} {value:.2f}" for name, value in found.items() if not np.isnan(value)]
    if told:
        tell(f"\nGrowth: {', '.join(told)}.")
    return lines


def machine() -> str:
    """What the figures were measured on, in a line."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [s for s in cpuinfo.read_text().splitlines() if s.startswith("model name")]
        model = names[0].partition(": ")[2] if names else model
    return f"{cores} cores ({model}), Python {platform.python_version()}, {platform.system()}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of tracks")
    parser.add_argument("--million", action="store_true", help="a million tracks as well")
    parser.add_argument(
        "--most-written",
        type=int,
        default=100_000,
        help="the largest library whose inferred ratings are all written, for the second run",
    )
    parser.add_argument("--json", type=Path, help="put the figures into this file as well")
    given = parser.parse_args(arguments)
    sizes = [*given.sizes, MILLION] if given.million else list(given.sizes)
    print(f"{machine()}.\n")
    lines = run(sizes, given.most_written, lambda text: print(text, flush=True))
    if given.json:
        given.json.write_text(json.dumps([asdict(line) for line in lines], indent=1))


if __name__ == "__main__":
    sys.exit(main())
