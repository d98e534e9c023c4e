"""How a folder is watched, and what is said of files that cannot be imported."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plexsheet.watching.jobs import Job, Jobs
from plexsheet.watching.stability import Patience

MOST_STARTS = 25  # a file whose import never ends, restarts included, is given up
NOT_A_WORKBOOK = (
    "This is not a workbook plexsheet reads (.xlsx, .xlsm, .ods, .csv). Nothing was changed. "
    "Save it again as .xlsx."
)
NEVER_ENDS = (
    f"Importing this file was begun {MOST_STARTS} times and never ended. Nothing more was "
    "changed. Export a fresh workbook and edit that."
)


@dataclass(frozen=True)
class Choices:
    """How a folder is watched.

    Attributes:
        root: the folder.
        config, profile: settings for the worker, which reads them anew for each job.
        auto_apply: write at once; else preview, and write what the Apply cell confirms.
        then_infer: write inferred ratings after an import, too.
        once: end when there is nothing left to do.
    """

    root: Path
    config: str | None = None
    profile: str | None = None
    auto_apply: bool = False
    then_infer: bool = False
    polling: bool = False
    once: bool = False
    patience: Patience = field(default_factory=Patience)

    def order(self, job: Job, jobs: Jobs, root: Path) -> dict[str, Any]:
        """A job as the worker is told of it."""
        return {
            "folder": str(jobs.folder(job)),
            "kind": job.kind,
            "name": job.name,
            # A file edited in place is the one imported before; a drop may come from anywhere.
            "place": "" if job.role == "drop" else str(root / job.source),
            "config": self.config,
            "profile": self.profile,
            "apply": self.auto_apply,
            "infer": self.then_infer,
        }
