"""Read workbooks as people and programs save them, by value and untrusted."""
