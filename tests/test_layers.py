"""How the modules of plexsheet may depend on each other, read from their source.

Nothing is imported for it, so an import inside a function counts as one at the top;
imports for type checking alone do not, for they bind nothing when the program runs.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from plexsheet.cli import COMMANDS

ROOT = Path(__file__).parent.parent / "plexsheet"

# Top to bottom: what stands on a line may import what stands below it, never above, and
# what stands beside it on the same line not at all.  A package stands for its modules;
# a module that is named has its own place.
LAYERS = """
    __main__
    cli
    watching
    operations
    apply
    state
    reports
    matching
    workbook
    workbook.writing
    workbook.edits
    workbook.reading
    workbook.schema
    plan
    reports.catalogue
    ownership identity
    plex
    inference
    config
    messages
    files library ratings
    errors
"""
# Only cli may import the demo server, and it may import nothing of the rest: it answers as
# Plex does, whoever asks.  The version of the package is everybody's.
APART = {"demo", ""}

# What reaches outside the process, or asks the clock or chance, when it is imported or used.
EDGES = frozenset(
    [
        "asyncio",
        "click",
        "concurrent",
        "ctypes",
        "fcntl",
        "filelock",
        "getpass",
        "glob",
        "gzip",
        "http",
        "keyring",
        "msoffcrypto",
        "mutagen",
        "multiprocessing",
        "openpyxl",
        "os",
        "platform",
        "plexapi",
        "prompt_toolkit",
        "python_calamine",
        "questionary",
        "random",
        "readline",
        "requests",
        "resource",
        "rich",
        "secrets",
        "select",
        "selectors",
        "shelve",
        "shutil",
        "signal",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tarfile",
        "tempfile",
        "termios",
        "threading",
        "time",
        "tty",
        "urllib.request",
        "urllib3",
        "uuid",
        "watchdog",
        "webbrowser",
        "xlsxwriter",
        "zipfile",
    ]
)
EDGE_CALLS = frozenset({"open", "print", "input"})
EDGE_METHODS = frozenset(
    [
        "exists",
        "glob",
        "is_dir",
        "is_file",
        "iterdir",
        "mkdir",
        "read_bytes",
        "read_text",
        "rename",
        "rglob",
        "rmdir",
        "stat",
        "symlink_to",
        "touch",
        "unlink",
        "write_bytes",
        "write_text",
    ]
)
CLOCK = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})


@dataclass(frozen=True)
class Module:
    """What one file of the package needs."""

    name: str
    docstring: str
    own: frozenset[str]  # modules of plexsheet it imports
    foreign: frozenset[str]  # dotted names of everything else
    reaches: frozenset[str] = field(default=frozenset())  # calls that leave the process

    @property
    def pure(self) -> bool:
        """Whether it says of itself that it decides only."""
        return "(pure)" in self.docstring.split("\n\n")[0]


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {_name(path): path for path in sorted(ROOT.rglob("*.py"))}


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under ``if TYPE_CHECKING``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from (inner for other in node.orelse for inner in _running(other))
            continue
        yield node
        yield from _running(node)


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            up = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(["plexsheet", *filter(None, up), *filter(None, [base])])
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _own(dotted: str) -> str | None:
    """The module of the package that an imported name is or comes from."""
    if dotted.split(".")[0] != "plexsheet":
        return None
    inner = dotted.removeprefix("plexsheet").removeprefix(".")
    while inner not in FILES:
        inner = inner.rpartition(".")[0]
    return inner


def _reach(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    called = ast.unparse(node.func)
    if called in CLOCK or called in EDGE_CALLS:
        return called
    if isinstance(node.func, ast.Attribute) and node.func.attr in EDGE_METHODS:
        return called
    return None


def _module(name: str, path: Path) -> Module:
    tree = ast.parse(path.read_text("utf-8"))
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    nodes = list(_running(tree))
    imported = {dotted for node in nodes for dotted in _imports(node, package)}
    own = {found for dotted in imported if (found := _own(dotted)) is not None}
    return Module(
        name,
        ast.get_docstring(tree) or "",
        frozenset(own - {name}),
        frozenset(dotted for dotted in imported if _own(dotted) is None),
        frozenset(filter(None, map(_reach, nodes))),
    )


@cache
def modules() -> dict[str, Module]:
    """All modules by name."""
    return {name: _module(name, path) for name, path in FILES.items()}


def _place(name: str) -> tuple[int, str] | None:
    """Line of a module in LAYERS and the entry it stands for, the longest that fits."""
    places = {
        entry: line
        for line, entries in enumerate(LAYERS.strip().splitlines())
        for entry in entries.split()
    }
    while name and name not in places:
        name = name.rpartition(".")[0]
    return (places[name], name) if name else None


def _apart(name: str) -> bool:
    return name.split(".")[0] in APART


def edges(module: Module) -> list[str]:
    """Everything a module imports or calls that leaves the process."""
    libraries = {
        dotted
        for dotted in module.foreign
        if dotted.split(".")[0] in EDGES or ".".join(dotted.split(".")[:2]) in EDGES
    }
    return sorted(libraries | module.reaches)


def test_every_module_has_a_place_in_the_list_of_layers() -> None:
    homeless = [name for name in modules() if not _apart(name) and _place(name) is None]

    assert homeless == []


def test_every_entry_of_the_list_of_layers_is_a_module() -> None:
    assert [entry for entry in LAYERS.split() if entry not in modules()] == []


def test_imports_point_down_the_list_of_layers() -> None:
    wrong = []
    for module in modules().values():
        here = _place(module.name)
        for target in module.own:
            there = _place(target)
            if here is None or there is None or here[1] == there[1]:
                continue
            if there[0] <= here[0]:
                wrong.append(f"{module.name} imports {target}")

    assert wrong == []


def _mapped(name: str) -> list[str]:
    """Modules in the table of a package's docstring, in its order."""
    return re.findall(r"^`(\w+)` ", modules()[name].docstring, re.MULTILINE)


