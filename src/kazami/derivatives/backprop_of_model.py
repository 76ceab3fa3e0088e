"""The readable backpropagation on a user's own chain of linear layers and activations, and its steps as text."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..errors import UsageError
from ..reports.numerals import short
from .backpropagation import LOSSES, Backprop, Step, backprop

# What torch calls the activations that the readable reference knows, with the settings it knows them at.
NAMES: dict[type[nn.Module], tuple[str, dict[str, float]]] = {
    nn.Identity: ("identity", {}),
    nn.ReLU: ("relu", {}),
    nn.LeakyReLU: ("leaky_relu", {"negative_slope": 0.01}),
    nn.Sigmoid: ("sigmoid", {}),
    nn.Tanh: ("tanh", {}),
    nn.ELU: ("elu", {"alpha": 1.0}),
    nn.Softplus: ("softplus", {"beta": 1.0, "threshold": 20.0}),
    nn.SiLU: ("silu", {}),
}
PASSED_OVER = (nn.Flatten, nn.Dropout)  # the first changes no number, the second none in evaluation mode
LOSS_NAMES: dict[Any, str] = {F.mse_loss: "mse", F.cross_entropy: "cross_entropy"}


def backprop_of(model: nn.Module, loss: str | Callable[..., Any], batch: Sequence[Any]) -> Backprop:
    """Return the readable backprop of a chain of ``nn.Linear`` and elementwise activations, as ``nets.mlp`` and ``nn.Sequential`` make them.

    Args:
        model: Modules in the order in which they are called.
        loss: ``"mse"`` or ``"cross_entropy"``, or torch's own function or module for them.
        batch: ``(inputs, target)``.

    Raises:
        UsageError: Something in the chain is no linear layer and no activation that the reference knows.

    Example:
        >>> import torch
        >>> net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
        >>> x, y = torch.randn(5, 3).double(), torch.randn(5, 2).double()
        >>> F.mse_loss(net(x), y).backward()
        >>> bool(np.allclose(backprop_of(net, "mse", (x, y)).weight_gradients[0], net[0].weight.grad.T.numpy(), rtol=0, atol=1e-12))
        True
    """
    weights: list[Any] = []
    biases: list[Any] = []
    activations: list[str] = []
    for name, module in _chain(model):
        if isinstance(module, nn.Linear):
            weights.append(_array(module.weight).T)
            biases.append(np.zeros(module.out_features) if module.bias is None else _array(module.bias))
            activations.append("identity")
        elif not _is_passed_over(module):
            if not weights or activations[-1] != "identity":
                raise UsageError(f'"{name}" ({type(module).__name__}) should stand after a linear layer of its own.')
            activations[-1] = _activation(name, module)
    inputs, target = batch
    inputs = inputs[0] if isinstance(inputs, tuple) and len(inputs) == 1 else inputs
    X = _array(inputs).reshape(len(inputs), -1)
    Y = target.detach().cpu().numpy()
    return backprop(weights, biases, activations, X, Y, _loss_name(loss))


def _chain(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Return the modules without children, in the order of the chain."""
    for name, module in model.named_modules():
        is_chain = isinstance(module, nn.Sequential) or not list(module.children())
        if not is_chain and not _is_mere_chain(module):
            raise UsageError(
                f"The readable backprop works on a chain of nn.Linear and activations, and {name or 'the model'!r} is a {type(module).__name__}. "
                "Use kazami.gradcheck for it."
            )
    return [(name, module) for name, module in model.named_modules(remove_duplicate=False) if not list(module.children())]


def _is_mere_chain(module: nn.Module) -> bool:
    """Tell whether a module does nothing but call what it inherits from a Sequential."""
    return type(module).forward is nn.Sequential.forward


def _is_passed_over(module: nn.Module) -> bool:
    return isinstance(module, PASSED_OVER) and (isinstance(module, nn.Flatten) or not module.training or module.p == 0)


def _activation(name: str, module: nn.Module) -> str:
    known, settings = NAMES.get(type(module), ("", {}))
    if not known or any(getattr(module, key) != value for key, value in settings.items()):
        raise UsageError(
            f'The readable backprop knows no "{name}" ({module}). It knows nn.Linear and {", ".join(kind.__name__ for kind in NAMES)} with their defaults.'
        )
    return known


def _array(tensor: Tensor) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return tensor.detach().cpu().double().numpy()


def _loss_name(loss: Any) -> str:
    if isinstance(loss, nn.MSELoss) and loss.reduction == "mean":
        return "mse"
    if isinstance(loss, nn.CrossEntropyLoss) and (loss.reduction, loss.weight, loss.label_smoothing) == ("mean", None, 0.0):
        return "cross_entropy"
    found = loss if isinstance(loss, str) else next((name for known, name in LOSS_NAMES.items() if known is loss), None)
    if found is None:
        raise UsageError(f"The readable backprop knows the losses {', '.join(LOSSES)} and torch's own functions for them, and got {_called(loss)}.")
    return found


def _called(loss: Any) -> str:
    return repr(loss) if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)


