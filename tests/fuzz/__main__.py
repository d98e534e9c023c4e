"""``python -m tests.fuzz [TARGET] [SECONDS]``: one target with atheris where it is installed.

Without it, or for all targets, sound inputs are cut, spliced and flipped at random; the
seed of what fails is printed with its traceback, and ``mutated(seeds(TARGET), SEED)`` is
that input again.
"""

from __future__ import annotations

import importlib.util
import random
import sys
import time
import traceback
from pathlib import Path

NAMES = ("cells", "text_file", "parts", "whole_file")  # of targets.TARGETS
BITS = 8


def mutated(sound: list[bytes], seed: int) -> bytes:
    """A sound input with a few accidents."""
    dice = random.Random(seed)
    data = bytearray(dice.choice(sound))
    for _ in range(dice.randint(1, 12)):
        at = dice.randrange(len(data) + 1)
        kind = dice.randrange(6)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << dice.randrange(BITS)
        elif kind == 1:
            del data[at : at + dice.randint(1, 40)]
        elif kind == 2:
            data[at:at] = dice.randbytes(dice.randint(1, 8))
        elif kind == 3:
            data[at:at] = data[: dice.randint(1, 200)]
        elif kind == 4:
            data[at:at] = dice.choice(WORDS)
        else:
            other = dice.choice(sound)
            cut = dice.randrange(len(other) + 1)
            data[at:] = other[cut:]
    return bytes(data[:200_000])


WORDS = (
    b"<!ENTITY x 'y'>", b"&x;", b"<c r=\"B2\"><f>", b"</v>", b"\xff\xfe", b"\x00", b"NaN", b"1e400",
    b"-0", b"'", b'"', b"\r\n", b"16384", b"r=\"XFD1048576\"", b"\xe2\x98\x85", b"4294967296",
    b"PK\x05\x06", b"My rating", b"Key", b"=1+1",
)  # fmt: skip


def by_chance(name: str, seconds: float) -> int:
    """Mutations until the time is up; how many failed."""
    from tests.fuzz.targets import TARGETS, seeds

    target, sound = TARGETS[name], seeds(name)
    end, seed, failed = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        try:
            target(mutated(sound, seed))
        except Exception:  # noqa: BLE001  (shown, and counted)
            failed += 1
            sys.stdout.write(f"seed {seed}:\n{traceback.format_exc()}\n")
        seed += 1
    sys.stdout.write(f"{name}: {seed} inputs, {failed} failed\n")
    return failed


def with_atheris(name: str, seconds: float, folder: Path) -> None:
    """Guided by coverage; ends the process."""
    import atheris

    with atheris.instrument_imports(include=["plexsheet"]):
        from tests.fuzz.targets import TARGETS, seeds
    for number, sound in enumerate(seeds(name)):
        (folder / f"{name}-{number}").write_bytes(sound)
    atheris.Setup(
        [sys.argv[0], str(folder), f"-max_total_time={int(seconds)}", "-rss_limit_mb=2500"],
        TARGETS[name],
    )
    atheris.Fuzz()


def main(arguments: list[str]) -> int:
    """Fuzz one target, or all of them one after the other."""
    names = [word for word in arguments if word in NAMES] or list(NAMES)
    seconds = next((float(word) for word in arguments if word.replace(".", "").isdigit()), 30.0)
    if importlib.util.find_spec("atheris") and len(names) == 1:
        folder = Path(f"/tmp/plexsheet-fuzz-{names[0]}")
        folder.mkdir(exist_ok=True)
        with_atheris(names[0], seconds, folder)
    return sum(by_chance(name, seconds) for name in names)


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
