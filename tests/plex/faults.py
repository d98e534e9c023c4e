"""Switches that make the server slow, failing, refusing or odd, and a gate to stop at.

All are off at first.  They are set by name and value, at the start with ``--fault
name=value`` or at any time through ``DemoPlex.set_faults`` or ``POST /demo/faults``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

KINDS = (
    "500",
    "500_after",
    "503",
    "429",
    "timeout",
    "timeout_after",
    "drop_before",
    "drop_after",
    "truncated",
    "html",
)
STAGES = ("before", "after", "answered")
SCOPES = ("writes", "reads", "rate", "edit", "all")


@dataclass
class Faults:
    """Every switch, with its value when it is off."""

    # slowness, in milliseconds
    read_ms: float = 0.0  # each read
    rate_ms: float = 0.0  # each /:/rate
    edit_ms: float = 0.0  # each batch edit
    edit_item_ms: float = 0.0  # more for each item of a batch edit
    tires_ms: float = 0.0  # each write makes every answer so much slower; idle time takes it off

    # every so many requests one fails in this way
    every_nth: int = 0
    kind: str = "500"  # one of KINDS, or any HTTP status
    on: str = "all"  # which requests count: one of SCOPES
    times: int = 0  # stop after so many failures, 0 never
    timeout_s: float = 5.0  # how long "timeout" stays silent before it drops the connection

    # refusals
    after_n: int = 0  # from the (n+1)th request on, answer after_status
    after_status: int = 401
    home_user: bool = False  # the owner's token is treated as a Home user's: batch edits 403
    refuse_rate: bool = False  # /:/rate answers 403
    url_limit: int = 0  # 414 for a longer path and query
    ids_limit: int = 0  # 400 for more ids in one request

    # paging
    max_page: int = 0  # never more items in a page
    short_pages: int = 0  # so many fewer items than asked for, at least one
    total_drift: int = 0  # totalSize grows by so much with every page
    no_paging: bool = False  # the paging headers are ignored
    one_filter: bool = False  # of several dates asked for only the first counts

    # what is stored
    ignore_batch: bool = False  # batch edits answer 200 and do nothing
    ignore_tags: bool = False  # batch edits leave tags alone
    rounding: float = 0.0  # ratings are rounded to this step on the ten-point scale
    capitalise_tags: bool = False  # new tags get raised first letters
    replace_tags: bool = False  # added tags replace those there instead of joining them
    same_guid: bool = True  # items with the same guid share one rating
    always_lock: bool = False  # locked=0 locks too
    ignore_dates: bool = False  # ratedAt of /:/rate counts for nothing
    edit_stamps: bool = True  # a rating by batch edit sets lastRatedAt
    clock_offset: float = 0.0  # seconds the server's clock is ahead

    # what is sent
    raw_control: bool = False  # characters illegal in XML are sent as they are
    gzip: bool = False  # replies are compressed when the client accepts it

    def changed(self, settings: Mapping[str, Any]) -> Faults:
        """These switches with some set anew, from texts or values.

        Raises:
            ValueError: no such switch, or a value that does not fit it.

        >>> Faults().changed({"rounding": "0.5", "home_user": "1"}).rounding
        0.5
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name, value in settings.items():
            if name not in values:
                raise ValueError(f"no switch {name}; there are: {', '.join(values)}")
            values[name] = _cast(type(values[name]), name, value)
        result = Faults(**values)
        if result.kind not in KINDS and not (
            result.kind.isdigit() and 400 <= int(result.kind) < 600
        ):
            raise ValueError(f"kind must be an HTTP status or one of {', '.join(KINDS)}")
        if result.on not in SCOPES:
            raise ValueError(f"on must be one of {', '.join(SCOPES)}")
        return result


