"""Routes: what a page can ask or tell the server. One file a route, found by scanning; an answer is a record."""
