"""Whose each rating is, kept by the test alone: who acted last on each item, event by event.

Nothing here is read from plexsheet's state, and items are known by themselves
(`tests.truth`).  What a run did is told by what changed in Plex; only where a run made an
item the person's without changing its value is it told by what it was asked to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from plexsheet.demo.store import TRACK, Item
from tests.plex.server import DemoPlex
from tests.truth import ratings

Actor = Literal["person", "ours", "nobody"]
SHARING = "plex://"


@dataclass(eq=False)
class Event:
    """Somebody gave an item a value, or took it away.

    Attributes:
        root: the event whose outcome stands again; an undo brings back an older one.
        unsure: whether it happened at all is not known: nothing is claimed of the item then.
    """

    actor: Actor
    value: float | None
    run: tuple[int, int] | None = None  # computer and run; None for the person, in Plex
    root: Event | None = None
    unsure: bool = False

    def origin(self) -> Event:
        """The event that this one is, or brings back."""
        return self.root or self


@dataclass
class Done:
    """What a run did to items, for its way back."""

    before: dict[Item, Event] = field(default_factory=dict)
    after: dict[Item, Event] = field(default_factory=dict)


class Ledger:
    """The last event of every item, and what each run did."""

    def __init__(self, plex: DemoPlex, step: float = 0.0) -> None:
        self.plex, self.step = plex, step
        self.last: dict[Item, Event] = {}
        self.runs: dict[tuple[int, int], Done] = {}
        for item, value in ratings(plex).items():
            self.last[item] = Event("person", value)

    def of(self, item: Item) -> Event:
        return self.last.get(item) or Event("nobody", None)

    def alike(self, item: Item) -> list[Item]:
        """The item, and those that share its rating in Plex."""
        if item.kind != TRACK or not item.guid.startswith(SHARING):
            return [item]
        return self.plex.store.by_guid.get(item.guid) or [item]

    def theirs(self) -> dict[Item, float]:
        """What the person gave last, and nobody touched since."""
        here = set(self.here())
        return {
            item: event.value
            for item, event in self.last.items()
            if event.actor == "person" and not event.unsure and event.value is not None
            and item in here
        }  # fmt: skip

    def ours(self) -> set[Item]:
        here = set(self.here())
        return {i for i, e in self.last.items() if e.actor == "ours" and not e.unsure and i in here}

    def unsure(self) -> set[Item]:
        return {item for item, event in self.last.items() if event.unsure}

    def here(self) -> Iterable[Item]:
        """Items that are still in Plex."""
        with self.plex.store.lock:
            return [i for kind in self.plex.store.items.values() for i in kind.values()]

    # what happened

    def person(self, item: Item, value: float | None) -> None:
        """The person rated or cleared an item in Plex."""
        for one in self.alike(item):
            self.last[one] = Event("person" if value is not None else "nobody", value)

    def put(self, run: tuple[int, int], item: Item, event: Event) -> None:
        """A run did this to an item."""
        done = self.runs.setdefault(run, Done())
        done.before.setdefault(item, self.of(item))
        done.after[item] = self.last[item] = event

    def wrote(self, run: tuple[int, int], changed: Mapping[Item, float | None]) -> None:
        """An inference or a cleanup changed these ratings: none may be the person's."""
        for item, value in changed.items():
            event = self.of(item)
            assert event.actor != "person" or event.unsure, (
                f"{item.title}: theirs ({event.value}), and now {value}"
            )
            self.put(run, item, Event("ours" if value is not None else "nobody", value, run))
        self.runs.setdefault(run, Done())

    def took_back(
        self,
        back: tuple[int, int],
        run: tuple[int, int],
        changed: Mapping[Item, float | None],
        *,
        held: bool = False,
    ) -> None:
        """A run was undone: what came later than it must stand, all else be as before it.

        Args:
            back: the run that did so.
            run: what it took back.
            changed: ratings that are others now.
            held: rows were held, so that what shows no change may not have gone back.
        """
        done = self.runs.get(run, Done())
        for item, value in changed.items():
            event = self.of(item)
            mine = item in done.after and event.origin() is done.after[item].origin()
            if not mine:
                theirs = event.actor == "person" or (event.actor == "nobody" and event.run is None)
                assert not theirs or event.unsure, (
                    f"{item.title}: theirs since {run} ({event.value}), taken back to {value}"
                )
            wanted = done.before[item].value if item in done.before else None
            assert self.near(value, wanted) or event.unsure, (item.title, value, wanted)
        for item, after in done.after.items():
            event, before = self.of(item), done.before[item]
            if event.origin() is after.origin():
                stands = item not in changed and not self.near(before.value, after.value)
                if stands:
                    continue  # left alone
                unsure = before.unsure or (held and item not in changed)
                again = Event(before.actor, before.value, back, before.origin(), unsure)
                self.put(back, item, again)
            elif item in changed:
                self.put(back, item, Event(before.actor, before.value, back, before.origin()))
        self.runs.setdefault(back, Done())

    def near(self, one: float | None, other: float | None) -> bool:
        if one is None or other is None:
            return one is other
        return abs(one - other) <= 0.006 + self.step / 2
