"""Storm: gradients grow on their way back through depth or time, or from step to step."""

from typing import ClassVar

import numpy as np

from ..records.finding import Evidence, Finding
from ..records.trace import Trace
from ._base import AbstractRule, both, early, growth_to_input, layer_name, matrices, on_the_way, recent, short
from ._curves import of_layer, over_depth
from ._progress import is_slow
from ._runaway import overflow_ahead

LIMIT = 3.0
LARGEST = 3.0  # gain: what lies above is KZ106's
SEEN = 1.0  # decades of growth that the gradients themselves must show where the weights tell of more


class ExplodingGradient(AbstractRule):
    r"""Fires when progress is poor and gradients grow by more than 3 decades over the depth, over the unrolled time of a recurrent net, or when the total
    norm has grown a thousandfold.

    A factor :math:`\rho` per layer or time step above 1 multiplies: :math:`\rho^{L}`; three decades leave the first layer with steps a thousand times those
    of the last.

    References:
        Pascanu, Mikolov and Bengio 2013, section 2.
    """

    id: ClassVar = "KZ102"
    name: ClassVar = "exploding_gradient"
    title: ClassVar = both("gradients that grow over depth, time or steps", "深さ・時間・ステップにわたる勾配の増大")
    family: ClassVar = "signal"
    rank: ClassVar = 30
    wind: ClassVar = 2.0
    curves: ClassVar = {
        "growth of the gradient over depth": over_depth("output_gradient_rms"),
        "growth of the gradient over time": of_layer("time_growth"),
    }

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding if gradients explode while progress is poor."""
        if not trace.progress_is_poor:
            return self._by_its_radius(trace) if is_slow(trace.progress) else None
        return self._over_time(trace) or self._by_its_radius(trace) or self._over_depth(trace) or self._overflow(trace) or self._over_steps(trace)

    def _over_depth(self, trace: Trace) -> Finding | None:
        columns = on_the_way(trace)
        growths = [growth_to_input(values[columns]) for values in (early(trace, "output_gradient_rms"), recent(trace, "output_gradient_rms"))]
        growth = max((g for g in growths if np.isfinite(g)), default=float("nan"))
        if len(columns) < 3 or not growth > LIMIT:
            return None
        first, last = trace.layers[columns[0]], trace.layers[columns[-1]]
        return self._found(
            growth,
            first.name,
            f"Gradients grow by {short(growth)} decades between {layer_name(last)} and {layer_name(first)}.",
            f"勾配が {layer_name(last)} から {layer_name(first)} までに {short(growth)} 桁増大しています。",
            "over depth",
        )

    def _over_time(self, trace: Trace) -> Finding | None:
        values = np.fmax(recent(trace, "time_growth"), early(trace, "time_growth"))
        if not np.isfinite(values).any():
            return None
        worst = int(np.nanargmax(values))
        growth = float(values[worst])
        if growth <= LIMIT:
            return None
        layer = trace.layers[worst]
        return self._found(
            growth,
            layer.name,
            f"Gradients grow by {short(growth)} decades over the {layer.n_uses} time steps of {layer_name(layer)}.",
            f"{layer_name(layer)} の {layer.n_uses} 時刻をさかのぼる間に勾配が {short(growth)} 桁増大しています。",
            "over time",
        )

    def _by_its_radius(self, trace: Trace) -> Finding | None:
        """Look at the recurrent weights themselves: squashing units hide a part of the growth, and steps that wander for it look too long."""
        gain, measured = early(trace, "gain", 1), np.fmax(recent(trace, "time_growth"), early(trace, "time_growth"))
        grown = [
            (layer.n_uses * float(np.log10(gain[i])), i)
            for i, layer in enumerate(trace.layers)
            if layer.kind == "recurrent" and 0 < gain[i] <= LARGEST and measured[i] > SEEN
        ]
        if not grown or max(grown)[0] <= LIMIT:
            return None
        growth, worst = max(grown)
        layer, radius = trace.layers[worst], float(gain[worst])
        return self._found(
            growth,
            layer.name,
            f"The recurrent weights of {layer_name(layer)} start with a gain of {short(radius)}, which over {layer.n_uses} time steps multiplies to "
            f"{short(growth)} decades.",
            f"{layer_name(layer)} の再帰重みは増幅率 {short(radius)} で始まり、{layer.n_uses} 時刻で {short(growth)} 桁に掛け合わされます。",
            "over time, by the weights",
        )

    def _overflow(self, trace: Trace) -> Finding | None:
        bad = trace.facts.get("bad_gradient")
        reused = [layer for layer in trace.layers if layer.kind == "recurrent" and layer.n_uses >= 4]
        if not bad or bad.get("singular") or not (reused or len(matrices(trace)) >= 10):
            return None
        where = reused[0] if reused else trace.layers[matrices(trace)[0]]
        return self.finding(
            confidence=0.75,
            place=where.name,
            step=int(bad["step"]),
            severity="error",
            evidence=[Evidence("steps until the gradient overflowed", float(bad["step"]), None, "steps", "", name_ja="勾配が桁あふれするまでのステップ数")],
            sentence=both(
                f"The gradient overflowed at step {bad['step']} while the loss was finite: its "
                f"factors multiply through {layer_name(where)} ({where.n_uses} uses).",
                f"損失が有限のままステップ {bad['step']} で勾配が桁あふれしました。"
                f"{layer_name(where)}（{where.n_uses} 回使用）を通るたびに係数が掛け合わされています。",
            ),
        )

    def _over_steps(self, trace: Trace) -> Finding | None:
        norms = trace["total_gradient_norm"].values
        norms = norms[np.isfinite(norms) & (norms > 0)]
        if norms.size < 3 or trace.progress is None or not trace.progress.is_diverging:
            return None
        growth = float(np.log10(np.max(norms[-5:]) / np.median(norms[: max(norms.size // 4, 1)])))
        if growth <= LIMIT:
            return None
        return self.finding(
            confidence=0.6,
            rank=48,
            evidence=[
                Evidence("growth of the gradient norm over the run", growth, LIMIT, "decades", "a thousandfold", "開始時からの勾配ノルムの増大", "1000 倍"),
                *overflow_ahead(trace),
            ],
            sentence=both(
                f"The gradient norm has grown by {short(growth)} decades since the start.", f"勾配のノルムが開始時から {short(growth)} 桁増大しています。"
            ),
        )

    def _found(self, growth: float, place: str, en: str, ja: str, what: str) -> Finding:
        return self.finding(
            confidence=0.75 + 0.2 * min((growth - LIMIT) / 3, 1.0),
            place=place,
            evidence=[Evidence(f"growth of the gradient {what}", growth, LIMIT, "decades", "Pascanu et al. 2013", name_ja="勾配の増大")],
            sentence=both(en, ja),
        )