@pytest.mark.parametrize("package", ["", "config", "state", "demo", "plan", "matching"])
def test_the_map_of_a_package_names_each_of_its_modules(package: str) -> None:
    inside = {
        name.removeprefix(f"{package}.").split(".")[0]
        for name in modules()
        if name.startswith(f"{package}." if package else "") and name != package
    }

    assert set(_mapped(package)) == inside - {"", "__main__"}


def test_the_map_of_the_whole_is_in_the_order_of_the_layers() -> None:
    order = [entry for entry in LAYERS.split() if "." not in entry and entry != "__main__"]

    assert _mapped("") == [*order, "demo"]


def test_no_module_needs_itself_through_others() -> None:
    sorter = TopologicalSorter({name: module.own for name, module in modules().items()})

    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(f"a cycle of imports: {' → '.join(error.args[1])}")


def test_only_cli_imports_the_demo_server_and_it_imports_nothing_of_the_rest() -> None:
    users = {
        module.name.split(".")[0]
        for module in modules().values()
        if any(target.split(".")[0] == "demo" for target in module.own)
    }
    needs = {
        target.split(".")[0]
        for module in modules().values()
        if module.name.split(".")[0] == "demo"
        for target in module.own
    }

    assert users == {"cli", "demo"}
    assert needs <= {"demo", ""}


@pytest.mark.parametrize(
    ("library", "packages"),
    [("plexapi", {"plex"}), ("requests", {"plex"}), ("click", {"cli"}),
     ("sqlite3", {"state", "matching"}),  # our own file, and those of other players
     ("xlsxwriter", {"workbook"}), ("python_calamine", {"workbook"}), ("watchdog", {"watching"}),
     ("mutagen", {"matching"}), ("rapidfuzz", {"matching"})],
)  # fmt: skip
def test_a_library_of_an_edge_is_known_to_its_package_only(
    library: str, packages: set[str]
) -> None:
    users = {
        module.name.split(".")[0]
        for module in modules().values()
        if any(dotted.split(".")[0] == library for dotted in module.foreign)
    }

    assert users == packages


def test_modules_that_say_they_are_pure_reach_nothing_outside() -> None:
    wrong = {name: found for name, one in modules().items() if one.pure and (found := edges(one))}

    assert wrong == {}


def test_pure_modules_rest_on_modules_that_reach_nothing_outside() -> None:
    wrong = []
    for start in (module for module in modules().values() if module.pure):
        seen, waiting = set(), sorted(start.own)
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            waiting += modules()[name].own
        wrong += [f"{start.name} → {name}: {edges(modules()[name])}" for name in sorted(seen)
                  if edges(modules()[name])]  # fmt: skip

    assert wrong == []


def test_the_modules_that_decide_say_that_they_are_pure() -> None:
    deciding = {
        "library", "ratings", "ownership", "messages", "apply.batches",
        "plan.model", "plan.merge", "plan.infer", "plan.undo", "plan.verification",
        "inference.learned", "inference.classic", "inference.twins", "inference.accuracy",
        "workbook.schema.columns", "workbook.schema.cell_values", "workbook.schema.check",
        "workbook.edits.validate", "workbook.edits.scramble", "workbook.edits.comparison",
        "reports.tables",
    }  # fmt: skip

    assert {name for name in deciding if not modules()[name].pure} == set()


def _loaded_by(*arguments: str) -> set[str]:
    """Top-level names of all modules a command line loads, in a process of its own."""
    code = (
        "import contextlib, io, json, sys\n"
        "from plexsheet.cli import run\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    assert run({list(arguments)!r}) == 0\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


HEAVY = {
    "pandas", "scipy", "plexapi", "requests", "openpyxl", "xlsxwriter", "python_calamine",
    "rich", "sqlite3", "keyring", "questionary", "watchdog",
}  # fmt: skip


@pytest.mark.parametrize("arguments", [("--help",), ("--version",)])
def test_help_answers_without_loading_a_heavy_library(arguments: tuple[str, ...]) -> None:
    assert _loaded_by(*arguments) & {*HEAVY, "numpy"} == set()


def test_help_of_any_command_loads_no_heavy_library_but_numpy() -> None:
    for name in COMMANDS:
        assert _loaded_by(name, "--help") & HEAVY == set(), name


def test_the_process_that_opens_files_loads_the_standard_library_and_calamine_alone() -> None:
    code = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import plexsheet.workbook.reading.reader_process\n"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before})"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    foreign = set(done.stdout.split()) - set(sys.stdlib_module_names)
    assert foreign <= {"plexsheet", "python_calamine"}


def test_no_two_public_classes_have_one_name() -> None:
    homes: dict[str, list[str]] = {}
    for module, path in FILES.items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes.setdefault(node.name, []).append(module)

    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}
