"""Two players that circle around one another."""

import math
from typing import Any, ClassVar

from ..records.finding import Evidence, Finding, Sentence
from ..records.trace import Trace
from ._base import AbstractRule, both, is_adaptive, short

OUTWARD = 1.05  # a turn: the radius grows beyond the error of a fitted eigenvalue
INWARD = 0.9
SIDES = {"sides": ("two sides of the training", "学習の二つの側"), "weights": ("weights", "重み")}  # of one optimizer
CERTAIN = 3.0  # turns
FAR = 0.5  # of the way from the start to the centre: it has not come nearer than that


class PlayerRotation(AbstractRule):
    r"""Tells that the players of a game circle around one another, and fires as a warning where the circle does not close in.

    Gradient steps of two players on :math:`f(x, y)` and :math:`-f(x, y)` have a Jacobian with an antisymmetric part and hence complex eigenvalues: they turn.
    For :math:`f = xy` the eigenvalues are :math:`1 \pm i\eta`: simultaneous steps spiral outward by :math:`(1+\eta^2)^{\pi/\eta}` a turn, alternating ones
    stay on a circle. Turning alone is the normal course of a game and no fault. A warning where the radius grows by more than 5 % a turn, or where it
    shrinks by less than 10 % a turn and is still more than half of the way from the start to the centre. With adaptive steps, whose length does not shrink near
    the centre, a narrow circle goes in and out and is no warning.

    One optimizer may hold both sides: where some of its gradients come with their sign turned (a reversal layer, ``maximize``, ``p.grad.neg_()``), or where
    plain gradient descent winds three times and more, which on one loss it cannot do.

    Limits:
        Known only for games that are seen as such (a loss reaches two players, and one of them does not step on it, or climbs; a turned sign; plain gradient
        descent), from two turns of six steps or longer.

    References:
        Mescheder, Nowozin and Geiger 2017, "The numerics of GANs" (arXiv 1705.10461). Gidel et al. 2019 (arXiv 1802.10551).
    """

    id: ClassVar = "KZ320"
    name: ClassVar = "player_rotation"
    title: ClassVar = both("rotation of players around one another", "二者が互いのまわりを回る動き")
    family: ClassVar = "step"
    rank: ClassVar = 36
    wind: ClassVar = 1.0

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding, or a remark, if the players turn."""
        seen = trace.facts.get("rotation")
        if not seen or not ("adversarial" in trace.facts or seen.get("sides") in SIDES):
            return None
        if not all(math.isfinite(seen[key]) for key in ("period", "growth", "radius_over_way")):
            return None
        growth, radius = float(seen["growth"]), float(seen["radius_over_way"])
        is_outward = growth > OUTWARD and (radius > FAR or not is_adaptive(trace))  # those circle narrowly round the centre, in and out
        is_lasting = growth > INWARD and radius > FAR
        if seen.get("sides") == "weights" and not is_lasting:
            return None  # batches in a fixed order force weights round as well, in narrow circles
        return self._found(seen, growth, radius, is_outward=is_outward, is_lasting=is_lasting)

    def _found(self, seen: dict[str, Any], growth: float, radius: float, *, is_outward: bool, is_lasting: bool) -> Finding:
        en, ja = ("outward", "外側へ広がりながら") if is_outward else ("without closing in", "縮まらずに") if is_lasting else ("inward", "内側へ縮まりながら")
        who, who_ja = SIDES.get(seen.get("sides", ""), ("players", "二者"))
        why, why_ja = ("; plain gradient steps on one loss never turn", "単一の損失に対する勾配法では回転は起こりません。") if who == "weights" else ("", "")
        return self.finding(
            confidence=0.6 + 0.2 * min(float(seen["steadiness"]), 1.0) + (0.1 if is_outward or float(seen["turns"]) > CERTAIN else 0.0),
            severity="warning" if is_outward or is_lasting else "info",
            step=int(seen["first"]),
            place=f"the {who}",
            place_ja={"players": "各プレイヤー"}.get(who, who_ja),
            wind=None if is_outward or is_lasting else 0.0,
            evidence=[
                Evidence("radius after one turn over that before", growth, OUTWARD, "", "1: a closed circle", "一周ごとの半径の倍率", "1 は閉じた円"),
                Evidence("period", float(seen["period"]), None, "steps", "complex eigenvalues of the joint path", "周期", "合成軌道の複素固有値"),
                Evidence("turns", float(seen["turns"]), 2.0, "", "a random walk winds once at most", "回転数", "酔歩の回転はせいぜい 1 周"),
                Evidence("radius over the way from the start to the centre", radius, FAR, "", "", name_ja="半径（開始点から中心までの距離比）"),
            ],
            sentence=both(
                f"The {who} circle around one another with a period of {short(float(seen['period']))} steps, {en} (radius times {short(growth)} a turn){why}.",
                f"{who_ja}が約 {short(float(seen['period']))} ステップの周期で互いのまわりを{ja}回っています（一周ごとに半径 {short(growth)} 倍）。{why_ja}",
            ),
        )

    def exonerate(self, trace: Trace) -> Sentence | None:
        """Say that the players were looked at and do not turn."""
        if "adversarial" not in trace.facts or "rotation" in trace.facts:
            return None
        return both("rotation of the players (none is seen)", "二者の回転（見られません）")
