"""What plexsheet remembers between runs: one SQLite file.

================= ============================================================
`runs`            which runs there were, which is open, how each ended
`planned_rows`    a plan written down before the first request
`journal`         the rows of runs: intent, outcome, what to take back
`snapshots`       the library as last read
`identities`      what is remembered of items, to know them again
`learning`        what a state of an older plexsheet knows of them
`events`          what made a rating the person's or ours
`guesses`         what inference guessed before the person rated
`texts`           many texts as one small blob
`store`           shadow state, decisions, exports, known items; ``open_state``
`moves`           rows about items that have other keys now
`database`        the file itself: opened with care, every failure in our words
`schema`          its tables, and the way from every older version to this one
`lock`            one writer at a time
`base_resolution` which earlier imports of an export a file goes back to
`item_history`    the ratings of one item over time
`foreign_plays`   how often songs were played elsewhere, by the lists of other players
`bases`           columns of numbers as small blobs
================= ============================================================
"""
