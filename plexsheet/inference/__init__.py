"""Ratings the person would have given, from those they did give (pure)."""
