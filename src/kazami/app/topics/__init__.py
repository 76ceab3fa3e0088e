"""Topics: what a page can follow live. One file a topic, found by scanning; each is asked for as ``<prefix>`` or ``<prefix>:<name>``."""
