"""What the process imports from which others are forked (see ``killing``)."""

import plexsheet.apply
import plexsheet.cli.recovery
import plexsheet.cli.roundtrip
import plexsheet.importing
import plexsheet.inference.learned
import plexsheet.operations
import plexsheet.plex.gateway
import plexsheet.recovery
import plexsheet.workbook.reader
import plexsheet.workbook.result  # noqa: F401 - all of them for what they import
