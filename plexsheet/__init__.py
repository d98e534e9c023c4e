"""Plex music ratings in one workbook: export, infer, edit, sync back.

Data flows one way.  What decides is a pure function over columns; what touches Plex, a
file, the clock or the network is at an edge.  Imports point down this list only.

============== ==================================================================
`cli`          arguments in, one operation called, a report out
`watching`     a folder in which saving a workbook imports it
`operations`   export, infer, carry out: one function for each thing to be done
`answering`    what an import returns: the person's file, a word on every row
`importing`    an edited file on its way to a plan, and what came of it
`doctor`       what has to be right, line by line, with its cure
`session`      one library, connected, with its state open
`recovery`     the ways back: resume, undo, clean up, verify, reconstruct
`apply`        carries out a plan; the only place that writes to Plex
`restoring`    the ratings of an older workbook, put back
`compare`      two workbooks compared
`closing`      what follows when a run has ended
`healing`      items found again under a new rating key
`lineage`      which earlier imports of an export a file goes back to
`reading`      the library as Plex holds it now, read no more than needed
`reverse`      a run as the plan that takes it back
`parcels`      rows of a plan packed into few requests
`ancestor`     plex_state.json of plex-rating-utils, in and out
`snapshot`     an earlier read brought up to date
`settling`     what Plex holds against what was meant
`reports`      what the ratings say: as tables, text, terminal, page and data
`workbook`     its columns, writing it, reading it back, judging every edit
`state`        what is remembered between runs: one SQLite file
`plan`         base, workbook and Plex compared; inert data
`ownership`    whose a rating is
`plex`         the only package that knows plexapi and HTTP
`inference`    what the person would have given, from what they gave
`config`       settings, each declared once
`library`      artists, albums and tracks as columns
`ratings`      the scale: 0-10, stars, rounding, unrated
`errors`       everything that can go wrong for a person, with its exit code
`demo`         a small Plex server for first steps and tests; only `cli` knows it
============== ==================================================================
"""

__version__ = "0.1.0"
