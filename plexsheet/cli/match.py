"""``match``: ratings of another player, found in the library and taken over."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plexsheet.cli.app import (
    App,
    Done,
    json_option,
    mapping_of,
    name_of_workbook,
    preview_option,
    yes_option,
)
from plexsheet.cli.planned import may_write
from plexsheet.errors import UsageError
from plexsheet.ratings import HIGHEST_STARS, show_stars

if TYPE_CHECKING:
    from rich.table import Table

    from plexsheet.apply.run import Outcome
    from plexsheet.operations import MatchOptions, PreparedMatch, Session
    from plexsheet.operations.match import Found

FORMATS = (
    "table", "itunes", "rhythmbox", "traktor", "rekordbox", "clementine", "loved", "files",
    "plexsheet",
)  # fmt: skip
ROWS_SHOWN = 12  # of each outcome
HEADINGS: Mapping[str, str] = {
    "sure": "Sure: will be written",
    "conflict": "Conflict: you rated it otherwise in Plex",
    "ambiguous": "Ambiguous: several songs fit",
    "likely": "Likely: yours to confirm",
    "unmatched": "Not found",
    "skipped": "Skipped",
    "same": "Plex has this rating already",
}


@click.command(
    epilog="""\b
Examples:
  plexsheet match "iTunes Music Library.xml" --preview        show what is found
  plexsheet match "iTunes Music Library.xml" --review r.xlsx  decide the rest in a workbook
  plexsheet match ratings.csv --scale 100 --yes               write what is sure
  plexsheet match list.csv --map "Song=Title" --map "Points=Rating" --scale 10
  plexsheet match loved.json --rating 5                       songs loved on Last.fm
  plexsheet match ~/Music                                     ratings in the files' tags"""
)
@click.argument("source", metavar="LIST", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--from",
    "from_",
    type=click.Choice(FORMATS),
    default=None,
    help="Format of LIST, where its content does not tell it.",
)
@click.option(
    "--map",
    "mapping",
    multiple=True,
    metavar='"Header=Column"',
    help="A header of LIST and what it means: Title, Artist, Album, Rating ...",
)
@click.option(
    "--scale",
    type=click.Choice(["5", "10", "100", "255"]),
    default=None,
    help="The highest rating of LIST, where neither its format nor a header says it.",
)
@click.option(
    "--rating",
    type=float,
    default=None,
    metavar="STARS",
    help="What a song is worth in a list of favourites without ratings.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["hold", "mine", "plex"]),
    default="hold",
    show_default=True,
    help="Where you rated a song otherwise in Plex: mine takes the list's rating.",
)
@click.option(
    "--copies",
    type=click.Choice(["one", "all"]),
    default="one",
    show_default=True,
    help="Where the list names no album: rate the copy on the oldest studio album, or all.",
)
@click.option("--with-plays", is_flag=True, help="Remember play counts of LIST for inference.")
@click.option(
    "--review",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a workbook in which to decide what is not sure; import it afterwards.",
)
@preview_option
@yes_option
@json_option
@click.pass_obj
def match(app: App, /, source: Path, as_json: bool, **choices: Any) -> Done:
    """Find the songs of another player's LIST in Plex and take their ratings over.

    LIST is a library file, database or table of a player, a list of loved tracks, or a folder
    of audio files. --yes writes what was found surely, and nothing else. A rating taken over is
    your own; match is a run, and can be undone.
    """
    from plexsheet import operations

    app.as_json = as_json
    options = _options(choices)
    name_of_workbook(choices["review"])
    config = app.config()
    with app.session(config) as session:
        prepared = operations.prepare_match(session, source, options)
        return _carry_on(app, session, prepared, choices)


def _options(choices: Mapping[str, Any]) -> MatchOptions:
    from plexsheet.operations import MatchOptions

    stars = choices["rating"]
    if stars is not None and not 0 < stars <= HIGHEST_STARS:
        raise UsageError(f"--rating takes stars from 0.5 to 5, not {stars:g}.")
    return MatchOptions(
        source=choices["from_"] or "",
        mapping=mapping_of(choices["mapping"]),
        scale=int(choices["scale"] or 0),
        rating=math.nan if stars is None else stars,
        on_conflict=choices["on_conflict"],
        copies=choices["copies"],
        with_plays=choices["with_plays"],
    )


