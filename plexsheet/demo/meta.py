"""Filters, sorts and fields that a music library advertises with ``includeMeta=1``.

plexapi checks every filtered search against these, so they follow what a real server
sent: ``lastRatedAt`` is a field of tracks only, ratings compare with ``>>=`` and ``<<=``.
"""

from __future__ import annotations

from plexsheet.demo.render import SECTION_ID, element
from plexsheet.demo.store import ALBUM, ARTIST, TRACK

BASE = f"/library/sections/{SECTION_ID}"

# (filter, its type, title)
FILTERS = {
    ARTIST: (
        ("genre", "string", "Genre"),
        ("mood", "string", "Mood"),
        ("style", "string", "Style"),
        ("country", "string", "Country"),
        ("collection", "string", "Collection"),
        ("unmatched", "boolean", "Unmatched"),
    ),
    ALBUM: (
        ("genre", "string", "Genre"),
        ("mood", "string", "Mood"),
        ("style", "string", "Style"),
        ("year", "integer", "Year"),
        ("decade", "integer", "Decade"),
        ("studio", "string", "Record Label"),
        ("format", "string", "Format"),
        ("subformat", "string", "Type"),
        ("collection", "string", "Collection"),
        ("label", "string", "Labels"),
        ("source", "string", "Source"),
        ("unmatched", "boolean", "Unmatched"),
    ),
    TRACK: (
        ("mood", "string", "Mood"),
        ("userRating", "string", "Rating"),
        ("source", "string", "Source"),
    ),
}

_ALBUM_ORDER = "artist.titleSort,album.titleSort,album.index,album.id,album.originallyAvailableAt"
_TRACK_ORDER = (
    "artist.titleSort,album.titleSort,album.year,track.absoluteIndex,track.index,"
    "track.titleSort,track.id"
)

# (key, key when descending, direction at first, title); the one with * is the default
SORTS = {
    ARTIST: (
        ("*titleSort", "asc", "Title"),
        ("userRating", "desc", "Rating"),
        ("addedAt", "desc", "Date Added"),
        ("lastViewedAt", "desc", "Date Played"),
        ("viewCount", "desc", "Plays"),
        ("random", "desc", "Randomly"),
    ),
    ALBUM: (
        ("titleSort", "asc", "Title"),
        ("*" + _ALBUM_ORDER, "asc", "Album Artist"),
        ("year", "desc", "Year"),
        ("originallyAvailableAt", "desc", "Release Date"),
        ("rating", "desc", "Critic Rating"),
        ("userRating", "desc", "Rating"),
        ("addedAt", "desc", "Date Added"),
        ("lastViewedAt", "desc", "Date Played"),
        ("viewCount", "desc", "Plays"),
        ("random", "desc", "Randomly"),
    ),
    TRACK: (
        ("titleSort", "asc", "Title"),
        ("*" + _TRACK_ORDER, "asc", "Album Artist"),
        ("originalTitle", "desc", "Artist"),
        ("album.titleSort", "asc", "Album"),
        ("userRating", "desc", "Rating"),
        ("duration", "desc", "Duration"),
        ("viewCount", "desc", "Plays"),
        ("addedAt", "desc", "Date Added"),
        ("lastViewedAt", "desc", "Date Played"),
        ("lastRatedAt", "desc", "Date Rated"),
        ("random", "desc", "Randomly"),
        ("ratingCount", "desc", "Popularity"),
        ("mediaBitrate", "desc", "Bitrate"),
    ),
}

# (key, type, subtype, title)
FIELDS = {
    ARTIST: (
        ("artist.title", "string", "", "Artist Title"),
        ("artist.userRating", "integer", "rating", "Artist Rating"),
        ("artist.genre", "tag", "", "Artist Genre"),
        ("artist.collection", "tag", "", "Artist Collection"),
        ("artist.country", "tag", "", "Artist Country"),
        ("artist.mood", "tag", "", "Artist Mood"),
        ("artist.style", "tag", "", "Artist Style"),
        ("artist.addedAt", "date", "", "Date Artist Added"),
        ("artist.lastViewedAt", "date", "", "Artist Last Played"),
        ("artist.unmatched", "boolean", "", "Unmatched"),
    ),
    ALBUM: (
        ("album.title", "string", "", "Album Title"),
        ("album.year", "integer", "year", "Year"),
        ("album.decade", "integer", "decade", "Album Decade"),
        ("album.genre", "tag", "", "Album Genre"),
        ("album.viewCount", "integer", "", "Album Plays"),
        ("album.lastViewedAt", "date", "", "Album Last Played"),
        ("album.userRating", "integer", "rating", "Album Rating"),
        ("album.rating", "integer", "rating", "Album Critic Rating"),
        ("album.studio", "string", "", "Record Label"),
        ("album.mood", "tag", "", "Album Mood"),
        ("album.style", "tag", "", "Album Style"),
        ("album.format", "tag", "", "Album Format"),
        ("album.subformat", "tag", "", "Album Type"),
        ("album.collection", "tag", "", "Album Collection"),
        ("album.addedAt", "date", "", "Date Album Added"),
        ("album.originallyAvailableAt", "date", "", "Date Album Released"),
        ("album.unmatched", "boolean", "", "Unmatched"),
        ("album.source", "tag", "", "Album Source"),
        ("album.label", "tag", "", "Label"),
    ),
    TRACK: (
        ("track.mood", "tag", "", "Track Mood"),
        ("track.title", "string", "", "Track Title"),
        ("track.viewCount", "integer", "", "Track Plays"),
        ("track.lastViewedAt", "date", "", "Track Last Played"),
        ("track.skipCount", "integer", "", "Track Skips"),
        ("track.lastSkippedAt", "date", "", "Track Last Skipped"),
        ("track.userRating", "integer", "rating", "Track Rating"),
        ("track.lastRatedAt", "date", "", "Track Last Rated"),
        ("track.addedAt", "date", "", "Track Added At"),
        ("track.mediaSize", "integer", "fileSize", "File Size"),
        ("track.mediaBitrate", "integer", "bitrate", "Bitrate"),
        ("track.trash", "boolean", "", "Trash"),
        ("track.source", "tag", "", "Track Source"),
    ),
}

