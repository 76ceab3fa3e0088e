"""From one neuron to a deep network: one formula, number · number → vector · vector → vector · matrix, with live numbers and both drawings."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ...errors import CannotWrite, UsageError
from ..blocks.chosen_activation import Given, activation_module, inputs_per_output, name_of_activation
from ..blocks.forms import BothForms, both_forms
from ..blocks.neuron import ThresholdNeuron
from ..blocks.perceptron import mlp, sizes_of
from .bipartite import n_wires

SOFTMAX_OF = (1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0)
_LARGEST = 20_000_000  # weights, as much as a small machine holds without noticing
_SHOWN = 64  # numbers of a matrix that a JSON document still holds


@dataclass(frozen=True, slots=True)
class LayerNumbers:
    """One layer's live numbers.

    Attributes:
        x: Its input, shape (1, n).
        weight: W in row form, shape (n, m).
        bias: b, shape (1, m).
        sums: XW + b, shape (1, m).
        y: φ(XW + b), shape (1, m).
    """

    x: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: NDArray[np.float64]
    sums: NDArray[np.float64]
    y: NDArray[np.float64]

    def to_dict(self) -> dict[str, Any]:
        """Return shapes, and the numbers of small quantities; ``None`` for large ones."""
        names = ("x", "weight", "bias", "sums", "y")
        return {name: {"shape": list(getattr(self, name).shape), "values": _small(getattr(self, name))} for name in names}


@dataclass(frozen=True, slots=True)
class NeuronNumbers:
    """The first neuron of the first layer, with some of its inputs.

    Attributes:
        x: Its inputs, shape (n,).
        weight: w, shape (n,).
        bias: b.
        vote: x·w + b.
        y: φ(x·w + b).
    """

    x: NDArray[np.float64]
    weight: NDArray[np.float64]
    bias: float
    vote: float
    y: float

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers."""
        return {"x": _small(self.x), "w": _small(self.weight), "b": self.bias, "x·w+b": self.vote, "y": self.y}


@dataclass(frozen=True, slots=True)
class Vote:
    """A threshold neuron's decision.

    Attributes:
        vote: x·w.
        threshold: θ, which is -b.
        fires: Whether the vote reaches it.
    """

    vote: float
    threshold: float
    fires: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """All that is shown of a network; the same numbers as text, as a page, and as plain data.

    Attributes:
        sizes: From input to output.
        language: ``"en"`` or ``"ja"``.
        activation: Its name.
        seed: The weights' and the input's.
        model: The network itself.
        example: Its input, shape (1, n).
        one_input: The first neuron with its first input alone.
        neuron: The first neuron with all inputs.
        layers: All layers.
        forms: The first layer in column form and in row form.
        softmax: The softmax of ``SOFTMAX_OF``.
        votes: The neurons of the first layer as threshold neurons.
    """

    sizes: tuple[int, ...]
    language: str
    activation: str
    seed: int
    model: nn.Sequential
    example: Tensor
    one_input: NeuronNumbers
    neuron: NeuronNumbers
    layers: tuple[LayerNumbers, ...]
    forms: BothForms
    softmax: tuple[float, ...]
    votes: tuple[Vote, ...]

    @property
    def n_wires(self) -> int:
        """Lines in the drawing of neurons and wires."""
        return n_wires(self.sizes)

    @property
    def n_quantities(self) -> int:
        """Quantities that flow in the data-flow graph, one edge each however wide: what goes in, from layer to layer, and out."""
        return len(self.sizes)

    def to_text(self) -> str:
        """Return the explanation for a terminal, at most 80 columns wide."""
        from .as_text import explanation_text

        return explanation_text(self)

    def to_html(self) -> str:
        """Return the explanation as one self-contained page, drawings as SVG."""
        from .as_html import explanation_html

        return explanation_html(self)

    def write_html(self, path: str) -> str:
        """Write the page and return its path.

        Raises:
            CannotWrite: The place cannot be written.
        """
        try:
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.to_html())
        except OSError as error:
            raise CannotWrite(f"The page {path} cannot be written ({error.strerror or error}).") from None
        return path

    def to_dict(self) -> dict[str, Any]:
        """Return the explanation as plain data, the form of ``--json``."""
        return {
            "schema": 1,
            "sizes": list(self.sizes),
            "activation": self.activation,
            "seed": self.seed,
            "neuron_with_one_input": self.one_input.to_dict(),
            "neuron": self.neuron.to_dict(),
            "layers": [layer.to_dict() for layer in self.layers],
            "forms": self.forms.to_dict(),
            "drawings": {"neurons": sum(self.sizes), "wires": self.n_wires, "blocks": len(self.layers), "quantities": self.n_quantities},
            "softmax": {"of": list(SOFTMAX_OF), "is": list(self.softmax), "sum": float(np.sum(self.softmax))},
            "threshold": [{"vote": vote.vote, "threshold": vote.threshold, "fires": vote.fires} for vote in self.votes],
        }


