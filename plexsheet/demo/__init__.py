"""A small Plex server with a music library in it, for first steps and for tests.

It answers what plexsheet asks as a real server was seen to answer, oddities included, so
that what works here works there.  Nothing else of plexsheet may know it.

============= ==========================================================
`library`     rows of a demo library: generated, or read from a TSV
`recording`   rows of the library in a bug report
`names`       words that the generated names are made of
`items`       artists, albums and tracks in memory
`builder`     rows into items
`store`       the library, and the log of writes
`edits`       what the query string of a batch edit means
`filters`     what the query string of a listing means
`render`      items as Plex's XML
`routes`      paths to answers
`http_server` HTTP on loopback
`server`      ``DemoPlex``: the library, its routes and the HTTP server
============= ==========================================================
"""
