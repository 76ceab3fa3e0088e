"""Biological learning as a map: Hebb's rule and the local rules that keep it bounded."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

import torch
from torch import Tensor

from ..errors import unknown_name
from ..records.estimate import Remark
from ._base import AbstractMap, Part, parameter_named

Rule = Literal["hebb", "oja", "subspace"]
RULES: Mapping[str, str] = MappingProxyType(
    {"hebb": r"W' = W + \eta\, y x^\top", "oja": r"w_i' = w_i + \eta\, y_i (x - y_i w_i)", "subspace": r"W' = W + \eta\, y\,(x - W^\top y)^\top"}
)


class PlasticityMap(AbstractMap):
    r"""The weights :math:`W` of linear neurons :math:`y = W x` under a Hebbian rule, averaged over samples.

    ============= ================================================= ===========================================================================
    ``rule``      step (mean over the samples of the step)          known exponents
    ============= ================================================= ===========================================================================
    ``hebb``      :math:`W + \eta\, y x^\top`                       :math:`\ln (1 + \eta \lambda_i)`: it always diverges
    ``oja``       :math:`w_i + \eta\, y_i (x - y_i w_i)`            :math:`\ln |1 - 2 \eta \lambda_1|`, :math:`\ln (1 + \eta (\lambda_i - \lambda_1))`
    ``subspace``  :math:`W + \eta\, y (x - W^\top y)^\top`          neutral along rotations inside the principal subspace
    ============= ================================================= ===========================================================================

    with :math:`\lambda_1 > \lambda_2 \ge \dots` the eigenvalues of the inputs' second moments, Oja's at its end point, the principal axis.

    Args:
        inputs: Samples, shape ``(samples, features)``; float64 inside.
        rule: One of the three.
        learning_rate: :math:`\eta`.
        n_neurons: Rows of :math:`W`.
        batch: Samples a step, taken in their order and begun again; all of them by default.
        seed: Of the first weights, normal with variance 1 / features.

    Raises:
        UnknownName: No such rule.

    References:
        Hebb 1949; Oja 1982; Oja 1989 (subspace).

    Example:
        >>> m = PlasticityMap(torch.eye(2), "hebb", learning_rate=0.2)  # second moments 1/2, 1/2
        >>> bool(torch.allclose(m.advance(m.current_state(), 0), 1.1 * m.current_state()))
        True
    """

    def __init__(self, inputs: Tensor, rule: Rule = "oja", *, learning_rate: float = 0.01, n_neurons: int = 1, batch: int | None = None, seed: int = 0) -> None:
        """Draw the first weights."""
        if rule not in RULES:
            raise unknown_name("plasticity rule", rule, RULES)
        self.rule: Rule = rule
        self._inputs = inputs.detach().to(torch.float64)
        if self._inputs.dim() != 2 or not len(self._inputs):
            raise ValueError(f"The inputs should have the shape (samples, features), but it is {tuple(inputs.shape)}.")
        self._batch = len(self._inputs) if batch is None else batch
        self._values = {"learning_rate": float(learning_rate)}
        self.shape = (n_neurons, self._inputs.shape[1])
        generator = torch.Generator().manual_seed(seed)
        self._begin_at((torch.randn(self.shape, generator=generator, dtype=torch.float64) / self.shape[1] ** 0.5).reshape(-1))

    @property
    def dimension(self) -> int:
        """Number of weights."""
        return self.shape[0] * self.shape[1]

    @property
    def notes(self) -> tuple[Remark, ...]:
        """Return the rule and how samples are taken."""
        samples = f"{self._batch} of {len(self._inputs)} samples a step in a fixed order"
        text = f"{self.rule} rule, {self.shape[0]} × {self.shape[1]} weights, {samples}, exact tangents."
        return (Remark(text, f"{self.rule}則、重み{self.shape[0]}×{self.shape[1]}、標本の順は固定、接ベクトルは厳密。"),)

    def current_parameters(self) -> Mapping[str, float]:
        """Return the learning rate."""
        return MappingProxyType(self._values)

    def set_parameter(self, name: str, value: float) -> None:
        """Change the learning rate."""
        self._values[parameter_named(name, self._values)] = float(value)

    def advance(self, state: Tensor, time: int) -> Tensor:
        """Return the weights after one step."""
        weights, moments = state.view(self.shape), self._moments(time)
        driven = weights @ moments  # the mean of y x^T
        return (weights + self._values["learning_rate"] * (driven - self._decay(weights, driven))).reshape(-1)

    def advance_tangents(self, state: Tensor, vectors: Tensor, time: int) -> tuple[Tensor, Tensor]:
        """Return the weights after one step and the derivative of the step along ``vectors``."""
        weights, moments = state.view(self.shape), self._moments(time)
        turned = vectors.T.reshape(-1, *self.shape)
        driven, driven_turned = weights @ moments, turned @ moments
        change = driven_turned - self._decay_turned(weights, driven, turned, driven_turned)
        carried = (turned + self._values["learning_rate"] * change).reshape(len(turned), -1).T
        return self.advance(state, time), carried

    def advance_many(self, states: Tensor, time: int) -> Tensor:
        """Return the next weights for every row of ``states``."""
        return torch.stack([self.advance(state, time) for state in states])

    def coordinates(self, part: Part = "all") -> Tensor:
        """Return that every coordinate is a weight."""
        del part
        return torch.ones(self.dimension, dtype=torch.bool)

    def _moments(self, time: int) -> Tensor:
        """Return the second moments of the samples of step number ``time``, shape ``(features, features)``."""
        count = len(self._inputs)
        chosen = self._inputs[[(time * self._batch + offset) % count for offset in range(self._batch)]] if self._batch < count else self._inputs
        return chosen.T @ chosen / len(chosen)

    def _decay(self, weights: Tensor, driven: Tensor) -> Tensor:
        if self.rule == "hebb":
            return torch.zeros_like(weights)
        powers = driven @ weights.T  # the mean of y y^T
        return torch.diagonal(powers)[:, None] * weights if self.rule == "oja" else powers @ weights

    def _decay_turned(self, weights: Tensor, driven: Tensor, turned: Tensor, driven_turned: Tensor) -> Tensor:
        if self.rule == "hebb":
            return torch.zeros_like(turned)
        powers = driven @ weights.T
        turned_powers = driven_turned @ weights.T + driven @ turned.transpose(1, 2)
        if self.rule == "subspace":
            return turned_powers @ weights + powers @ turned
        return torch.diagonal(turned_powers, dim1=1, dim2=2)[..., None] * weights + torch.diagonal(powers)[:, None] * turned
