"""The pages of the gallery, from the experiments' own words and the outcomes kept in docs/gallery."""

import json
from typing import Any

from .gallery import PLACE
from .staging import Pages
from .tables import table, toctree

WORDS = {
    "en": {
        "title": "Gallery",
        "lead": (
            "Every experiment of the lab: what it asks, what it expected and from where, what came out. The figures and numbers are those of the quick "
            "version with seed 0; "
            "`python -m tools.handbook.gallery` computes them anew, and each can be repeated with the command on its page."
        ),
        "claim": "What is said",
        "source": "Source",
        "found": "What came out",
        "checks": "Expected and measured",
        "header": ("", "check", "expected", "measured", "from"),
        "again": "The same again, here in the quick version; without `--quick` it takes about {seconds} s on one core:",
        "none": "Its outcome has not been computed for these pages yet; the command below does it.",
        "passed": "{n} of {total} checks passed.",
    },
    "ja": {
        "title": "実験ギャラリー",
        "lead": (
            "lab のすべての実験です。問い、期待値とその根拠、実測の結果を並べます。図と数値は簡易版（シード 0）のもので、`python -m "
            "tools.handbook.gallery` で計算し直せます。"
            "各ページのコマンドで手元でも再現できます。"
        ),
        "claim": "主張",
        "source": "出典",
        "found": "結果",
        "checks": "期待値と実測値",
        "header": ("", "検査項目", "期待値", "実測値", "根拠（英語）"),
        "again": "再現するコマンド（簡易版）。`--quick` なしでは 1 コアで約 {seconds} 秒かかります。",
        "none": "このページのための結果はまだ計算されていません。下のコマンドで計算できます。",
        "passed": "{total} 項目中 {n} 項目が合格。",
    },
}
SIGNS = {"within": "", "at_least": "≥ ", "at_most": "≤ "}


def pages(language: str) -> Pages:
    """Return a page for each experiment, and the gallery's front."""
    from kazami.lab import all_experiments

    words, experiments = WORDS[language], list(all_experiments())
    found = {f"experiments/{one.name}.md": page_of(one, language) for one in experiments}
    cards = []
    for one in experiments:
        kept = outcome_of(one.name)
        said = kept["outcome"]["sentence"][language] if kept else words["none"]
        picture = f"[![{_alt(one, language)}](gallery/{kept['figures'][language]})](experiments/{one.name}.md)\n\n" if kept else ""
        cards.append(f"## [{one.title.in_language(language)}](experiments/{one.name}.md)\n\n{one.question.in_language(language)}\n\n{picture}{said}")
    tree = toctree([f"experiments/{one.name}" for one in experiments], options=("hidden",))
    found["gallery.md"] = f"# {words['title']}\n\n{words['lead']}\n\n" + "\n\n".join(cards) + f"\n\n{tree}\n"
    return found


def outcome_of(name: str) -> dict[str, Any] | None:
    """Return what was kept of an experiment, ``None`` where nothing was."""
    file = PLACE / f"{name}.json"
    kept: dict[str, Any] | None = json.loads(file.read_text("utf-8")) if file.exists() else None
    return kept


def page_of(one: Any, language: str) -> str:
    """Return the page of one experiment."""
    words, kept = WORDS[language], outcome_of(one.name)
    parts = [f"# {one.title.in_language(language)}", one.question.in_language(language)]
    parts += [f"**{words['claim']}:** {one.claim.in_language(language)}", f"**{words['source']}:** {one.citation}"]
    if kept:
        outcome = kept["outcome"]
        parts += [f"![{_alt(one, language)}](../gallery/{kept['figures'][language]})", f"## {words['found']}", outcome["sentence"][language]]
        n_passed = sum(check["passed"] for check in outcome["checks"])
        parts += [f"## {words['checks']}", words["passed"].format(n=n_passed, total=len(outcome["checks"]))]
        parts.append(table(words["header"], [_row(check, name, language) for check, name in zip(outcome["checks"], kept["checks_ja"], strict=True)]))
    else:
        parts.append(words["none"])
    parts += [words["again"].format(seconds=f"{one.seconds[1]:g}"), f"```\nkazami lab run {one.name} --quick\n```"]
    return "\n\n".join(parts) + "\n"


def _row(check: dict[str, Any], japanese: str, language: str) -> tuple[str, ...]:
    from kazami.reports.numerals import short

    unit = f" {check['unit']}" if check["unit"] else ""
    tolerance = f" ± {_number(check['tolerance'], short)}" if check["tolerance"] else ""
    expected = f"{SIGNS[check['kind']]}{_number(check['expected'], short)}{tolerance}{unit}"
    name = japanese if language == "ja" else check["name"]
    return "✓" if check["passed"] else "✗", name, expected, f"{_number(check['measured'], short)}{unit}", check["source"]


def _number(value: Any, short: Any) -> str:
    return value if isinstance(value, str) else str(short(value))


def _alt(one: Any, language: str) -> str:
    return str(one.title.in_language(language)).replace("[", "(").replace("]", ")")