_IS = (("=", "is"), ("!=", "is not"))
OPERATORS = {
    "tag": _IS,
    "integer": (*_IS, (">>=", "is greater than"), ("<<=", "is less than")),
    "string": (
        ("=", "contains"),
        ("!=", "does not contain"),
        ("==", "is"),
        ("!==", "is not"),
        ("<=", "begins with"),
        (">=", "ends with"),
    ),
    "boolean": (("=", "is true"), ("!=", "is false")),
    "date": (("<<=", "is before"), (">>=", "is after")),
    "subtitleLanguage": _IS,
    "audioLanguage": _IS,
    "resolution": (("=", "is"),),
}

_TITLES = {ARTIST: ("artist", "Artists"), ALBUM: ("album", "Albums"), TRACK: ("track", "Tracks")}


def filters(kind: int, name: str = "Filter") -> str:
    """The filters of a kind of item."""
    return "".join(
        element(
            name,
            {
                "filter": filter_,
                "filterType": type_,
                "key": f"{BASE}/{filter_}" + ("" if type_ == "boolean" else f"?type={kind}"),
                "title": title,
                "type": "filter",
            },
        )
        for filter_, type_, title in FILTERS[kind]
    )


def sorts(kind: int, name: str = "Sort", active: bool = False) -> str:
    """The sorts of a kind of item."""
    return "".join(_sort(kind, name, active, *sort) for sort in SORTS[kind])


def _sort(kind: int, name: str, active: bool, key: str, direction: str, title: str) -> str:
    default = key.startswith("*")
    key = key.removeprefix("*")
    first, _, rest = key.partition(",")
    by_letter = f"{BASE}/firstCharacter" + ("" if kind == ARTIST else f"?type={kind}")
    values = {
        "active": "1" if default and active else "",
        "activeDirection": "asc" if default and active else "",
        "default": "asc" if default else "",
        "defaultDirection": direction,
        "descKey": f"{first}:desc" + (f",{rest}" if rest else ""),
        "firstCharacterKey": by_letter if default or key == "titleSort" else "",
        "key": key,
        "title": title,
    }
    return element(name, values)


def library_meta(active: int) -> str:
    """The ``Meta`` element of a listing; ``active`` is the kind that is listed."""
    types = ""
    for kind, (name, title) in _TITLES.items():
        fields = "".join(
            element("Field", {"key": key, "subType": sub, "title": label, "type": type_})
            for key, type_, sub, label in FIELDS[kind]
        )
        values = {
            "key": f"{BASE}/all?type={kind}",
            "type": name,
            "title": title,
            "active": int(kind == active),
        }
        inside = filters(kind) + sorts(kind, active=kind == active) + fields
        types += element("Type", values, inside)
    types += element(
        "Type", {"key": f"{BASE}/folder", "type": "folder", "title": "Folders", "active": 0}
    )
    return f"<Meta>\n{types}{_operators()}</Meta>\n"


def collections_meta() -> str:
    """The ``Meta`` element of the list of collections."""
    values = {
        "key": f"{BASE}/all?type=18",
        "type": "collection",
        "title": "Collections",
        "active": 1,
    }
    inside = element(
        "Sort",
        {
            "defaultDirection": "asc",
            "descKey": "titleSort:desc",
            "key": "titleSort",
            "title": "Title",
        },
    ) + element("Field", {"key": "collection.title", "title": "Collection Title", "type": "string"})
    return f"<Meta>\n{element('Type', values, inside)}{_operators()}</Meta>\n"


def _operators() -> str:
    found = ""
    for type_, operators in OPERATORS.items():
        inside = "".join(element("Operator", {"key": k, "title": title}) for k, title in operators)
        found += element("FieldType", {"type": type_}, inside)
    return found
