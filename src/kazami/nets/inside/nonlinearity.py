"""How non-linear a network is on its data: end to end, and layer by layer."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...records import Sentence
from ...reports.numerals import short
from .affine_fit import Method, Unexplained, least_squares, mean_jacobian, per_unit
from .flat_network import InputOutputMap
from .input_output_map import input_output_map
from .jacobian import JacobianProducts
from .layer_calls import LayerCall, layer_calls

MAX_ROWS_OF_JACOBIANS = 48  # the mean Jacobian takes rows² products


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNonlinearity:
    """The share of one layer's output variance that no affine map of its input explains.

    Attributes:
        name: The module's name.
        kind: Its class.
        share: In [0, 1] but for noise; ``nan`` where it could not be measured (``why_not``).
        standard_error: Over the rows.
        method: How the affine map was found.
        is_elementwise: Whether it acts on every number alone.
        why_not: Why it could not be measured.
    """

    name: str
    kind: str
    share: float
    standard_error: float
    method: Method
    is_elementwise: bool
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonlinearity:
    r"""The share of output variance that the best affine map of the input leaves, :math:`1 - R^2`.

    Attributes:
        value: End to end: 0 for an affine network, 1 where no affine map explains anything; ``nan`` where it cannot be had.
        standard_error: Of ``value``, over the rows.
        method: ``"least squares"``, ``"per unit"`` or ``"mean Jacobian"`` (an upper bound).
        n_rows: Rows of data that it was measured on.
        layers: The same for every layer on what goes into it, in the order of the calls.
        said: What the number says, and how it was found.
    """

    value: float
    standard_error: float
    method: Method
    n_rows: int
    layers: list[LayerNonlinearity] = field(default_factory=list)
    said: list[Sentence] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data; ``nan`` becomes ``None``."""
        layers = [
            {"name": x.name, "kind": x.kind, "share": _plain(x.share), "standard_error": _plain(x.standard_error), "method": x.method, "why_not": x.why_not}
            for x in self.layers
        ]
        return {
            "value": _plain(self.value),
            "standard_error": _plain(self.standard_error),
            "method": self.method,
            "n_rows": self.n_rows,
            "layers": layers,
            "said": [sentence.en for sentence in self.said],
        }


def nonlinearity(model: nn.Module, example: Any, keywords: dict[str, Any] | None = None, *, layers: bool = True) -> Nonlinearity:
    r"""Return how non-linear ``model`` is on the data in ``example``: the share of the output's variance that no affine map explains.

    .. math:: \mathcal{N}(f) = \min_{W, b} \frac{\mathbb{E} \lVert f(x) - x W - b \rVert^2}{\mathbb{E} \lVert f(x) - \mathbb{E} f \rVert^2} = 1 - R^2

    The expectation is over the rows of ``example``; each row is judged by a map fitted without it. With at least twice as many rows as inputs the map is
    least squares; a function that acts on every number alone gets a line per unit; else it is the mean Jacobian, which is the best map for Gaussian data and
    makes the number an upper bound for others.

    Args:
        model: Any module; examined in evaluation mode on a private float64 copy.
        example: The data: a batch of rows, the more the better.
        keywords: Keyword arguments of the forward pass.
        layers: Measure every layer as well.

    Raises:
        UsageError: The model cannot be asked.

    Limits:
        It speaks of the data given, not of all inputs: a ReLU whose input is always positive counts as linear. Outputs with much variance weigh more. Layers do
        not add up to the whole. One row of data says nothing (``nan``).

    References:
        Closed form for :math:`z \sim N(0, 1)`: :math:`\mathcal{N}(\varphi) = 1 - \mathbb{E}[\varphi z]^2 / \operatorname{Var} \varphi`;
        for ReLU :math:`1 - (1/4) / (1/2 - 1/2\pi) = 0.2666`.

    Example:
        >>> data = torch.randn(4000, 1, generator=torch.Generator().manual_seed(0))
        >>> abs(nonlinearity(nn.ReLU(), data).value - 0.2666) < 0.02, nonlinearity(nn.Linear(1, 3), data).value
        (True, 0.0)
    """
    function = input_output_map(model, example, keywords)
    whole, why_not = _measure(function)
    rows = [_of_layer(call, function) for call in layer_calls(function) if call.is_leaf] if layers else []
    return Nonlinearity(
        value=whole.share,
        standard_error=whole.standard_error,
        method=whole.method,
        n_rows=whole.n_rows,
        layers=rows,
        said=[*_words(whole, why_not, rows), *function.notes],
    )


