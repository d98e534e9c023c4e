"""What builds and checks a release; not part of the package."""
