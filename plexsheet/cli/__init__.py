"""The command line: arguments in, one operation called, a report out.

Commands are imported only when they are called, so ``plexsheet --help`` answers
at once: pandas, plexapi and the rest load with the command that needs them.
"""

from __future__ import annotations

import gc
import glob
import importlib
import io
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from plexsheet import __version__
from plexsheet.cli.app import App, Done, failure
from plexsheet.errors import PlexsheetError

# name: (where the command lives, its line in --help)
COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init:init", "Write config.json: server, token, library."),
    "doctor": ("doctor:doctor", "Check config, connection, library, rights and state."),
    "export": ("export:export", "Read Plex, infer, write the workbook."),
    "import": ("import_:import_", "Write the ratings edited in a workbook to Plex."),
    "match": ("match:match", "Ratings of another player, found in Plex and taken over."),
    "infer": ("infer:infer", "Infer the missing ratings and write what changed."),
    "watch": ("watch:watch", "Import workbooks as they are saved."),
    "report": ("report:report", "Coverage, histogram, twins, dissenters, accuracy ..."),
    "history": ("history:history", "List runs, newest first, or one run row by row."),
    "undo": ("undo:undo", "Take back one run, or everything inferred."),
    "resume": ("resume:resume", "Finish an interrupted run."),
    "verify": ("verify:verify", "Compare what plexsheet remembers with Plex."),
    "reconstruct": ("reconstruct:reconstruct", "Rebuild a lost state from the tags in Plex."),
    "sync-tags": ("sync_tags:sync_tags", "Fix the tags of inferred ratings."),
    "diff": ("diff:diff", "Show what changed between two workbooks."),
    "restore": ("restore:restore", "Put back the ratings of an older workbook."),
    "state": ("state:state", "Import, export or locate plexsheet's memory."),
    "report-bug": ("report_bug:report_bug", "Collect what helps to find a bug, anonymously."),
    "menu": ("menu:menu", "Open the numbered menu."),
    "demo": ("demo:demo", "Show everything on a small demo server."),
}

# `plexsheet 4`: the numbers plex-rating-utils takes on its command line, where they write without
# a question.  Its documentation calls recovery option 8, its program takes 9 for it; tag sync has
# no number there.
NUMBERS: dict[str, list[str]] = {str(phase): ["infer", str(phase), "--yes"] for phase in range(6)}
NUMBERS |= {
    "6": ["verify"],
    "7": ["undo", "--inferred", "--yes"],
    "8": ["reconstruct", "--yes"],
    "9": ["reconstruct", "--yes"],
}

