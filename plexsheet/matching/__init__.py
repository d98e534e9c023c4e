"""Ratings from elsewhere: lists of other players, and their songs found in a library.

============== ==================================================================
`sources`      lists of every format as rows, one module a format
`rows`         a list as rows of one form
`normalise`    titles, artists and albums folded for comparing
`catalogue`    the library with its names folded, and every way to find a track
`compare`      one row against one track: what agrees, what contradicts
`fuzzy`        tracks with nearly the same names, and how probable each is
`match`        every row found surely, likely, ambiguously or not at all
`review`       the workbook in which the person decides
============== ==================================================================
"""
