"""One experiment per file; the folder is the list."""
