"""Carry out a plan: guard, write, read back, record.  The only way to write to Plex."""
