"""Ratings of another player, found in the library and planned like the edits of a workbook.

Only rows that were found surely enter the plan; the others are shown, and decided in a review
workbook.  A rating taken over this way is the person's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from plexsheet import messages
from plexsheet.matching.rows import ForeignList, ListOptions, ListRow
from plexsheet.plan.model import Plan, RowOutcome
from plexsheet.ratings import UNRATED, from_stars, show_stars, to_stars
from plexsheet.state.runs import Origin

if TYPE_CHECKING:
    from plexsheet.apply.run import Outcome
    from plexsheet.matching.catalogue import Catalogue, Extras
    from plexsheet.matching.match import Match
    from plexsheet.operations.read import Reading
    from plexsheet.operations.session import Session

Word = Literal["sure", "likely", "ambiguous", "unmatched", "skipped", "same", "conflict"]
WORDS: tuple[Word, ...] = (
    "sure", "conflict", "ambiguous", "likely", "unmatched", "skipped", "same"
)  # fmt: skip


@dataclass(frozen=True)
class MatchOptions:
    """What the person chose for a list.

    Attributes:
        source: name of the format, ``""`` to tell by content.
        mapping: header of a table to the field it means.
        scale: highest rating of the list, 0 where not said.
        rating: stars of a list of favourites; NaN where not said.
        on_conflict: where the person rated it otherwise in Plex: "hold", "mine" (the list's
            rating is taken) or "plex".
        copies: of several copies of one recording rate "one" or "all".
        with_plays: find songs that were only played, too.
    """

    source: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)
    scale: int = 0
    rating: float = math.nan
    on_conflict: Literal["hold", "mine", "plex"] = "hold"
    copies: Literal["one", "all"] = "one"
    with_plays: bool = False


@dataclass(frozen=True)
class Found:
    """One rated row of a list and what becomes of it.

    Attributes:
        match: where it was looked for, and found.
        outcome: in one word.
        reason: why it is not taken, ``""`` where it is or need not be.
        in_plex: rating the item has in Plex, 0-10, NaN unrated.
        applied: whether it was written.
        refused: whether the row itself is wrong: its rating, or its contradiction of another.
    """

    match: Match
    outcome: Word
    reason: str = ""
    in_plex: float = UNRATED
    applied: bool = False
    refused: bool = False

    @property
    def row(self) -> ListRow:
        """The row of the list."""
        return self.match.row


@dataclass(frozen=True)
class PreparedMatch:
    """A list, matched and compared with Plex: what taking it over would do.

    Attributes:
        rows: all of the list.
        found: those with a rating.
        plan: the ratings of the rows found surely.
        in_plex: rating of each track by its place in ``library``.
        played: plays and last play (epoch seconds) elsewhere of tracks by place, where asked for.
    """

    list: ForeignList
    library: Catalogue
    found: tuple[Found, ...]
    plan: Plan
    origin: Origin
    in_plex: Sequence[float]
    played: Mapping[int, tuple[int, int]] = field(default_factory=dict)

    @property
    def writes(self) -> int:
        """Changes of the plan."""
        return len(self.plan)

    def counts(self) -> dict[str, int]:
        """Counts as ``--json`` prints them: all but ``rows`` and ``rated`` add up to ``rated``."""
        words: Counter[str] = Counter(
            "applied" if one.applied else one.outcome for one in self.found
        )
        names = ("sure", "likely", "ambiguous", "unmatched", "skipped", "same")
        counts = {"rows": len(self.list.rows), "rated": len(self.found)}
        counts |= {name: words[name] for name in names}
        return counts | {"conflicts": words["conflict"], "applied": words["applied"]}

    @property
    def refused(self) -> int:
        """Rows in conflict, or wrong by themselves."""
        return sum(one.outcome == "conflict" or one.refused for one in self.found)


def prepare_match(session: Session, path: Path, options: MatchOptions) -> PreparedMatch:
    """Read a list, find its rated songs, compare with Plex, and plan.

    Args:
        session: connected.
        path: of a file, or of a folder of audio files.
        options: the person's choices.

    Raises:
        WorkbookError: the list cannot be read.
        UsageError: something must be said first: a scale, a column.
        PlexError: the library cannot be read.
    """
    from plexsheet.matching.catalogue import Catalogue
    from plexsheet.matching.match import match
    from plexsheet.matching.sources import read_list
    from plexsheet.operations.read import read

    session.progress("Reading the list", 0, 1)
    favourite = UNRATED if math.isnan(options.rating) else from_stars(options.rating)
    said = ListOptions(options.mapping, options.scale, favourite)
    foreign = read_list(path, said, options.source)
    session.progress("Reading the list", 1, 1)
    reading = read(session)
    library = Catalogue(reading.library, _extras(session, foreign))
    wanted = [
        row
        for row in foreign.rows
        if (row.rated and not row.problem) or (options.with_plays and row.plays)
    ]
    matches = match(wanted, library, lambda done, all_: session.progress("Matching", done, all_))
    session.progress("Matching", 1, 1)
    by_row = {id(row): one for row, one in zip(wanted, matches, strict=True)}
    found = [
        _problem(row) if row.problem else _first(by_row[id(row)])
        for row in foreign.rows
        if row.rated
    ]
    in_plex = reading.library.ratings("track").tolist()
    found = _without_contradictions(found, options)
    plan, found = _planned(session, reading, library, found, in_plex, options)
    played = _played(matches) if options.with_plays else {}
    origin = Origin(file=path.name)
    return PreparedMatch(foreign, library, tuple(found), plan, origin, in_plex, played)


def _played(matches: Sequence[Match]) -> dict[int, tuple[int, int]]:
    """Plays and last play of the tracks that were found surely, rows for one track together."""
    played: dict[int, tuple[int, int]] = {}
    for one in matches:
        if one.certainty == "sure" and one.row.plays:
            plays, last = played.get(one.places[0], (0, 0))
            last = max(last, one.row.last_played)
            played[one.places[0]] = plays + one.row.plays, last
    return played


def remember_plays(session: Session, prepared: PreparedMatch) -> str:
    """Keep the list's plays as listening evidence; says how many, in one sentence."""
    from plexsheet.state import foreign_plays
    from plexsheet.workbook.schema.check import check_number

    library = prepared.library
    rows = [
        (
            library.keys[place],
            check_number(
                "track", library.keys[place], library.shown_title[place],
                library.album_artist_name[place], library.shown_album[place],
            ),
            plays,
            last,
        )
        for place, (plays, last) in prepared.played.items()
    ]  # fmt: skip
    source = prepared.list.format
    number = foreign_plays.remember(session.state, session.scope, source, rows)
    tracks = "1 track" if number == 1 else f"{number:,} tracks"
    return f"Plays of {tracks} are remembered for inference; Plex is not told of them."


