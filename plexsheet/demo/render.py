"""Items as Plex's XML: partial in listings, complete in ``/library/metadata``.

A listing has no moods and no locks, at most two genres without ids, and leaves out what
is unknown: an unrated item has no ``userRating`` at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from plexsheet.demo.items import ALBUM, ARTIST, KIND_NAMES, OWNER, Item, Tag
from plexsheet.demo.store import Store

XML_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SECTION_ID = 1

SPECIAL = re.compile('[&<>"\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]')
ESCAPES: dict[int, str | None] = {
    **dict.fromkeys(range(32)),  # illegal in XML 1.0
    **dict.fromkeys(range(55296, 57344), "�"),
    0xFFFE: None,
    0xFFFF: None,
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("\t"): "&#9;",
    ord("\n"): "&#10;",
    ord("\r"): "&#13;",
}
__RAW_ESCAPES = {code: text for code, text in ESCAPES.items() if text is not None}


def escape(text: str) -> str:
    r"""Text for an attribute value; control characters are dropped.

    >>> escape('a<b & "c"\x01')
    'a&lt;b &amp; &quot;c&quot;'
    """
    return text.translate(ESCAPES) if SPECIAL.search(text) else text


def attributes(values: Mapping[str, object]) -> str:
    """Attributes in order, each with a blank before it; None and "" are left out."""
    return "".join(
        f' {name}="{escape(str(value))}"'
        for name, value in values.items()
        if value not in (None, "")
    )


def element(name: str, values: Mapping[str, object], inside: str = "") -> str:
    """One element."""
    tail = f">{inside}</{name}>" if inside else " />"
    return f"<{name}{attributes(values)}{tail}\n"


def container(values: Mapping[str, object], inside: str = "") -> str:
    """A whole answer."""
    return f"{XML_HEAD}<MediaContainer{attributes(values)}>\n{inside}</MediaContainer>\n"


@dataclass(frozen=True)
class Options:
    """What a request wants in its items."""

    full: bool = False
    skip_elements: frozenset[str] = frozenset()
    skip_fields: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Renderer:
    """Renders items of one store for one account."""

    store: Store
    title: str  # of the library
    account: int = OWNER
    options: Options = Options()

    def items(self, items: Iterable[Item]) -> str:
        """Elements of these items, one per line."""
        parents: dict[int, tuple[str, str, str]] = {}
        lines = []
        for item in items:
            if item.kind == ARTIST:
                lines.append(self._artist(item))
            elif item.kind == ALBUM:
                lines.append(self._album(item))
            else:
                album = item.parent
                key = album.key if album else 0
                if key not in parents:
                    parents[key] = self._of_album(item)
                lines.append(self._track(item, *parents[key]))
        return "".join(lines)

    def text(self, text: str) -> str:
        """Text for an attribute value."""
        return escape(text)

    # attributes that all three have

    def _head(self, item: Item) -> str:
        guid = escape(self.store.guid(item))
        return f'ratingKey="{item.key}" guid="{guid}" type="{KIND_NAMES[item.kind]}"'

    def _titles(self, item: Item) -> str:
        found = f' title="{self.text(item.title)}"'
        if item.title_sort:
            found += f' titleSort="{self.text(item.title_sort)}"'
        if self.options.full:
            title = self.text(self.title)
            found += (
                f' librarySectionTitle="{title}" librarySectionID="{SECTION_ID}"'
                f' librarySectionKey="/library/sections/{SECTION_ID}"'
            )
        return found

    def _summary(self, item: Item) -> str:
        if "summary" in self.options.skip_fields:
            return ""
        return f' summary="{self.text(item.summary)}"'

    def _personal(self, item: Item) -> str:
        """Ratings and plays, each only where there is one."""
        rating, rated_at = self.store.rating(item, self.account)
        found = f' userRating="{rating}"' if rating is not None else ""
        if item.views:
            found += f' viewCount="{item.views}"'
        if item.skips:
            found += f' skipCount="{item.skips}"'
        if item.viewed_at:
            found += f' lastViewedAt="{item.viewed_at}"'
        if rated_at:
            found += f' lastRatedAt="{rated_at}"'
        return found

    def _dates(self, item: Item) -> str:
        found = f' addedAt="{item.added_at}"'
        return found + (f' updatedAt="{item.updated_at}"' if item.updated_at else "")

    # the three kinds

    def _artist(self, item: Item) -> str:
        thumb = f"/library/metadata/{item.key}/thumb/{item.updated_at}"
        critic = f' rating="{item.critic}"' if item.critic is not None else ""
        start = (
            f'<Directory {self._head(item)} key="/library/metadata/{item.key}/children"'
            f"{self._titles(item)}{self._summary(item)}"
            f' index="{item.index}"{critic}{self._personal(item)}'
            f' thumb="{thumb}" art="{thumb.replace("thumb", "art")}"{self._dates(item)}'
        )
        inside = self._tags(item)
        if self.options.full:
            inside += element("Location", {"path": f"/music/{item.title}"})
        return _close(start, inside, "Directory")

    def _album(self, item: Item) -> str:
        artist = item.parent
        up = artist.key if artist else 0
        stamp = artist.updated_at if artist else 0
        studio = f' studio="{self.text(item.studio)}"' if item.studio else ""
        critic = f' rating="{item.critic}"' if item.critic is not None else ""
        year = f' year="{item.year}"' if item.year else ""
        released = item.released or (f"{item.year}-01-01" if item.year else "")
        if released:
            released = f' originallyAvailableAt="{released}"'
        parent = (
            f' parentRatingKey="{up}" parentGuid="{escape(self.store.guid(artist))}"'
            f' parentKey="/library/metadata/{up}" parentTitle="{self.text(artist.title)}"'
            if artist
            else ""
        )
        leaves = ""
        if self.options.full:
            seen = sum(1 for track in item.children if track.views)
            leaves = f' leafCount="{len(item.children)}" viewedLeafCount="{seen}"'
        start = (
            f'<Directory {self._head(item)} key="/library/metadata/{item.key}/children"'
            f"{parent}{studio}{self._titles(item)}{self._summary(item)}"
            f' index="{item.index}"{critic}{self._personal(item)}{year}'
            f' thumb="/library/metadata/{item.key}/thumb/{item.updated_at}"'
            f' art="/library/metadata/{up}/art/{stamp}"'
            f' parentThumb="/library/metadata/{up}/thumb/{stamp}"{released}{leaves}'
            f'{self._dates(item)} loudnessAnalysisVersion="2"'
        )
        return _close(start, self._tags(item), "Directory")

    def _of_album(self, track: Item) -> tuple[str, str, str]:
        """What all tracks of an album have in common: parents, year and pictures."""
        album, artist = track.at(9), track.at(8)
        if album is None or artist is None:
            return "", "", ""
        studio = f' parentStudio="{self.text(album.studio)}"' if album.studio else ""
        thumb = f"/library/metadata/{album.key}/thumb/{album.updated_at}"
        upper = f"/library/metadata/{artist.key}"
        parents = (
            f' parentRatingKey="{album.key}" grandparentRatingKey="{artist.key}"'
            f' parentGuid="{escape(self.store.guid(album))}"'
            f' grandparentGuid="{escape(self.store.guid(artist))}"{studio}'
            f' grandparentKey="{upper}" parentKey="/library/metadata/{album.key}"'
            f' grandparentTitle="{self.text(artist.title)}"'
            f' parentTitle="{self.text(album.title)}"'
        )
        year = f' parentYear="{album.year}"' if album.year else ""
        pictures = (
            f' thumb="{thumb}" art="{upper}/art/{artist.updated_at}" parentThumb="{thumb}"'
            f' grandparentThumb="{upper}/thumb/{artist.updated_at}"'
            f' grandparentArt="{upper}/art/{artist.updated_at}"'
        )
        return parents, year, pictures

    def _track(self, item: Item, parents: str, year: str, pictures: str) -> str:
        original = item.original_title
        start = (
            f'<Track {self._head(item)} key="/library/metadata/{item.key}"'
            f"{parents}{self._titles(item)}"
            + (f' originalTitle="{self.text(original)}"' if original else "")
            + self._summary(item)
            + (f' index="{item.index}"' if item.index else "")
            + (f' parentIndex="{item.disc}"' if item.disc else "")
            + (f' rating="{item.critic}"' if item.critic is not None else "")
            + (f' ratingCount="{item.listeners}"' if item.listeners else "")
            + self._personal(item)
            + year
            + pictures
            + (f' duration="{item.duration}"' if item.duration else "")
            + self._dates(item)
            + ' musicAnalysisVersion="1"'
        )
        media = "" if "Media" in self.options.skip_elements else self._media(item)
        return _close(start, media + self._tags(item), "Track")

    def _media(self, item: Item) -> str:
        size = item.duration // 8 * 900
        named = (
            ""
            if "file" in self.options.skip_fields
            else (f' file="{self.text(self.store.file(item))}"')
        )
        part = (
            f'<Part id="{item.ordinal}" key="/library/parts/{item.ordinal}/1/file.flac"'
            f' duration="{item.duration}"{named} size="{size}" container="flac" hasThumbnail="1"'
        )
        part = _close(part, _STREAM % item.ordinal if self.options.full else "", "Part")
        return (
            f'<Media id="{item.ordinal}" duration="{item.duration}" bitrate="900"'
            f' audioChannels="2" audioCodec="flac" container="flac">\n{part}</Media>\n'
        )

    # tags and locks

    def _tags(self, item: Item) -> str:
        skip = self.options.skip_elements
        found = ""
        if item.tags and self.options.full:
            for field, tags in item.tags.items():
                name = field.capitalize()
                if name not in skip:
                    found += "".join(_full_tag(name, field, tag) for tag in tags)
        elif item.tags and "Genre" not in skip:
            genres: Sequence[Tag] = item.tags.get("genre", ())
            found = "".join(f'<Genre tag="{self.text(tag.name)}" />\n' for tag in genres[:2])
        if item.kind == ALBUM and item.studio and "Director" not in skip:
            found += f'<Director tag="{self.text(item.studio)}" />\n'  # the record label, indeed
        if self.options.full and "Field" not in skip:
            locks = sorted(item.locks or ())
            found += "".join(f'<Field locked="1" name="{escape(name)}" />\n' for name in locks)
        return found


def _close(start: str, inside: str, name: str) -> str:
    return f"{start}>\n{inside}</{name}>\n" if inside else f"{start}></{name}>\n"


def _full_tag(name: str, field: str, tag: Tag) -> str:
    return f'<{name} id="{tag.id}" filter="{field}={tag.id}" tag="{escape(tag.name)}" />\n'


_STREAM = (
    '<Stream id="%s" streamType="2" selected="1" codec="flac" index="0" channels="2"'
    ' bitrate="900" albumGain="-3.84" albumPeak="1.000000" albumRange="12.18"'
    ' audioChannelLayout="stereo" bitDepth="16" gain="-3.84" loudness="-14.16" lra="12.19"'
    ' peak="1.000000" samplingRate="44100" displayTitle="FLAC (Stereo)"'
    ' extendedDisplayTitle="FLAC (Stereo)" />\n'
)
