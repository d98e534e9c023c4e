"""Plans and outcomes as a person reads them: one table per kind, trouble first."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from plexsheet.cli.app import duration
from plexsheet.ratings import glyphs, show_stars

if TYPE_CHECKING:
    from rich.table import Table

    from plexsheet.apply.run import Outcome
    from plexsheet.cli.app import App
    from plexsheet.operations import Prepared, Session
    from plexsheet.plan import Plan, RowOutcome

ROWS_SHOWN = 30
STYLES = {
    "Error": "red",
    "Conflict": "magenta",
    "Held": "yellow",
    "Applied": "green",
    "Would apply": "green",
}
LEFT = ("Error", "Conflict", "Held")
WORST_FIRST = ("Error", "Conflict", "Held", "Healed", "Would apply", "Applied", "Kept", "Unchanged")


def value_text(value: float | str) -> str:
    """A rating 0-10 in stars, or any other field's text as it is.

    >>> value_text(9.0), value_text("1999"), value_text("")
    ('4.5', '1999', 'blank')
    """
    if isinstance(value, str):
        return value or "blank"
    return show_stars(value)


def change_text(outcome: RowOutcome) -> str:
    """Before and after of one row, drawn where they are ratings.

    A rating reads ``★★★★ → unrated``; other fields show their texts.
    """
    before, after = outcome.was, outcome.yours
    if outcome.field == "exclude":
        return f"{_counted(before)} → {_counted(after)}"
    if isinstance(before, str) or isinstance(after, str):
        return f"{value_text(before)} → {value_text(after)}"
    return f"{drawn(before)} → {drawn(after)}"


def _counted(mark: float | str) -> str:
    """Whether inference counts an item, in the words of the Action column."""
    if isinstance(mark, str):
        return mark or "INCLUDE"
    return "EXCLUDE" if mark == 1 else "INCLUDE"


def drawn(rating: float) -> str:
    """Stars drawn, with the number where it is not a half star."""
    if math.isnan(rating):
        return "unrated"
    whole = abs(rating - round(rating)) < 0.01
    return glyphs(rating) if whole else f"{glyphs(rating)} ({show_stars(rating)})"


def about(session: Session, plan: Plan) -> str:
    """How long a plan will take, as this server's own speed says; "" where under a second."""
    from plexsheet import operations

    seconds = operations.write_estimate_s(session, plan)
    return f" (about {duration(seconds)})" if seconds >= 1 else ""


def show_rows(app: App, outcomes: Sequence[RowOutcome]) -> None:
    """Print what a plan does row by row, grouped by kind, trouble first."""
    for kind, heading in (("artist", "Artists"), ("album", "Albums"), ("track", "Tracks")):
        rows = [o for o in outcomes if o.kind == kind and (o.outcome != "Unchanged" or o.code)]
        if rows:
            app.say(_table(f"{heading}: {_counts(rows)}", rows))
            if len(rows) > ROWS_SHOWN:
                app.say(f"  … and {len(rows) - ROWS_SHOWN:,} more rows")
    homeless = [o for o in outcomes if o.kind not in ("artist", "album", "track")]
    if homeless:
        app.say(_table("Other rows", homeless))


def show_left(app: App, outcome: Outcome, known: Collection[RowOutcome] = ()) -> None:
    """Print what a run left alone though its plan would have written it, beyond what is known."""
    told = {(one.kind, one.key, one.field) for one in known if one.outcome != "Would apply"}
    left = [one for one in outcome.outcomes if one.outcome in LEFT and one.code]
    show_rows(app, [one for one in left if (one.kind, one.key, one.field) not in told])


def show_changes(app: App, plan: Plan) -> None:
    """Print what a plan writes, the largest changes of each kind first.

    For plans that know no rows of a file; what is rated for the first time comes last.
    """
    from dataclasses import replace

    size = (plan.changes["after"] - plan.changes["before"]).abs()
    ordered = plan.changes.assign(size=size).sort_values(
        "size", ascending=False, kind="stable", na_position="last"
    )
    for kind, heading in (("artist", "Artists"), ("album", "Albums"), ("track", "Tracks")):
        mine = ordered[ordered["kind"] == kind]
        if len(mine):
            rows = rows_of_plan(replace(plan, changes=mine.head(ROWS_SHOWN)))
            app.say(_table(f"{heading}: {len(mine):,} to change", rows))
        if len(mine) > ROWS_SHOWN:
            app.say(f"  … and {len(mine) - ROWS_SHOWN:,} more")