def _cast(kind: type, name: str, value: Any) -> Any:
    try:
        if kind is bool:
            return str(value).strip().lower() in {"1", "true", "yes", "on"}
        return kind(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be {kind.__name__}, not {value!r}") from error


def counts(scope: str, call: str) -> bool:
    """Whether a call ("read", "rate" or "edit") is among those a scope speaks of."""
    if scope == "all":
        return True
    if scope in {"writes", "reads"}:
        return (call != "read") == (scope == "writes")
    return scope == call


class FaultState:
    """The switches in force, with the counters that some of them need."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = Faults()
        self.seen = 0  # requests since after_n was set
        self.eligible = 0  # requests since every_nth was set
        self.failed = 0
        self.pages = 0

    def set(self, settings: Mapping[str, Any]) -> None:
        """Set some switches; counters of those begin anew.

        Raises:
            ValueError: no such switch or value.
        """
        with self.lock:
            self.now = self.now.changed(settings)
            if "after_n" in settings:
                self.seen = 0
            if {"every_nth", "kind", "on", "times"} & set(settings):
                self.eligible = self.failed = 0

    def reset(self) -> None:
        """Switch everything off."""
        with self.lock:
            self.now = Faults()
            self.seen = self.eligible = self.failed = 0

    def verdict(self, call: str) -> str:
        """What happens to the next request: "" for nothing, a kind, or a status."""
        with self.lock:
            faults = self.now
            self.seen += 1
            if faults.after_n and self.seen > faults.after_n:
                return str(faults.after_status)
            if not faults.every_nth or not counts(faults.on, call):
                return ""
            self.eligible += 1
            if self.eligible % faults.every_nth or (faults.times and self.failed >= faults.times):
                return ""
            self.failed += 1
            return faults.kind

    def drifted(self, total: int) -> int:
        """TotalSize as it is told, when it is told to drift."""
        with self.lock:
            self.pages += 1
            return total + self.now.total_drift * self.pages


class Gate:
    """Stops the k-th request at a chosen moment, so that a client can be killed right there.

    While a request waits, all later ones wait too, whatever connection they come on.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = True
        self._k = self._count = 0
        self._stage, self._on = "before", "writes"
        self._apply = True
        self._waiting: dict[str, Any] | None = None

    def set(self, k: int, stage: str = "before", on: str = "writes") -> None:
        """Stop the k-th request from now on, counted from 1; 0 stops none.

        Raises:
            ValueError: no such stage or scope.
        """
        if stage not in STAGES or on not in SCOPES:
            raise ValueError(f"stage is one of {STAGES}, on is one of {SCOPES}")
        with self._changed:
            self._k, self._count, self._stage, self._on = k, 0, stage, on
            self._open, self._apply, self._waiting = True, True, None
            self._changed.notify_all()

    def release(self, apply: bool = True) -> None:
        """Let the waiting request go on, or drop it; later ones pass freely."""
        with self._changed:
            self._open, self._apply, self._waiting, self._k = True, apply, None, 0
            self._changed.notify_all()

    @property
    def waiting(self) -> dict[str, Any] | None:
        """The request that waits, if one does."""
        with self._changed:
            return dict(self._waiting) if self._waiting else None

    def wait_until_waiting(self, timeout_s: float = 30) -> dict[str, Any] | None:
        """Block until a request waits at the gate; None if none came in time."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting is not None, timeout_s)
            return dict(self._waiting) if self._waiting else None

    def enter(self, call: str) -> bool:
        """Count a request in, after any that waits; whether it is the one to stop."""
        with self._changed:
            self._changed.wait_for(lambda: self._open)
            if not self._k or not counts(self._on, call):
                return False
            self._count += 1
            return self._count == self._k

    def pause(self, stage: str, what: str) -> bool:
        """Wait at this stage if it is the one chosen; whether to go on with the request."""
        with self._changed:
            if stage != self._stage or not self._k:
                return True
            self._open = False
            self._waiting = {"stage": stage, "k": self._k, "request": what}
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._open)
            return self._apply