def _extras(session: Session, foreign: ForeignList) -> Extras:
    """Files and MusicBrainz ids of the library, read where the list can use them."""
    from plexsheet.matching.catalogue import Extras, path_ends

    rated = [row for row in foreign.rows if row.rated]
    files = any(path_ends(row.file) for row in rated)
    ids = any(row.ids for row in rated)
    if not (files or ids):
        return Extras()
    found = session.gateway.read_sources(
        files=files, ids=ids, progress=lambda done, all_: session.progress("files", done, all_)
    )
    return Extras(
        {key: some for key, (some, _) in found.items()},
        {key: some for key, (_, some) in found.items()},
    )


def _problem(row: ListRow) -> Found:
    from plexsheet.matching.match import Match

    return Found(Match(row, "unmatched"), "skipped", f"Not taken: {row.problem}.", refused=True)


def _first(one: Match) -> Found:
    return Found(one, one.certainty, one.reason)


def _without_contradictions(found: Sequence[Found], options: MatchOptions) -> list[Found]:
    """Rows for one item: the same rating is taken once, different ones not at all."""
    rows_of: dict[int, list[int]] = {}
    for at, one in enumerate(found):
        for place in _places(one, options) if one.outcome == "sure" else ():
            rows_of.setdefault(place, []).append(at)
    result = list(found)
    for rows in rows_of.values():
        if len(rows) < 2:
            continue
        ratings = {show_stars(found[at].row.rating): None for at in rows}
        numbers = _and([str(found[at].row.row) for at in rows])
        if len(ratings) > 1:
            stars = _and(list(ratings))
            reason = f"Rows {numbers} are one song and give it {stars}: none is taken."
            for at in rows:
                result[at] = replace(result[at], outcome="skipped", reason=reason, refused=True)
            continue
        for at in rows[1:]:
            if result[at].outcome == "sure":
                reason = f"The same song as row {found[rows[0]].row.row}, with the same rating."
                result[at] = replace(result[at], outcome="skipped", reason=reason)
    return result


def _places(one: Found, options: MatchOptions) -> tuple[int, ...]:
    """The tracks a row rates: the copy that stands for all, or all of them."""
    return one.match.places if options.copies == "all" else one.match.places[:1]


