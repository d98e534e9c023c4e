"""Random acts of a person, their Plex and one or two computers with plexsheet, from a seed.

Everything is real but the workbook's file: a sheet is what its rows say, so that a sequence
takes a fraction of a second.  After every act the ledger (`tests.functional.ledger`), which
knows nothing of plexsheet's state, says what must hold.
"""

from __future__ import annotations

import math
import random
import shutil
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from plexsheet import operations
from plexsheet.apply.run import Outcome
from plexsheet.demo.store import ALBUM, ARTIST, TRACK, Item
from plexsheet.errors import PlexsheetError
from plexsheet.library import KINDS
from plexsheet.operations import import_ as importing
from plexsheet.operations.brakes import refuse_forgotten, refuse_parted
from plexsheet.operations.export import view_of
from plexsheet.operations.infer import changes_of
from plexsheet.ownership import SOURCES
from plexsheet.plan import Plan
from plexsheet.state.runs import Origin
from plexsheet.workbook.reading.raw import RawWorkbook
from plexsheet.workbook.schema.columns import SHEETS, SheetName
from plexsheet.workbook.writing.sheet_data import bases
from tests.functional.computer import Computer
from tests.functional.ledger import Event, Ledger
from tests.functional.world import TAGS, counting, simple_inference, small_library
from tests.plex.server import DemoPlex
from tests.raw_sheets import check, sheet
from tests.truth import deal_anew, items, later, ratings, retitle, tagged

KIND_OF = {ARTIST: "artist", ALBUM: "album", TRACK: "track"}
SHEET_OF: dict[int, SheetName] = {ARTIST: "Artists", ALBUM: "Albums", TRACK: "Tracks"}
VALUES = [1.0, 2.0, 3.0, 5.0, 6.0, 7.36, 8.0, 10.0]
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # no waiting for the disk
BRAKES = {"S06", "S07", "S08"}
FEW = 20  # disagreements up to which state and Plex have not parted


@dataclass
class Book:
    """A workbook: its export, and on each sheet the rows with the item that each showed.

    Attributes:
        edited: rows that the person ever edited, by sheet and place.
    """

    computer: int
    export_id: str
    sheets: dict[SheetName, list[tuple[Item, dict[str, Any]]]]
    edited: set[tuple[SheetName, int]] = field(default_factory=set)

    def item(self, place: tuple[SheetName, int]) -> Item:
        return self.sheets[place[0]][place[1]][0]

    def row(self, place: tuple[SheetName, int]) -> dict[str, Any]:
        return self.sheets[place[0]][place[1]][1]


