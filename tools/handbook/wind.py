"""The page of the wind scale held against outcomes: do trainings whose layers blow in the band really fare better?"""

import math
from collections.abc import Callable
from typing import Any

from .scores import calibrated
from .staging import DOCS, Pages
from .tables import table

WORDS = {
    "en": {
        "title": "Held against outcomes",
        "lead": (
            "{n} of the {of} calibration patients, ill and healthy ones, each trained to its end (of {none} more no layer has a wind that is a "
            "number): *works* means that it reached the score that its healthy version reaches. The wind of a layer is the median of "
            "its recorded steps. Intervals are Wilson's, 95 %. Generated from `docs/data/calibration.json`; `python -m tools.handbook.calibration` "
            "measures anew."
        ),
        "header": ("layers, by their median wind", "trainings", "of them work", "share", "95 %"),
        "early": "In the first fifth of the steps",
        "whole": "Over all steps",
        "all": "all in the band",
        "calm": "some below it, none above",
        "storm": "some above it, or not finite",
        "and": (
            "The share of trainings that work is {a:.0%} with every layer in the band and {b:.0%} otherwise, in the first fifth of the steps; by "
            "Youden's J (share of working trainings in the band less share of failing ones in it) that is {j:.2f}, "
            "where 0 is no better than a coin and 1 a perfect test. {verdict}"
        ),
        "weak": (
            "**The band is a way to see where the wind blows and no test of health**: a failing training lies inside it often, and a working one "
            "outside. That is why the diagnosis never uses it as a limit."
        ),
        "strong": "The band separates working from failing trainings well, and still is not used as a limit: the diagnosis asks for a cause.",
    },
    "ja": {
        "title": "学習の結果との突き合わせ",
        "lead": (
            "較正用の学習（病気のものと健全なもの）{of} 件のうち {n} 件を最後まで学習させました（ほかの {none} 件では、どの層の風も数になりませんでした）。"
            "「うまくいく」とは、"
            "健全な版が達する成績に達したことです。層の風は記録したステップの中央値、"
            "区間は Wilson の 95 % 区間です。`docs/data/calibration.json` から生成しており、`python -m tools.handbook.calibration` で測り直せます。"
        ),
        "header": ("各層の風の中央値", "学習の数", "うまくいった数", "割合", "95 %"),
        "early": "最初の 1/5 のステップ",
        "whole": "全ステップ",
        "all": "すべての層が帯の中",
        "calm": "帯より下の層があり、上の層はない",
        "storm": "帯より上、または有限でない層がある",
        "and": (
            "最初の 1/5 のステップで、うまくいく割合は全層が帯の中なら {a:.0%}、そうでなければ {b:.0%} です。Youden の "
            "J（うまくいく学習が帯に入る割合から、失敗する学習が帯に入る割合を引いたもの）は {j:.2f} です"
            "（0 は硬貨投げと同じ、1 は完全な検査）。{verdict}"
        ),
        "weak": (
            "**帯は風がどこで吹いているかを見るためのもので、健康の検査ではありません。** 失敗する学習もよく帯の中にあり、うまくいく学習も外にあります。"
            "診断が帯を限界値として使わないのはこのためです。"
        ),
        "strong": "帯は成功と失敗をよく分けますが、それでも限界値としては使いません。診断は原因を問うからです。",
    },
}


def pages(language: str) -> Pages:
    """Return the page: the definition written by hand, and after it what outcomes say."""
    source = DOCS / ("ja/wind.md" if language == "ja" else "wind.md")
    return {"wind.md": source.read_text("utf-8").rstrip() + "\n\n" + validation(language)} if source.exists() else {}


def band() -> tuple[float, float]:
    """Return the band of the breeze, as reports colour it."""
    from kazami.reports.palette import HEALTHY

    return HEALTHY


def validation(language: str) -> str:
    """Return the section with its two tables."""
    from kazami.patients import all_patients

    words, rows = WORDS[language], [row for row in calibrated() if row["wind_early"] and row["wind"]]
    parts = [f"## {words['title']}", words["lead"].format(n=len(rows), none=len(calibrated()) - len(rows), of=len(all_patients("calibration")))]
    for name, key in (("early", "wind_early"), ("whole", "wind")):
        parts += [
            f"### {words[name]}",
            table(words["header"], [line(words[kind], [row for row in rows if kind_of(row[key]) == kind]) for kind in ("all", "calm", "storm")]),
        ]
    inside, outside = split(rows, lambda row: kind_of(row["wind_early"]) == "all")
    working, failing = split(rows, lambda row: row["works"])
    if inside and outside and working and failing:
        j = share(working, lambda row: row in inside) - share(failing, lambda row: row in inside)
        a, b = share(inside, lambda row: row["works"]), share(outside, lambda row: row["works"])
        parts.append(words["and"].format(a=a, b=b, j=j, verdict=words["strong" if j > 0.5 else "weak"]))
    return "\n\n".join(parts) + "\n"


def kind_of(winds: list[float | None]) -> str:
    """Return where the layers of a training lie: ``all`` in the band, ``calm`` or ``storm``."""
    low, high = band()
    if any(wind is None or wind > high for wind in winds):
        return "storm"
    return "calm" if any(wind is not None and wind < low for wind in winds) else "all"


def line(name: str, rows: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return one line of the table."""
    n, works = len(rows), sum(row["works"] for row in rows)
    if not n:
        return name, "0", "0", "–", "–"
    low, high = wilson(works, n)
    return name, str(n), str(works), f"{works / n:.0%}", f"{low:.0%} – {high:.0%}"


def wilson(n: int, of: int, z: float = 1.959964) -> tuple[float, float]:
    """Return Wilson's interval of a share.

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    p, centre = n / of, 1 + z * z / of
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    middle = p + z * z / (2 * of)
    return max(0.0, (middle - half) / centre), min(1.0, (middle + half) / centre)


def split(rows: list[dict[str, Any]], is_in: Callable[[dict[str, Any]], bool]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the rows for which something holds, and the others."""
    return [row for row in rows if is_in(row)], [row for row in rows if not is_in(row)]


def share(rows: list[dict[str, Any]], is_in: Callable[[dict[str, Any]], bool]) -> float:
    """Return for which share of the rows something holds."""
    return sum(is_in(row) for row in rows) / len(rows)
