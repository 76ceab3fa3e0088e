"""The handbook: what turns docs/ and the code into a site in two languages; ``python -m tools.handbook`` tells the commands."""
