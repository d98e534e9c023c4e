"""Lets ``python -m plexsheet`` behave as the console script does."""

from plexsheet.cli import main

if __name__ == "__main__":
    main()