def _and(words: Sequence[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


# The plan


def _planned(
    session: Session,
    reading: Reading,
    library: Catalogue,
    found: Sequence[Found],
    in_plex: Sequence[float],
    options: MatchOptions,
) -> tuple[Plan, list[Found]]:
    """The sure rows as a plan, and every row with what becomes of it."""
    from plexsheet.apply.capabilities import capability
    from plexsheet.plan import merge
    from plexsheet.plan.model import Edit

    state, scope = session.state, session.scope
    edits: list[Edit] = []
    at_of: list[int] = []
    for at, one in enumerate(found):
        for place in _places(one, options) if one.outcome == "sure" else ():
            edits.append(
                Edit(
                    "", one.row.row, "track", library.keys[place], "rating",
                    base_source=0, wanted=one.row.rating, title=library.shown_title[place],
                    wanted_text=str(one.row.rated_at or ""),
                )
            )  # fmt: skip
            at_of.append(at)
    plan = merge(
        edits,
        {"track": reading.library.tracks},
        state.shadows(scope),
        on_conflict=options.on_conflict,
        siblings=state.siblings(scope, [edit.key for edit in edits]),
        server_step=capability(state, session.gateway).step,
        guarded=False,
        kind="match",
    )
    outcomes = tuple(map(_in_words_of_lists, plan.outcomes))
    settled = [
        replace(one, in_plex=in_plex[one.match.places[0]] if one.match.places else UNRATED)
        for one in found
    ]
    for at in dict.fromkeys(at_of):
        mine = [outcome for outcome, of in zip(outcomes, at_of, strict=True) if of == at]
        settled[at] = _compared(settled[at], mine)
    kept = tuple(one for one in outcomes if one.outcome != "Unchanged")
    return replace(plan, outcomes=kept), settled


def _in_words_of_lists(outcome: RowOutcome) -> RowOutcome:
    """A conflict said for a list, where no workbook is at hand to type into."""
    if outcome.code != "C50" or isinstance(outcome.yours, str) or isinstance(outcome.plex_now, str):
        return outcome
    told = messages.text(
        "C50", "list", yours=show_stars(outcome.yours), plex=show_stars(outcome.plex_now)
    )
    return replace(outcome, message=told)


def _compared(one: Found, outcomes: Sequence[RowOutcome]) -> Found:
    """A sure row against what Plex holds: to be written, there already, or in conflict."""
    words = {outcome.outcome for outcome in outcomes}
    said = next((outcome.message for outcome in outcomes if outcome.message), "")
    if "Would apply" in words:
        return one
    if words & {"Conflict", "Kept", "Error", "Held"}:
        return replace(one, outcome="conflict", reason=said)
    return replace(one, outcome="same", reason="Plex has this rating already.")


def settled_match(prepared: PreparedMatch, outcome: Outcome) -> PreparedMatch:
    """The same list, with what became of its rows."""
    last = {one.row: one for one in outcome.outcomes if one.field == "rating" and one.row}
    went = ("Applied", "Healed", "Unchanged")
    left = {row for row, one in last.items() if one.outcome not in went}
    planned = set(prepared.plan.changes["row"].tolist())
    unsettled = outcome.counts.get("planned", 0) + outcome.counts.get("sent", 0)
    found = []
    for one in prepared.found:
        wanted = one.outcome == "sure" and one.row.row in planned
        if wanted and one.row.row in left:
            told = last[one.row.row]
            word: Word = "conflict" if told.outcome == "Conflict" else "sure"
            one = replace(one, outcome=word, reason=told.message)
        elif wanted and not unsettled:
            one = replace(one, applied=True, in_plex=one.row.rating)
        found.append(one)
    return replace(prepared, found=tuple(found))


def write_review(session: Session, prepared: PreparedMatch, path: Path) -> None:
    """Write the workbook in which the person decides what is not sure.

    Raises:
        UsageError: it cannot be written.
    """
    import uuid

    from plexsheet.matching import review
    from plexsheet.operations.session import meta_for

    written = {one.match.places[0]: one.row.rating for one in prepared.found if one.applied}
    review.write_review(
        path,
        [review.Line(one.match, one.outcome, one.reason, one.applied) for one in prepared.found],
        prepared.library,
        lambda place: written.get(place, prepared.in_plex[place]),
        meta=meta_for(session, uuid.uuid4().hex, kind="review"),
        name=prepared.list.name,
    )


# What --json says


def match_payload(
    prepared: PreparedMatch, outcome: Outcome | None, review: Path | None
) -> dict[str, Any]:
    """The object of ``match --json``."""
    error = outcome.error if outcome else None
    return {
        "run": outcome.run if outcome else None,
        "source": prepared.list.name,
        "format": prepared.list.format,
        "preview": outcome is None,
        "counts": prepared.counts(),
        "review_file": str(review) if review else None,
        "rows": [_row_payload(prepared, one) for one in prepared.found],
        "error": {"code": error.code, "message": error.message} if error else None,
    }


def _row_payload(prepared: PreparedMatch, one: Found) -> dict[str, Any]:
    row, library = one.row, prepared.library
    places = one.match.places
    return {
        "row": row.row,
        "artist": row.artist or row.album_artist,
        "album": row.album,
        "title": row.title,
        "stars": None if math.isnan(row.rating) else to_stars(row.rating),
        "written": row.written,
        "outcome": one.outcome,
        "applied": one.applied,
        "key": library.keys[places[0]] if places else None,
        "evidence": one.match.evidence,
        "score": round(one.match.score, 1),
        "reason": one.reason,
        "in_plex": None if math.isnan(one.in_plex) else to_stars(one.in_plex),
        "candidates": [
            {
                "key": library.keys[candidate.place],
                "artist": library.shown_artist[candidate.place],
                "album": library.shown_album[candidate.place],
                "title": library.shown_title[candidate.place],
                "score": round(candidate.score, 1),
                "evidence": candidate.evidence,
                "against": list(candidate.against),
            }
            for candidate in one.match.candidates
        ],
    }
