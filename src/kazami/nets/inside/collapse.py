"""Depth collapse: is a deep network one matrix in disguise, and which?"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator
from torch import Tensor, nn

from ...errors import UsageError
from ...records import Sentence
from .affinity import affinity
from .collapse_layers import LayerVerdict, layer_verdicts
from .collapse_words import explain
from .flat_network import InputOutputMap
from .input_output_map import input_output_map
from .jacobian import JacobianProducts
from .layer_calls import layer_calls
from .nested_tensors import tensors_in
from .private_copy import Mode

MAX_ENTRIES = 2**25  # 256 MiB in float64


@dataclass(frozen=True, slots=True, kw_only=True)
class CollapseReport:
    r"""Whether a network is :math:`y = xW + b`, and with which matrix and bias.

    A row :math:`x` is all floating inputs of one example, flattened without the batch dimension and joined in the order of the arguments; :math:`y` likewise.

    Attributes:
        is_affine: Whether every tested identity holds, over nine decades of input size.
        affine_on_data: Whether it holds between the example's own rows; ``is_affine`` implies it.
        residual: Largest violation found, relative to the size of the terms; rounding is below ``tolerance``.
        tolerance: Largest violation that counts as rounding.
        worst_scale: Input size, in units of the data's own, at which ``residual`` was found.
        matrix: ``(n_inputs, n_outputs)`` in float64; ``None`` if not affine or too large.
        bias: ``(n_outputs,)``; ``None`` if not affine.
        verified: Largest relative error of :math:`xW + b` on fresh random inputs; ``None`` without a matrix.
        rank: Numerical rank of the matrix.
        affine_in: For each input alone, the others held fixed: whether the network is affine in it.
        inputs: Names and shapes of the inputs, in the order of the flat row.
        outputs: Names and shapes of the outputs.
        batch_dimension: Which dimension holds the rows; ``None`` where the whole example is one row.
        n_layers: How many layers with a weight matrix the pass goes through, each use counted.
        layers: One verdict per layer, in the order of the calls.
        why: The verdict in words.
        notes: How the network was asked.
        dtype: The dtype of the model's own output.
        function: The network as it was asked.
    """

    is_affine: bool
    affine_on_data: bool
    residual: float
    tolerance: float
    worst_scale: float
    matrix: Tensor | None
    bias: Tensor | None
    verified: float | None
    rank: int | None
    affine_in: dict[str, bool]
    inputs: list[tuple[str, tuple[int, ...]]]
    outputs: list[tuple[str, tuple[int, ...]]]
    batch_dimension: int | None
    n_layers: int
    layers: list[LayerVerdict]
    why: Sentence
    notes: list[Sentence]
    dtype: torch.dtype
    function: InputOutputMap = field(repr=False)

    @property
    def nonlinear_layers(self) -> list[LayerVerdict]:
        """The layers that bend, in the order of the calls."""
        return [layer for layer in self.layers if layer.is_affine is False]

    def operator(self) -> LinearOperator:
        r"""Return :math:`W^{\mathsf T}` as a ``scipy`` operator that is never stored: ``operator @ x + bias`` is the output; ``.rmatvec`` is the transpose."""
        function, products = self.function, JacobianProducts(self.function)
        origin = torch.zeros(1, function.n_inputs, dtype=function.dtype)
        zero = function.in_chunks(origin)

        def forwards(x: np.ndarray) -> np.ndarray:
            row = torch.as_tensor(np.asarray(x).reshape(1, -1), dtype=function.dtype)
            return (function.in_chunks(row) - zero)[0].double().numpy()

        def backwards(y: np.ndarray) -> np.ndarray:
            return products.backward(origin, torch.as_tensor(np.asarray(y).reshape(1, -1), dtype=function.dtype))[0].double().numpy()

        return LinearOperator((function.n_outputs, function.n_inputs), matvec=forwards, rmatvec=backwards, dtype=np.float64)

    def to_dict(self, language: str = "en") -> dict[str, Any]:
        """Return everything but a large matrix as plain data."""
        small = self.matrix is not None and self.matrix.numel() <= 4096 and self.bias is not None
        return {
            "is_affine": self.is_affine,
            "affine_on_data": self.affine_on_data,
            "residual": self.residual,
            "tolerance": self.tolerance,
            "worst_scale": self.worst_scale,
            "n_inputs": self.function.n_inputs,
            "n_outputs": self.function.n_outputs,
            "rank": self.rank,
            "verified": self.verified,
            "affine_in": self.affine_in,
            "inputs": [{"name": name, "shape": list(shape)} for name, shape in self.inputs],
            "outputs": [{"name": name, "shape": list(shape)} for name, shape in self.outputs],
            "batch_dimension": self.batch_dimension,
            "matrix": self.matrix.tolist() if small and self.matrix is not None else None,
            "bias": self.bias.tolist() if small and self.bias is not None else None,
            "n_layers": self.n_layers,
            "layers": [layer.to_dict() for layer in self.layers],
            "why": self.why.in_language(language),
            "notes": [note.in_language(language) for note in self.notes],
        }


def linear_collapse(
    model: nn.Module, example: Any, keywords: dict[str, Any] | None = None, *, tolerance: float | None = None, mode: Mode = "eval"
) -> tuple[Tensor, Tensor] | None:
    r"""Return the one matrix and bias that ``model`` equals, :math:`y = xW + b`, or ``None`` if it is not affine.

    Args:
        model: Any module; examined in evaluation mode unless ``mode`` says otherwise.
        example: One batch: a tensor, or a tuple of positional arguments.
        keywords: Keyword arguments of the forward pass.
        tolerance: Largest violation, relative to the terms, that counts as rounding; the rounding unit to the power 0.6 by default (4e-10 in float64).
        mode: ``"eval"``, ``"train"`` or ``"as_is"``.

    Returns:
        ``W`` of shape ``(n_inputs, n_outputs)`` and ``b`` of shape ``(n_outputs,)`` in the dtype of the model's own output: row form, everything but the batch
        dimension flattened.

    Raises:
        UsageError: The matrix has more than 2**25 entries (:func:`collapse_report` gives it as an operator), or the model cannot be asked.

    Limits:
        Affinity is tested at random points over nine decades of input size, not proved: a kink in a corner that no point met is not seen.

    References:
        Saxe, McClelland and Ganguli 2014, "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks".

    Example:
        >>> deep = nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 2))
        >>> matrix, bias = linear_collapse(deep, torch.ones(1, 3))
        >>> x = torch.randn(5, 3)
        >>> matrix.shape, torch.allclose(x @ matrix + bias, deep.eval()(x), atol=1e-5)
        (torch.Size([3, 2]), True)
        >>> linear_collapse(nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2)), torch.ones(1, 3)) is None
        True
    """
    function = input_output_map(model, example, keywords, mode=mode)
    found = affinity(function, tolerance=tolerance)
    if not found.is_affine:
        return None
    if function.n_inputs * function.n_outputs > MAX_ENTRIES:
        raise UsageError(
            f"The network is one matrix, but of {function.n_inputs} × {function.n_outputs} entries, more than {MAX_ENTRIES}. "
            "collapse_report(model, example).operator() gives it as an operator."
        )
    matrix, bias = _matrix(function)
    dtype = _own_dtype(model, example)
    return matrix.to(dtype), bias.to(dtype)


def collapse_report(
    model: nn.Module,
    example: Any,
    keywords: dict[str, Any] | None = None,
    *,
    tolerance: float | None = None,
    mode: Mode = "eval",
    layers: bool = True,
) -> CollapseReport:
    """Return whether ``model`` is affine, with everything that was found out on the way; arguments as in :func:`linear_collapse`.

    Args:
        model: Any module.
        example: One batch.
        keywords: Keyword arguments of the forward pass.
        tolerance: See :func:`linear_collapse`.
        mode: See :func:`linear_collapse`.
        layers: Examine every layer on its own as well.

    Raises:
        UsageError: The model cannot be asked.

    Example:
        >>> report = collapse_report(nn.Sequential(nn.Linear(3, 8), nn.Linear(8, 2)), torch.ones(1, 3))
        >>> print(report.why.en)
        This 2-layer network is one matrix: 3 → 2.
    """
    function = input_output_map(model, example, keywords, mode=mode)
    found = affinity(function, tolerance=tolerance)
    calls = layer_calls(function)
    verdicts = layer_verdicts(function, calls, tolerance=found.tolerance) if layers else []
    n_layers = sum(call.n_calls for call in calls if call.has_weights)
    matrix, bias, verified, rank = _found_matrix(function) if found.is_affine else (None, None, None, None)
    return CollapseReport(
        is_affine=found.is_affine,
        affine_on_data=found.affine_on_data,
        residual=found.residual,
        tolerance=found.tolerance,
        worst_scale=found.worst_scale,
        matrix=matrix,
        bias=bias,
        verified=verified,
        rank=rank,
        affine_in=found.affine_in,
        inputs=[(part.name, part.shape) for part in function.inputs],
        outputs=[(part.name, part.shape) for part in function.outputs],
        batch_dimension=function.batch_dimension,
        n_layers=n_layers,
        layers=verdicts,
        why=explain(function, found, verdicts, n_layers=n_layers, rank=rank),
        notes=function.notes,
        dtype=_own_dtype(model, example),
        function=function,
    )


def _found_matrix(function: InputOutputMap) -> tuple[Tensor | None, Tensor, float | None, int | None]:
    """Return matrix, bias, error on fresh inputs and rank; of a matrix that is too large the bias alone."""
    if function.n_inputs * function.n_outputs > MAX_ENTRIES:
        zero = torch.zeros(1, function.n_inputs, dtype=function.dtype, device=function.rows.device)
        return None, function.in_chunks(zero)[0].double().cpu(), None, None
    matrix, bias = _matrix(function)
    return matrix, bias, _verified(function, matrix, bias), _rank(matrix)


def _matrix(function: InputOutputMap) -> tuple[Tensor, Tensor]:
    """Evaluate the network at zero and at the unit vectors."""
    n, dtype, device = function.n_inputs, function.dtype, function.rows.device
    bias = function.in_chunks(torch.zeros(1, n, dtype=dtype, device=device))
    matrix = torch.empty(n, function.n_outputs, dtype=torch.float64)
    for start in range(0, n, function.chunk):
        count = min(function.chunk, n - start)
        units = torch.zeros(count, n, dtype=dtype, device=device)
        units[torch.arange(count), torch.arange(start, start + count)] = 1.0
        matrix[start : start + count] = (function.in_chunks(units) - bias).double().cpu()
    return matrix, bias[0].double().cpu()


def _verified(function: InputOutputMap, matrix: Tensor, bias: Tensor) -> float:
    generator = torch.Generator().manual_seed(20)
    rows = function.rows[:1] + function.scale * torch.randn(8, function.n_inputs, generator=generator, dtype=torch.float64).to(function.rows)
    output = function.in_chunks(rows).double().cpu()
    size = float(output.abs().max()) or 1.0
    return float((rows.double().cpu() @ matrix + bias - output).abs().max()) / size


def _rank(matrix: Tensor) -> int | None:
    if min(matrix.shape) > 2048:  # a decomposition of minutes
        return None
    return int(torch.linalg.matrix_rank(matrix, rtol=1e-9))


def _own_dtype(model: nn.Module, example: Any) -> torch.dtype:
    """Return the dtype in which the model's own output will be met: that of its floating parameters, else of the example, else the default."""
    found = [t.dtype for t in [*model.parameters(), *(t for _, t in tensors_in(example))] if t.is_floating_point()]
    return found[0] if found else torch.get_default_dtype()
