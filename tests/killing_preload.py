"""What the process imports from which others are forked (see ``killing``)."""

import plexsheet.apply.run
import plexsheet.cli.import_
import plexsheet.cli.undo
import plexsheet.inference.learned
import plexsheet.operations
import plexsheet.plex.gateway
import plexsheet.workbook.reading.reader
import plexsheet.workbook.writing.result  # noqa: F401 - all of them for what they import
