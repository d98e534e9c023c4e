"""A small Plex server with a music library in it, for tests and for first steps.

``python -m plexsheet.demo.server --tracks 2000`` starts one; `server.DemoPlex` is the
same thing inside a test.  It answers as a real server was seen to answer, oddities
included, so that what works here works there.  Nothing else of plexsheet may know it.

=========== ==========================================================
`library`   rows of a demo library: generated, or read from a TSV
`names`     words that the generated names are made of
`store`     artists, albums and tracks in memory, and the log of writes
`edits`     what the query string of a batch edit means
`filters`   what the query string of a listing means
`render`    items as Plex's XML
`meta`      the filters, sorts and fields a music library advertises
`faults`    switches: slow, failing, dropping, rounding, refusing
`control`   paths to look at the server and steer it from another process
`routes`    paths to answers
`server`    HTTP, the command line, and ``DemoPlex``
=========== ==========================================================
"""
