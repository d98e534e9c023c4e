"""Plex music ratings in one workbook: export, infer, edit, sync back.

Data flows one way.  What decides is a pure function over columns; what touches Plex, a
file, the clock or the network is at an edge.  Imports point down this list only.

============== ==================================================================
`cli`          arguments in, one operation called, a report out
`watching`     a folder in which saving a workbook imports it
`operations`   export, import, infer, undo ...: one module for each thing to be done
`apply`        carries out a plan; the only place that writes to Plex
`state`        what is remembered between runs: one SQLite file
`reports`      what the ratings say: as tables, text, terminal, page and data
`matching`     lists of other players, and their songs found in a library
`workbook`     its columns, writing it, reading it back, judging every edit
`plan`         base, workbook and Plex compared; inert data
`ownership`    whose a rating is
`identity`     whether an item in Plex is the one remembered
`plex`         the only package that knows plexapi and HTTP
`inference`    what the person would have given, from what they gave
`config`       settings, each declared once
`messages`     every sentence about a file or a row, by its code
`files`        names of workbook files
`library`      artists, albums and tracks as columns
`ratings`      the scale: 0-10, stars, rounding, unrated
`errors`       everything that can go wrong for a person, with its exit code
`demo`         a small Plex server for first steps and tests; only `cli` knows it
============== ==================================================================
"""

__version__ = "1.0.0"
