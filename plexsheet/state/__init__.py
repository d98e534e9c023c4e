"""What plexsheet remembers between runs: one SQLite file.

=========== ==================================================================
`schema`    its tables, and the way from every older version to this one
`bases`     columns of numbers as small blobs
`store`     shadow state, decisions, exports, known items; ``open_state``
`journal`   runs and their rows: intent, outcome, what to take back
`lock`      one writer at a time
`ancestor`  plex_state.json of plex-rating-utils, in and out
=========== ==================================================================
"""
