"""Plex music ratings in one workbook: export, infer, edit, sync back."""

__version__ = "0.1.0"
