r"""Backpropagation itself, in NumPy, to be read: forward pass, error of each layer, gradient of each layer.

A network of :math:`L` layers computes :math:`A_0 = X`, :math:`Z_l = A_{l-1} W_l + b_l`, :math:`A_l = \varphi_l(Z_l)`; rows are examples. With
:math:`\delta_l = \partial C / \partial Z_l` the chain rule gives

.. math::
    \delta_L = \frac{\partial C}{\partial A_L} \odot \varphi_L'(Z_L), \qquad
    \delta_l = (\delta_{l+1} W_{l+1}^\top) \odot \varphi_l'(Z_l), \qquad
    \frac{\partial C}{\partial W_l} = A_{l-1}^\top \delta_l, \qquad \frac{\partial C}{\partial b_l} = \textstyle\sum_{\text{examples}} \delta_l .

One forward pass and one backward pass give the derivatives by all weights, however many there are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError, unknown_name

Array = NDArray[np.float64]
Name = Literal["identity", "relu", "sigmoid", "tanh", "leaky_relu", "elu", "softplus", "silu"]


def _sigmoid(z: Array) -> Array:
    return np.where(z >= 0, 1 / (1 + np.exp(-np.abs(z))), np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))))


# name: (φ(z), φ'(z), formula of φ, formula of φ'); at the kink of relu and its kind φ' is the slope to the left, as in torch.
ACTIVATIONS: dict[str, tuple[Callable[[Array], Array], Callable[[Array], Array], str, str]] = {
    "identity": (lambda z: z, np.ones_like, "z", "1"),
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0).astype(float), r"\max(z, 0)", r"[z > 0]"),
    "leaky_relu": (
        lambda z: np.where(z > 0, z, 0.01 * z),
        lambda z: np.where(z > 0, 1.0, 0.01),
        r"\max(z, 0.01 z)",
        r"[z > 0] + 0.01\,[z \leq 0]",
    ),
    "sigmoid": (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z)), r"1 / (1 + e^{-z})", r"\varphi(z) (1 - \varphi(z))"),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2, r"\tanh z", r"1 - \tanh^2 z"),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z: np.where(z > 0, 1.0, np.exp(np.minimum(z, 0))),
        r"z \text{ if } z > 0 \text{ else } e^z - 1",
        r"1 \text{ if } z > 0 \text{ else } e^z",
    ),
    "softplus": (lambda z: np.logaddexp(0, z), _sigmoid, r"\ln(1 + e^z)", r"1 / (1 + e^{-z})"),
    "silu": (
        lambda z: z * _sigmoid(z),
        lambda z: _sigmoid(z) * (1 + z * (1 - _sigmoid(z))),
        r"z / (1 + e^{-z})",
        r"\sigma(z) (1 + z (1 - \sigma(z)))",
    ),
}
LOSSES = ("mse", "cross_entropy")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the forward or backward pass.

    Attributes:
        name: What is computed, for example ``"delta_2"``.
        phase: ``"forward"`` or ``"backward"``.
        layer: Which layer, 1 is the first; 0 is the input.
        formula: LaTeX.
        shapes: Shapes of the formula's operands and, last, of the result.
        value: The numbers.
    """

    name: str
    phase: Literal["forward", "backward"]
    layer: int
    formula: str
    shapes: tuple[tuple[int, ...], ...]
    value: Array

    def to_dict(self) -> dict[str, Any]:
        """Return the step as plain data."""
        return {
            "name": self.name,
            "phase": self.phase,
            "layer": self.layer,
            "formula": self.formula,
            "shapes": [list(shape) for shape in self.shapes],
            "value": self.value.tolist(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Backprop:
    r"""Everything that one forward and one backward pass compute; layer 1 is at index 0.

    Attributes:
        loss: :math:`C`.
        inputs: :math:`A_{l-1}` of each layer, shape ``(examples, n_in)``.
        sums: :math:`Z_l`, shape ``(examples, n_out)``.
        outputs: :math:`A_l`, same shape.
        deltas: :math:`\delta_l = \partial C/\partial Z_l`, same shape.
        weight_gradients: :math:`\partial C/\partial W_l`, shape ``(n_in, n_out)``: the transpose of what PyTorch stores.
        bias_gradients: :math:`\partial C/\partial b_l`, shape ``(n_out,)``.
        input_gradient: :math:`\partial C/\partial X`.
        activations: Name of each layer's activation.
        loss_name: ``"mse"`` or ``"cross_entropy"``.
        weights: :math:`W_l`, as given.
        biases: :math:`b_l`, as given.
        target: :math:`Y`, shape ``(examples, n_out)``; class numbers as rows of a one and zeros.
    """

    loss: float
    inputs: tuple[Array, ...]
    sums: tuple[Array, ...]
    outputs: tuple[Array, ...]
    deltas: tuple[Array, ...]
    weight_gradients: tuple[Array, ...]
    bias_gradients: tuple[Array, ...]
    input_gradient: Array
    activations: tuple[str, ...]
    loss_name: str
    weights: tuple[Array, ...]
    biases: tuple[Array, ...]
    target: Array

    def steps(self) -> list[Step]:
        """Return the passes step by step: forward from the first layer to the loss, backward from the loss to the first layer."""
        return [*self._forward_steps(), *self._backward_steps()]

    def _forward_steps(self) -> list[Step]:
        found = [Step("A_0", "forward", 0, r"A_0 = X", (self.inputs[0].shape,), self.inputs[0])]
        for layer, (entering, weight, total, output, name) in enumerate(
            zip(self.inputs, self.weights, self.sums, self.outputs, self.activations, strict=True), start=1
        ):
            affine = rf"Z_{{{layer}}} = A_{{{layer - 1}}} W_{{{layer}}} + b_{{{layer}}}"
            found.append(Step(f"Z_{layer}", "forward", layer, affine, (entering.shape, weight.shape, weight.shape[1:], total.shape), total))
            formula = rf"A_{{{layer}}} = \varphi(Z_{{{layer}}}), \quad \varphi(z) = {ACTIVATIONS[name][2]}"
            found.append(Step(f"A_{layer}", "forward", layer, formula, (total.shape, output.shape), output))
        last = len(self.sums)
        formula = LOSS_FORMULAS[self.loss_name].format(last=last)
        found.append(Step("C", "forward", last, formula, (self.outputs[-1].shape, ()), np.array(self.loss)))
        return found

    def _backward_steps(self) -> list[Step]:
        found: list[Step] = []
        last = len(self.sums)
        for layer in range(last, 0, -1):
            delta, name = self.deltas[layer - 1], self.activations[layer - 1]
            slope = rf"\varphi'(Z_{{{layer}}}), \quad \varphi'(z) = {ACTIVATIONS[name][3]}"
            if layer == last:
                formula = DELTA_FORMULAS[self.loss_name].format(last=last, slope=slope)
                shapes: tuple[tuple[int, ...], ...] = (self.outputs[-1].shape, delta.shape)
            else:
                formula = rf"\delta_{{{layer}}} = (\delta_{{{layer + 1}}} W_{{{layer + 1}}}^\top) \odot {slope}"
                shapes = (self.deltas[layer].shape, self.weights[layer].shape[::-1], delta.shape)
            found.append(Step(f"delta_{layer}", "backward", layer, formula, shapes, delta))
            by_weight, by_bias, entering = self.weight_gradients[layer - 1], self.bias_gradients[layer - 1], self.inputs[layer - 1]
            formula = rf"\partial C / \partial W_{{{layer}}} = A_{{{layer - 1}}}^\top \delta_{{{layer}}}"
            found.append(Step(f"dW_{layer}", "backward", layer, formula, (entering.shape[::-1], delta.shape, by_weight.shape), by_weight))
            formula = rf"\partial C / \partial b_{{{layer}}} = \textstyle\sum_{{\text{{examples}}}} \delta_{{{layer}}}"
            found.append(Step(f"db_{layer}", "backward", layer, formula, (delta.shape, by_bias.shape), by_bias))
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the passes as plain data."""
        return {"loss": self.loss, "loss_name": self.loss_name, "activations": list(self.activations), "steps": [step.to_dict() for step in self.steps()]}

    def to_html(self, language: str = "en") -> str:
        """Return one self-contained page that walks through the passes on the data-flow graph, to be written as UTF-8.

        Args:
            language: The language it opens in, ``"en"`` or ``"ja"``; the reader can switch.
        """
        from .backprop_page import render_page

        return render_page(self, language=language)

    def write(self, path: str, language: str = "en") -> str:
        """Write the walk (``.html``) or the graph with all its numbers (``.svg``, ``.png``), by the ending of ``path``, and return ``path``.

        Raises:
            UsageError: The ending is none of these.
            CannotWrite: The place cannot be written.
        """
        from .backprop_files import write_walk

        return write_walk(self, path, language)


LOSS_FORMULAS = {
    "mse": r"C = \mathrm{{mean}} (A_{{{last}}} - Y)^2",
    "cross_entropy": r"C = -\mathrm{{mean}}_{{\text{{examples}}}} \textstyle\sum_k Y_k \ln \mathrm{{softmax}}(A_{{{last}}})_k",
}
DELTA_FORMULAS = {
    "mse": r"\delta_{{{last}}} = \tfrac{{2}}{{\text{{entries}}}} (A_{{{last}}} - Y) \odot {slope}",
    "cross_entropy": r"\delta_{{{last}}} = \tfrac{{1}}{{\text{{examples}}}} (\mathrm{{softmax}}(A_{{{last}}}) - Y) \odot {slope}",
}


def backprop(weights: Sequence[ArrayLike], biases: Sequence[ArrayLike], activations: Sequence[str], X: ArrayLike, Y: ArrayLike, loss: str = "mse") -> Backprop:
    r"""Return loss, errors and gradients of a network of fully connected layers: one forward and one backward pass.

    Args:
        weights: :math:`W_l`, shape ``(n_in, n_out)``, first layer first.
        biases: :math:`b_l`, shape ``(n_out,)``.
        activations: Name of each layer's activation, one of :data:`ACTIVATIONS`.
        X: Inputs, one example a row, shape ``(examples, n_in)``.
        Y: Targets: shape ``(examples, n_out)``; for ``"cross_entropy"`` also class numbers, shape ``(examples,)``.
        loss: ``"mse"``, the mean over all entries, or ``"cross_entropy"``, a softmax and the mean over examples.

    Raises:
        UsageError: Shapes do not fit, or a name is unknown.

    Limits:
        Fully connected layers and activations that act on each entry by itself.

    References:
        Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors".

    Example:
        One weight, C = (w x - y)², so dC/dw = 2 (w x - y) x = 2 · (6 - 1) · 2:

        >>> float(backprop([[[3.0]]], [[0.0]], ["identity"], [[2.0]], [[1.0]]).weight_gradients[0][0, 0])
        20.0
    """
    W, b, inputs, targets = _checked(weights, biases, activations, X, Y, loss)

    A, sums, slopes = [inputs], [], []
    for weight, bias, name in zip(W, b, activations, strict=True):  # forward
        value, slope, _, _ = ACTIVATIONS[name]
        sums.append(A[-1] @ weight + bias)
        A.append(value(sums[-1]))
        slopes.append(slope(sums[-1]))

    cost, by_output = _mse(A[-1], targets) if loss == "mse" else _cross_entropy(A[-1], targets)

    deltas: list[Array] = []
    by_weights: list[Array] = []
    by_biases: list[Array] = []
    for layer in reversed(range(len(W))):  # backward
        delta = by_output * slopes[layer]
        deltas.insert(0, delta)
        by_weights.insert(0, A[layer].T @ delta)
        by_biases.insert(0, delta.sum(axis=0))
        by_output = delta @ W[layer].T  # what the layer before has to answer for

    return Backprop(
        loss=cost, inputs=tuple(A[:-1]), sums=tuple(sums), outputs=tuple(A[1:]), deltas=tuple(deltas), weight_gradients=tuple(by_weights),
        bias_gradients=tuple(by_biases), input_gradient=by_output, activations=tuple(activations), loss_name=loss, weights=tuple(W),
        biases=tuple(b), target=targets,
    )  # fmt: skip


def _mse(output: Array, target: Array) -> tuple[float, Array]:
    off = output - target
    return float(np.mean(off**2)), 2 * off / off.size


def _cross_entropy(output: Array, target: Array) -> tuple[float, Array]:
    shifted = output - output.max(axis=1, keepdims=True)
    log_shares = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    per_example = target.sum(axis=1, keepdims=True)  # 1 for class numbers and probabilities
    return float(-np.sum(target * log_shares) / len(output)), (np.exp(log_shares) * per_example - target) / len(output)


def _checked(
    weights: Sequence[ArrayLike], biases: Sequence[ArrayLike], activations: Sequence[str], X: ArrayLike, Y: ArrayLike, loss: str
) -> tuple[list[Array], list[Array], Array, Array]:
    if loss not in LOSSES:
        raise unknown_name("loss of the readable backprop", loss, LOSSES)
    for name in activations:
        if name not in ACTIVATIONS:
            raise unknown_name("activation of the readable backprop", name, ACTIVATIONS)
    W = [np.asarray(weight, dtype=float) for weight in weights]
    b = [np.asarray(bias, dtype=float) for bias in biases]
    inputs, targets = np.asarray(X, dtype=float), np.asarray(Y)
    if not W or not len(W) == len(b) == len(activations):
        raise UsageError(f"There should be as many weights as biases and activations, one or more, and there are {len(W)}, {len(b)} and {len(activations)}.")
    if inputs.ndim != 2:
        raise UsageError(f"X should have the shape (examples, n_in), and has {inputs.shape}.")
    width = inputs.shape[1]
    for layer, (weight, bias) in enumerate(zip(W, b, strict=True), start=1):
        if weight.ndim != 2 or weight.shape[0] != width or bias.shape != weight.shape[1:]:
            raise UsageError(f"Layer {layer}: W should have the shape ({width}, n_out) and b (n_out,), and they have {weight.shape} and {bias.shape}.")
        width = weight.shape[1]
    if loss == "cross_entropy" and targets.ndim == 1 and np.issubdtype(targets.dtype, np.integer):
        if len(targets) != len(inputs) or (targets.size and not 0 <= targets.min() <= targets.max() < width):
            raise UsageError(
                f"Y should hold {len(inputs)} class numbers from 0 to {width - 1}, and holds {len(targets)} from {targets.min()} to {targets.max()}."
            )
        targets = np.eye(width)[targets]
    if targets.shape != (len(inputs), width):
        raise UsageError(f"Y should have the shape {(len(inputs), width)}, and has {targets.shape}.")
    return W, b, inputs, targets.astype(float)