def loss_by_values(loss: Callable[..., Any], output: Tensor, target: Tensor) -> str | None:
    """Return which loss of the reference a function is, told by its values at three random outputs; ``None`` where it is neither.

    Args:
        loss: ``loss(output, target)``.
        output: One output, for its shape.
        target: Its target.

    Example:
        >>> loss_by_values(lambda o, t: ((o - t) ** 2).mean(), torch.zeros(4, 3), torch.ones(4, 3))
        'mse'
    """
    generator = torch.Generator().manual_seed(0)
    for function, name in LOSS_NAMES.items():
        if name == "mse" and output.shape != target.shape:
            continue
        tried = [torch.randn(output.shape, generator=generator).to(output) for _ in range(3)]
        try:
            with torch.no_grad():
                pairs = [(float(loss(one, target)), float(function(one, target))) for one in tried]
        except (RuntimeError, ValueError, TypeError, IndexError):
            continue
        if all(abs(theirs - ours) <= 1e-5 * abs(ours) for theirs, ours in pairs):
            return name
    return None


def autograd_gradients(weights: Sequence[Any], biases: Sequence[Any], activations: Sequence[str], X: Any, Y: Any, loss: str) -> list[Any]:
    """Return by torch's autograd what :func:`.backpropagation.backprop` returns: gradients by all weights, then by all biases."""
    W, b = ([torch.tensor(part, dtype=torch.float64, requires_grad=True) for part in parts] for parts in (weights, biases))
    output = torch.as_tensor(X, dtype=torch.float64)
    for weight, bias, name in zip(W, b, activations, strict=True):
        output = next(kind for kind, (known, _) in NAMES.items() if known == name)()(output @ weight + bias)
    target = torch.as_tensor(Y)
    cost = F.mse_loss(output, target) if loss == "mse" else F.cross_entropy(output, target)
    return [part.numpy() for part in torch.autograd.grad(cost, [*W, *b])]


def central_gradients(weights: Sequence[Any], biases: Sequence[Any], activations: Sequence[str], X: Any, Y: Any, loss: str) -> list[Any]:
    """Return the same by central differences: two forward passes for each weight."""
    step = float(np.finfo(float).eps ** (1 / 3))
    parts = [np.array(part, dtype=float) for part in (*weights, *biases)]
    found = []
    for part in parts:
        gradient = np.zeros_like(part)
        for place in np.ndindex(part.shape):
            losses, kept = [], part[place]
            for sign in (1, -1):
                part[place] = kept + sign * step
                losses.append(backprop(parts[: len(weights)], parts[len(weights) :], activations, X, Y, loss).loss)
            part[place] = kept
            gradient[place] = (losses[0] - losses[1]) / (2 * step)
        found.append(gradient)
    return found


def text_of(found: Backprop, language: str = "en", *, most: int = 6) -> str:
    """Return all steps as text with live numbers.

    Args:
        found: From :func:`.backpropagation.backprop` or :func:`backprop_of`.
        language: ``"en"`` or ``"ja"``.
        most: Rows and columns shown of each matrix.
    """
    titles = {"forward": ("Forward pass", "順伝播"), "backward": ("Backward pass", "逆伝播")}
    lines: list[str] = []
    phase = ""
    for step in found.steps():
        if step.phase != phase:
            phase = step.phase
            lines += ["", titles[phase][language == "ja"], ""]
        lines += [_heading(step), *_numbers(step, most), ""]
    return "\n".join(lines).strip("\n")


def _heading(step: Step) -> str:
    shapes = [_shape(shape) for shape in step.shapes]
    arrow = f"{' · '.join(shapes[:-1])} → {shapes[-1]}" if len(shapes) > 1 else shapes[0]
    return f"  {readable(step.formula)}    {arrow}"


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "1"


def _numbers(step: Step, most: int) -> list[str]:
    value = np.atleast_2d(step.value)
    rows = [[short(float(number)) for number in row[:most]] for row in value[:most]]
    width = max((len(cell) for row in rows for cell in row), default=0)
    lines = ["      " + "  ".join(cell.rjust(width) for cell in row) + ("  …" if value.shape[1] > most else "") for row in rows]
    return [*lines, *(["      …"] if value.shape[0] > most else [])]


_PLAIN = (
    (r"\varphi", "φ"), (r"\delta", "δ"), (r"\partial ", "∂"), (r"\odot", "⊙"), (r"\sigma", "σ"), (r"^\top", "ᵀ"), (r"\tanh^2", "tanh²"), (r"\tanh", "tanh"),
    (r"\max", "max"), (r"\ln", "ln"), (r"\textstyle\sum", "Σ"), (r"\mathrm", ""), (r"\text", ""), (r"\quad", " "), (r"\,", " "), (r"\leq", "≤"),
    (r"\tfrac{1}", "1/"), (r"\tfrac{2}", "2/"), ("^2", "²"), ("{", ""), ("}", ""), ("_(", "("),
)  # fmt: skip


def readable(formula: str) -> str:
    r"""Return one of the steps' LaTeX formulas as a line of text.

    >>> readable(r"\delta_{1} = (\delta_{2} W_{2}^\top) \odot \varphi'(Z_{1})")
    "δ1 = (δ2 W2ᵀ) ⊙ φ'(Z1)"
    """
    text = formula.replace("e^{-z}", "exp(-z)").replace("e^z", "exp(z)").replace(r"_{\text{examples}}", " over examples ").replace(r"\textstyle\sum_k", "Σ")
    for latex, plain in _PLAIN:
        text = text.replace(latex, plain)
    return " ".join(text.replace("_", "").split())
