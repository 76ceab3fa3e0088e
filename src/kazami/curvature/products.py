"""Hessian-vector products on a live loss graph: one retained gradient graph, then one backward pass through it per product."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor

HALF_PRECISION = (torch.float16, torch.bfloat16)


class CurvatureBlind(RuntimeError):
    """The curvature of this loss cannot be measured without harm; the message is the reason, one short sentence."""


class HessianProducts:
    r"""Products with the Hessian of a live loss, optionally preconditioned and with an :math:`L_2` penalty.

    Definition, with :math:`L` the loss, :math:`W` the diagonal of the penalties and :math:`P` the preconditioner:

    .. math:: A = P^{-1/2} (\nabla^2 L + W) P^{-1/2}, \qquad \nabla^2 L\, v = \nabla_\theta (\nabla_\theta L \cdot v)

    The gradient is taken once with ``create_graph=True``; each product is one backward pass through that graph (about 1.5 plain gradients
    for an MLP, 2.5 for a CNN). The caller's graph is kept, no ``.grad`` field is read or written, and parameters are never changed.

    Args:
        loss: The loss, 0-dimensional, whose graph is alive (before its ``backward``).
        parameters: The tensors to differentiate by; frozen and unused ones count as directions without curvature.
        preconditioner: The diagonal of :math:`P`, one positive tensor shaped like each parameter; ``inf`` marks an entry that does not move.
        penalties: One coefficient of coupled weight decay per parameter (torch's ``weight_decay``); default none.
        on_copy: Whether the graph is that of a copy made for looking: then functions in Python and recomputed parts may run again.

    Raises:
        CurvatureBlind: Where a second derivative does not exist or taking it could disturb the training: no graph, not a scalar, half precision,
            saved-tensor hooks (checkpointing), functions written in Python (custom ``Function``, compiled model, module backward hooks),
            tensor hooks on parameters, fused attention, a weight changed in place, not enough memory.

    Limits:
        A hook on an *intermediate tensor* cannot be seen from its graph and fires once more: the caller must know of those. Piecewise linear
        networks have the curvature of their smooth pieces only. Memory: about one more graph of the same size while the object lives.

    References:
        Pearlmutter 1994, "Fast exact multiplication by the Hessian".

    Example:
        >>> weights = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> products = HessianProducts((weights**3).sum(), [weights])  # Hessian diag(6 w)
        >>> products.product([torch.ones(2)])
        [tensor([ 6., 12.])]
    """

    def __init__(
        self,
        loss: Tensor,
        parameters: Sequence[Tensor],
        *,
        preconditioner: Sequence[Tensor] | None = None,
        penalties: Sequence[float] | None = None,
        on_copy: bool = False,
    ) -> None:
        self.parameters = tuple(parameters)
        self.dtype, self.device = common_type(self.parameters)
        if not on_copy:
            _refuse_if_harmful(loss, self.parameters)
        elif loss.numel() != 1 or loss.grad_fn is None:
            raise CurvatureBlind("The loss is not a scalar with a graph.")
        self.n_entries = sum(parameter.numel() for parameter in self.parameters)
        self.n_products = 0
        self.penalties = tuple(penalties) if penalties is not None and any(penalties) else None
        self.inverse_root = None if preconditioner is None else _flat([scale.detach().to(self.dtype).rsqrt() for scale in preconditioner])
        self._moving = [parameter for parameter in self.parameters if parameter.requires_grad]
        self._graph_gradients = self._differentiate_once(loss)
        self._with_curvature = [gradient for gradient in self._graph_gradients if gradient is not None and gradient.requires_grad]
        self._at = [index for index, gradient in enumerate(self._graph_gradients) if gradient is not None and gradient.requires_grad]

    def _differentiate_once(self, loss: Tensor) -> list[Tensor | None]:
        """Return the gradient with its graph, one entry per parameter, ``None`` for those that are frozen or unused."""
        with undisturbed(self.device):
            found = iter(torch.autograd.grad(loss, self._moving, create_graph=True, allow_unused=True))
        gradients = [next(found) if parameter.requires_grad else None for parameter in self.parameters]
        if any(gradient is not None and gradient.layout != torch.strided for gradient in gradients):
            raise CurvatureBlind("A gradient is sparse (an embedding with sparse=True), which has no second derivative here.")
        return gradients

    @property
    def gradients(self) -> list[Tensor]:
        """The gradient of the loss, detached, shaped like the parameters (zeros where a parameter is frozen or unused)."""
        return [
            torch.zeros_like(parameter) if gradient is None else gradient.detach()
            for gradient, parameter in zip(self._graph_gradients, self.parameters, strict=True)
        ]

    def product(self, vector: Sequence[Tensor]) -> list[Tensor]:
        """Return :math:`A v`, shaped like the parameters, for ``vector`` shaped like the parameters."""
        return self.unflatten(self.flat_product(_flat(list(vector))))

    def flat_product(self, vector: Tensor) -> Tensor:
        """Return :math:`A v` for a flat ``vector`` of shape ``(n_entries,)``, in the parameters' dtype; one backward pass."""
        scaled = vector if self.inverse_root is None else vector * self.inverse_root
        curved = _flat(self._hessian_product(self.unflatten(scaled)))
        if self.penalties is not None:
            for part, across, penalty in zip(self.unflatten(curved), self.unflatten(scaled), self.penalties, strict=True):
                part.add_(across, alpha=penalty)
        return curved if self.inverse_root is None else curved.mul_(self.inverse_root)

    def curvature_along(self, direction: Sequence[Tensor]) -> float:
        r"""Return :math:`d^\top \nabla^2 L\, d / \lVert d \rVert^2` of the bare loss (one product).

        Args:
            direction: :math:`d`, shaped like the parameters; its length does not matter, but zero gives ``nan``.
        """
        flat = _flat([part.detach().to(self.dtype) for part in direction])
        length = float(torch.linalg.vector_norm(flat))
        if not length > 0.0:
            return float("nan")
        unit = flat / length  # normalised first: the square of a tiny gradient underflows
        return float(torch.dot(unit, _flat(self._hessian_product(self.unflatten(unit)))))

    def unflatten(self, flat: Tensor) -> list[Tensor]:
        """Return views of ``flat``, shape ``(n_entries,)``, shaped like the parameters."""
        parts = flat.split([parameter.numel() for parameter in self.parameters])
        return [part.view(parameter.shape) for part, parameter in zip(parts, self.parameters, strict=True)]

    def _hessian_product(self, vector: Sequence[Tensor]) -> list[Tensor]:
        self.n_products += 1
        if not self._with_curvature:  # the loss is piecewise linear in the parameters
            return [torch.zeros_like(parameter, requires_grad=False) for parameter in self.parameters]
        outputs = [vector[index] for index in self._at]
        with undisturbed(self.device):
            found = iter(torch.autograd.grad(self._with_curvature, self._moving, grad_outputs=outputs, retain_graph=True, allow_unused=True))
        curved = [next(found) if parameter.requires_grad else None for parameter in self.parameters]
        return [torch.zeros_like(parameter, requires_grad=False) if part is None else part for part, parameter in zip(curved, self.parameters, strict=True)]


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Differentiate here without a trace: gradients on, autocast and anomaly mode off, random streams put back; torch's refusals become CurvatureBlind."""
    generators = [device] if device.type == "cuda" else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=generators))  # a recomputing backward may draw numbers
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autograd.set_detect_anomaly(False))
        stack.enter_context(torch.autocast(device.type, enabled=False))
        try:
            yield
        except RuntimeError as refusal:
            raise CurvatureBlind(_reason(refusal)) from None


