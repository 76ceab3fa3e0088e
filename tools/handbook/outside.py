"""What a built page would fetch from outside: links that a reader clicks are no such thing, scripts, styles, pictures and fonts are."""

import re
from html.parser import HTMLParser
from pathlib import Path

LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
}
LOADS |= {"image": ("href", "xlink:href"), "use": ("href", "xlink:href"), "input": ("src",), "track": ("src",)}
PASSIVE = {"canonical", "alternate", "author", "help", "license", "next", "prev", "index", "search", "top", "up"}  # relations that fetch nothing
OUTSIDE = re.compile(r"^\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
IN_STYLE = re.compile(r"(?:url\(\s*['\"]?|@import\s+['\"])([^'\")\s]+)", re.IGNORECASE)


class _Loads(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "link" and not set(given.get("rel", "").lower().split()) <= PASSIVE:
            self.found.append(given.get("href", ""))
        for name in LOADS.get(tag, ()):
            self.found += [part.split()[0] for part in given.get(name, "").split(",") if part.split()] if name == "srcset" else [given.get(name, "")]
        self.found += IN_STYLE.findall(given.get("style", ""))
        self._is_style = tag == "style"

    def handle_data(self, data: str) -> None:
        if self._is_style:
            self.found += IN_STYLE.findall(data)


def outside_of_page(html: str) -> list[str]:
    """Return the addresses outside that a page loads.

    >>> outside_of_page('<a href="https://a.org">x</a><script src="//cdn.org/x.js"></script><img src="x.png">')
    ['//cdn.org/x.js']
    """
    parser = _Loads()
    parser.feed(html)
    return [address for address in parser.found if OUTSIDE.match(address)]


def outside_of_style(css: str) -> list[str]:
    """Return the addresses outside that a style sheet loads.

    >>> outside_of_style('@import "https://fonts.org/a.css"; b { background: url(pic.svg) }')
    ['https://fonts.org/a.css']
    """
    return [address for address in IN_STYLE.findall(css) if OUTSIDE.match(address)]


def outside_of_site(place: Path) -> dict[str, list[str]]:
    """Return by file what the pages and styles below a folder load from outside."""
    found = {file: outside_of_page(file.read_text("utf-8")) for file in place.rglob("*.html")}
    found |= {file: outside_of_style(file.read_text("utf-8")) for file in place.rglob("*.css")}
    return {file.relative_to(place).as_posix(): addresses for file, addresses in sorted(found.items()) if addresses}
