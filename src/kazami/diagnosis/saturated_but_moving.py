"""A network whose hidden units stand at their flat ends while its output layer swings."""

import math
from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ..signals import autocorrelation
from ._base import AbstractRule, both, hidden, is_adaptive, number, recent, short

LIMIT = 0.1  # of the greatest slope, as for saturation
STANDING = 0.01  # of the output layer's relative updates
SWING = 0.05
BEYOND = 1.0
DEEP = -0.4
FEWEST = 8


class SaturatedButMoving(AbstractRule):
    r"""Fires when progress is poor, every hidden layer is saturated and moves by less than a hundredth of the output layer, and the loss swings.

    With the hidden layers at their flat ends, ``h`` no longer depends on the weights before it (and hardly on the input), and what is left of the training
    is the output layer's own map. For outputs :math:`z = Wh + b` it reads :math:`z \leftarrow z - g\,\nabla_z L`, with the gain
    :math:`g = \eta(1+\sum h^2)`; at its fixed point (the class shares, the mean) it is stable below :math:`g\,\lambda_{max}(C) = 2`, where ``C`` is the
    loss's curvature in the outputs, and beyond it the loss swings for ever, chaotically further on. The learning rate at which it stops is
    :math:`2/\big(\lambda_{max}(C)\,\lambda_{max}\langle\tilde h\tilde h^\top\rangle\big)`, times :math:`1+\beta` with momentum.

    Limits:
        For adaptive optimizers no gain is given; there the swing itself must be seen.

    References:
        The setting of Danovski, Soriano and Lacasa 2024 (arXiv 2404.05782) at a learning rate of 5.
    """

    id: ClassVar = "KZ108"
    name: ClassVar = "saturated_but_moving"
    title: ClassVar = both("an output layer that swings over saturated units", "飽和したユニットの上で振動する出力層")
    family: ClassVar = "signal"
    rank: ClassVar = 31
    wind: ClassVar = 1.5

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if only the output layer still moves."""
        if not trace.progress_is_poor or not _only_the_output_moves(trace):
            return None
        losses = trace["loss"].values
        newest = losses[losses.size // 2 :]
        if newest.size < FEWEST or not bool(np.isfinite(newest).all()):
            return None
        swing = float(np.std(newest) / max(abs(float(np.median(newest))), 1e-30))
        rate, energy, ratio = number(trace, "learning_rate", 1), number(trace, "head_energy", 5), head_ratio(trace)
        if not swing > SWING or not (ratio > BEYOND if math.isfinite(ratio) else _turns_back(trace, newest)):
            return None
        return self._found(trace, ratio, rate * energy, swing)

    def _found(self, trace: Trace, ratio: float, gain: float, swing: float) -> Finding:
        is_known = math.isfinite(ratio)
        gain, stops = (gain, number(trace, "learning_rate", 1) / ratio) if is_known else (math.nan, math.nan)
        rest_en = f", which oscillates at its gain g = η(1+Σh²) = {short(gain)} and stops below a learning rate of {short(stops)}" if is_known else ""
        rest_ja = f"利得 g = η(1+Σh²) = {short(gain)} で振動し、学習率 {short(stops)} 未満で止まります。" if is_known else ""
        slope = max(float(value) for value in recent(trace, "slope_share")[hidden(trace)] if np.isfinite(value))
        names = (
            ("slope of the least saturated hidden layer over its greatest", "最も飽和していない隠れ層の傾き（最大値比）"),
            ("learning rate below which the oscillation stops", "振動が止まる学習率"),
        )
        return self.finding(
            confidence=0.75 + (0.15 if is_known else 0.0),
            place=next((layer.name for layer in trace.layers if layer.is_output), ""),
            evidence=[
                Evidence(names[0][0], slope, LIMIT, "", "KZ105", name_ja=names[0][1]),
                Evidence("gain of the output layer's own map", gain, None, "", "η(1+Σh²)", name_ja="出力層だけの写像の利得"),
                Evidence("output layer's gain over its limit", ratio, BEYOND, "", "g·λ(C) = 2(1+β)", name_ja="出力層の利得（限界比）"),
                Evidence(names[1][0], stops, None, "", "2(1+β) over the output layer's curvature", names[1][1], "2(1+β) を出力層の曲率で割った値"),
                Evidence("swing of the loss", swing, SWING, "", "of its level", "損失の振れ幅", "その水準に対して"),
            ],
            sentence=both(
                f"All hidden units are saturated, so only the output layer still moves{rest_en}.",
                f"隠れユニットがすべて飽和しており、動いているのは出力層だけです。{rest_ja}",
            ),
        )


def head_ratio(trace: Trace) -> float:
    """Return the gain of the output layer's own map over the largest at which it is stable, NaN for adaptive optimizers and where it was not measured."""
    if is_adaptive(trace):
        return math.nan
    momentum = trace.optimizer.get("momentum", 0.0)
    beta = float(momentum) if isinstance(momentum, int | float) else 0.0
    return number(trace, "learning_rate", 1) * number(trace, "head_curvature", 5) / (2 * (1 + beta))


def _only_the_output_moves(trace: Trace) -> bool:
    slope, update = recent(trace, "slope_share"), recent(trace, "update_ratio")
    below = hidden(trace)
    outputs = [i for i, layer in enumerate(trace.layers) if layer.is_output and np.isfinite(update[i])]
    if not below or not outputs or not all(slope[i] < LIMIT for i in below):
        return False
    moving = max(float(update[i]) for i in outputs)
    return moving > 0 and all(float(update[i]) < STANDING * moving for i in below if np.isfinite(update[i]))


def _turns_back(trace: Trace, newest: np.ndarray) -> bool:
    """Return whether successive updates point against one another, or the loss has a period of its own."""
    if number(trace, "update_cosine") < -0.3:
        return True
    return newest.size >= 3 * FEWEST and float(autocorrelation(newest, min(newest.size // 3, 60)).min()) < DEEP
