"""Any layer of a model replaced by the identity, and what that does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...errors import UsageError, unknown_name
from ...records import Sentence
from .flat_network import floating
from .input_output_map import unvaried
from .layer_calls import LayerCall, first_tensor, layer_calls
from .private_copy import private_copy, undisturbed

Fit = Literal["exact", "zero_pad"]


class IdentityInPlace(nn.Module):
    """Stands where a layer stood, and gives back the first tensor that it gets.

    Args:
        shape: Shape that the layer gave, without its first dimension; ``None`` for the input's own.
        is_tuple: Whether the layer gave a tuple of this many; all but the first are ``None`` then.
    """

    def __init__(self, shape: Sequence[int] | None = None, is_tuple: int = 0) -> None:
        super().__init__()
        self.shape = None if shape is None else tuple(shape)
        self.is_tuple = is_tuple

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first tensor among the arguments, padded with zeros or cut where a shape was asked for."""
        x = first_tensor((args, kwargs))
        if x is not None and self.shape is not None:
            x = _fitted(x, self.shape)
        return x if not self.is_tuple else (x, *[None] * (self.is_tuple - 1))

    def extra_repr(self) -> str:
        """Return the shape that is fitted."""
        return "" if self.shape is None else f"fitted to {self.shape}"


def replace_by_identity(model: nn.Module, layer_name: str, example: Any = None, keywords: dict[str, Any] | None = None, *, fit: Fit = "exact") -> nn.Module:
    """Return a copy of ``model`` in which one layer gives its input back unchanged.

    Args:
        model: Any module; it stays as it is.
        layer_name: A name of ``model.named_modules()``; a module registered under several names is replaced under this one only.
        example: One batch. With it the layer's real input and output are compared; without it only the sizes that ``torch.nn``'s layers declare are.
        keywords: Keyword arguments of the forward pass.
        fit: ``"zero_pad"`` cuts or fills with zeros where the shapes differ (needs ``example``); ``"exact"`` refuses.

    Raises:
        UsageError: No such layer, or its output has another shape than its input.

    Example:
        >>> model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        >>> replace_by_identity(model, "0")
        Sequential(
          (0): IdentityInPlace()
          (1): ReLU()
        )
    """
    names = [name for name, _ in model.named_modules() if name]
    if layer_name not in names:
        raise unknown_name("layer", layer_name, names)
    copied = private_copy(model, mode="as_is")
    for own, theirs in zip(copied.parameters(), model.parameters(), strict=True):
        own.requires_grad_(theirs.requires_grad)
    _swap(copied, layer_name, _identity(model, layer_name, example, keywords, fit))
    return copied


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerAblation:
    r"""What happens without one layer.

    Attributes:
        name: The module's name.
        kind: Its class.
        n_parameters: Parameters in it.
        is_possible: Whether the identity fits.
        why_not: Why it does not.
        output_change: :math:`\lVert f'(x) - f(x) \rVert / \lVert f(x) \rVert` over the example; ``nan`` where not possible.
        score: ``evaluate`` of the model without the layer; ``None`` without ``evaluate``.
        score_change: ``score`` minus the score of the whole model.
    """

    name: str
    kind: str
    n_parameters: int
    is_possible: bool
    why_not: Sentence | None = None
    output_change: float = float("nan")
    score: float | None = None
    score_change: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityAblation:
    """What happens without each layer.

    Attributes:
        rows: One per layer, in the order of the calls.
        score: ``evaluate`` of the whole model; ``None`` without ``evaluate``.
    """

    rows: list[LayerAblation] = field(default_factory=list)
    score: float | None = None