class Household:
    """One sequence: ``Household(seed).run()``; ``acts`` can be given to play some of it again."""

    def __init__(self, seed: int, *, shared: bool = False, rounding: bool = False) -> None:
        self.seed = seed
        self.folder = Path(tempfile.mkdtemp(prefix="plexsheet-home-", dir=MEMORY))
        faults = {"rounding": 1.0, "capitalise_tags": True} if rounding else {}
        self.plex = DemoPlex(small_library(30, shared=shared), faults=faults)
        self.plex.set_faults(clock_offset=[0.0, -3600.0, 7200.0][seed % 3])
        self.ledger = Ledger(self.plex, step=1.0 if rounding else 0.0)
        self.computers: list[Computer] = []
        self.here = self.computer(0)
        self.books: list[Book] = []
        self.parted = False  # state and Plex: an older state, or another computer's
        self.moved = False  # keys, so that what is not found may be held
        self.copied: int | None = None  # newest run that the copy of the state knows

    def close(self) -> None:
        for computer in self.computers:
            computer.close()
        self.plex.close()
        shutil.rmtree(self.folder)

    def computer(self, number: int) -> Computer:
        while len(self.computers) <= number:
            folder = self.folder / f"computer {len(self.computers)}"
            folder.mkdir()
            self.computers.append(Computer(self.plex, folder))
        return self.computers[number]

    def name(self, run: int) -> tuple[int, int]:
        return self.computers.index(self.here), run

    # sequences

    @staticmethod
    def acts_of(seed: int) -> list[tuple[str, int]]:
        """What happens, from the seed: a start that leads somewhere, then anything."""
        chance = random.Random(seed)
        start = chance.choice(STORIES)
        more = chance.choices(list(ACTS), list(ACTS.values()), k=chance.randint(1, 3))
        return [(name, chance.randrange(1 << 30)) for name in [*start, *more, "check"]]

    def run(self, acts: list[tuple[str, int]] | None = None) -> None:
        """Do it, and look after every act whether all holds."""
        for name, number in acts if acts is not None else self.acts_of(self.seed):
            later(self.plex, 2)
            before = ratings(self.plex)
            try:
                getattr(self, name)(random.Random(number))
            except PlexsheetError as error:
                assert error.code in BRAKES, error
                assert self.parted or self.moved, error
                assert not self.changed(before), error
            self.their_ratings_stand()

    def changed(self, before: dict[Item, float]) -> dict[Item, float | None]:
        """Ratings that are others than they were, of items that are still there."""
        now, here = ratings(self.plex), set(self.ledger.here())
        keys = [item for item in {*before, *now} if item in here]
        return {i: now.get(i) for i in keys if not same(now.get(i), before.get(i))}

    def carried_out(self, plan: Plan, **how: Any) -> Outcome | None:
        """The outcome; None where nothing was done because a brake held it all."""
        stopped = {one["code"] for one in plan.notes.get("stopped", ())}
        if stopped:
            assert stopped <= BRAKES, stopped
            assert self.parted or self.moved, plan.notes
            return None
        outcome = self.here.apply(plan, **how)
        assert outcome.error is None, outcome
        return outcome

    def their_ratings_stand(self) -> None:
        for item, value in self.ledger.theirs().items():
            assert self.ledger.near(item.rating, value), (
                f"{item.title}: theirs, {value}, and now {item.rating}"
            )

    # the person, in Plex

    def some(self, chance: random.Random) -> Item:
        return chance.choice(items(self.plex))

    def rate(self, chance: random.Random) -> None:
        item, value = self.some(chance), chance.choice(VALUES)
        self.plex.rate(item.key, value)
        self.ledger.person(item, item.rating)

    def rate_the_same(self, chance: random.Random) -> None:
        """Some items get the very value they show."""
        rated = sorted(ratings(self.plex), key=lambda item: item.key)
        for item in chance.sample(rated, min(3, len(rated))):
            self.plex.rate(item.key, item.rating)
            self.ledger.person(item, item.rating)

    def rate_many(self, chance: random.Random) -> None:
        """So that the next inference changes much."""
        value = chance.choice([1.0, 10.0])
        for item in list(self.ledger.theirs())[:6]:
            self.plex.rate(item.key, value)
            self.ledger.person(item, value)

    def clear(self, chance: random.Random) -> None:
        item = self.some(chance)
        self.plex.rate(item.key, None)
        self.ledger.person(item, None)

    def re_add(self, chance: random.Random) -> None:
        self.plex.rekey(chance.choice(items(self.plex, TRACK)).key)

    def delete(self, chance: random.Random) -> None:
        tracks = items(self.plex, TRACK)
        self.plex.delete(chance.choice(tracks).key)

    def deal(self, chance: random.Random) -> None:
        deal_anew(self.plex, chance.choice([0.25, 0.5, 0.75]))
        self.moved = True

    def retag(self, chance: random.Random) -> None:
        """A typo is put right: of a track, or of an album or artist and so of all within."""
        item = self.some(chance)
        at = chance.randrange(len(item.title.split()[0]))  # a number put right is another item
        retitle(self.plex, item, f"{item.title[:at]}e{item.title[at:]}")
        self.moved = True

    # workbooks

    def export(self, chance: random.Random) -> None:
        session, reading = self.here.session, self.here.read()
        self.told_apart(reading)
        made = bases(view_of(session, reading, simple_inference(reading)))
        self.here.exports += 1
        export_id = f"export-{self.here.exports}-{self.seed}"
        self.here.state.save_export(session.scope, export_id, "music.xlsx", made)
        by_key = {(KIND_OF[item.kind], item.key): item for item in items(self.plex)}
        sheets: dict[SheetName, list[tuple[Item, dict[str, Any]]]] = {}
        for kind in KINDS:
            rows = made[kind].to_dict("records")
            shown = [by_key[kind, int(row["key"])] for row in rows]
            name = SHEET_OF[shown[0].kind]
            sheets[name] = [
                (item, written(name, item, row)) for item, row in zip(shown, rows, strict=True)
            ]
        book = Book(self.computers.index(self.here), export_id, sheets)
        self.books = [*self.books[-2:], book]

    def import_(self, chance: random.Random) -> None:
        """Some more rows of a workbook are edited, and it is imported."""
        books = [b for b in self.books if b.computer == self.computers.index(self.here)]
        if not books:
            return
        book = chance.choice(books[-2:])
        how = chance.choice(["ACCEPT", "ACCEPT", "same", "same", "type", "CLEAR", "EXCLUDE"])
        fit = [
            (name, at)
            for name, rows in book.sheets.items()
            for at, (_, row) in enumerate(rows)
            if _fits(how, row)
        ]
        taken = {one for place in book.edited for one in self.ledger.alike(book.item(place))}
        for place in chance.sample(fit, min(6, len(fit))):
            item, value = book.item(place), chance.choice(VALUES)
            if item not in taken and edited(book.row(place), how, value):
                taken.update(self.ledger.alike(item))
                book.edited.add(place)
        plan = self.import_plan(book)
        before = ratings(self.plex)
        outcome = self.carried_out(plan, origin=Origin("music.xlsx", book.export_id))
        if outcome is not None:
            told = {(one.sheet, one.row - 2): one for one in outcome.outcomes}
            self.imported(outcome, before, book, told)

    def import_plan(self, book: Book) -> Plan:
        """What an import of the file makes of it once it has been read."""
        sheets = [sheet(name, [row for _, row in rows]) for name, rows in book.sheets.items()]
        raw = RawWorkbook(
            self.folder / "music.xlsx", "0" * 64, "xlsx", {}, {s.name: s for s in sheets}
        )
        origin = Origin("music.xlsx", book.export_id)
        options = importing.ImportOptions()
        return importing._planned(self.here.session, raw.path, raw, origin, options).plan

    def imported(
        self,
        outcome: Outcome,
        before: dict[Item, float],
        book: Book,
        told: dict[tuple[str, int], Any],
    ) -> None:
        """Only edited items changed, and to what was typed; those are the person's now."""
        run, changed = self.name(outcome.run), self.changed(before)
        here = set(self.ledger.here())
        for place in sorted(book.edited):
            one, item, row = told.get(place), book.item(place), book.row(place)
            if one is None or item not in here:
                continue
            if one.outcome not in {"Applied", "Healed"} and one.code != "I52":
                continue
            for alike in self.ledger.alike(item):
                self.became(run, alike, row, changed)
        assert not changed, f"not edited, and changed: { {i.title: v for i, v in changed.items()} }"

    def became(
        self,
        run: tuple[int, int],
        item: Item,
        row: dict[str, Any],
        changed: dict[Item, float | None],
    ) -> None:
        """An edit was applied: the item is as it says, and from now on the person's."""
        now = changed.pop(item, item.rating)
        if row["Action"] == "EXCLUDE":
            if now is None and self.ledger.of(item).value is not None:
                assert self.ledger.of(item).actor != "person"
                self.ledger.put(run, item, Event("nobody", None, run))
            return
        wanted = None if row["Action"] == "CLEAR" else now
        if not row["Action"]:
            wanted = 2 * row["My rating"]
        assert self.ledger.near(now, wanted), (item.title, now, wanted)
        actor: Any = "nobody" if now is None else "person"
        self.ledger.put(run, item, Event(actor, now, run))

    # plexsheet

    def infer(self, chance: random.Random) -> None:
        plan = self.infer_plan()
        if plan is None:
            return
        before, carrying = ratings(self.plex), tagged(self.plex, TAGS.inferred.casefold())
        outcome = self.carried_out(plan)
        if outcome is None:
            return
        self.ledger.wrote(self.name(outcome.run), self.changed(before))
        self.no_marks_are_gone(carrying)
        if self.copied is None:
            self.here.backup()
            self.copied = outcome.run
        if not self.parted and not outcome.counts.get("held"):
            self.marks_are_right()

    def infer_plan(self) -> Plan | None:
        reading = self.here.read()
        self.told_apart(reading)
        session = self.here.session
        refuse_parted(session, reading, ())
        refuse_forgotten(session, ())
        return changes_of(session, reading, simple_inference(reading))

    def told_apart(self, reading: Any) -> None:
        """The person's ratings count as theirs, and inferred ones as inferred."""
        if self.parted:
            return
        manual = set()
        for kind in KINDS:
            keys = reading.library.keys(kind)[reading.owned.evidence.manual[kind]]
            manual |= {(kind, int(key)) for key in keys}
        theirs = [i for i in self.ledger.theirs() if (KIND_OF[i.kind], i.key) not in manual]
        ours = [i for i in self.ledger.ours() if (KIND_OF[i.kind], i.key) in manual]
        assert not theirs, f"theirs, and taken for ours: {[i.title for i in theirs]}"
        assert not ours, f"ours, and taken for theirs: {[i.title for i in ours]}"

    def marks_are_right(self) -> None:
        carrying = tagged(self.plex, TAGS.inferred.casefold())
        theirs = carrying & set(self.ledger.theirs())
        bare = self.ledger.ours() - carrying
        assert not theirs, f"theirs, and marked as inferred: {[i.title for i in theirs]}"
        assert not bare, f"inferred, and not marked: {[i.title for i in bare]}"

    def undo(self, chance: random.Random) -> None:
        """Any earlier run of this computer, an undo too."""
        own = self.computers.index(self.here)
        runs = sorted(run for computer, run in self.ledger.runs if computer == own)
        if not runs:
            return
        run = chance.choice(runs)
        plan = operations.prepare_undo(self.here.session, run)
        before = ratings(self.plex)
        outcome = self.carried_out(plan, undoes=run)
        if outcome is not None:
            held = bool(outcome.counts.get("held")) or self.moved or self.parted
            changed = self.changed(before)
            self.ledger.took_back(self.name(outcome.run), self.name(run), changed, held=held)

    def cleanup(self, chance: random.Random) -> None:
        plan = operations.prepare_cleanup(self.here.session)
        before, carrying = ratings(self.plex), tagged(self.plex, TAGS.inferred.casefold())
        outcome = self.carried_out(plan)
        if outcome is None:
            return
        self.ledger.wrote(self.name(outcome.run), self.changed(before))
        left = self.ledger.ours()
        assert self.parted or not left, f"inferred, and left: {[i.title for i in left]}"
        self.no_marks_are_gone(carrying)

    def no_marks_are_gone(self, carrying: set[Item]) -> None:
        """From what is inferred; a few that another computer wrote may look like theirs."""
        gone = (carrying & self.ledger.ours()) - tagged(self.plex, TAGS.inferred.casefold())
        assert len(gone) <= (FEW if self.parted else 0), (
            f"inferred, and the mark taken: {[i.title for i in gone]}"
        )

    def sync_tags(self, chance: random.Random) -> None:
        before, carrying = ratings(self.plex), tagged(self.plex, TAGS.inferred.casefold())
        self.carried_out(operations.prepare_sync_tags(self.here.session))
        assert not self.changed(before)
        self.no_marks_are_gone(carrying)

    def reconstruct(self, chance: random.Random) -> None:
        """Marks are all it has: of what was marked and rated since, it cannot know."""
        before, carrying = ratings(self.plex), tagged(self.plex, TAGS.inferred.casefold())
        self.carried_out(operations.prepare_reconstruct(self.here.session))
        assert not self.changed(before)
        if self.parted:
            for item in carrying & set(self.ledger.theirs()):
                self.ledger.last[item] = replace(self.ledger.of(item), unsure=True)

    def interrupted(self, chance: random.Random) -> None:
        """An inference is stopped; some of what it wrote is given again; on or back it goes."""
        plan = self.infer_plan()
        if plan is None:
            return
        before = ratings(self.plex)
        outcome = self.carried_out(plan, stop=counting([], chance.randrange(5)))
        if outcome is None:
            return
        run = self.name(outcome.run)
        self.ledger.wrote(run, self.changed(before))
        if outcome.status == "done":
            return
        later(self.plex)
        written = sorted(self.ledger.runs[run].after, key=lambda item: item.key)
        for item in chance.sample(written, min(3, len(written))):
            if item.rating is not None:
                self.plex.rate(item.key, item.rating)
                self.ledger.person(item, item.rating)
        before = ratings(self.plex)
        back = chance.random() < 0.6
        resumed = operations.resume(self.here.session, take_back=back)
        assert resumed is not None
        assert resumed.error is None
        if back:
            self.ledger.took_back(self.name(resumed.run), run, self.changed(before))
        else:
            self.ledger.wrote(run, self.changed(before))

    def restore(self, chance: random.Random) -> None:
        """The library is rebuilt without some ratings; a dated workbook puts them back elsewhere.

        The computer it is put back on has no state of this library.
        """
        path = self.folder / f"dated {chance.random()}.xlsx"
        operations.export(self.here.session, path)
        kept = self.ledger.theirs()
        lost = chance.sample(sorted(kept, key=lambda item: item.key), len(kept) * 2 // 3)
        for item in lost:
            self.plex.rate(item.key, None)
            self.ledger.person(item, None)
        deal_anew(self.plex, chance.choice([0.3, 0.6]))
        later(self.plex)
        self.moved = self.parted = True
        before, here = ratings(self.plex), self.here
        self.here = self.computer(len(self.computers))
        outcome = self.carried_out(operations.prepare_restore(self.here.session, path))
        run, changed = self.name(outcome.run if outcome else 0), self.changed(before)
        self.here = here
        for item, value in changed.items():
            assert item in kept, f"{item.title}: {value}, put back on a stranger"
            assert self.ledger.near(value, kept[item]), (item.title, value, kept[item])
            self.ledger.put(run, item, Event("person", value, run))
        assert len(changed) >= 0.8 * len({one for i in lost for one in self.ledger.alike(i)})

    # other states

    def older_state(self, chance: random.Random) -> None:
        """The copy made after the first inference is put back: it knows no run since."""
        if self.copied is None or self.here is not self.computers[0]:
            return
        self.here.put_back()
        self.ledger.runs = {
            r: d for r, d in self.ledger.runs.items() if r[0] or r[1] <= self.copied
        }
        self.parted = True

    def other_computer(self, chance: random.Random) -> None:
        """From now on the person sits at the other one."""
        self.here = self.computer(1 if self.here is self.computers[0] else 0)
        self.parted = True

    def check(self, chance: random.Random) -> None:
        """At the end: all is told apart, or all that is inferred can be taken back."""
        if chance.random() < 0.5:
            self.told_apart(self.here.read())
        else:
            self.cleanup(chance)


def written(name: SheetName, item: Item, base: dict[str, Any]) -> dict[str, Any]:
    """A row of a workbook as the base remembers it."""
    album, artist = item.at(ALBUM), item.at(ARTIST)
    row = {
        "Key": str(item.key),
        "Artist": artist.title if artist else "",
        "Album": album.title if album else "",
        "Title": item.title if item.kind == TRACK else None,
        "My rating": _stars(base["mine"]),
        "Inferred": _stars(base["inferred"]),
        "In Plex": _stars(base["in_plex"]),
        "Source": SOURCES[int(base["source"])],
        "Action": None,
        "Was": _stars(base["mine"]),
        "Length s": item.duration / 1000 if item.kind == TRACK else None,
        "Disc": item.disc or None,
        "No.": item.index if item.kind == TRACK else None,
    }
    headers = {column.header for column in SHEETS[name]}
    kept = {header: value for header, value in row.items() if header in headers}
    return kept | {"Check": check(name, kept)}


def _stars(rating: float) -> float | None:
    return None if math.isnan(rating) else rating / 2


def edited(row: dict[str, Any], how: str, value: float) -> bool:
    """Edit a row; False where that would leave it as it is."""
    if how in {"ACCEPT", "CLEAR", "EXCLUDE"}:
        row["Action"] = how
        return True
    stars = row["In Plex"] if how == "same" else value / 2
    changes = stars != row["My rating"]
    row["My rating"] = stars
    return bool(changes)


def _fits(how: str, row: dict[str, Any]) -> bool:
    rated = row["In Plex"] is not None
    ours = rated and row["My rating"] is None
    return {"ACCEPT": ours, "same": ours, "CLEAR": rated}.get(how, True)


def same(one: float | None, other: float | None) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) < 1e-6)


