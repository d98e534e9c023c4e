"""Every error a person can meet, each with its exit code.

    PlexsheetError            1  (base; never raised itself)
    ├── UsageError            2  a command or option that cannot be carried out
    │   ├── ConfigError       2  config.json missing, mistyped, or with unknown keys
    │   ├── FileExists        2  an output is there already and --force was not given
    │   ├── OpenRun           2  an interrupted run must be settled first
    │   └── Busy              2  another plexsheet is writing to this library
    ├── StateError            2  the state database is damaged, newer, or unwritable
    ├── WorkbookError         3  a file was stopped; carries its F code
    │   └── WrongLibrary      3  the file belongs to another library or account
    ├── PlexError             4  Plex cannot be reached or refuses
    │   ├── PlexUnreachable   4  no connection, no answer in time
    │   ├── PlexUnauthorized  4  the token is not accepted (401)
    │   ├── PlexForbidden     4  the account may not do this (403)
    │   ├── PlexNotFound      4  no such item or library (404)
    │   ├── PlexBusy          4  429 or 5xx after all tries
    │   ├── PlexGarbled       4  an answer that is not what Plex sends
    │   └── PlexMismatch      4  Plex stored something else than was sent

A message says what happened, to which thing, what was done and what to do next.
Foreign errors (plexapi, SQLite, the operating system) become one of these at the
edge that met them; only ``cli.main`` catches ``PlexsheetError``.
"""

from __future__ import annotations

from collections.abc import Iterable


class PlexsheetError(Exception):
    """Base of all errors a person can meet.

    Attributes:
        code: short stable name for ``--json`` (an F, S, P code where ROUNDTRIP has one).
        exit_code: what the process returns.
    """

    exit_code = 1
    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code

    @property
    def message(self) -> str:
        """The sentence for the person."""
        return str(self.args[0])


class UsageError(PlexsheetError):
    """A command or option that cannot be carried out as given."""

    exit_code = 2
    code = "usage"


class ConfigError(UsageError):
    """The settings file is missing, mistyped, or holds unknown keys."""

    code = "config"


class FileExists(UsageError):
    """An output file is there already and may not be replaced."""

    code = "file-exists"


class OpenRun(UsageError):
    """An interrupted run must be settled before a new one may start."""

    code = "open-run"


class Busy(UsageError):
    """Another plexsheet process is writing."""

    code = "busy"


class StateError(PlexsheetError):
    """The state database is damaged, newer than this plexsheet, or cannot be written."""

    exit_code = 2
    code = "state"


class WorkbookError(PlexsheetError):
    """A file was stopped as a whole; ``code`` is its F code."""

    exit_code = 3
    code = "F01"


class WrongLibrary(WorkbookError):
    """A workbook or state file belongs to another library or account (F04, F05)."""

    code = "F04"


class Parted(PlexsheetError):
    """State and Plex disagree about too much at once; ``code`` is S06 or S08."""

    exit_code = 3
    code = "S06"


class PlexError(PlexsheetError):
    """Plex cannot be reached, refuses, or answers strangely."""

    exit_code = 4
    code = "plex"


class PlexUnreachable(PlexError):
    """No connection, or no answer in time (P70)."""

    code = "P70"


class PlexUnauthorized(PlexError):
    """The token is not accepted (401)."""

    code = "unauthorized"


class PlexForbidden(PlexError):
    """The account may not do this (403, P71)."""

    code = "P71"


class PlexNotFound(PlexError):
    """No such item or library (404)."""

    code = "not-found"


class PlexBusy(PlexError):
    """429 or 5xx after all tries."""

    code = "P70"


class PlexGarbled(PlexError):
    """An answer that is not what Plex sends: HTML, cut-off XML, rows that do not add up."""

    code = "garbled"


class PlexMismatch(PlexError):
    """Plex stored something else than was sent, and not by a rounding known of it (P73)."""

    code = "P73"


WORST_FIRST = (4, 5, 3, 2, 1, 0)  # exit codes


def worst(codes: Iterable[int]) -> int:
    """The exit code of several: a stop (3) outranks refusals (1).

    >>> worst([0, 1, 3]), worst([4, 5]), worst([])
    (3, 4, 0)
    """
    found = set(codes)
    return next((code for code in WORST_FIRST if code in found), 0)
