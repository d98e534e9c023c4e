"""What a workbook says about itself: the hidden sheet _meta and custom properties.

Two columns, name and value, both text.  It names ids, titles and times, never a
token, an address or a path.  Losing it costs comfort, not data: the ``Was`` columns
hold the base of every row as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields

FORMAT_VERSION = 1
STARS, POINTS = "0.5-5 stars", "1-10 points"
META_SHEET = "_meta"
LIST = "list"  # the kind of a workbook that is only looked at
COUNT_PREFIXES = ("rows ", "digest ", "columns ")  # one line per sheet, after the lines below


@dataclass(frozen=True)
class Meta:
    """Where a workbook comes from.

    Attributes:
        export_id: name of the base kept in the state database.
        exported_at: epoch seconds, UTC.
        exported_local: the same as the person's clock showed it.
        scale: what a rating cell counts in: ``STARS``, or ``POINTS`` in the result of a foreign
            list that was declared so.
        rounding: how inferred values are rounded: ``none``, ``0.05``, ``0.5`` or ``1``.
        config_digest: of the settings that inference ran with.
        kind: ``export``, ``result``, ``preview`` or ``list``.
        run: of a result: the run's number, ``""`` otherwise.
        mapping: of the result of a foreign list: its headers and what they mean, as JSON.
        of, plan, after: of a preview: a digest of where the file lies whose edits it shows, a
            digest of these edits, and the last run that file was compared with; else ``""``.
    """

    export_id: str
    server_id: str
    server: str
    section_uuid: str
    library: str
    account_id: str
    account: str
    exported_at: int
    exported_local: str = ""
    tool_version: str = ""
    rounding: str = "0.05"
    scale: str = STARS
    config_digest: str = ""
    kind: str = "export"
    run: str = ""
    format_version: int = FORMAT_VERSION
    mapping: str = ""
    of: str = ""
    plan: str = ""
    after: str = ""

    def pairs(self) -> list[tuple[str, str]]:
        """The lines of _meta: name and value."""
        said = asdict(self)
        for name in ("mapping", "of", "plan", "after"):
            if not said[name]:
                del said[name]
        return [(name.replace("_", " "), str(value)) for name, value in said.items()]

    def properties(self) -> list[tuple[str, str]]:
        """What is said again as custom document properties."""
        carried = ["format version", "export id", "server id", "section uuid", "account id", "kind"]
        if self.scale != STARS:
            carried.append("scale")
        return [(f"plexsheet {name}", value) for name, value in self.pairs() if name in carried]


def meta_of(pairs: Iterable[tuple[str, str]]) -> Mapping[str, str]:
    """The lines of a _meta sheet as read back, under the names of ``Meta``'s attributes.

    Lines about single sheets keep their own names (``rows Albums``); foreign ones are dropped.

    >>> meta_of([("export id", "x1"), ("rows Albums", "12"), ("colour", "red")])
    {'export_id': 'x1', 'rows Albums': '12'}
    """
    known = {field.name for field in fields(Meta)}
    found = {}
    for name, value in pairs:
        attribute = name.strip().replace(" ", "_")
        if attribute in known:
            found[attribute] = value
        elif name.startswith(COUNT_PREFIXES):
            found[name] = value
    return found