EPILOG = """\b
First steps:
  plexsheet demo                     see it work, without a Plex server
  plexsheet init                     name your server and library
  plexsheet export                   write the workbook; rate in the yellow cells, save
  plexsheet import workbooks/*.xlsx  see what would change, and write it
  plexsheet infer                    fill in what you did not rate

\b
The numbers 0 to 9 of plex-rating-utils work too, and write without asking, as from cron there:
`plexsheet 4` is `plexsheet infer 4 --yes`; `plexsheet 4 --preview` only shows.
Exit codes: 0 done, 1 rows held or refused, 2 usage or settings, 3 file stopped,
4 Plex unreachable or refusing, 5 interrupted and resumable."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(f"plexsheet.cli.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Turn a number of plex-rating-utils into its command; suggest the nearest word."""
        if args and args[0] in NUMBERS:
            words = NUMBERS[args[0]]
            # The number is the answer yes already; verify, which writes nothing, knows no --yes.
            args = words + [word for word in args[1:] if word != "--yes"]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(_no_command(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command list from the table above, so that nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _no_command(word: str) -> str:
    import difflib

    near = difflib.get_close_matches(word.lower(), list(COMMANDS), n=1)
    meant = f" Did you mean “{near[0]}”?" if near else ""
    return f"There is no command “{word}”.{meant} `plexsheet --help` lists them."


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--config", "config_path", metavar="FILE", help="Settings file (config.json).")
@click.option("--profile", metavar="NAME", help="One of the PROFILES of the settings file.")
@click.option("--quiet", is_flag=True, help="Show results and errors only, no progress.")
@click.option("--verbose", is_flag=True, help="Also show every request to Plex, on stderr.")
@click.version_option(__version__, prog_name="plexsheet")
@click.pass_context
def cli(
    ctx: click.Context, config_path: str | None, profile: str | None, quiet: bool, verbose: bool
) -> Done | None:
    """Your Plex music ratings in one workbook: missing ones inferred, your edits synced back."""
    if quiet and verbose:
        raise click.UsageError("--quiet and --verbose contradict each other; give one of them.")
    ctx.obj = App(config_path=config_path, profile=profile, quiet=quiet, verbose=verbose)
    ctx.with_resource(ctx.obj.details())
    if ctx.invoked_subcommand is None:
        if sys.stdin.isatty() and sys.stdout.isatty():
            command = ctx.command.get_command(ctx, "menu")  # type: ignore[attr-defined]
            result: Done | None = ctx.invoke(command)
            return result
        click.echo(ctx.get_help())
    return None


# Threads of numpy's libraries: the matrices are small, so more than one wins nothing, costs
# twice the work, and on a busy machine a minute of waiting for each other.
LINEAR_ALGEBRA = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")

# A library is a million small objects that live to the end, hardly any of them in a cycle: to
# look for cycles at every 700th took a quarter of the time that matching a large list takes.
NEW_OBJECTS_BEFORE_COLLECTION = 50_000


def run(arguments: Sequence[str]) -> int:
    """Run one command line; the only place where an error becomes words and a number."""
    as_json = "--json" in arguments
    try:
        result = cli.main(list(arguments), prog_name="plexsheet", standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt) as stop:
        if sys.stderr.isatty():
            click.echo(err=True)  # below the question
        return _failed(as_json, 5, "interrupted", _stopped(stop))
    except click.ClickException as error:
        if not as_json:
            error.show()
            return 2
        return _failed(as_json, 2, "usage", error.format_message())
    except PlexsheetError as error:
        return _failed(as_json, error.exit_code, error.code, error.message)
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        message = f"{error.filename}: {error.strerror}. Choose another file or folder."
        return _failed(as_json, 2, "usage", message)
    if isinstance(result, Done):
        if result.error is not None and not as_json:
            failure(result.error.message)
        if result.payload is not None and as_json:
            _print_json(_with_error(result))
        return result.exit_code
    return result if isinstance(result, int) else 0


def _with_error(done: Done) -> dict[str, Any]:
    """The object of ``--json``: a run that was stopped tidily says so like one that was not."""
    payload: dict[str, Any] = {"error": None} | (done.payload or {})
    if done.error is not None:
        payload["error"] = {"code": done.error.code, "message": done.error.message}
    if done.exit_code == 5 and payload["error"] is None:
        from plexsheet.cli.interrupts import STOPPED

        payload["error"] = {"code": "interrupted", "message": STOPPED}
    return payload


def _stopped(stop: BaseException) -> str:
    """What Ctrl-C came to: at a question nothing had begun, at work a run may be open."""
    if KeyboardInterrupt in {type(stop), type(stop.__cause__)}:  # click wraps it
        return "Stopped. “plexsheet resume” goes on, if a run was open."
    return "Stopped. Nothing more was written."


PARTED = ("S06", "S08")  # told with their code, which the manual lists


def _failed(as_json: bool, exit_code: int, code: str, message: str) -> int:
    if as_json:
        _print_json({"error": {"code": code, "message": message}})
    else:
        failure(f"{code} {message}" if code in PARTED else message)
    return exit_code


def _print_json(payload: dict[str, Any]) -> None:
    plain = not (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    click.echo(json.dumps(payload, ensure_ascii=plain, default=str, allow_nan=False))


def main() -> None:
    """Entry point of the console script."""
    gc.set_threshold(NEW_OBJECTS_BEFORE_COLLECTION)
    for name in LINEAR_ALGEBRA:  # read by numpy when it is imported, which is later
        os.environ.setdefault(name, "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # old code pages have no stars
    sys.exit(run(expanded(sys.argv[1:]) if os.name == "nt" else sys.argv[1:]))


def expanded(words: Sequence[str]) -> list[str]:
    """Words with wildcards as the files they fit, for shells that leave that to the program."""
    return [
        found
        for word in words
        for found in ((sorted(glob.glob(word)) if set("*?") & set(word) else []) or [word])  # noqa: PTH207 - keeps how the person wrote the folder
    ]
