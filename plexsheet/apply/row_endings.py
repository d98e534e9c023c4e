"""How a row of a run ends, with its code and its sentence."""

from __future__ import annotations

from plexsheet.errors import PlexMismatch
from plexsheet.messages import text
from plexsheet.plan.verification import Seen, folded
from plexsheet.ratings import near, show_stars
from plexsheet.state.journal import JournalRow, RowEnd
from plexsheet.state.runs import Run

# Kinds of runs whose values outrank what was inferred.
FROM_A_PERSON = {"import", "restore", "match"}


def personal(run: Run) -> bool:
    """Whether a run carries the person's own edits."""
    return run.kind in FROM_A_PERSON


def verified(row: JournalRow, now: Seen, run: Run) -> RowEnd:
    """A row that stands as planned, with those of our tags that are on the item now."""
    tags = None
    if row.tags and now.moods is not None:
        ours = (*(row.shadow.tags if row.shadow else ()), *row.tags_add)
        off, there = folded(row.tags_remove), folded(now.moods)
        wanted = dict.fromkeys(n for n in ours if n.casefold() not in off)
        tags = tuple(name for name in wanted if name.casefold() in there)
    code, message = remark(row, now, run)
    return RowEnd(row, "verified", now.rated_at, code, message, tags)


def remark(row: JournalRow, now: Seen, run: Run) -> tuple[str, str]:
    """Code and sentence for a row that stands as planned."""
    if row.code == "I53":
        return "I53", text("I53")
    if row.field == "rating" and not near(row.after, now.rating):
        return "P73", text("P73", sent=show_stars(row.after), got=show_stars(now.rating))
    if run.undoes and row.field == "rating":
        return "U80", text("U80", stars=show_stars(row.after))
    if personal(run) and not row.sent and row.field == "rating":
        return "I52", text("I52", plex=show_stars(now.rating))
    return "", ""


def held(row: JournalRow, run: Run) -> RowEnd:
    """A row left alone because Plex holds what neither we nor the plan put there."""
    if personal(run):
        yours, plex = _both(row)
        return RowEnd(row, "held", code="C50", message=text("C50", yours=yours, plex=plex))
    return RowEnd(row, "held", code="U81", message=text("U81"))


def ignored(row: JournalRow) -> RowEnd:
    """A row whose value Plex does not keep, however often it is sent."""
    told = text("P73", sent=show_stars(row.after), got=show_stars(row.now))
    return RowEnd(row, "held", code="P73", message=told)


def gone(row: JournalRow, stranger: str | None) -> RowEnd:
    """A row whose item was not found: its key is nobody's, or (``stranger``) another item's."""
    if stranger is not None:
        told = text("C55", key=row.key, now=stranger, title=row.title, candidates="no candidate")
        return RowEnd(row, "held", code="C55", message=told)
    shown = show_stars(row.after) if row.field == "rating" else row.after_text
    return RowEnd(row, "held", code="E06", message=text("E06", stars=shown))


def tags_left_on(row: JournalRow, now: Seen) -> tuple[str, ...] | None:
    """Tags we put on an item that the person rated right after: to be taken off again."""
    if row.owner_after != "plexsheet" or not row.sent:
        return None
    there = folded(now.moods or ())
    ours = (*(row.shadow.tags if row.shadow else ()), *row.tags_add)
    return tuple(name for name in dict.fromkeys(ours) if name.casefold() in there)


def mismatch(row: JournalRow) -> PlexMismatch:
    """The error that ends a run on a server that alters what it is sent."""
    told = text("P73", sent=show_stars(row.after), got=show_stars(row.now))
    return PlexMismatch(
        f"{told} So it is with most of the last ones sent, and nothing more was written. Run "
        "“plexsheet history” to see which, “plexsheet resume --take-back” to undo the run."
    )


def _both(row: JournalRow) -> tuple[str, str]:
    if row.field == "released":
        return row.after_text, row.now_text or "no date"
    return show_stars(row.after), show_stars(row.now)
