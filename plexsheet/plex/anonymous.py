"""Plex's answers with everything that tells whose library it is replaced, always alike.

What is not known to be harmless is left out: an attribute stays only if it is named here.
Numbers that tell nothing (a length, a rating) stay.  Ids become other ids, words other words
and times shift by one number of days, each the same way wherever it stands, so that what
belonged together still does: twins stay twins, an album keeps its tracks.  Words that decide
how a title is read (live, remix, intro, various artists) stay.  The secret that words, ids
and times are replaced with is drawn anew each time and kept nowhere.
"""

from __future__ import annotations

import hashlib
import random
import re
import secrets
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


HARMLESS = _set_of(
    "size totalSize offset type index parentIndex duration userRating rating viewCount skipCount "
    "year parentYear leafCount viewedLeafCount ratingCount version locked name subtype "
    "allowSync identifier"
)
IDS = _set_of("ratingKey parentRatingKey grandparentRatingKey id librarySectionID key")
MOMENTS = _set_of("addedAt updatedAt lastViewedAt lastRatedAt")
TEXTS = _set_of(
    "title titleSort parentTitle grandparentTitle originalTitle studio tag "
    "friendlyName librarySectionTitle title1 title2"
)
GUIDS = _set_of("guid machineIdentifier uuid librarySectionUUID")
# Elements of which nothing is of use but what they would tell of a person or a computer.
DROPPED = frozenset({"Media", "Location", "Account", "User", "Setting", "Device", "Connection"})
# "name" is a field's in a lock, a person's elsewhere; "key" an id or a path.
ONLY_IN = {"name": frozenset({"Field"})}
QUERY_IDS = frozenset({"id", "mood", "genre", "style", "album.subformat", "album.format"})
QUERY_HARMLESS = _set_of(
    "type sort includeGuids excludeElements excludeFields skipRefresh checkFiles "
    "X-Plex-Container-Start X-Plex-Container-Size userRating userRating>> rating identifier "
    "userRating.value userRating.locked mood.locked includeFields limit"
)
QUERY_MOMENTS = frozenset({"lastRatedAt>>", "updatedAt>>", "lastViewedAt>>", "addedAt>>"})
KEPT_WORDS = _set_of(
    "live demo reprise instrumental commentary acoustic remix intro outro interview skit applause "
    "feat ft featuring with remaster remastered version edit mix mono stereo single ep lp album "
    "compilation soundtrack bonus track deluxe edition vol volume part pt disc cd the a an and of "
    "various artists artist unknown no dj mixtape street rating_inferred"
)
_WORD = re.compile(r"[^\W_]+(?:_[^\W_]+)*", re.UNICODE)
_SYLLABLES = [first + second for first in "bdfgklmnprstvz" for second in "aeiou"]
_DAY_S = 86_400


