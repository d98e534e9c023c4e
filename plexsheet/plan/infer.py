"""Inferred values against what stands in Plex: which to write (pure)."""