PLACES: tuple[dict[str, bool], ...] = ({}, {"shared": True}, {"shared": True, "rounding": True})
STORIES = (
    [],
    ["infer", "export"],
    ["infer", "export", "import_"],
    ["infer", "export", "import_", "infer"],
    ["infer", "rate_the_same", "infer"],
    ["infer", "rate_many", "infer", "older_state", "infer"],
    ["export", "infer", "deal"],
    ["infer", "other_computer"],
)  # how sequences begin, so that few acts lead somewhere
ACTS = {
    "rate": 2, "rate_the_same": 5, "rate_many": 3, "clear": 1, "re_add": 1, "delete": 1,
    "deal": 3, "retag": 2, "export": 3, "import_": 6, "infer": 5, "undo": 8, "cleanup": 1,
    "sync_tags": 1, "reconstruct": 1, "interrupted": 3, "older_state": 1, "other_computer": 1,
    "restore": 1,
}  # fmt: skip


def shrunk(seed: int, acts: list[tuple[str, int]], **kind: Any) -> list[tuple[str, int]]:
    """The acts without those that a failure does not need."""
    at = 0
    while at < len(acts):
        fewer = acts[:at] + acts[at + 1 :]
        if failure(seed, fewer, **kind):
            acts = fewer
        else:
            at += 1
    return acts


def failure(seed: int, acts: list[tuple[str, int]] | None = None, **kind: Any) -> str:
    """How a sequence fails, "" where it does not."""
    home = Household(seed, **kind)
    try:
        home.run(acts)
    except (AssertionError, PlexsheetError) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        home.close()
    return ""