def _carry_on(
    app: App, session: Session, prepared: PreparedMatch, choices: Mapping[str, Any]
) -> Done:
    """Show what was found, write what may be written, and hand out the review workbook."""
    from plexsheet import operations

    show_match(app, prepared)
    review, outcome, code = choices["review"], None, 0
    if prepared.writes and not (review and not choices["yes"]):
        outcome, code = _written(app, session, prepared, choices)
        if outcome is not None:
            prepared = operations.settled_match(prepared, outcome)
    elif not prepared.writes:
        app.say("Nothing to write.")
    if choices["with_plays"] and not choices["preview"] and not session.config.dry_run:
        app.say(operations.remember_plays(session, prepared))
    if review:
        operations.write_review(session, prepared, review)
        app.say(f"To decide: {review}. Then: plexsheet import {review}")
    elif _undecided(prepared):
        app.say(
            f"Rows that want a decision: {_undecided(prepared):,}. --review FILE.xlsx writes a "
            "workbook for that."
        )
    code = max(code, int(prepared.refused > 0))
    if outcome is not None:
        code = _tell(app, prepared, outcome, code)
    return Done(code, operations.match_payload(prepared, outcome, review))


def _written(
    app: App, session: Session, prepared: PreparedMatch, choices: Mapping[str, Any]
) -> tuple[Outcome | None, int]:
    from plexsheet import operations
    from plexsheet.cli.interrupts import stoppable
    from plexsheet.cli.show import about

    noun = "rating" if prepared.writes == 1 else "ratings"
    takes = about(session, prepared.plan)
    question = f"Write {prepared.writes:,} {noun} to Plex{takes}?"
    yes, preview = choices["yes"], choices["preview"]
    go, why_not, code = may_write(app, session.config, question, yes=yes, preview=preview)
    if not go:
        app.say(why_not)
        return None, code
    with stoppable(app) as stop:
        return operations.carry_out(session, prepared.plan, stop=stop, origin=prepared.origin), 0


def _tell(app: App, prepared: PreparedMatch, outcome: Outcome, code: int) -> int:
    """Say what was written and what stopped it; the exit code."""
    from plexsheet.cli.interrupts import STOPPED

    for note in outcome.notes:
        app.note(note)
    applied = prepared.counts()["applied"]
    noun = "rating" if applied == 1 else "ratings"
    app.say(f"Run {outcome.run}: {applied:,} {noun} taken over.")
    if outcome.error is not None:
        app.fail(f"{outcome.error.code} {outcome.error.message}")
        return int(outcome.error.exit_code)
    if outcome.status == "interrupted":
        app.say(STOPPED)
        return 5
    return max(code, int(outcome.counts.get("held", 0) > 0))


def _undecided(prepared: PreparedMatch) -> int:
    return sum(one.outcome in ("likely", "ambiguous") for one in prepared.found)


# Showing


def show_match(app: App, prepared: PreparedMatch) -> None:
    """The list by outcome: what is written first, then what wants a decision."""
    foreign, counts = prepared.list, prepared.counts()
    app.say(
        f"{foreign.name}: {foreign.label}, {counts['rows']:,} rows, {counts['rated']:,} of them "
        "rated."
    )
    for word, heading in HEADINGS.items():
        rows = [one for one in prepared.found if one.outcome == word]
        if rows and not (app.as_json or app.quiet):
            app.say(_table(prepared, f"{heading} ({len(rows):,})", rows, word))
            if len(rows) > ROWS_SHOWN:
                app.say(f"  … and {len(rows) - ROWS_SHOWN:,} more")
    named = {"conflict": "in conflict", "unmatched": "not found", "same": "the same already"}
    told = [
        f"{sum(one.outcome == word for one in prepared.found):,} {named.get(word, word)}"
        for word in HEADINGS
        if any(one.outcome == word for one in prepared.found)
    ]
    app.say("In all: " + (", ".join(told) or "no row is rated") + ".")


def _table(prepared: PreparedMatch, title: str, rows: Sequence[Found], word: str) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    table.add_column("Row", justify="right", style="dim")
    table.add_column("In the list", max_width=44, overflow="ellipsis")
    table.add_column("★", justify="right")
    last = "In Plex, and what agrees" if word in ("sure", "same") else "Why, and the nearest"
    table.add_column(last, overflow="fold")
    for one in rows[:ROWS_SHOWN]:
        row, places = one.row, one.match.places
        named = " – ".join(filter(None, (row.artist or row.album_artist, row.name)))
        told = one.reason
        if word in ("sure", "same") and places:
            told = f"{prepared.library.described(places[0])}  [{one.match.evidence}]"
        stars = "?" if math.isnan(row.rating) else show_stars(row.rating)
        table.add_row(str(row.row), Text(named), stars, Text(told))
    return table
