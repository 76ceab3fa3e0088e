"""Puts the pages of one language together: those written by hand, those generated, and a page that says so where there is no Japanese one yet."""

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LANGUAGES = ("en", "ja")
OUTSIDE = {
    "README.md": "index.md",
    "README.ja.md": "index.md",
    "CONTRIBUTING.md": "house.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "examples/plugin/README.md": "plugin.md",
}
FOLDERS = {"examples/plugin": "plugin.md", "docs/schemas": "schemas.md"}  # a link to a folder leads to the page that shows what is in it
SCORES = re.compile(r"<!-- scores -->\n(.*?)<!-- /scores -->", re.DOTALL)
OWN = ("conf.py", "_templates", "_static", "_build", "ja", "data", "gallery", "tutorial", "schemas")
LINK = re.compile(r"(?<!!)(\]\()([^)#\s]+)((?:#[^)]*)?\))|(!\[[^\]]*\]\()([^)\s]+)(\))")
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
JAPANESE = "[\\u3000-\\u30ff\\u3400-\\u9fff\\uff00-\\uff60]"
BROKEN = re.compile(rf"(?<={JAPANESE})\n *(?={JAPANESE})")  # a line of Japanese that goes on in the next one: a browser would show a gap there
FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)

Pages = dict[str, str]  # path of a page or file from the top of the site -> its text


def written(language: str = "en") -> Pages:
    """Return the pages that are written by hand in a language, by their paths in the site."""
    if language == "ja":
        return {file.relative_to(DOCS / "ja").as_posix(): joined(with_scores(_text(file))) for file in sorted((DOCS / "ja").rglob("*.md"))}
    found = {}
    for file in sorted([*DOCS.rglob("*.md")]):
        path = file.relative_to(DOCS)
        if path.parts[0] not in OWN:
            found[path.as_posix()] = resolved(with_scores(_text(file)), file)
    for outside, page in OUTSIDE.items():
        if page != "index.md":
            found[page] = resolved(_text(ROOT / outside), ROOT / outside)
    return found


def with_scores(text: str) -> str:
    """Return a page whose mark for the scores is followed by the table that ``make score`` wrote into the README."""
    written_there = SCORES.search(_text(ROOT / "README.md"))
    return SCORES.sub(lambda match: written_there[0] if written_there else match[0], text)


def joined(text: str) -> str:
    """Return Japanese text without the breaks inside its sentences, which are no places for a space; code stays as it is.

    >>> joined("一行目の\\n続き、`x` と\\n`y`")
    '一行目の続き、`x` と\\n`y`'
    """
    return "".join(part if part.startswith("```") else BROKEN.sub("", part) for part in FENCED.split(text))


def resolved(text: str, file: Path) -> str:
    """Return a page's text with links out of ``docs`` turned into links to the site's pages, or to copies of the files."""

    def turned(match: re.Match[str]) -> str:
        before, target, after = (match[1], match[2], match[3]) if match[2] else (match[4], match[5], match[6])
        return before + _target(target, file) + after

    parts = FENCED.split(text)
    return "".join(part if part.startswith("```") else LINK.sub(turned, part) for part in parts)


def _target(target: str, file: Path) -> str:
    """Return where a link of a repository file leads in the site."""
    if "://" in target or target.startswith(("mailto:", "#")):
        return target
    place = Path(os.path.normpath(file.parent / target))
    page = _page_of(file)
    up = "../" * page.count("/")
    name = place.relative_to(ROOT).as_posix()
    if name in OUTSIDE or name in FOLDERS:
        return up + {**OUTSIDE, **FOLDERS}[name]
    if place.is_dir():
        raise ValueError(f"{file.relative_to(ROOT)} links to the folder {name}, which has no page in the site. Link to its files instead.")
    if place.is_relative_to(DOCS) and (place.suffix in (".md", ".svg", ".png") or not place.is_file()):
        inside = place.relative_to(DOCS).as_posix()
        return up + inside if file.parent != DOCS / Path(page).parent else target
    return f"{up}files/{name}" if place.is_file() else target


def _page_of(file: Path) -> str:
    if file.is_relative_to(DOCS):
        return file.relative_to(DOCS).as_posix()
    return OUTSIDE[file.relative_to(ROOT).as_posix()]


def copies(pages: Pages) -> set[str]:
    """Return the repository files that pages link to and that are no pages."""
    return {name for text in pages.values() for name in re.findall(r"\]\((?:\.\./)*files/([^)#\s]+)", text)}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def title_of(page: str, text: str) -> str:
    """Return the first heading of a page."""
    if page.endswith(".rst"):
        return text.lstrip().partition("\n")[0]
    heading = re.search(r"^# (.+)$", text, re.MULTILINE)
    return heading[1].strip() if heading else Path(page).stem


def with_others(pages: Pages) -> Pages:
    """Return the pages with the line ``(others)`` on the front replaced by the pages beside it that no table names: a new page needs no list edited."""
    listed = {line.strip() for tree in TREE.findall(pages["index.md"]) for line in tree.splitlines()}
    others = sorted(name.removesuffix(".md") for name in pages if "/" not in name and name.removesuffix(".md") not in {*listed, "index"})
    return {**pages, "index.md": pages["index.md"].replace("(others)\n", "".join(f"{name}\n" for name in others))}


def stand_in(page: str, english: str) -> str:
    """Return the Japanese page that says that there is only an English one, and leads there; it keeps the navigation below it."""
    title = title_of(page, english)
    up = "../" * (page.count("/") + 1)
    address = f"{up}en/{page.rsplit('.', 1)[0]}.html"
    tree = "\n\n".join(re.findall(r"^```\{toctree\}.*?^```$", english, re.MULTILINE | re.DOTALL))
    lead = "このページの日本語版はまだありません。"  # the title says so too: it stands in the navigation
    return f'# {title}（英語）\n\n{lead}<a href="{address}" lang="en" hreflang="en">英語版を読む（{title.replace("`", "")}）</a>\n\n{tree}\n'


def japanese(english: Pages, generated: Pages) -> Pages:
    """Return the whole Japanese site: every English page is there, in Japanese or as a page that says that it is not."""
    own = {**written("ja"), **generated}
    strangers = sorted(set(written("ja")) - set(english))
    if strangers:
        raise ValueError(f"These Japanese pages have no English original: {', '.join(strangers)}")
    return {_as_markdown(page, own): own[page] if page in own else stand_in(page, text) for page, text in english.items()}


def _as_markdown(page: str, own: Pages) -> str:
    return page if page in own else page.removesuffix(".rst").removesuffix(".md") + ".md"


def put(pages: Pages, language: str, place: Path) -> Path:
    """Write a language's pages, and the files that they show, below ``place``; what has not changed keeps its time, so that Sphinx reads only the rest."""
    source = place / language
    wanted = {source / page: text for page, text in pages.items()}
    for file, text in wanted.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
    for name in copies(pages):
        wanted[_copied(ROOT / name, source / "files" / name)] = ""
    for folder in ("images", "gallery"):
        for file in sorted((DOCS / folder).glob("*.*")):
            if file.suffix in (".svg", ".png"):
                wanted[_copied(file, source / folder / file.name)] = ""
    for file in [file for file in source.rglob("*") if file.is_file() and file not in wanted]:
        file.unlink()
    return source


def _copied(file: Path, to: Path) -> Path:
    to.parent.mkdir(parents=True, exist_ok=True)
    if not to.exists() or to.read_bytes() != file.read_bytes():
        shutil.copyfile(file, to)
    return to