def explain(sizes: str | Sequence[int], language: str = "en", *, activation: Given = "sigmoid", seed: int = 0) -> Explanation:
    r"""Explain a fully connected network from its first neuron up.

    Its layers are all :math:`\varphi(XW + b)`, the last one too. Weights are drawn from N(0, 1/n) for *n* inputs, biases from N(0, 1/4), and all are
    rounded so that what is shown is what is computed with.

    Args:
        sizes: ``"3-4-2"`` or ``[3, 4, 2]``.
        language: ``"en"`` or ``"ja"``.
        activation: φ, elementwise: a name of the catalogue, a function, a module or its class.
        seed: For weights and input.

    Raises:
        UsageError: Sizes that cannot be used, an activation that is not elementwise, or a network that is too large.

    Example:
        >>> shown = explain("3-4-2", activation=torch.tanh)
        >>> shown.n_wires, shown.n_quantities, round(sum(shown.softmax), 12)
        (20, 3, 1.0)
    """
    widths = sizes_of(sizes)
    if language not in ("en", "ja"):
        raise UsageError(f"The language should be en or ja, and is {language!r}.")
    function = _elementwise(activation)
    if n_wires(widths) > _LARGEST:
        raise UsageError(f"A network with {n_wires(widths):,} weights is too large to be shown with live numbers; {_LARGEST:,} are the limit.")
    model = mlp(widths, activation=activation, output=activation, seed=seed).double().eval()
    generator = torch.Generator().manual_seed(seed)
    example = _round_numbers((1, widths[0]), 1.0, generator)
    linear = [module for module in model if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for module in linear:
            module.weight.copy_(_round_numbers(tuple(module.weight.shape), module.in_features**-0.5, generator))
            module.bias.copy_(_round_numbers(tuple(module.bias.shape), 0.5, generator))
    layers = _through(linear, example, function)
    x, w, b = layers[0].x[0], layers[0].weight[:, 0], float(layers[0].bias[0, 0])
    return Explanation(
        sizes=tuple(widths),
        language=language,
        activation=name_of_activation(activation),
        seed=seed,
        model=model,
        example=example,
        one_input=_neuron(x[:1], w[:1], b, function),
        neuron=_neuron(x, w, b, function),
        layers=layers,
        forms=both_forms(model, "0", example),
        softmax=tuple(torch.softmax(torch.tensor(SOFTMAX_OF, dtype=torch.float64), dim=0).tolist()),
        votes=_votes(linear[0], example),
    )


def _round_numbers(shape: tuple[int, ...], deviation: float, generator: torch.Generator) -> Tensor:
    """Draw normal numbers with two digits that matter; none is 0, which would hide what it is multiplied with."""
    steps = 10 ** (2 - round(math.log10(deviation)))
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64).mul(deviation * steps).round()
    numbers: Tensor = torch.where(drawn == 0, 1.0, drawn) / steps
    return numbers


def _elementwise(activation: Given) -> nn.Module:
    module = activation_module(activation).double().eval()
    probe = torch.tensor([[-1.0, 0.3, 2.0, 0.7]], dtype=torch.float64)
    with torch.no_grad():
        is_elementwise = inputs_per_output(module) == 1 and torch.allclose(module(probe)[:, 1:2], module(probe[:, 1:2]))
    if not is_elementwise:
        raise UsageError(f"A single neuron needs an activation of one number, and {name_of_activation(activation)} mixes several. Use another, such as tanh.")
    return module


def _through(linear: list[nn.Linear], example: Tensor, function: nn.Module) -> tuple[LayerNumbers, ...]:
    layers, x = [], example
    with torch.no_grad():
        for module in linear:
            sums = module(x)
            y = function(sums)
            layers.append(LayerNumbers(x.numpy(), module.weight.T.numpy().copy(), module.bias[None].numpy().copy(), sums.numpy(), y.numpy()))
            x = y
    return tuple(layers)


def _neuron(x: NDArray[np.float64], w: NDArray[np.float64], b: float, function: nn.Module) -> NeuronNumbers:
    vote = float(x @ w + b)
    with torch.no_grad():
        return NeuronNumbers(x, w, b, vote, float(function(torch.tensor([[vote]], dtype=torch.float64))))


def _votes(layer: nn.Linear, example: Tensor) -> tuple[Vote, ...]:
    votes = []
    for weights, bias in zip(layer.weight.detach(), layer.bias.detach().tolist(), strict=True):
        neuron = ThresholdNeuron(weights, threshold=-bias).double()
        votes.append(Vote(float(neuron.vote(example)), -bias, bool(neuron(example))))
    return tuple(votes)


def _small(values: NDArray[np.float64]) -> Any:
    return values.tolist() if values.size <= _SHOWN else None
