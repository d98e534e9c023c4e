"""Edits of a file against their base and Plex as it is now (pure)."""