def _measure(function: InputOutputMap) -> tuple[Unexplained, str]:
    """Return the share and, where it is ``nan``, the reason."""
    inputs, outputs = function.rows.double(), function.in_chunks(function.rows, function.each_row).double()
    if not bool(torch.isfinite(outputs).all()):
        return Unexplained(float("nan"), float("nan"), "none", 0), "an output is not finite"
    if len(inputs) < 3:
        why = "its rows do not stand alone" if function.batch_dimension is None else f"there are {len(inputs)} rows of data, and at least 3 are needed"
        return Unexplained(float("nan"), float("nan"), "none", len(inputs)), why
    found = per_unit(inputs, outputs) if _is_elementwise(function) else None
    found = found or least_squares(inputs, outputs) or _by_jacobians(function, inputs, outputs)
    return found or Unexplained(float("nan"), float("nan"), "none", len(inputs)), "" if found else "there are too few rows of data"


def _by_jacobians(function: InputOutputMap, inputs: Tensor, outputs: Tensor) -> Unexplained | None:
    few = slice(0, MAX_ROWS_OF_JACOBIANS)
    products = JacobianProducts(function)

    def forward(points: Tensor, tangents: Tensor, index: Tensor) -> Tensor:
        return products.forward(points.to(function.dtype), tangents.to(function.dtype), index)

    return mean_jacobian(inputs[few], outputs[few], forward, min(function.chunk, 1024))


def _is_elementwise(function: InputOutputMap) -> bool:
    """Tell whether every output depends on the input in its own place alone: mixing two inputs by a mask mixes their outputs by the same mask."""
    if function.n_inputs != function.n_outputs or len(function.rows) < 2 or len(function.inputs) > 1:
        return False
    generator = torch.Generator().manual_seed(3)
    a = function.rows[:1] + function.scale * torch.randn(4, function.n_inputs, generator=generator, dtype=torch.float64).to(function.rows)
    b = function.rows[1:2] - function.scale * torch.randn(4, function.n_inputs, generator=generator, dtype=torch.float64).to(function.rows)
    mask = torch.rand(4, function.n_inputs, generator=generator).to(a.device) < 0.5
    at_a, at_b, mixed = (function.in_chunks(points) for points in (a, b, torch.where(mask, a, b)))
    return torch.allclose(mixed, torch.where(mask, at_a, at_b), rtol=function.rounding**0.6, atol=0.0, equal_nan=True)


def _of_layer(call: LayerCall, function: InputOutputMap) -> LayerNonlinearity:
    nan = float("nan")
    try:
        if call.kind.startswith("Embedding"):
            return LayerNonlinearity(name=call.name, kind=call.kind, share=0.0, standard_error=0.0, method="none", is_elementwise=False)
        alone = input_output_map(call.module, call.arguments[0], call.arguments[1], mode="as_is", double=function.dtype == torch.float64)
        found, why_not = _measure(alone)
    except UsageError as error:
        return LayerNonlinearity(name=call.name, kind=call.kind, share=nan, standard_error=nan, method="none", is_elementwise=False, why_not=str(error))
    return LayerNonlinearity(
        name=call.name,
        kind=call.kind,
        share=found.share,
        standard_error=found.standard_error,
        method=found.method,
        is_elementwise=found.method == "per unit",
        why_not=why_not,
    )


def _words(whole: Unexplained, why_not: str, layers: list[LayerNonlinearity]) -> list[Sentence]:
    if why_not:
        return [Sentence(f"The non-linearity cannot be measured: {why_not}.", f"非線形性を測定できません（{why_not}）。")]
    percent, error = short(100 * whole.share), short(100 * whole.standard_error)
    said = [
        Sentence(
            f"{percent} % (± {error}) of the output's variance on these {whole.n_rows} rows is beyond any affine map of the input.",
            f"この {whole.n_rows} 行のデータでは、出力の分散の {percent} %（± {error}）が入力のアフィン写像では説明できません。",
        )
    ]
    if whole.method == "mean Jacobian":
        said.append(
            Sentence(
                "There are fewer rows than twice the inputs, so the map is the mean Jacobian: exact for affine networks and Gaussian data, "
                "an upper bound else.",
                "行数が入力数の 2 倍に満たないため、平均ヤコビ行列をアフィン写像として用いました"
                "（アフィンなネットワークとガウス分布のデータでは正確、それ以外では上界）。",
            )
        )
    bent = [layer for layer in layers if layer.share == layer.share]
    if bent:
        top = max(bent, key=lambda layer: layer.share)
        said.append(
            Sentence(
                f"The layer that bends most is {top.name} ({top.kind}): {short(100 * top.share)} % of its output's variance.",
                f"最も強く曲げている層は {top.name}（{top.kind}）で、出力の分散の {short(100 * top.share)} % です。",
            )
        )
    return said


def _plain(value: float) -> float | None:
    return None if value != value else value
