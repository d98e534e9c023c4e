"""The ``/demo/…`` paths: look at the server and steer it from another process.

JSON in (a POST body, or query parameters) and JSON out; the token is needed here too.

========================= =====================================================
``GET stats``             counts of requests and writes, the request at the gate
``GET log``               the latest requests, oldest first
``GET ratings``           rating key to rating; ``kind=track``, ``account=1``
``GET items``             all that is known of the items of a kind
``GET writes``            the writes that had an effect; ``all=1`` for every one
``GET faults``            the switches
``POST faults``           set switches; ``reset=1`` switches all off first
``POST gate``             stop the k-th request: ``k``, ``stage``, ``on``
``GET wait``              the request at the gate, as soon as one waits: ``timeout_s``
``POST release``          let it go on; ``apply=0`` drops it instead
``POST rate``             rate by ``key`` or ``title``: ``value``, null clears
``POST tag``              give it these tags: ``field``, ``names`` (a list)
``POST delete``           remove an item by ``key`` or ``title``
``POST rekey``            give an item another rating key
``POST reset``            forget counts and the log of writes
========================= =====================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from plexsheet.demo.items import KIND_NAMES
from plexsheet.demo.routes import Response

if TYPE_CHECKING:
    from tests.plex.server import DemoPlex


def control(demo: DemoPlex, method: str, path: str, given: Mapping[str, Any]) -> Response:
    """Answer one such request."""
    handler = _HANDLERS.get((method, path.removeprefix("/demo/").strip("/")))
    if handler is None:
        return _json({"error": f"no {method} {path}"}, 404)
    try:
        return _json(handler(demo, given))
    except (ValueError, TypeError) as problem:
        return _json({"error": str(problem)}, 400)
    except LookupError as problem:
        return _json({"error": f"no item {problem}"}, 404)


def _json(value: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode(), "application/json")


def _number(given: Mapping[str, Any], name: str, default: int = 0) -> int:
    return int(given.get(name, default))


def _which(given: Mapping[str, Any]) -> int | str:
    return int(given["key"]) if "key" in given else str(given.get("title", ""))


def _stats(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    counts = demo.requests
    return {
        "wrote_ms": demo.wrote_ms,
        "requests": dict(counts),
        "total": counts.total(),
        "reads": sum(n for name, n in counts.items() if name.startswith("GET")),
        "writes": len(demo.writes),
        "waiting": demo.gate.waiting,
        "items": {name: len(demo.store.items[kind]) for kind, name in KIND_NAMES.items()},
    }


def _ratings(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    kind = given.get("kind")
    account = _number(given, "account", 1)
    ratings = {}
    for name in [kind] if kind else ("artist", "album", "track"):
        for item in demo.items(name, account):
            if item["userRating"] is not None:
                ratings[str(item["key"])] = item["userRating"]
    return {"ratings": ratings}


def _items(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    return {"items": demo.items(given.get("kind", "track"), _number(given, "account", 1))}


def _writes(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    with demo.store.lock:
        return {"writes": demo.store.write_dicts(changed_only=not _number(given, "all"))}


def _set_faults(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    settings = dict(given)
    if str(settings.pop("reset", "0")) not in {"0", "", "False"}:
        demo.reset_faults()
    demo.set_faults(**settings)
    return asdict(demo.faults.now)


def _gate(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    demo.gate.set(_number(given, "k"), given.get("stage", "before"), given.get("on", "writes"))
    return {}


def _wait(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    return {"waiting": demo.gate.wait_until_waiting(float(given.get("timeout_s", 30)))}


def _release(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    demo.gate.release(bool(_number(given, "apply", 1)))
    return {}


def _rate(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    value = given.get("value")
    number = None if value in (None, "") else float(value)
    return {"key": demo.rate(_which(given), number, account=_number(given, "account", 1))}


def _tag(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    names = given["names"]
    texts = [names] if isinstance(names, str) else [str(name) for name in names]
    return {"key": demo.tag(_which(given), str(given.get("field", "mood")), texts)}


def _delete(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    demo.delete(_which(given))
    return {}


def _rekey(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    return {"key": demo.rekey(_which(given))}


def _reset(demo: DemoPlex, given: Mapping[str, Any]) -> Any:
    demo.reset_requests()
    with demo.store.lock:
        demo.store.writes.clear()
    return {}


_HANDLERS: dict[tuple[str, str], Callable[[DemoPlex, Mapping[str, Any]], Any]] = {
    ("GET", "stats"): _stats,
    ("GET", "log"): lambda demo, given: {"log": list(demo.log)},
    ("GET", "ratings"): _ratings,
    ("GET", "items"): _items,
    ("GET", "writes"): _writes,
    ("GET", "faults"): lambda demo, given: asdict(demo.faults.now),
    ("POST", "faults"): _set_faults,
    ("POST", "gate"): _gate,
    ("GET", "wait"): _wait,
    ("POST", "release"): _release,
    ("POST", "tag"): _tag,
    ("POST", "rate"): _rate,
    ("POST", "delete"): _delete,
    ("POST", "rekey"): _rekey,
    ("POST", "reset"): _reset,
}
