"""The index of the words that people use: one page per language, from docs/data/words.json and the names of the rules."""

import json
from functools import cache
from typing import Any

from .staging import DOCS, Pages
from .tables import table

PLACE = DOCS / "data" / "words.json"
WORDS = {
    "en": {
        "title": "What people say",
        "lead": (
            "Look for the words of your error or of what you see; each leads to the findings it may be and to what to do. Asking the training itself is "
            "faster: `kazami run train.py`."
        ),
        "header": ("you see or say", "it may be", "what to do"),
        "ask": "ask the training",
    },
    "ja": {
        "title": "言葉の索引",
        "lead": (
            "エラーの文や見えている症状の言葉から、考えられる所見と、すべきことを探せます。学習そのものに聞くほうが早いこともあります: `kazami run train.py`。"
        ),
        "header": ("見えるもの・言い方", "考えられる所見", "どうするか"),
        "ask": "学習に聞く",
    },
}


@cache
def entries() -> list[dict[str, Any]]:
    """Return what people say, in both languages, with the findings that it may be."""
    found: list[dict[str, Any]] = json.loads(PLACE.read_text("utf-8"))
    return found


def pages(language: str) -> Pages:
    """Return the page of words."""
    from kazami.diagnosis import all_rules

    words, other = WORDS[language], "en" if language == "ja" else "ja"
    rules = {rule.name: rule for rule in all_rules()}
    rows = []
    for entry in entries():
        said = " · ".join(f"“{word}”" if language == "en" else f"「{word}」" for word in [*entry[language], *(entry[other] if language == "ja" else [])])
        rows.append((said, links([rules[name] for name in entry["findings"]], language), todo(entry, language)))
    spoken = {name for entry in entries() for name in entry["findings"]}
    rows += [(rule.title.in_language(language), links([rule], language), todo({}, language)) for name, rule in sorted(rules.items()) if name not in spoken]
    body = f"# {words['title']}\n\n{words['lead']}\n\n:::{{container}} kazami-words\n\n{table(words['header'], rows)}\n\n:::\n"
    return {"words.md": body}


def links(rules: list[Any], language: str) -> str:
    """Return the findings as links."""
    return "<br>".join(f"[{rule.id} {rule.name if language == 'en' else rule.title.ja}](findings/{rule.id}-{rule.name}.md)" for rule in rules)


def todo(entry: dict[str, Any], language: str) -> str:
    """Return where it stands what to do; asking the training where no page does."""
    page = entry.get("page")
    if page is None:
        return "`kazami run train.py`"
    return f"[{'how to' if language == 'en' else '手順'}]({page if language == 'en' else page.partition('#')[0]})<br>`kazami run train.py`"