def _reason(refusal: RuntimeError) -> str:
    text = str(refusal).strip() or type(refusal).__name__
    for clue, reason in REASONS:
        if clue in text:
            return reason
    return f"The loss could not be differentiated twice: {text.splitlines()[0][:200]}"


# What torch (2.8 to 2.13) says, and what it means; the first clue found wins.
REASONS = (
    ("out of memory", "There is not enough memory for the second derivative."),
    ("modified by an inplace operation", "A tensor the loss needs was changed in place after the forward pass."),
    ("through the graph a second time", "The graph of the loss was already freed by an earlier backward."),
    ("scaled_dot_product", "The fused attention of this model has no second derivative."),
    ("_efficient_attention", "The fused attention of this model has no second derivative."),
    ("_flash_attention", "The fused attention of this model has no second derivative."),
    ("_cudnn_rnn_backward", "The fused recurrent layer (cuDNN) of this model has no second derivative."),
    ("scalar outputs", "The loss is not a scalar."),
)


def common_type(parameters: Sequence[Tensor]) -> tuple[torch.dtype, torch.device]:
    """Return dtype and device that all ``parameters`` share, or refuse them."""
    if not any(parameter.requires_grad for parameter in parameters):
        raise CurvatureBlind("No parameter requires a gradient.")
    if any(type(parameter) not in (Tensor, torch.nn.Parameter) for parameter in parameters):
        raise CurvatureBlind("A parameter is a special kind of tensor (sharded, quantised or lazy).")
    dtypes, devices = {parameter.dtype for parameter in parameters}, {parameter.device for parameter in parameters}
    if len(dtypes) > 1 or len(devices) > 1:
        raise CurvatureBlind("The parameters are of several dtypes or on several devices.")
    dtype, device = dtypes.pop(), devices.pop()
    if dtype not in (torch.float32, torch.float64):
        raise CurvatureBlind(f"The parameters are {dtype}, too coarse for a second derivative (float32 or float64 is needed).")
    return dtype, device


