"""Initial weights for any model, and the variance that they give to signals and gradients through depth."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ...errors import UsageError, unknown_name
from ..blocks.residual_branches import last_parameters
from ..inside.private_copy import undisturbed
from .depth_variance import DepthVariance, LayerVariance, variance_through_depth
from .listening import kept_buffers, listening, positional

SCHEMES = ("xavier", "he", "orthogonal", "lsuv", "zero_residual", "normal:<std>")
_WITH_BIASES = (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd, nn.RNNBase, nn.RNNCellBase, nn.MultiheadAttention)
_NO_SIGNAL = 1e-30  # an output without variance cannot be scaled to 1
_GATES = {nn.RNN: 1, nn.RNNCell: 1, nn.LSTM: 4, nn.LSTMCell: 4, nn.GRU: 3, nn.GRUCell: 3}

__all__ = ["SCHEMES", "DepthVariance", "LayerVariance", "initialise", "variance_through_depth"]


@dataclass(frozen=True, slots=True)
class _Weight:
    """A matrix of weights, or one gate's or projection's rows of it: where it is, and how many numbers go into and out of each of its sums."""

    module: nn.Module
    name: str
    rows: slice
    fan_in: float
    fan_out: float

    @property
    def values(self) -> Tensor:
        """The weights as they are."""
        found: Tensor = getattr(self.module, self.name)
        return found.detach()[self.rows]

    def set(self, values: Tensor) -> None:
        """Write other values; where the weight is computed from others (a parametrization), the others are set so that it becomes them."""
        whole: Tensor = getattr(self.module, self.name)
        with torch.no_grad():
            if not parametrize.is_parametrized(self.module, self.name):
                whole[self.rows].copy_(values)
                return
            changed = whole.detach().clone()
            changed[self.rows] = values
            setattr(self.module, self.name, changed)


def initialise(
    model: nn.Module,
    scheme: str,
    *,
    nonlinearity: str | None = None,
    example: Any = None,
    keywords: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> nn.Module:
    r"""Draw new initial weights for ``model``, in place, and return it.

    Linear, convolutional, bilinear and recurrent layers and the projections of attention get new weights, gate by gate; their biases become 0. Embeddings (also
    where an output layer shares their weight), normalisations and parameters of unknown modules stay as they are.

    ====================  ================================================================================================================
    ``"xavier"``          uniform, variance :math:`2g^2/(n_{in}+n_{out})`, bound :math:`g\sqrt{6/(n_{in}+n_{out})}` (Glorot and Bengio 2010)
    ``"he"``              normal, variance :math:`g^2/n_{in}`, with :math:`g^2 = 2` for ReLU (He et al. 2015)
    ``"orthogonal"``      orthonormal rows or columns times g (Saxe et al. 2014)
    ``"lsuv"``            orthogonal, then each layer scaled so that its output on ``example`` has variance 1 (Mishkin and Matas 2016)
    ``"zero_residual"``   He; then the last layer of each residual branch 0, so that each block begins as its shortcut (Goyal et al. 2017)
    ``"normal:<std>"``    normal with that standard deviation
    ====================  ================================================================================================================

    Args:
        model: Any module.
        scheme: One of these.
        nonlinearity: Its gain g is used: a name of the catalogue; by default g = 1 for Xavier and orthogonal, √2 for He.
        example: Positional arguments of ``forward``, tensor or tuple. LSUV needs it; ``"zero_residual"`` finds branches in any model with it, and without it
            only those of :class:`.Residual` and of torch's own transformer layers.
        keywords: Keyword arguments of ``forward``.
        seed: For the weights; ``None`` draws from torch's generator.

    Raises:
        UsageError: There is no such scheme, an example is missing, no residual branch is found, weights are not made yet (lazy
            modules), or there are none.

    Example:
        >>> layer = initialise(nn.Linear(400, 500), "he", seed=0)
        >>> abs(layer.weight.var().item() * 400 / 2 - 1) < 3 / layer.weight.numel() ** 0.5
        True
    """
    deviation = _deviation(scheme)
    if scheme == "lsuv" and example is None and not keywords:
        raise UsageError("LSUV scales each layer by what it does to real inputs: pass example=, one batch of them.")
    gain = _gain(scheme, nonlinearity)
    weights = list(_weights(model))
    if not weights:
        raise UsageError(f"{type(model).__name__} has no linear, convolutional, recurrent or attention layer of torch's own to initialise.")
    last = last_parameters(model, example, keywords or {}) if scheme == "zero_residual" else []
    if scheme == "zero_residual" and not last:
        advice = "" if example is not None else " Pass example=, so that branches of any kind are found."
        raise UsageError(f"{type(model).__name__} has no residual branch that ends in a layer with weights.{advice}")
    devices = {weight.values.device for weight in weights}
    generators = {} if seed is None else {device: torch.Generator(device).manual_seed(seed) for device in devices}
    for weight in weights:
        weight.set(_drawn(scheme, weight, gain, deviation, generators.get(weight.values.device)))
    _zero_biases(model)
    if scheme == "lsuv":
        _scale_to_unit_variance(model, weights, example, keywords or {})
    for parameter in last:
        parameter.detach().zero_()
    return model


def _deviation(scheme: str) -> float:
    kind, _, number = scheme.partition(":")
    if kind != "normal":
        if scheme not in SCHEMES:
            raise unknown_name("initialisation", scheme, SCHEMES)
        return math.nan
    try:
        deviation = float(number)
    except ValueError:
        deviation = math.nan
    if not (math.isfinite(deviation) and deviation >= 0):
        raise UsageError(f"A normal initialisation should name its standard deviation, such as normal:0.02, and is {scheme!r}.")
    return deviation


def _gain(scheme: str, nonlinearity: str | None) -> float:
    if nonlinearity is not None:
        from ..catalogue.entries import activation

        return float(activation(nonlinearity).gain)
    return math.sqrt(2) if scheme in ("he", "zero_residual") else 1.0


def _drawn(scheme: str, weight: _Weight, gain: float, deviation: float, generator: torch.Generator | None) -> Tensor:
    values = weight.values
    # Half precision has no QR decomposition, and its random numbers are coarse; writing the weights rounds them once.
    made = torch.empty_like(values, dtype=torch.promote_types(values.dtype, torch.float32))
    if scheme == "xavier":
        bound = gain * math.sqrt(6 / (weight.fan_in + weight.fan_out))
        return made.uniform_(-bound, bound, generator=generator)
    if scheme in ("orthogonal", "lsuv"):
        return nn.init.orthogonal_(made, gain=gain, generator=generator)
    if scheme in ("he", "zero_residual"):
        deviation = gain / math.sqrt(weight.fan_in)
    return made.normal_(0.0, deviation, generator=generator)


def _weights(model: nn.Module) -> Iterator[_Weight]:
    """Yield each matrix of weights once, in the order of the modules."""
    embedded = {id(module.weight) for module in model.modules() if isinstance(module, nn.Embedding | nn.EmbeddingBag)}
    seen: set[tuple[int, int | None]] = set()
    for module in model.modules():
        for weight in _weights_of(module):
            whole = getattr(module, weight.name)
            if torch.nn.parameter.is_lazy(whole):
                raise UsageError(f"{type(module).__name__} has no weights yet. Call the model once on an example, then initialise it.")
            key = (id(whole), weight.rows.start)
            if id(whole) not in embedded and key not in seen:
                seen.add(key)
                yield weight


def _weights_of(module: nn.Module) -> Iterator[_Weight]:
    all_rows = slice(None)
    if isinstance(module, nn.Linear):
        yield _Weight(module, "weight", all_rows, module.in_features, module.out_features)
    elif isinstance(module, nn.Bilinear):
        yield _Weight(module, "weight", all_rows, module.in1_features * module.in2_features, module.out_features)
    elif isinstance(module, nn.modules.conv._ConvNd):
        kernel = math.prod(module.kernel_size) / module.groups
        # Of a transposed convolution each output gets only every stride-th place of the kernel.
        reached = kernel / math.prod(module.stride) if module.transposed else kernel
        yield _Weight(module, "weight", all_rows, module.in_channels * reached, module.out_channels * kernel)
    elif isinstance(module, nn.RNNBase | nn.RNNCellBase):
        yield from _recurrent(module)
    elif isinstance(module, nn.MultiheadAttention):
        yield from _attention(module)


def _recurrent(module: nn.Module) -> Iterator[_Weight]:
    n_gates = next(gates for kind, gates in _GATES.items() if isinstance(module, kind))
    for name, parameter in list(module.named_parameters(recurse=False)):
        if parameter.ndim == 2:
            parts = 1 if name.startswith("weight_hr") else n_gates  # a projection of the hidden state has no gates
            n_rows = parameter.shape[0] // parts
            yield from (_Weight(module, name, slice(part * n_rows, (part + 1) * n_rows), parameter.shape[1], n_rows) for part in range(parts))


def _attention(module: nn.MultiheadAttention) -> Iterator[_Weight]:
    width = module.embed_dim
    if module._qkv_same_embed_dim:
        yield from (_Weight(module, "in_proj_weight", slice(part * width, (part + 1) * width), width, width) for part in range(3))
        return
    for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
        yield _Weight(module, name, slice(None), getattr(module, name).shape[1], width)


def _zero_biases(model: nn.Module) -> None:
    for module in model.modules():
        own = module.named_parameters(recurse=False) if isinstance(module, _WITH_BIASES) else ()
        for parameter in [parameter for name, parameter in own if "bias" in name and name not in ("bias_k", "bias_v")]:
            parameter.detach().zero_()


def _scale_to_unit_variance(model: nn.Module, weights: list[_Weight], example: Any, keywords: Mapping[str, Any]) -> None:
    """Scale each layer as the example passes it for the first time; its output goes on scaled, so that one pass does for all depths."""
    waiting = {weight.module: weight for weight in weights if isinstance(weight.module, nn.Linear | nn.modules.conv._ConvNd)}

    def scale(module: nn.Module, inputs: Any, output: Tensor) -> Tensor | None:
        del inputs
        deviation = float(output.std(correction=0))
        if module not in waiting or not math.isfinite(deviation) or deviation < _NO_SIGNAL:
            return None
        weight = waiting.pop(module)
        weight.set(weight.values / deviation)
        return output / deviation  # biases are 0

    with listening(list(waiting), scale), undisturbed(model), kept_buffers(model), torch.no_grad():
        model(*positional(example), **keywords)
