"""Plex itself: the only package that knows plexapi and HTTP."""

from plexsheet.plex.answers import Activity, Changes
from plexsheet.plex.connection import client_identifier, connect, this_client
from plexsheet.plex.gateway import Gateway
from plexsheet.plex.wire import PlexRejected
from plexsheet.plex.writes import BatchEdit

__all__ = [
    "Activity",
    "BatchEdit",
    "Changes",
    "Gateway",
    "PlexRejected",
    "client_identifier",
    "connect",
    "this_client",
]
