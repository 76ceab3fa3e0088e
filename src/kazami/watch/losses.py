"""Losses as the live graph shows them: what the network put out, what it was asked for, and what guessing would cost."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

MOST_FEATURES = 65536
CLASSES = ("cross_entropy", "nll")
YES_OR_NO = ("bce", "bce_with_logits")


@dataclass(slots=True)
class LossCall:
    """One loss found in a graph.

    Attributes:
        kind: ``"cross_entropy"``, ``"mse"`` …
        output: What the network gave, detached.
        target: What was asked for, detached.
        node: The autograd node of the result.
        options: Reduction, label smoothing, ignored index and so on.
        value: The mean loss, computed again from output and target.
    """

    kind: str
    output: Tensor
    target: Tensor
    node: Any
    options: dict[str, Any]
    value: float = float("nan")

    def let_go(self) -> None:
        """Keep only what needs no memory of the forward pass: of the output its shape."""
        self.node, self.output = None, self.output.to("meta")


@dataclass(slots=True)
class Targets:
    """Running statistics of all targets seen, for the loss of the trivial predictor: the constant output that fits the targets best.

    The trivial loss is the entropy of the class shares for cross-entropies, the variance around the mean of each output for squared errors, the mean
    absolute deviation for
    absolute errors; label smoothing and the reduction are taken into account.

    Limits:
        Class weights and per-sample weights are not taken into account; other losses have no trivial value here.
    """

    counts: Tensor | None = None
    total: Tensor | None = None
    square: Tensor | None = None
    deviation: float = 0.0
    rows: int = 0
    n_calls: int = 0
    uncertain: float = 0.0

    def add(self, call: LossCall) -> None:
        """Take one call into account."""
        self.n_calls += 1
        self.uncertain += (own_entropy(call) - self.uncertain) / self.n_calls
        adder = _ADDERS.get(call.kind)
        if adder is not None and call.target.numel():
            adder(self, call)

    def trivial(self, call: LossCall) -> float | None:
        """Return the loss a constant output would have on the targets seen so far, ``None`` where it is unknown."""
        value = self._mean_trivial(call)
        return None if value is None or not math.isfinite(value) else value * entries(call)

    def least(self, call: LossCall) -> float:
        """Return the least that any answer can cost on targets like those seen so far: their own entropy where they are shares, 0 where they are certain."""
        return self.uncertain * entries(call)

    def _mean_trivial(self, call: LossCall) -> float | None:
        if call.kind in CLASSES and self.counts is not None:
            share = self.counts / self.counts.sum()
            smoothing = float(call.options.get("label_smoothing", 0.0))
            return entropy(share * (1 - smoothing) + smoothing / share.numel())
        if call.kind in YES_OR_NO and self.total is not None:
            p = (self.total / self.rows).clamp(0, 1)
            return entropy(torch.stack([p, 1 - p], 0).reshape(2, -1)) / max(p.numel(), 1)
        if self.total is None or self.square is None:
            return None
        variance = float((self.square / self.rows - (self.total / self.rows) ** 2).clamp(min=0).mean())
        spread = self.deviation / self.n_calls
        if call.kind == "mse":
            return variance
        if call.kind == "l1":
            return spread
        return {"smooth_l1": min(spread, variance / 2), "huber": min(spread, variance / 2)}.get(call.kind)


def entries(call: LossCall) -> int:
    """Return how many mean losses a loss is: 1, and with the reduction by a sum as many as there are targets."""
    if call.options.get("reduction") != "sum":
        return 1
    is_shares = call.kind not in CLASSES or call.target.is_floating_point()
    return call.target.numel() if is_shares else int((call.target != call.options.get("ignore_index", -100)).sum())


def own_entropy(call: LossCall) -> float:
    r"""Return the mean entropy of the targets themselves, in nats, which a cross-entropy cannot fall below.

    A target :math:`t` between 0 and 1 (a grey pixel, a teacher's answer, a smoothed label) costs :math:`-t \log p - (1 - t) \log (1 - p) \ge H(t)` whatever the
    answer :math:`p` is.
    """
    smoothing, target = float(call.options.get("label_smoothing", 0.0)), call.target.detach()
    if call.kind in CLASSES and not target.is_floating_point():
        classes = int(call.output.shape[1] if call.output.dim() > 1 else call.output.shape[0])
        one_hot = torch.zeros(classes)
        one_hot[0] = 1.0
        return entropy(one_hot * (1 - smoothing) + smoothing / classes)
    if call.kind in YES_OR_NO and target.numel():
        p = target.reshape(-1)[:: target.numel() // MOST_FEATURES + 1].double().clamp(0, 1)
        return entropy(torch.stack([p, 1 - p])) / p.numel()
    if call.kind in CLASSES and target.numel():
        shares = (target if target.dim() > 1 else target[None]).double().clamp(0, 1)
        return entropy(shares) * shares.shape[1] / shares.numel()
    return 0.0


def entropy(shares: Tensor) -> float:
    """Return the entropy in nats of probabilities, summed over all entries."""
    return float(-(torch.xlogy(shares, shares)).sum())


def _add_classes(targets: Targets, call: LossCall) -> None:
    classes = int(call.output.shape[1]) if call.output.dim() > 1 else int(call.output.shape[0])
    if call.target.is_floating_point():
        counts = call.target.double().movedim(1, -1).reshape(-1, classes).sum(0) if call.target.dim() > 1 else call.target.double()
    else:
        kept = call.target[call.target != call.options.get("ignore_index", -100)].reshape(-1)
        if kept.numel() == 0 or int(kept.min()) < 0 or int(kept.max()) >= classes:
            return
        counts = torch.bincount(kept, minlength=classes).double()
    targets.counts = counts if targets.counts is None or targets.counts.shape != counts.shape else targets.counts + counts


def _add_values(targets: Targets, call: LossCall) -> None:
    rows = call.target.detach().double()
    rows = rows.reshape(rows.shape[0], -1) if rows.dim() > 1 else rows.reshape(-1, 1)
    if rows.shape[1] > MOST_FEATURES:
        rows = rows.mean(1, keepdim=True)
    total, square = rows.sum(0), (rows * rows).sum(0)
    if targets.total is None or targets.square is None or targets.total.shape != total.shape:
        targets.total, targets.square, targets.rows, targets.deviation, targets.n_calls = total, square, 0, 0.0, 1
        targets.total, targets.square = torch.zeros_like(total), torch.zeros_like(square)
    targets.total, targets.square, targets.rows = targets.total + total, targets.square + square, targets.rows + rows.shape[0]
    targets.deviation += float((rows - rows.median(0).values).abs().mean())


_ADDERS: dict[str, Callable[[Targets, LossCall], None]] = {
    "cross_entropy": _add_classes,
    "nll": _add_classes,
    "bce": _add_values,
    "bce_with_logits": _add_values,
    "mse": _add_values,
    "l1": _add_values,
    "smooth_l1": _add_values,
    "huber": _add_values,
    "gaussian_nll": _add_values,
}


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "cross_entropy": functional.nll_loss,
    "nll": functional.nll_loss,
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "bce": functional.binary_cross_entropy,
    "bce_with_logits": functional.binary_cross_entropy_with_logits,
    "smooth_l1": functional.smooth_l1_loss,
    "huber": functional.huber_loss,
}


def call_value(call: LossCall) -> float:
    """Return the mean loss of a call, computed again from its output and target."""
    output, target = call.output.float(), call.target
    options: dict[str, Any] = {key: call.options[key] for key in ("reduction", "ignore_index", "weight", "pos_weight") if key in call.options}
    if call.kind in CLASSES and target.is_floating_point():
        return float(-(target * output).sum(-1).mean())
    function = _FUNCTIONS.get(call.kind)
    if function is None or not bool(torch.isfinite(output).all()):
        return float("nan")
    target = target.float() if target.is_floating_point() else target
    if call.kind == "mse" and output.shape != target.shape:
        output, target = torch.broadcast_tensors(output, target)
    value = function(output.clamp(0, 1) if call.kind == "bce" else output, target, **options)
    smoothing = float(call.options.get("label_smoothing", 0.0))
    return float(value.mean()) if smoothing == 0 else (1 - smoothing) * float(value.mean()) + smoothing * _spread_out(output, target, options)


def _spread_out(log_p: Tensor, target: Tensor, options: dict[str, Any]) -> float:
    """Return the cross-entropy with the uniform distribution, reduced as the loss is."""
    rows = -log_p.mean(1 if log_p.dim() > 1 else 0)[target != options.get("ignore_index", -100)]
    return float(rows.sum() if options.get("reduction") == "sum" else rows.mean())
