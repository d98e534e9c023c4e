"""``state``: take over the memory of plex-rating-utils, write it out, or say where ours is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import App, Done, json_option, preview_option, yes_option
from plexsheet.errors import FileExists, StateError, UsageError, WrongLibrary

if TYPE_CHECKING:
    from plexsheet.operations import Session
    from plexsheet.operations.legacy_state import StateFile, TakeOver
    from plexsheet.plan import TagNames

LEGACY_STATE = "plex_state.json"


@click.group(
    epilog="""\b
Examples:
  plexsheet state path                       where plexsheet keeps its memory
  plexsheet state import plex_state.json     take over from plex-rating-utils
  plexsheet state export memory.json         write a file plex-rating-utils reads"""
)
def state() -> None:
    """Import, export or locate plexsheet's memory of what it inferred."""


@state.command(
    epilog="""\b
Example:
  plexsheet state path"""
)
@json_option
@click.pass_obj
def path(app: App, as_json: bool) -> Done:
    """Print the path of the state database."""
    app.as_json = as_json
    config = app.config()
    where = Path(config.state_file).absolute()
    if not as_json:
        click.echo(where)
    return Done(0, {"path": str(where), "exists": where.exists()})


@state.command(
    name="import",
    epilog="""\b
Examples:
  plexsheet state import plex_state.json --preview     what would be taken over
  plexsheet state import plex_state.json               show it, ask, remember it""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@preview_option
@yes_option
@json_option
@click.pass_obj
def import_(app: App, file: Path, preview: bool, yes: bool, as_json: bool) -> Done:
    """Remember as inferred what FILE (plex_state.json) says was inferred.

    All three formats of plex-rating-utils are read.  Ratings in Plex that differ from the
    file are yours and stay yours.  FILE is not changed, and nothing is written to Plex.
    """
    from plexsheet.operations import legacy_state

    app.as_json = as_json
    config = app.config()
    parsed = legacy_state.parse(file.read_bytes(), str(file))
    with app.session(config) as session:
        return take_over(app, session, parsed, preview=preview, yes=yes)


def take_over(
    app: App, session: Session, parsed: StateFile, *, preview: bool = False, yes: bool = False
) -> Done:
    """Show what a parsed plex_state.json holds for this library, ask, and remember it."""
    from plexsheet.operations import legacy_state

    library = session.gateway.read_library(session.progress)
    found = legacy_state.match(parsed, library, _tagged(session))
    _show(app, parsed, found)
    payload = {"file": parsed.name, "preview": True, "counts": found.counts()}
    if not found.taken:
        app.say("Nothing to take over.")
        return Done(0, payload)
    if preview or session.config.dry_run:
        app.say(
            "Preview only: nothing was taken over."
            if preview
            else "DRY_RUN is true in the settings: nothing was taken over."
        )
        return Done(0, payload)
    if not (yes or app.confirm(f"Take over {found.taken:,} inferred ratings?")):
        app.say("Nothing was taken over. To do it, run again with --yes.")
        return Done(1, payload)
    legacy_state.remember(session.state, session.scope, found)
    app.say(f"Taken over. {parsed.name} was not changed.")
    return Done(0, payload | {"preview": False})


def offer_take_over(app: App, session: Session) -> None:
    """Offer what plex-rating-utils remembers, before a library's ratings are told apart.

    Without it, what that program inferred would count as the person's.  Where nobody can be
    asked it is only said.  Once taken over or declined, it is not offered again.
    """
    from plexsheet.operations import legacy_state

    file = session.config.base / LEGACY_STATE
    if not file.is_file() or legacy_state.decided(session.state, session.scope):
        say_if_lost(app, session)
        return
    app.note(
        f"{file} of plex-rating-utils is here. Unless it is taken over, what that program "
        "inferred counts as rated by you."
    )
    if not app.may_ask():
        app.note(f"To take it over (the file is not changed): plexsheet state import {file}")
        return
    try:
        take_over(app, session, legacy_state.parse(file.read_bytes(), str(file)))
    except (StateError, WrongLibrary) as error:
        app.note(error.message)
        return
    if not (session.config.dry_run or legacy_state.decided(session.state, session.scope)):
        legacy_state.decline(session.state, session.scope)


def say_if_lost(app: App, session: Session) -> bool:
    """Say so where Plex holds inferred ratings and the state database knows of none."""
    from plexsheet import operations

    count = operations.forgotten(session)
    if count:
        app.note(
            f"{count:,} items carry the tag {session.config.inferred_tag}, yet "
            f"{session.config.state_file} knows of none: a new or another state database? As it "
            "stands their ratings count as yours. `plexsheet reconstruct` remembers them as "
            "inferred; if they are yours, `plexsheet sync-tags` takes the tag off."
        )
    return bool(count)


def tag_names(session: Session) -> TagNames:
    """The moods of the settings, as plans take them."""
    from plexsheet.plan import TagNames

    config = session.config
    return TagNames(inferred=config.inferred_tag, twin=config.twins.twin_tag)


def _tagged(session: Session) -> Any:
    """Who carries our tags now, so that they can be taken off again later."""
    from plexsheet.library import KINDS

    config = session.config
    names = [name for name in (config.inferred_tag, config.twins.twin_tag) if name]
    return {name: {kind: session.gateway.carriers(kind, name) for kind in KINDS} for name in names}


def _show(app: App, parsed: StateFile, found: TakeOver) -> None:
    counts = found.counts()
    app.say(f"{parsed.name}: {parsed.described}, {len(parsed.entries):,} entries")
    app.say(f"  still as inferred    {counts['taken_over']:,} (remembered as inferred)")
    app.say(f"  changed in Plex      {counts['overrides']:,} (yours)")
    app.say(f"  marked as manual     {counts['manual']:,} (yours)")
    app.say(f"  not in this library  {counts['orphans']:,} (kept for `state export`)")


@state.command(
    name="export",
    epilog="""\b
Examples:
  plexsheet state export memory.json                 the newest of its formats
  plexsheet state export oldest.json --format flat   a number for each rating key""",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--format",
    "layout",
    type=click.Choice(["stamped", "pairs", "flat"]),
    default="stamped",
    show_default=True,
    help="Which of the three formats of plex-rating-utils.",
)
@click.option("--force", is_flag=True, help="Replace FILE if it is there.")
@json_option
@click.pass_obj
def export(app: App, file: Path, layout: Any, force: bool, as_json: bool) -> Done:
    """Write what plexsheet remembers as a plex_state.json that plex-rating-utils reads."""
    from plexsheet.operations import legacy_state
    from plexsheet.state.store import open_state

    app.as_json = as_json
    config = app.config()
    if file.exists() and not force:
        raise FileExists(
            f"{file} is there already. Nothing was written. Give another name, or --force to "
            "replace it."
        )
    with open_state(config.state_file) as memory:
        known = memory.libraries()
        named = [k for k in known if k["title"].casefold() == config.library_name.casefold()]
        if len(named) != 1:
            what = "No library" if not named else f"{len(named)} libraries"
            raise UsageError(
                f"{what} called “{config.library_name}” in {config.state_file}. Nothing was "
                "written. Connect once (`plexsheet doctor`), or choose another with --profile."
            )
        entries = legacy_state.entries_of(memory, named[0]["id"])
        if not legacy_state.decided(memory, named[0]["id"]):
            legacy_state.decline(memory, named[0]["id"])  # or our own file would be offered to us
    text = legacy_state.render(entries, named[0]["section_uuid"], layout)
    legacy_state.write(file, text)
    app.say(f"{file}: {len(entries):,} entries")
    return Done(0, {"file": str(file), "entries": len(entries)})
