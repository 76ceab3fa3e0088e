"""App: the local web server that shows runs while they are written, and lets people play. Its pages are in ``web/``; nothing here runs until it is asked."""
