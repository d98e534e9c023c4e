"""Large XML files element by element, in constant memory, with nothing expanded or fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.parsers import expat

from plexsheet.matching.sources.base import UnreadableList

Start = Callable[[str, dict[str, str]], None]
End = Callable[[str, str], None]


def stream(path: Path, start: Start, end: End) -> None:
    """Call back for each element of a file.

    Args:
        path: the file.
        start: called with name and attributes.
        end: called with name and the element's own text, stripped of nothing.

    Raises:
        Unreadable: damaged, cut off, not XML, or with entities of its own: those can grow a
            small file to gigabytes, and no player writes any.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    text: list[str] = []

    def started(name: str, attributes: dict[str, str]) -> None:
        text.clear()
        start(name, attributes)

    def ended(name: str) -> None:
        end(name, "".join(text))
        text.clear()

    parser.StartElementHandler = started
    parser.EndElementHandler = ended
    parser.CharacterDataHandler = text.append
    parser.EntityDeclHandler = _refuse_entity
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        raise UnreadableList(_why(path, error)) from error
    except (LookupError, UnicodeError) as error:
        raise UnreadableList("its encoding is not what it says") from error


def _refuse_entity(*_: object) -> None:
    raise UnreadableList("it declares entities of its own, as no player does and an attack would")


def _why(path: Path, error: expat.ExpatError) -> str:
    cut = error.code in (
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    )
    return "it breaks off" if cut else f"it is damaged in line {error.lineno}"