def show_prepared(app: App, prepared: Prepared) -> None:
    """Print what importing a file would do: remarks, rows by kind, counts."""
    for note in prepared.notices:
        where = f"{note.sheet} row {note.row}: " if note.row else ""
        app.say(f"{note.code}  {where}{note.text}")
    show_rows(app, prepared.outcomes)
    app.say(counts_text(prepared) or "The file has no rows.")


def counts_text(prepared: Prepared) -> str:
    """How many rows of a file came to what."""
    counts = {word: count for word, count in prepared.counts().items() if count}
    one = {"errors": "error", "conflicts": "conflict"}
    words = {word: one.get(word, word) if n == 1 else word for word, n in counts.items()}
    return ", ".join(f"{n:,} {words[word].replace('_', ' ')}" for word, n in counts.items())


def show_written(app: App, planned: Prepared, done: Prepared) -> None:
    """Print what became of a plan that was shown: the counts, and rows that came out otherwise."""
    known = {(o.sheet, o.row, o.field, o.outcome) for o in planned.outcomes}
    show_rows(
        app,
        [
            one
            for one in done.outcomes
            if one.outcome != "Applied"
            and (one.sheet, one.row, one.field, one.outcome) not in known
        ],
    )
    app.say(f"Written: {counts_text(done)}")


def _counts(rows: Sequence[RowOutcome]) -> str:
    found: dict[str, int] = {}
    for row in rows:
        found[row.outcome] = found.get(row.outcome, 0) + 1
    ordered = sorted(found.items(), key=lambda pair: _badness(pair[0]))
    return ", ".join(f"{count:,} {word.lower()}" for word, count in ordered)


def _badness(word: str) -> int:
    return WORST_FIRST.index(word) if word in WORST_FIRST else len(WORST_FIRST)


def _table(title: str, rows: Sequence[RowOutcome]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    numbered = any(outcome.row for outcome in rows)  # rows of a file
    if numbered:
        table.add_column("Row", justify="right", style="dim")
    table.add_column("Item", max_width=40, overflow="ellipsis")
    table.add_column("Change", no_wrap=True)
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Message", overflow="fold")
    for outcome in sorted(rows, key=lambda o: (_badness(o.outcome), o.row))[:ROWS_SHOWN]:
        message = f"{outcome.code} {outcome.message}".strip()
        table.add_row(
            *([str(outcome.row or "")] if numbered else []),
            Text(outcome.title),
            change_text(outcome),
            Text(outcome.outcome, style=STYLES.get(outcome.outcome, "")),
            Text(message),
        )
    return table


def rows_of_plan(plan: Plan) -> list[RowOutcome]:
    """The changes of a plan as rows to show; for plans that say nothing about rows."""
    return [_as_row(change) for change in plan.changes.to_dict("records")]


def _as_row(change: Mapping[Any, Any]) -> RowOutcome:
    from plexsheet.plan import RowOutcome

    text = "_text" if change["field"] in ("released", "twin") else ""
    names = ("sheet", "row", "kind", "key", "title", "field")
    before, after = change[f"before{text}"], change[f"after{text}"]
    tags = _tag_words(change)
    if change["field"] == "tags":
        before, after, tags = "tags", tags or "remembered as inferred", ""
    return RowOutcome(
        **{name: change[name] for name in names},
        was=before,
        yours=after,
        plex_now=before,
        outcome="Would apply",
        message=tags,
    )


def _tag_words(change: Mapping[Any, Any]) -> str:
    added = [f"+{name}" for name in change["tags_add"]]
    return " ".join([*added, *(f"−{name}" for name in change["tags_remove"])])
