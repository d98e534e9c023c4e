"""What plexsheet does, one module each: commands, the watcher and scripts call these.

Each joins the pieces (Plex, state, inference, workbook, plan, apply), takes the session
first and returns a value; none prints, asks or exits.  Planning and carrying out are apart:
what a ``prepare_*`` returns is the preview, and ``carry_out`` does that and nothing else.
"""

from plexsheet.operations.brakes import forgotten
from plexsheet.operations.carry_out import carry_out, open_run, write_estimate_s
from plexsheet.operations.diff import diff
from plexsheet.operations.export import Exported, export, export_csv
from plexsheet.operations.import_ import ImportOptions, Prepared, prepare_import, settled
from plexsheet.operations.import_file import Imported, import_file
from plexsheet.operations.import_result import place_of_result, write_result
from plexsheet.operations.infer import (
    Model,
    PreparedInference,
    infer,
    infer_payload,
    prepare_infer,
    run_summary,
    write_preview,
)
from plexsheet.operations.match import (
    MatchOptions,
    PreparedMatch,
    match_payload,
    prepare_match,
    remember_plays,
    settled_match,
    write_review,
)
from plexsheet.operations.read import Reading, read
from plexsheet.operations.reconstruct import prepare_reconstruct
from plexsheet.operations.report import (
    subject,
    with_accuracy,
    with_moved,
    with_standing,
    with_unheard,
)
from plexsheet.operations.report_bug import prepare_bug_report, write_bug_report
from plexsheet.operations.restore import prepare_restore
from plexsheet.operations.resume import resume
from plexsheet.operations.session import Session, session
from plexsheet.operations.sync_tags import prepare_sync_tags
from plexsheet.operations.undo import prepare_cleanup, prepare_undo, taken_back_by
from plexsheet.operations.verify import verify

__all__ = [
    "Exported",
    "ImportOptions",
    "Imported",
    "MatchOptions",
    "Model",
    "Prepared",
    "PreparedInference",
    "PreparedMatch",
    "Reading",
    "Session",
    "carry_out",
    "diff",
    "export",
    "export_csv",
    "forgotten",
    "import_file",
    "infer",
    "infer_payload",
    "match_payload",
    "open_run",
    "place_of_result",
    "prepare_bug_report",
    "prepare_cleanup",
    "prepare_import",
    "prepare_infer",
    "prepare_match",
    "prepare_reconstruct",
    "prepare_restore",
    "prepare_sync_tags",
    "prepare_undo",
    "read",
    "remember_plays",
    "resume",
    "run_summary",
    "session",
    "settled",
    "settled_match",
    "subject",
    "taken_back_by",
    "verify",
    "with_accuracy",
    "with_moved",
    "with_standing",
    "with_unheard",
    "write_bug_report",
    "write_estimate_s",
    "write_preview",
    "write_result",
    "write_review",
]