def identity_ablation(
    model: nn.Module,
    example: Any,
    evaluate: Callable[[nn.Module], float] | None = None,
    keywords: dict[str, Any] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> IdentityAblation:
    """Replace each layer of ``model`` by the identity, one at a time, and return what each does to the output and the score.

    Args:
        model: Any module; it stays as it is.
        example: One batch.
        evaluate: ``fn(model) -> float``, an accuracy or a loss; it gets copies.
        keywords: Keyword arguments of the forward pass.
        progress: Called with (done, total).

    Limits:
        A layer whose output has another shape than its input has no identity in its place; its row says so. A network can be trained around a missing layer;
        this does not train.

    Example:
        >>> model = nn.Sequential(nn.Linear(2, 2), nn.Identity(), nn.Linear(2, 3))
        >>> [(row.name, row.is_possible) for row in identity_ablation(model, torch.ones(4, 2)).rows]
        [('0', True), ('1', True), ('2', False)]
        >>> identity_ablation(model, torch.ones(4, 2)).rows[1].output_change
        0.0
    """
    function = unvaried(model, example, keywords)
    calls = layer_calls(function)
    whole = _outputs(function.model, function.arguments)
    score = None if evaluate is None else float(evaluate(private_copy(model)))
    rows = []
    for number, call in enumerate(calls):
        rows.append(_without(model, call, function.arguments, whole, evaluate, score))
        if progress is not None:
            progress(number + 1, len(calls))
    return IdentityAblation(rows=rows, score=score)


def _without(
    model: nn.Module, call: LayerCall, arguments: Any, whole: Tensor, evaluate: Callable[[nn.Module], float] | None, score: float | None
) -> LayerAblation:
    facts: dict[str, Any] = {"name": call.name, "kind": call.kind, "n_parameters": sum(p.numel() for p in call.module.parameters())}
    why_not = _refusal(call)
    if why_not is not None:
        return LayerAblation(is_possible=False, why_not=why_not, **facts)
    copied = private_copy(model)
    output = call.output
    _swap(copied, call.name, IdentityInPlace(is_tuple=len(output) if isinstance(output, tuple) else 0))
    try:
        changed = _outputs(copied, arguments)
        new_score = None if evaluate is None else float(evaluate(copied))
    except Exception as error:  # what comes after may want what the layer no longer gives
        en, ja = f"The model does not run without it: {error}", f"この層なしではモデルが動きません：{error}"
        return LayerAblation(is_possible=False, why_not=Sentence(en, ja), **facts)
    size = float(torch.linalg.vector_norm(whole))
    moved = float(torch.linalg.vector_norm(changed - whole)) if changed.shape == whole.shape else float("nan")
    return LayerAblation(
        is_possible=True,
        output_change=moved / size if size else float("inf") if moved else 0.0,
        score=new_score,
        score_change=None if new_score is None or score is None else new_score - score,
        **facts,
    )


def _identity(model: nn.Module, name: str, example: Any, keywords: dict[str, Any] | None, fit: Fit) -> IdentityInPlace:
    if example is None and not keywords:
        if fit == "zero_pad":
            raise UsageError('fit="zero_pad" needs an example: how much is to be padded shows only when the model runs. Pass example=...')
        declared = _declared_sizes(model.get_submodule(name))
        if declared and declared[0] != declared[1]:
            raise UsageError(_sizes_differ(name, *declared).en)
        return IdentityInPlace()
    calls = layer_calls(unvaried(model, () if example is None else example, keywords))
    call = next((call for call in calls if call.module is not None and call.name == name), None)
    if call is None:
        raise UsageError(f"The layer {name!r} is not called in a forward pass on the example, so there is nothing to replace.")
    why_not = _refusal(call)
    given, made = first_tensor(call.arguments), first_tensor(call.output)
    if why_not is not None and (fit == "exact" or given is None or made is None or given.dim() != made.dim()):
        raise UsageError(why_not.en)
    shape = made.shape[1:] if why_not is not None and made is not None else None
    return IdentityInPlace(shape, len(call.output) if isinstance(call.output, tuple) else 0)


def _refusal(call: LayerCall) -> Sentence | None:
    """Return why the identity cannot stand in for a layer, ``None`` where it can."""
    given, made = first_tensor(call.arguments), first_tensor(call.output)
    if given is None or made is None:
        return Sentence(f"{call.name} does not turn a tensor into a tensor.", f"{call.name} はテンソルからテンソルへの層ではありません。")
    if given.dtype != made.dtype and not given.is_floating_point():
        return Sentence(
            f"{call.name} turns whole numbers into vectors: identity impossible.", f"{call.name} は整数をベクトルに変えるため、恒等写像にできません。"
        )
    if isinstance(call.output, dict):
        return Sentence(f"{call.name} gives a dict: identity impossible.", f"{call.name} の出力は dict のため、恒等写像にできません。")
    return None if given.shape == made.shape else _sizes_differ(call.name, tuple(given.shape[1:]), tuple(made.shape[1:]))


def _sizes_differ(name: str, given: tuple[int, ...], made: tuple[int, ...]) -> Sentence:
    a, b = (" × ".join(map(str, sizes)) for sizes in (given, made))
    return Sentence(
        f'{name}: {a} → {b}: identity impossible. The nearest is replace_by_identity(..., example, fit="zero_pad"), which cuts or fills with zeros.',
        f'{name}：{a} → {b} のため恒等写像にできません。最も近いのは replace_by_identity(..., example, fit="zero_pad")（切り捨てまたはゼロ埋め）です。',
    )


def _declared_sizes(module: nn.Module) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    if isinstance(module, nn.Linear):
        return (module.in_features,), (module.out_features,)
    if isinstance(module, nn.modules.conv._ConvNd):
        stride = module.stride if any(s != 1 for s in module.stride) else ()
        return (module.in_channels,), (module.out_channels, *stride)
    return None


def _fitted(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    for dimension, size in enumerate(shape, start=1):
        x = x.narrow(dimension, 0, min(size, x.shape[dimension]))
        short = size - x.shape[dimension]
        if short:
            x = F.pad(x, (0, 0) * (x.dim() - 1 - dimension) + (0, short))
    return x


def _swap(model: nn.Module, name: str, new: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, new)


def _outputs(model: nn.Module, arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> Tensor:
    with undisturbed(model, seed=0), torch.no_grad():
        found = floating(model(*arguments[0], **arguments[1]))
    real = [torch.view_as_real(t) if t.is_complex() else t for _, t in found]
    return torch.cat([tensor.double().flatten() for tensor in real])
