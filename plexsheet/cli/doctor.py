"""``doctor``: check config, connection, library, rights and state."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from plexsheet.cli.app import App, Done, json_option

if TYPE_CHECKING:
    from plexsheet.operations.doctor import Check


@click.command(
    epilog="""\b
Examples:
  plexsheet doctor             check everything; change nothing
  plexsheet doctor --probe     also try how this server takes ratings (asks first)"""
)
@click.option(
    "--probe",
    is_flag=True,
    help="Write one rating and take it back, to learn how this server is written to.",
)
@click.option("--yes", is_flag=True, help="Do not ask before --probe writes.")
@json_option
@click.pass_obj
def doctor(app: App, probe: bool, yes: bool, as_json: bool) -> Done:
    """Check settings, connection, account, library, rights, state and folders.

    Each line is ✔ or ✘, and says what to do.  The exit code is 0 unless export or import
    cannot run.
    """
    from plexsheet.config import load_config
    from plexsheet.operations.doctor import examine

    app.as_json = as_json
    ask = (lambda question: yes or app.confirm(question)) if probe else None
    checks = []
    for check in examine(lambda: load_config(app.config_path, profile=app.profile), probe=ask):
        checks.append(check)
        _show_check(app, check)
    wrong = [check.exit_code for check in checks if not check.ok and check.exit_code]
    code = max(wrong, default=0)
    app.say("\nExport and import can run." if not code else "\nFix the lines marked ✘ first.")
    return Done(code, {"checks": [check.payload() for check in checks]})


def _show_check(app: App, check: Check) -> None:
    """One line, what does not fit below its own beginning, and the cure."""
    from rich.table import Table
    from rich.text import Text

    mark, style = ("✔", "green") if check.ok else ("✘", "red" if check.exit_code else "yellow")
    lines = Table.grid(padding=(0, 1))
    lines.add_column(width=1)
    lines.add_column(width=19, no_wrap=True)
    lines.add_column(overflow="fold")
    lines.add_row(Text(mark, style=style), Text(check.name), Text(check.detail))
    if check.cure and check.cure not in check.detail:
        lines.add_row("", "", Text(f"→ {check.cure}"))
    app.say(lines)
