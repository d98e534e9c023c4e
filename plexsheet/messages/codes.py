"""What a code is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["file", "sheet", "error", "warning", "conflict", "info", "plex", "undo"]

SEVERITY_OF_LETTER: Mapping[str, Severity] = {
    "F": "file",
    "S": "sheet",
    "E": "error",
    "W": "warning",
    "C": "conflict",
    "I": "info",
    "P": "plex",
    "U": "undo",
}


@dataclass(frozen=True)
class Code:
    """One thing that can be said.

    Attributes:
        code: stable short name; its letter tells the severity.
        when: what brings it about, in a few words.
        template: the sentence, with the fields it quotes in braces (F08: ``days="41 days"``,
            ``items="212 items"``; the caller counts them out).
        cure: what the person does about it; ``""`` where nothing is to be done.
        notice: of a file's code: whether reading goes on all the same.
        variants: other wordings, by name.
    """

    code: str
    when: str
    template: str
    cure: str = ""
    notice: bool = False
    variants: Mapping[str, str] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """How serious: a file's notice is an info."""
        return "info" if self.notice else SEVERITY_OF_LETTER[self.code[0]]
