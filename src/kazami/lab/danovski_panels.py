"""The figure of the experiment after Danovski, Soriano and Lacasa 2024: one panel for each of its measurements."""

from typing import Any

import numpy as np

from ..records import Sentence
from ..reports.numerals import short
from .danovski import LEARNING_RATES
from .line_figure import Panel
from .outcome import Row, Rows

STEP = Sentence("step", "ステップ")
LAST = 30


def panels(rows: Rows) -> list[Panel]:
    """Return the panels of what was measured."""
    measured = rows.where(part="middle")
    first = _middle_panels(measured) if len(measured) else []
    return first + [panel for row in rows for panel in PANELS.get(row["part"], lambda row: [])(row)]


def _middle_panels(measured: Rows) -> list[Panel]:
    lines = {"measured": (measured.values("epsilon"), measured.values("value"))}
    labels = Sentence("perturbation ε", "摂動 ε"), Sentence("exponent, 1/step", "指数、1/ステップ")
    return [Panel(lines, Sentence("η = 1: the exponent falls with the perturbation", "η = 1: 指数は摂動とともに下がる"), labels, ("log", "linear"))]


def _losses_panels(row: Row) -> list[Panel]:
    shown = {f"initialisation {place + 1}": row["losses"][:, place] for place in range(min(3, row["losses"].shape[1]))}
    falls = Sentence("the loss only falls", "損失は下がり続ける") if row["monotone"] == 1.0 else Sentence("the loss also rises", "損失は上がりもする")
    title = Sentence(f"η = {row['rate']:g}: {falls.en}", f"η = {row['rate']:g}: {falls.ja}")
    return [Panel(shown, title, (STEP, Sentence("loss, nats", "損失 (nat)")), ("linear", "log"))]


def _high_panels(row: Row) -> list[Panel]:
    if row["rate"] != LEARNING_RATES[2]:
        return []
    places = np.unique(np.round(row["effective"]), return_index=True)[1]  # one network for every number of units that are stuck at one
    shown = {f"effective rate {short(float(row['effective'][place]))}": row["losses"][-LAST:, place] for place in places}
    labels = Sentence("step of the last 30", "最後の 30 ステップ"), Sentence("loss, nats", "損失 (nat)")
    dead = short(100 * row["dead"])
    title = Sentence(f"η = 5, {dead} % dead: their output sums alone move", f"η = 5、{dead} % が死に、動くのは出力和だけ")
    return [Panel(shown, title, labels)]


def _low_panels(row: Row) -> list[Panel]:
    lines = {f"ε = {epsilon:g}": (row["steps"], curve) for epsilon, curve in zip((1e-12, 1e-8, 1e-4), row["distances"], strict=True)}
    return [Panel(lines, Sentence("η = 0.01: a drift, the same for every ε", "η = 0.01: ε によらず同じ漂い"), (STEP, Sentence("distance / εN", "距離 / εN")))]


def _series_panels(row: Row) -> list[Panel]:
    lags = np.arange(len(row["correlations"]))
    second: dict[str, Any] = {"autocorrelation": row["correlations"], "shuffled": (lags, np.full(len(lags), row["bound"]))}
    dies = short(row["died"])
    titles = (
        Sentence(f"η = 5: no more growth once dead (step {dies})", f"η = 5: 死後（ステップ {dies}）は離れない"),
        Sentence("η = 5: the loss is correlated with its past", "η = 5: 損失は過去と相関する"),
    )
    return [
        Panel({"sum of λ(t)": np.cumsum(row["local"])}, titles[0], (STEP, Sentence("ln of growth", "成長の対数"))),
        Panel(second, titles[1], (Sentence("lag, steps", "遅れ、ステップ"), Sentence("autocorrelation", "自己相関"))),
    ]


PANELS: dict[str, Any] = {"high": _high_panels, "low": _low_panels, "series": _series_panels, "losses": _losses_panels}