class Mask:
    """Replacements, the same for the same thing as long as this lives.

    >>> mask = Mask("any secret")
    >>> mask.text("Blue Train (Live)") == mask.text("Blue Train (Live)")
    True
    >>> [word in mask.text("Blue Train (Live)") for word in ("Blue", "Train", "(Live)")]
    [False, False, True]
    """

    def __init__(self, secret: str = "", keep: Iterable[str] = ()) -> None:
        """Draw a secret.

        Args:
            secret: any text, for who wants every run alike; "" draws one.
            keep: more words that stay, such as keywords of the settings.
        """
        self._secret = (secret or secrets.token_hex(16)).encode()
        self._random = random.Random(self._secret)  # noqa: S311 - seeded with a secret
        self._kept = KEPT_WORDS | {word.casefold() for word in keep}
        self._words: dict[str, str] = {}
        self._used: set[str] = set(self._kept)
        self._ids: dict[str, str] = {}
        self._next_id = 1000 + self._random.randrange(9000)
        self.shift_s = -_DAY_S * (1 + self._random.randrange(1000))

    def text(self, text: str) -> str:
        """Words replaced one by one; case, signs and lone digits stay."""
        return _WORD.sub(lambda found: self._word(found[0]), text)

    def id(self, number: str) -> str:
        """Another number in its place; 0 and "" are none."""
        if number in ("", "0"):
            return number
        if number not in self._ids:
            self._next_id += 1 + self._random.randrange(3)
            self._ids[number] = str(self._next_id)
        return self._ids[number]

    def guid(self, guid: str) -> str:
        """Scheme and kind stay, what says which recording it is does not."""
        head, _, tail = guid.rpartition("/")
        digest = hashlib.blake2b(tail.encode(), key=self._secret, digest_size=12).hexdigest()
        return (
            f"{head}/{digest}"
            if re.fullmatch(r"(plex|local|com\.plexapp[\w.]*):/[\w/]*", head)
            else digest
        )

    def moment(self, epoch: str) -> str:
        """A time some days earlier."""
        return str(max(1, int(epoch) + self.shift_s)) if epoch.isdigit() and epoch != "0" else epoch

    def _word(self, word: str) -> str:
        small = word.casefold()
        if small in self._kept or (word.isdigit() and len(word) < 3):
            return word
        if small not in self._words:
            self._words[small] = self._made(small)
        made = self._words[small]
        if word.isupper():
            return made.upper()
        return made.capitalize() if word[0].isupper() else made

    def _made(self, word: str) -> str:
        """A word that was not used yet: digits for digits, an accent for another script."""
        draw = self._random
        while True:
            if word.isdigit():
                made = "".join(str(draw.randrange(10)) for _ in word)
                if len(self._used) > 9 ** len(word):
                    return made
            else:
                count = max(2, min(4, (len(word) + 1) // 2))
                made = "".join(draw.choice(_SYLLABLES) for _ in range(count))
                made += "" if word.isascii() else "é"
            if made not in self._used:
                self._used.add(made)
                return made


def body(text: str, mask: Mask) -> str:
    """An answer of Plex without anything that tells whose it is; "" for what is not XML."""
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - expat 2.4.1 and later limits entities
    except ElementTree.ParseError:
        return ""
    return ElementTree.tostring(_element(root, mask), encoding="unicode")


def _element(element: ElementTree.Element, mask: Mask) -> ElementTree.Element:
    made = ElementTree.Element(element.tag, dict(_attributes(element, mask)))
    made.extend(_element(child, mask) for child in element if child.tag not in DROPPED)
    return made


def _attributes(element: ElementTree.Element, mask: Mask) -> Iterator[tuple[str, str]]:
    for name, value in element.attrib.items():
        if name in ONLY_IN and element.tag not in ONLY_IN[name]:
            continue
        if name in IDS:
            if value.isdigit():
                yield name, mask.id(value)
        elif name in HARMLESS:
            yield name, value
        elif name in MOMENTS:
            yield name, mask.moment(value)
        elif name in GUIDS:
            yield name, mask.guid(value)
        elif name in TEXTS:
            yield name, mask.text(value)
        elif name == "originallyAvailableAt":
            yield name, f"{value[:4]}-01-01"  # the day would tell which album it is


def path(given: str, mask: Mask) -> str:
    """The path of a request with its query, ids and words replaced.

    >>> path("/library/metadata/17,18?type=10&X-Plex-Token=abc", Mask("s")).partition("?")[2]
    'type=10'
    """
    place, _, query = given.partition("?")
    place = re.sub(r"\d+", lambda found: mask.id(found[0]), place)
    kept = []
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name in QUERY_HARMLESS:
            kept.append((name, value))
        elif name in QUERY_IDS:
            kept.append((name, ",".join(mask.id(one) for one in value.split(",") if one.isdigit())))
        elif name in QUERY_MOMENTS:
            kept.append((name, mask.moment(value)))
        elif re.fullmatch(r"mood\[(\d+|)\]\.tag\.tag-?", name):
            kept.append((name, mask.text(value)))
    return f"{place}?{urlencode(kept, safe=',[]')}" if kept else place
