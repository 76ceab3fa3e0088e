"""One activation per file; the folder is the catalogue."""
