"""Answers and edits of a server that follows the switches of `faults`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from plexsheet.demo.edits import Editor, ItemEdit
from plexsheet.demo.filters import Param, Queries
from plexsheet.demo.items import Item
from plexsheet.demo.render import ESCAPES, Renderer
from plexsheet.demo.routes import RefusedRequest, Request, Routes
from plexsheet.demo.store import Store
from tests.plex.faults import FaultState

_RAW_ESCAPES = {code: text for code, text in ESCAPES.items() if text is not None}


class OddRoutes(Routes):
    """Routes that page, refuse and render as they are told."""

    def __init__(self, store: Store, title: str, username: str, faults: FaultState) -> None:
        super().__init__(store, title, username, OddEditor(store, faults))
        self.faults = faults
        self.queries = OddQueries(store, faults)

    def owner_only(self, request: Request) -> None:
        super().owner_only(request)
        if self.faults.now.home_user:
            raise RefusedRequest(403)

    def limit_ids(self, count: int) -> None:
        if 0 < self.faults.now.ids_limit < count:
            raise RefusedRequest(400)

    def renderer(self, request: Request, full: bool = False) -> Renderer:
        plain = super().renderer(request, full)
        if not self.faults.now.raw_control:
            return plain
        return RawRenderer(plain.store, plain.title, plain.account, plain.options)

    def page(
        self, request: Request, items: Sequence[Item]
    ) -> tuple[Sequence[Item], dict[str, int]]:
        faults = self.faults.now
        size = request.get("X-Plex-Container-Size")
        if not size.isdigit() or faults.no_paging:
            return items, {"size": len(items)}
        count = int(size)
        if faults.short_pages and count:
            count = max(1, count - faults.short_pages)
        if faults.max_page:
            count = min(count, faults.max_page)
        start = request.get("X-Plex-Container-Start")
        paging = (("X-Plex-Container-Start", start), ("X-Plex-Container-Size", str(count)))
        page, sizes = super().page(replace(request, params=paging, headers={}), items)
        if faults.total_drift and "totalSize" in sizes:
            sizes["totalSize"] = self.faults.drifted(sizes["totalSize"])
        return page, sizes


class OddQueries(Queries):
    """Answers of listings that do not join what was asked for."""

    def __init__(self, store: Store, faults: FaultState) -> None:
        super().__init__(store)
        self.faults = faults

    def run(self, kind: int, params: Sequence[Param], account: int) -> list[Item]:
        if self.faults.now.one_filter:
            later = [param for param in params if param[0].endswith(">>")][1:]
            params = [param for param in params if param not in later]
        return super().run(kind, params, account)


class RawRenderer(Renderer):
    """Sends characters that are illegal in XML as they are."""

    def text(self, text: str) -> str:
        return text.translate(_RAW_ESCAPES)


class OddEditor(Editor):
    """An editor that rounds, ignores, replaces or locks as it is told."""

    def __init__(self, store: Store, faults: FaultState) -> None:
        super().__init__(store)
        self.faults = faults

    def rate(self, item: Item, value: float | None, account: int, at: int | None) -> None:
        if self.faults.now.refuse_rate:
            raise RefusedRequest(403)
        at = None if self.faults.now.ignore_dates else at
        super().rate(item, self._rounded(value), account, at)

    def apply(self, items: Sequence[Item], edit: ItemEdit) -> None:
        if not self.faults.now.ignore_batch:
            super().apply(items, edit)

    def rate_in_batch(self, item: Item, value: float | None) -> None:
        stamp = self.faults.now.edit_stamps
        self.store.rate(item, self._rounded(value), via="edit", stamp=stamp)

    def change_tags(self, item: Item, name: str, edit: ItemEdit) -> None:
        faults = self.faults.now
        if faults.ignore_tags:
            return
        added = edit.add.get(name, [])
        if faults.capitalise_tags:
            added = [self._capitalised(item, name, text) for text in added]
        gone = item.names(name) if faults.replace_tags and added else edit.remove.get(name, [])
        super().change_tags(item, name, ItemEdit(add={name: added}, remove={name: gone}))

    def lock(self, item: Item, name: str, locked: bool) -> None:
        super().lock(item, name, locked or self.faults.now.always_lock)

    def _rounded(self, value: float | None) -> float | None:
        step = self.faults.now.rounding
        if value is None or not step:
            return value
        return min(10.0, round(round(value / step) * step, 6))

    def _capitalised(self, item: Item, name: str, text: str) -> str:
        known = self.store.tag_ids.get((item.kind, name, text.casefold()))
        if known and known.carriers:
            return text
        return re.sub(r"(^|[\s-])(\w)", lambda m: m[1] + m[2].upper(), text)
