"""Judge what was typed: every cell against what stood there."""
