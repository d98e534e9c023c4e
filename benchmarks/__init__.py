"""Speed, memory and accuracy, measured and printed as ratios."""
