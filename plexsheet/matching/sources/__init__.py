"""Formats in which other players keep ratings, one module each, recognised by content."""

from __future__ import annotations

import math
from pathlib import Path

from plexsheet.errors import UsageError, WorkbookError
from plexsheet.matching.rows import ForeignList, ListOptions
from plexsheet.matching.sources import (
    clementine,
    itunes,
    loved,
    own,
    rekordbox,
    rhythmbox,
    table,
    tags,
    traktor,
)
from plexsheet.matching.sources.base import ListSource, UnreadableList, Unsaid, head_of

# In this order they are asked whether a file is theirs; a table may be anything.
SOURCES: tuple[ListSource, ...] = (
    tags.SOURCE,
    clementine.SOURCE,
    itunes.SOURCE,
    rhythmbox.SOURCE,
    traktor.SOURCE,
    rekordbox.SOURCE,
    loved.SOURCE,
    own.SOURCE,
    table.SOURCE,
)
BY_NAME = {source.name: source for source in SOURCES}
FAVOURITES = ("table", "loved")  # formats that may come without ratings


def read_list(path: Path, options: ListOptions, wanted: str = "") -> ForeignList:
    """Read a list.

    Args:
        path: a file, or a folder of audio files.
        options: scale, mapping and rating, as the person said.
        wanted: name of a source, ``""`` to tell by content.

    Raises:
        WorkbookError: it cannot be read; one sentence says why.
        UsageError: something must be said first; the sentence says what to type.
    """
    try:
        source = BY_NAME[wanted] if wanted else recognised(path)
        if not math.isnan(options.favourite) and source.name not in FAVOURITES:
            raise UsageError(
                f"--rating is for lists of favourites; {path.name} ({source.label}) has ratings "
                "of its own."
            )
        rows = list(source.read(path, options))
    except Unsaid as error:
        raise UsageError(str(error)) from error
    except (UnreadableList, OSError) as error:
        raise WorkbookError(_refusal(path, error), code="F20") from error
    return ForeignList(path.name, source.name, source.label, rows)


def recognised(path: Path) -> ListSource:
    """The source a file is of, by its content.

    Raises:
        OSError: it cannot be read.
    """
    head = head_of(path)
    return next((source for source in SOURCES if source.recognises(head)), table.SOURCE)


def _refusal(path: Path, error: UnreadableList | OSError) -> str:
    if isinstance(error, FileNotFoundError):
        why = "there is no such file"
    elif isinstance(error, PermissionError):
        why = "you may not read it"
    elif isinstance(error, OSError):
        why = error.strerror or "the disk would not give it"
    else:
        why = str(error)
    return f"{path.name} cannot be read: {why}. Nothing was changed."
