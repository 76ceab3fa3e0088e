"""What a loss that stands still at a known constant says: ln C, ln 2, 2 ln 2, the variance of the targets, -ln ε."""

import math

from ..records.finding import Sentence
from ..records.trace import Trace
from ._base import short

NEAR = 0.015  # of the constant: the noise of a mean over some hundred samples; of several floors the nearest counts
EPSILONS = {10.0**-k: f"1e-{k}" for k in range(5, 17)} | {2.0**-23: "2⁻²³ (float32)", 2.0**-52: "2⁻⁵² (float64)"}
LOGARITHM_FLOOR = 100.0  # torch's binary cross-entropy cuts the logarithm off at -100


def meaning_of(loss: float, trace: Trace) -> Sentence | None:
    """Return what a standing loss of this value means in this training, ``None`` where it is none of the known constants.

    >>> meaning_of(13.82, Trace(step=1)).en
    '13.8 is -ln 1e-6: the probability of the truth lies below its floor of 1e-6 for every sample'
    """
    shown = short(loss)
    floors = sorted(EPSILONS, key=lambda epsilon: abs(loss + math.log(epsilon)))
    for value, en, ja in _constants(trace, floors):
        if value > 0 and abs(loss - value) <= NEAR * value:
            return Sentence(f"{shown} is {en}", f"{shown} は {ja}")
    return None


def _constants(trace: Trace, floors: list[float]) -> list[tuple[float, str, str]]:
    """Return the constants of a training with their meaning, the most telling first."""
    found: list[tuple[float, str, str]] = []
    kind, classes = trace.loss_kind, _classes(trace)
    if "adversarial" in trace.facts:
        found.append((2 * math.log(2), "2 ln 2: the judge can tell nothing apart", "2 ln 2: 判別器は何も見分けられていない"))
    if kind in ("cross_entropy", "nll") and classes >= 2:
        found.append(
            (math.log(classes), f"ln {classes}: each of {classes} classes is given the same chance", f"ln {classes}: {classes} クラスすべてに同じ確率")
        )
    if kind in ("bce", "bce_with_logits"):
        found.append((math.log(2), "ln 2: the answer is 0.5 for every sample", "ln 2: どのサンプルにも 0.5 と答えている"))
        found.append((2 * math.log(2), "2 ln 2: two answers of 0.5 for every sample", "2 ln 2: 二つの答えがともに 0.5"))
    if trace.trivial_loss is not None and trace.trivial_loss > 0:
        en, ja = _trivial_words(kind)
        found.append((trace.trivial_loss, en, ja))
    if kind not in ("mse", "l1", "smooth_l1", "huber"):
        found += [
            (
                -math.log(value),
                f"-ln {name}: the probability of the truth lies below its floor of {name} for every sample",
                f"-ln {name}: どのサンプルでも正解の確率が下限 {name} 以下",
            )
            for value, name in ((floor, EPSILONS[floor]) for floor in floors)
        ]
    if kind == "bce":
        found.append(
            (
                LOGARITHM_FLOOR,
                "where the logarithm is cut off: every answer is wrong with certainty",
                "対数が打ち切られる値: すべての答えが確信をもって誤っている",
            )
        )
    return found


def _classes(trace: Trace) -> int:
    return next((layer.fan_out for layer in reversed(trace.layers) if layer.is_output), 0)


def _trivial_words(kind: str) -> tuple[str, str]:
    if kind in ("cross_entropy", "nll", "bce", "bce_with_logits"):
        return (
            "the entropy of the class shares: every sample gets the shares as its answer",
            "クラスの割合のエントロピー: どのサンプルにも割合そのものを答えている",
        )
    if kind == "l1":
        return (
            "the mean distance of the targets from their median: the median is said of every sample",
            "目標値の中央値からの平均距離: どのサンプルにも中央値を答えている",
        )
    return "var(y), the variance of the targets: their mean is said of every sample", "目標値の分散 var(y): どのサンプルにも平均を答えている"
