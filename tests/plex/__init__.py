"""The demo Plex server as tests need it: with faults, counts, a gate, and remote control.

`faults`   switches: slow, failing, dropping, rounding, refusing; and the gate to stop at
`odd`      routes and edits that follow the switches
`store`    a library that loses items and goes back to how it was
`control`  paths to look at the server and steer it from another process
`server`   ``DemoPlex`` with all of these
"""
