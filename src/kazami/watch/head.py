"""The output layer alone: the gain with which it moves when all that lies before it stands still."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from .graph import LiveGraph
from .layers import Sight
from .losses import LossCall
from .observables import signal

MOST_ROWS = 256
SQUASHING = ("sigmoid", "tanh", "hardtanh", "hardsigmoid")


def head_numbers(graph: LiveGraph, sights: Sequence[Sight], calls: Sequence[LossCall]) -> dict[str, float]:
    r"""Return ``head_energy``, :math:`1 + \sum h^2` as the mean over samples, and ``head_curvature``, the largest curvature that the output layer alone sees.

    With the inputs ``h`` of a linear output layer fixed and :math:`\tilde h = (h, 1)`, gradient descent on its weights moves by the loss's curvature in the
    outputs, ``C``, times the second moment :math:`\langle\tilde h \tilde h^\top\rangle`. Its largest eigenvalue is at most
    :math:`\lambda_{max}(C)\,\lambda_{max}(\langle\tilde h \tilde h^\top\rangle)`, and equals it where ``h`` is the same for every sample.
    """
    heads = [
        s
        for s in sights
        if s.layer.is_output and s.layer.kind == "linear" and len(s.uses) == 1 and s.inputs is not None and s.weight.dim() == 2 and not s.weight.is_complex()
    ]
    if len(heads) != 1 or len(calls) != 1 or not any(sight.activated() in SQUASHING for sight in sights):
        return {}
    curvature = output_curvature(calls[0])
    table = signal(heads[0].inputs)[:MOST_ROWS].double()  # type: ignore[arg-type]
    if math.isnan(curvature) or len(table) < 2 or not bool(torch.isfinite(table).all()):
        return {}
    has_bias = graph.kinds[heads[0].uses[0]] in ("Addmm", "Linear", "Addmv")
    table = torch.cat([table, torch.ones(len(table), 1, dtype=table.dtype, device=table.device)], 1) if has_bias else table
    moment = table.t() @ table if table.shape[1] <= len(table) else table @ table.t()  # the same eigenvalues, whichever is smaller
    largest = float(torch.linalg.eigvalsh(moment / len(table))[-1])
    return {"head_energy": float(table.square().sum(1).mean()), "head_curvature": largest * curvature}


def output_curvature(call: LossCall) -> float:
    r"""Return the largest curvature of the mean loss in the outputs of one sample, at the output that fits the batch's targets best and is the same for all.

    Cross-entropy: the largest eigenvalue of :math:`\mathrm{diag}(p) - pp^\top` with the class shares ``p``; squared error: 2 over the number of outputs;
    binary cross-entropy: :math:`p(1-p)` over their number.
    """
    output, target = call.output, call.target
    if call.options.get("reduction", "mean") != "mean" or output.dim() != 2:
        return math.nan
    if call.kind == "cross_entropy" and not target.is_floating_point() and target.dim() == 1:
        kept = target[(target >= 0) & (target < output.shape[1])]
        return _of_shares(torch.bincount(kept, minlength=output.shape[1]).double() / max(len(kept), 1))
    if call.kind == "mse" and output.shape == target.shape:
        return 2.0 / output.shape[1]
    if call.kind == "bce_with_logits" and output.shape == target.shape:
        share = target.double().mean(0)
        return float((share * (1 - share)).max()) / output.shape[1]
    return math.nan


def _of_shares(p: Tensor) -> float:
    return float(torch.linalg.eigvalsh(torch.diag(p) - torch.outer(p, p))[-1])