def _refuse_if_harmful(loss: Tensor, parameters: Sequence[Tensor]) -> None:
    """Raise where a second pass over the graph would run the user's Python again, recompute the forward, or be too coarse to mean anything."""
    if loss.numel() != 1 or loss.grad_fn is None:
        raise CurvatureBlind("The loss is not a scalar with a graph.")
    if any(parameter._backward_hooks for parameter in parameters):
        raise CurvatureBlind("A parameter has a gradient hook, which would run once more.")
    saved_names: dict[type, tuple[str, ...]] = {}
    for node in _nodes(loss.grad_fn):
        kind, name_of_node = type(node), node.name()
        if isinstance(node, torch.autograd.function.BackwardCFunction):
            raise CurvatureBlind(f"The loss runs through {name_of_node}, whose backward is written in Python and would run once more.")
        if any(metadata.dtype in HALF_PRECISION for metadata in node._input_metadata):
            raise CurvatureBlind("Part of the loss is computed in half precision (autocast), too coarse for a second derivative.")
        if kind not in saved_names:
            saved_names[kind] = tuple(name for name in dir(node) if name.startswith("_raw_saved_"))
        if any(_has_unpack_hook(getattr(node, name)) for name in saved_names[kind]):
            raise CurvatureBlind("The graph has saved-tensor hooks (activation checkpointing or offloading), which would run the forward again.")


def _has_unpack_hook(saved: Any) -> bool:
    """Return whether ``saved``, a SavedTensor or a list of them, is unpacked by the user's code (older torch does not tell: then ``False``)."""
    if isinstance(saved, (list, tuple)):
        return any(_has_unpack_hook(entry) for entry in saved)
    return getattr(saved, "unpack_hook", None) is not None


def _nodes(root: Any) -> Iterator[Any]:
    """Walk the graph of the loss; each node once (an explicit stack: recurrent graphs are deeper than Python's)."""
    stack, seen = [root], {root}
    while stack:
        node = stack.pop()
        yield node
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                stack.append(following)


def _flat(parts: Sequence[Tensor]) -> Tensor:
    """Return one new vector of shape ``(n_entries,)``; never a view of ``parts``, so that it may be changed in place."""
    return torch.cat([part.reshape(-1) for part in parts])
