"""The curvature of a whole training's loss: its Hessian, Gauss-Newton and empirical Fisher matrix over all batches, and what can be asked of them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training
from ..maps._field import hand_written_backwards
from ..records.estimate import Estimate, Remark
from .batch_losses import BatchLosses
from .density import SpectralDensity, spectral_density
from .extremes import MOST_PRODUCTS, Extremes, Which, extreme_eigenvalues
from .lanczos import SymmetricOperator
from .looked_at import LookedAt, looked_at, of_training
from .mean_products import MeanProducts
from .memory import available_bytes, gibibytes, graph_bytes
from .meyer2020hutch import trace
from .outputs import OutputProducts
from .products import CurvatureBlind, HessianProducts
from .verified import DifferenceProducts, second_derivative_is_true

Matrix = Literal["hessian", "gauss_newton", "empirical_fisher"]
Mode = Literal["train", "eval"]


class TrainingCurvature:
    r"""The mean loss over several batches, weighted by their sizes, as a matrix of second derivatives that is never written down.

    .. math:: H = \sum_b \frac{n_b}{N} \nabla^2 L_b(\theta)

    Args:
        model: Any module; it is copied, and left as it is.
        loss: ``loss(output, target)``.
        batches: One pair (inputs, target) or an iterable of them; a tuple or dict of inputs is spread over ``forward`` where it fits.
        optimizer: Of ``model``: says which parameters move, and its threshold.
        mode: ``"train"`` or ``"eval"`` for all modules (BatchNorm by its batch or by its running statistics); as the model is by default.
        dtype: Precision; where the model cannot be run in it, its own is taken.
        seed: Of dropout masks, which are drawn once for each batch, and of the start vectors.

    Attributes:
        parameters: The tensors it differentiates by: those that the optimizer moves, else all that require a gradient. A tied weight is one.
        names: Their names.
        is_exact: Whether Hessian products are those of autograd, whose truth was tested; else they are differences of gradients.
        conditions: What was frozen, in which mode and precision.

    Raises:
        UsageError: Nothing requires a gradient; there is no batch; the loss has no second derivative (the operation is named).

    Limits:
        A network of piecewise linear activations has the curvature of its smooth pieces only. A graph per batch is kept where all fit into half of the free
        memory, else each product runs forward and backward again.

    Example:
        >>> x = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
        >>> curvature = TrainingCurvature(nn.Linear(2, 1, bias=False), nn.functional.mse_loss, (x, torch.zeros(2, 1)))
        >>> [round(value, 9) for value in curvature.eigenvalues(2).values.tolist()]  # 2 X'X / n
        [4.0, 1.0]
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[[Any, Any], Tensor],
        batches: Any,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        mode: Mode | None = None,
        dtype: torch.dtype = torch.float64,
        seed: int = 0,
    ) -> None:
        """Copy the model and look at its first batch."""
        self._begin(looked_at(model, loss, batches, optimizer=optimizer, mode=mode, dtype=dtype, seed=seed))

    @classmethod
    def of(cls, training: Training, *, after: int = 0, mode: Mode | None = None, dtype: torch.dtype = torch.float64) -> "TrainingCurvature":
        """Return the curvature over all of ``training.batches()`` at its initial weights, or ``after`` so many of its steps.

        Args:
            training: It is started afresh, from its own seed.
            after: Optimizer steps to take first.
            mode: As above; by default as the model factory leaves it.
            dtype: As above; the steps themselves are taken in the training's own precision.
        """
        made = cls.__new__(cls)
        made._begin(of_training(training, after=after, mode=mode, dtype=dtype))
        return made

    def _begin(self, found: LookedAt) -> None:
        self.looked_at = found
        self.losses: BatchLosses = found.losses
        self.parameters, self.names = found.parameters, found.names
        self.n_entries = sum(parameter.numel() for parameter in self.parameters)
        self.n_examples = self.losses.n_examples
        with self._refusing():
            self.is_exact = second_derivative_is_true(self.losses, self.parameters)
        self.is_kept, kept = self._decide()
        self.conditions: tuple[Remark, ...] = (*found.conditions, *kept)
        if not self.is_exact:
            text = "Autograd's second derivative is not true here (as torch's is not for weight_norm): products are central differences of gradients."
            self.conditions += (Remark(text, "自動微分の2階微分が差分と一致しないため、勾配の中心差分を用いた。"),)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters[0].device

    def products(self, matrix: Matrix = "hessian", *, is_mean: bool = True) -> MeanProducts:
        """Return products with one of the matrices, without preconditioner or weight decay.

        Args:
            matrix: ``"hessian"``; ``"gauss_newton"``: its part that is positive semidefinite where the loss is convex in the output;
                ``"empirical_fisher"``: the mean of the outer products of the examples' gradients.
            is_mean: For the Fisher matrix: whether the loss is the mean over the rows of the output (else their sum).
        """
        return self._mean(self._maker(matrix, is_mean))

    def stability_products(self) -> MeanProducts:
        """Return products with the matrix that the optimizer's threshold speaks of: preconditioned, and with weight decay where it is not uniform."""
        return self._mean(self._maker("hessian", True), preconditioner=self.looked_at.preconditioner, penalties=self.looked_at.penalties)

    def eigenvalues(
        self,
        k: int = 1,
        *,
        which: Which = "largest",
        matrix: Matrix = "hessian",
        tolerance: float = 1e-4,
        max_products: int = MOST_PRODUCTS,
        products: MeanProducts | None = None,
    ) -> Extremes:
        """Return ``k`` extreme eigenvalues, see :func:`~kazami.curvature.extremes.extreme_eigenvalues`.

        Args:
            k: How many.
            which: Which end of the spectrum.
            matrix: Of which matrix.
            tolerance: The relative error asked for.
            max_products: The most products to make.
            products: Another operator of the same size instead, for example :meth:`stability_products`.
        """
        with self._refusing(), torch.no_grad():
            operator = self.products(matrix) if products is None else products
            return extreme_eigenvalues(operator, k, which=which, generator=self._generator(), tolerance=tolerance, max_products=max_products)

    def trace(self, *, matrix: Matrix = "hessian", products: int = 60) -> Estimate:
        """Return the trace with its standard error, see :func:`~kazami.curvature.meyer2020hutch.trace`."""
        with self._refusing(), torch.no_grad():
            return trace(self.products(matrix), products=products, generator=self._generator())

    def density(self, *, matrix: Matrix = "hessian", probes: int = 6, steps: int = 60, products: MeanProducts | None = None) -> SpectralDensity:
        """Return the spectral density, see :func:`~kazami.curvature.density.spectral_density`."""
        with self._refusing(), torch.no_grad():
            operator = self.products(matrix) if products is None else products
            return spectral_density(operator, probes=probes, steps=steps, generator=self._generator())

    def unflatten(self, flat: Tensor) -> dict[str, Tensor]:
        """Return a vector of shape ``(n_entries,)``, an eigenvector for example, as tensors by the parameters' names."""
        parts = flat.split([parameter.numel() for parameter in self.parameters])
        return {name: part.view(parameter.shape) for name, part, parameter in zip(self.names, parts, self.parameters, strict=True)}

    def _mean(self, make: Callable[[int], SymmetricOperator], **scaling: Any) -> MeanProducts:
        return MeanProducts(make, self.losses.shares, self.parameters, is_kept=self.is_kept, **scaling)

    def _maker(self, matrix: Matrix, is_mean: bool) -> Callable[[int], SymmetricOperator]:
        if matrix == "hessian" and not self.is_exact:
            return lambda index: DifferenceProducts(self.losses, index, self.parameters)
        if matrix == "hessian":
            return lambda index: HessianProducts(self.losses.loss_at(index), self.parameters, on_copy=True)

        def made(index: int) -> SymmetricOperator:
            output, _ = self.losses.output_and_loss(index)
            with self.losses.frozen(index):
                target = self.losses.batches[index][1]
                return OutputProducts(output, lambda given: self.losses.loss(given, target), self.parameters, matrix, is_mean=is_mean)

        return made

    def _generator(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.losses.seed)

    def _decide(self) -> tuple[bool, tuple[Remark, ...]]:
        """Return whether the graphs of all batches are kept."""
        if len(self.losses.batches) == 1:
            return True, ()
        largest = max(range(len(self.losses.shares)), key=self.losses.shares.__getitem__)
        with self._refusing():
            one = graph_bytes(lambda: HessianProducts(self.losses.loss_at(largest), self.parameters, on_copy=True))
        needed, free = one / self.losses.shares[largest], available_bytes(self.device)
        if needed <= free / 2:
            return True, ()
        text = f"The graphs of all batches would take {gibibytes(needed)} of {gibibytes(free)}; each product builds them again."
        return False, (Remark(text, f"全バッチの計算グラフは {gibibytes(needed)} となるため保持せず、積のたびに作り直す。"),)

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Say in the user's words why there is no second derivative."""
        try:
            yield
        except CurvatureBlind as reason:
            text, functions = str(reason), self._hand_written()
            where = f" (functions written in Python: {', '.join(functions)})" if functions and "twice" in text else ""
            raise UsageError(
                f"Curvature needs a loss that can be differentiated twice. {text.rstrip('.')}{where}. Replace that operation in the model or the loss"
                f"{', or take smaller batches' if 'memory' in text else ''}."
            ) from None

    def _hand_written(self) -> list[str]:
        return hand_written_backwards(self.losses.loss_at(0))


def as_curvature(given: "Training | TrainingCurvature", *, after: int = 0, mode: Mode | None = None, dtype: torch.dtype = torch.float64) -> TrainingCurvature:
    """Return ``given`` as it is, or the curvature of a `Training`.

    Raises:
        UsageError: It is neither.
    """
    if isinstance(given, TrainingCurvature):
        return given
    if isinstance(given, Training):
        return TrainingCurvature.of(given, after=after, mode=mode, dtype=dtype)
    raise UsageError(f"Sharpness needs a kazami.Training or a TrainingCurvature, but it was given a {type(given).__name__}.")


def shown_names(names: Sequence[str], most: int = 3) -> str:
    """Return a few names for a sentence.

    >>> shown_names(["a", "b", "c", "d"])
    'a, b, c …'
    """
    return ", ".join(names[:most]) + (" …" if len(names) > most else "")
