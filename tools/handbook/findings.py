"""The pages of the findings: what stands in docs/findings, and after it cures and scores, which come from the code and from what was counted."""

from typing import Any

from .scores import section
from .staging import DOCS, Pages
from .tables import table, toctree

ORDERS = {
    "en": (
        "a slip in the code",
        "a setting of the optimizer",
        "initial weights, scaling constants",
        "around the model",
        "an activation",
        "a normalisation layer",
        "a skip connection or gate",
    ),
    "ja": ("コードの誤り", "最適化の設定", "初期値・尺度の定数", "モデルの外側", "活性化関数", "正規化層", "スキップ接続・ゲート"),
}
WORDS = {
    "en": {
        "cures": "Cures",
        "cures_lead": "What kazami prescribes for it, least change first (generated from the code). Whether one helps is for `kazami cure` to prove.",
        "no_cures": "kazami prescribes nothing for it.",
        "cures_header": ("cure", "what it changes", "kind of change", "what else to expect", "old checkpoints load", "from"),
        "yes": "yes",
        "no": "no",
    },
    "ja": {
        "cures": "処方",
        "cures_lead": "kazami が勧める変更を、小さいものから順に並べます（コードから生成）。実際に効くかどうかは `kazami cure` が証明します。",
        "no_cures": "この所見には処方がありません。",
        "cures_header": ("処方の名前", "何を変えるか", "変更の種類", "副作用", "既存チェックポイント", "出典"),
        "yes": "読める",
        "no": "読めない",
    },
}
JAPANESE_CARD = "**調べるもの:** {title}\n\n**分類:** {family}（{when}）\n\n{words}規則の式、限界値の導出、見えないもの、参考文献は{link}にあります。"
FAMILIES = {"structure": "構造", "data": "データ", "initialisation": "初期値", "signal": "信号", "step": "更新", "symptom": "症状"}


def pages(language: str) -> Pages:
    """Return a page for each finding, and the catalogue's front."""
    from kazami.diagnosis import all_rules

    rules = sorted(all_rules(), key=lambda rule: rule.id)
    found = {}
    for rule in rules:
        name = f"{rule.id}-{rule.name}"
        body = _text(f"findings/{name}.md") if language == "en" else japanese_card(rule)
        found[f"findings/{name}.md"] = "\n\n".join([body.rstrip(), cures_of(rule.name, language), section(rule.name, language)]) + "\n"
    tree = toctree([f"{rule.id}-{rule.name}" for rule in rules], options=("hidden",))
    front = _text("findings/README.md") if language == "en" else japanese_front(rules)
    found["findings/README.md"] = f"{front.rstrip()}\n\n{tree}\n"
    return found


def _text(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def japanese_card(rule: Any) -> str:
    """Return the Japanese page of a finding: what is looked for and when; it leads to the English one for the derivation."""
    from .words import entries

    said = [word for entry in entries() if rule.name in entry["findings"] for word in entry["ja"]]
    words = f"**こんな言葉で探されます:** {'、'.join(said)}\n\n" if said else ""
    when = "最適化の前から（`kazami check` でも分かる）" if rule.can_decide_at == 0 else "最初のステップから"
    link = f'<a href="../../en/findings/{rule.id}-{rule.name}.html" lang="en" hreflang="en">英語版のページ</a>'
    return f"# {rule.id} {rule.name}\n\n" + JAPANESE_CARD.format(title=rule.title.ja, family=FAMILIES[rule.family], when=when, words=words, link=link)


def japanese_front(rules: list[Any]) -> str:
    """Return the Japanese front of the catalogue."""
    rows = [(f"[{rule.id} {rule.name}]({rule.id}-{rule.name}.md)", rule.title.ja, FAMILIES[rule.family]) for rule in rules]
    lead = (
        "所見ごとに 1 ページです。進みが悪いときにしか異常とは呼びません（コードの明白な誤りと、有限でない数は例外です）。"
        "言葉から探すには[言葉の索引](../words.md)、"
        "判定の読み方は[基本の考え方](../concepts.md)を見てください。"
    )
    return f"# 所見の一覧\n\n{lead}\n\n{table(('所見', '調べるもの', '分類'), rows)}"


def cures_of(finding: str, language: str) -> str:
    """Return the section of the cures that treat a finding."""
    from kazami.cures import all_cures

    words = WORDS[language]
    cures = sorted((cure for cure in all_cures() if finding in cure.treats), key=lambda cure: (cure.order, cure.name))
    if not cures:
        return f"## {words['cures']}\n\n{words['no_cures']}"
    rows = [
        (
            f"`{cure.name}`",
            cure.changes.in_language(language),
            ORDERS[language][cure.order],
            cure.side_effects.in_language(language),
            words["yes"] if cure.keeps_names else words["no"],
            cure.reference,
        )
        for cure in cures
    ]
    return f"## {words['cures']}\n\n{words['cures_lead']}\n\n{table(words['cures_header'], rows)}"
