"""Numbers that float16 rounds to nothing: gradients, updates, or the ε of an optimizer."""

import math
from typing import Any, ClassVar

import numpy as np

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, is_adaptive, layer_name, recent, short
from ._curves import of_layer
from ._progress import falls_short, is_slow

LIMIT = 0.5  # a layer that gets less than half of its gradient learns at less than half of its pace
MOST = 0.9
SMALLEST = 2.0**-25  # half of the smallest number of float16: what is smaller is rounded to zero
EXACT_RANK = 2


class Fp16Underflow(AbstractRule):
    r"""Fires when progress is poor and half precision loses more than half of a layer's gradient, or of its updates.

    First witness: a second backward of the same graph from a start :math:`2^k` times as large gives what the gradient would be without underflow; the lost
    share is :math:`1 - 2^k \sum g\,\mathrm{sign}(G)/\sum|G|`. Dead units and unused inputs are zero in both. Second: the share of the weights stored in
    half precision that a step leaves as they are though they have a gradient. Third, exact: the ε of Adam and its relatives is zero in float16, so that
    0/0 or x/0 spoils the weights at a finite gradient.

    References:
        Micikevicius et al. 2018, "Mixed precision training" (arXiv 1710.03740), sections 3.1 and 3.2.
    """

    id: ClassVar = "KZ315"
    name: ClassVar = "fp16_underflow"
    title: ClassVar = both("gradients and updates lost in half precision", "半精度で失われる勾配と更新")
    family: ClassVar = "signal"
    rank: ClassVar = 33
    wind: ClassVar = -2.0
    curves: ClassVar = {
        "share of the gradient lost to underflow": of_layer("underflow_share"),
        "entries of the gradient that became exactly zero": of_layer("zeroed_share"),
        "share of the weights that a step leaves unchanged": of_layer("lost_update_share"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if half precision loses what the training needs."""
        half = trace.facts.get("half_precision")
        if not half:
            return None
        if (exact := _zero_epsilon(trace, half)) is not None:
            return self._of_epsilon(*exact)
        if trace.progress is None or trace.progress.is_diverging:
            return None
        return self._of_gradient(trace, half) or self._of_updates(trace, half)

    def _of_epsilon(self, place: str, step: int, epsilon: float) -> Finding:
        return self.finding(
            confidence=0.96,
            severity="error",
            rank=EXACT_RANK,
            wind=3.0,
            step=step,
            place=place,
            evidence=[
                Evidence("ε of the optimizer", epsilon, SMALLEST, "", "half of float16's smallest number", "オプティマイザの ε", "float16 の最小数の半分")
            ],
            sentence=both(
                f"The update of `{place}` is not finite at step {step}: its weights are float16, in which the optimizer's ε = {short(epsilon)} is zero, "
                "and so it divides by zero.",
                f"ステップ {step} で `{place}` の更新量が有限ではありません。重みが float16 のため ε = {short(epsilon)} が 0 に丸められ、0 で割っています。",
            ),
        )

    def _of_gradient(self, trace: Trace, half: dict[str, Any]) -> Finding | None:
        column, share = _worst(trace, "underflow_share")
        if not _is_felt(trace, share):
            return None
        zeroed = float(recent(trace, "zeroed_share", 5)[column])
        scaler = trace.facts.get("scaler")
        scale = float(scaler["scale"]) if scaler else 1.0
        en = f"at a loss scale of {short(scale)}" if scaler else "without a gradient scaler"
        ja = f"損失スケール {short(scale)} でも" if scaler else "勾配スケーラーなしで"
        return self.finding(
            confidence=0.75 + 0.2 * (share - LIMIT) / (1 - LIMIT),
            place=trace.layers[column].name,
            evidence=[
                Evidence(
                    "share of the gradient lost to underflow",
                    share,
                    LIMIT,
                    "",
                    "a second backward from a larger start",
                    "アンダーフローで失われた勾配の割合",
                    "大きくした値から始める 2 回目の backward",
                ),
                Evidence("entries of the gradient that became exactly zero", zeroed, None, "", "the same", "ちょうど 0 になった勾配成分の割合", "同上"),
                Evidence("loss scale", scale, None, "", "", name_ja="損失スケール"),
            ],
            sentence=both(
                f"{share:.0%} of the gradient of {layer_name(trace.layers[column])} is lost in {half['format']} {en}: it is smaller than 6e-8.",
                f"{layer_name(trace.layers[column])} の勾配の {share:.0%} が {half['format']} で失われています（{ja}。6e-8 より小さいため）。",
            ),
        )

    def _of_updates(self, trace: Trace, half: dict[str, Any]) -> Finding | None:
        column, share = _worst(trace, "lost_update_share")
        if not _is_felt(trace, share):
            return None
        return self.finding(
            confidence=0.7 + 0.2 * (share - LIMIT) / (1 - LIMIT),
            place=trace.layers[column].name,
            evidence=[Evidence("share of the weights that a step leaves unchanged", share, LIMIT, "", "", "更新後も同じ重みの割合（勾配をもつもの）")],
            sentence=both(
                f"{share:.0%} of the weights of {layer_name(trace.layers[column])} do not change when they are updated: "
                f"the updates are smaller than the spacing of {half['format']} numbers.",
                f"{layer_name(trace.layers[column])} の重みの {share:.0%} は更新しても変わりません。更新量が {half['format']} の刻みより小さいためです。",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say how little is lost."""
        shares = recent(trace, "underflow_share", 5)
        seen = shares[np.isfinite(shares)] if "half_precision" in trace.facts else shares[:0]
        if seen.size == 0 or float(seen.max()) > LIMIT / 5:
            return None
        return both(f"half precision (at most {float(seen.max()):.1%} of a gradient is lost)", f"半精度（失われた勾配は最大 {float(seen.max()):.1%}）")


def _is_felt(trace: Trace, share: float) -> bool:
    """Return whether too much is lost and progress is slow; where nearly all is lost, less has to be wrong with it."""
    return share > LIMIT and (falls_short(trace.progress, 0.6, 0.3) if share > MOST else is_slow(trace.progress))


def _worst(trace: Trace, series: str) -> tuple[int, float]:
    """Return the first of the layers that lose most, and its share; 0 where nothing was measured."""
    shares = recent(trace, series, 5)
    columns = [i for i in range(min(len(trace.layers), shares.size)) if shares[i] > 0]
    worst = max(columns, key=lambda i: round(float(shares[i]), 2), default=0)
    return worst, min(float(shares[worst]), 1.0) if columns else 0.0


def _zero_epsilon(trace: Trace, half: dict[str, Any]) -> tuple[str, int, float] | None:
    """Return place, step and ε of an update that divided by an ε that is zero in float16, ``None`` where there was none."""
    bad, epsilon = trace.facts.get("bad_update"), trace.optimizer.get("eps")
    earlier = [event["step"] for name in ("first_bad", "bad_gradient") if (event := trace.facts.get(name))]
    if not bad or half["format"] != "float16" or not is_adaptive(trace) or not isinstance(epsilon, int | float) or not epsilon < SMALLEST:
        return None
    if bad["place"] not in half["weights"] or any(step <= bad["step"] for step in earlier) or math.isnan(epsilon):
        return None
    return str(bad["place"]), int(bad["step"]), float(epsilon)
