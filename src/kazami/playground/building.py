"""From a `Spec` to a PyTorch module, and to the line of code that makes the same one: side by side, so that they cannot drift apart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from .parts import Residual, Sine, Step, ZeroPad, initialise
from .refusals import Refused
from .shapes import misfits, width_after
from .specs import Block, Spec
from .tasks import Task

_ACTIVATIONS: dict[str, tuple[str, Callable[[], nn.Module]]] = {
    "identity": ("nn.Identity()", nn.Identity),
    "sigmoid": ("nn.Sigmoid()", nn.Sigmoid),
    "tanh": ("nn.Tanh()", nn.Tanh),
    "relu": ("nn.ReLU()", nn.ReLU),
    "leaky_relu": ("nn.LeakyReLU()", nn.LeakyReLU),
    "elu": ("nn.ELU()", nn.ELU),
    "gelu": ("nn.GELU()", nn.GELU),
    "silu": ("nn.SiLU()", nn.SiLU),
    "softplus": ("nn.Softplus()", nn.Softplus),
    "sine": ("Sine()", Sine),
    "step": ("Step()", Step),
}


@dataclass(frozen=True, slots=True)
class Made:
    """A module and the code that makes it.

    Attributes:
        code: Python, one expression.
        module: The module itself.
    """

    code: str
    module: nn.Module


def build(spec: Spec, task: Task) -> Made:
    """Return the network of a session before initialisation, in the precision of the default dtype.

    Raises:
        UsageError: A shortcut does not fit.
    """
    found = misfits(spec, task.n_inputs)
    if found:
        raise Refused(found[0].sentence.en, found[0].sentence.ja)
    made = [*_made(spec.blocks, task.n_inputs, spec), _linear(width_after(spec.blocks, task.n_inputs), task.n_outputs)]
    return _chain(made)


def network(spec: Spec, task: Task) -> nn.Module:
    """Return the network of a session as it begins, in float64; the caller's random streams do not notice."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(spec.seed)
        model = build(spec, task).module.double()
        initialise(model, spec.initialisation, spec.gain)
    return model


def _made(blocks: Sequence[Block], width: int, spec: Spec) -> Iterator[Made]:
    for one in blocks:
        yield _single(one, width, spec)
        width = width_after([one], width)


def _single(block: Block, width: int, spec: Spec) -> Made:
    if block.kind == "linear":
        return _linear(width, block.width)
    if block.kind == "activation":
        code, make = _ACTIVATIONS["identity" if spec.is_linear else block.name]
        return Made(code, make())
    if block.kind == "softmax":
        return Made("nn.Identity()", nn.Identity()) if spec.is_linear else Made("nn.Softmax(dim=-1)", nn.Softmax(dim=-1))
    if block.kind == "dropout":
        return Made(f"nn.Dropout({block.rate!r})", nn.Dropout(block.rate))
    if block.kind == "norm":
        kind = "BatchNorm1d" if block.name == "batch" else "LayerNorm"
        return Made(f"nn.{kind}({width})", getattr(nn, kind)(width))
    return _residual(block, width, spec)


def _residual(block: Block, width: int, spec: Spec) -> Made:
    inside = _chain(list(_made(block.blocks, width, spec)))
    if not spec.has_shortcuts:
        return inside
    after = width_after(block.blocks, width)
    shortcut = Made("nn.Identity()", nn.Identity())
    if block.shortcut == "projection":
        shortcut = Made(f"nn.Linear({width}, {after}, bias=False)", nn.Linear(width, after, bias=False))
    elif block.shortcut == "zero_pad" and after > width:
        shortcut = Made(f"ZeroPad({after - width})", ZeroPad(after - width))
    return Made(f"Residual({inside.code}, {shortcut.code})", Residual(inside.module, shortcut.module))


def _linear(before: int, after: int) -> Made:
    return Made(f"nn.Linear({before}, {after})", nn.Linear(before, after))


def _chain(made: Sequence[Made]) -> Made:
    lines = "".join(f"    {one.code.replace(chr(10), chr(10) + '    ')},\n" for one in made)
    return Made(f"nn.Sequential(\n{lines})", nn.Sequential(*(one.module for one in made)))
