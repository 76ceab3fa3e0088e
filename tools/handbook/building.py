"""The site in both languages, from its pages to HTML."""

import sys
from pathlib import Path

from . import api, benchmarks, commands, findings, gallery_pages, schemas, wind, words
from .staging import DOCS, LANGUAGES, TREE, Pages, japanese, put, title_of, with_others, written

GENERATED = ("words.md", "gallery.md", "measured.md", "schemas.md", "plugin.md")  # pages of the site that stand nowhere in docs/, but that pages there link to
WELCOME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>kazami 風見</title>
<script>location.replace((navigator.language || "").startsWith("ja") ? "ja/index.html" : "en/index.html")</script></head>
<body><p><a href="en/index.html">English</a> · <a href="ja/index.html" lang="ja">日本語</a></p></body></html>
"""


def generated(language: str) -> Pages:
    """Return the pages that are made from code, results and records; in Japanese only those whose texts all exist in Japanese."""
    pages = {**words.pages(language), **gallery_pages.pages(language), **findings.pages(language), **wind.pages(language)}
    if language == "en":
        pages = {**pages, **commands.pages(), **api.pages(), **benchmarks.pages(), **schemas.pages()}
    return pages


def all_pages() -> dict[str, Pages]:
    """Return all pages of the site by language."""
    english = {**written("en"), **generated("en")}
    return {"en": with_others(english), "ja": with_others(japanese(english, generated("ja")))}


def navigation(pages: Pages) -> str:
    """Return what stands in the navigation beside every page: where it has changed all pages are written anew, and not only those that have changed."""
    return "\n".join(f"{name}: {title_of(name, text)} {TREE.findall(text)}" for name, text in sorted(pages.items()) if not name.startswith("files/"))


def build(place: Path | None = None, languages: tuple[str, ...] = LANGUAGES) -> int:
    """Build the site below ``place`` and return 0, or Sphinx's exit code."""
    from sphinx.cmd.build import main as sphinx

    place = place or DOCS / "_build"
    pages = all_pages()
    for language in languages:
        source = put(pages[language], language, place / "source")
        settings = ["-D", f"language={language}", "-c", str(DOCS), "-d", str(place / "doctrees" / language)]
        kept, now = place / f"navigation-{language}.txt", navigation(pages[language])
        settings += [] if kept.is_file() and kept.read_text(encoding="utf-8") == now else ["-a"]
        code = sphinx(["-q", "-W", "--keep-going", "-b", "html", *settings, str(source), str(place / "html" / language)])
        if code:
            return code
        kept.write_text(now, encoding="utf-8")
    (place / "html" / "index.html").write_text(WELCOME, encoding="utf-8")
    print(f"the pages are in {place / 'html' / 'index.html'}", file=sys.stderr)
    return 0
