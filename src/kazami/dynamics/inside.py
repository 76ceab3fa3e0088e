"""A look inside a training: which layers move, which units say the same for every example, and whether the output still depends on the input."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..maps import TrainingMap

Floats = NDArray[np.float64]

NOTHING = 1e-6  # of the layer's input spread: what is left of a unit that single precision no longer sees beside 1
FLAT = 0.01  # of the layer's input spread and of the layer's own size: a unit that varies less over the examples says the same for all
CUT = 0.999  # share of flat units from which a layer passes nothing on


@dataclass(frozen=True, slots=True)
class Layer:
    """What comes out of one hidden layer, for all examples of a batch.

    Attributes:
        name: Of the module before it.
        spread: Standard deviation of each unit over the examples, shape ``(units,)``.
        given: Mean standard deviation of what the module gave to the activation.
        size: Root mean square of all units.
        square: Sum over the units of the squared mean over the examples.
    """

    name: str
    spread: Floats
    given: float
    size: float
    square: float


@dataclass(frozen=True, slots=True)
class Look:
    """One look at one step.

    Attributes:
        step: Number of the step.
        layers: Hidden layers, in the order of the forward pass.
        output: Mean of the output over the examples, shape ``(outputs,)``.
        output_spread: Mean standard deviation of the outputs over the examples.
        moved: Root mean square step of each parameter tensor.
    """

    step: int
    layers: tuple[Layer, ...]
    output: Floats
    output_spread: float
    moved: Floats


@dataclass(slots=True)
class Inside:
    """Looks inside a training along its orbit.

    Attributes:
        m: The map.
        looks: What was seen.
        is_blind: Whether the forward pass cannot be looked into (a step of the user's own, a single example, no hidden layer).
    """

    m: TrainingMap
    looks: list[Look] = field(default_factory=list)
    is_blind: bool = False

    def look(self, step: int, before: Tensor, after: Tensor) -> None:
        """Look at the state ``before`` step number ``step``; ``after`` tells what the step moved."""
        parts = zip(self.m.layout.split(before), self.m.layout.split(after), strict=True)
        moved = np.array([float((new - old).square().mean().sqrt()) for old, new in parts])
        seen = None if self.is_blind or self.m.is_replayed else _passed(self.m, before, self.m.time + step)
        self.is_blind = self.is_blind or seen is None
        if seen is not None:
            layers, output = seen
            self.looks.append(Look(step, layers, output.mean(axis=0), float(output.std(axis=0).mean()), moved))

    def flat_shares(self) -> Floats:
        """Return the share of flat units in each hidden layer at each look, shape ``(looks, layers)``."""
        scales = np.array([[layer.size for layer in look.layers] for look in self.looks]).max(axis=0)
        return np.array([[float(np.mean(_is_flat(layer, scale))) for layer, scale in zip(look.layers, scales, strict=True)] for look in self.looks])

    def is_dead(self) -> NDArray[np.bool_]:
        """Return at each look whether a hidden layer passes nothing on and the output is the same for every example, shape ``(looks,)``."""
        if self.is_blind or not self.looks:
            return np.zeros(0, dtype=bool)
        travelled = float(np.ptp(np.stack([look.output for look in self.looks]), axis=0).max())
        widest = max(travelled, *(look.output_spread for look in self.looks))
        same = np.array([look.output_spread <= FLAT * widest for look in self.looks])
        return np.asarray(same & (self.flat_shares().max(axis=1) >= CUT))

    def movement(self, since: int) -> dict[str, float]:
        """Return the root mean square step of each parameter tensor, the mean over the later half of the looks from step ``since`` on."""
        chosen = [look.moved for look in self.looks if look.step >= since]
        return dict(zip(self.m.layout.names, np.mean(chosen[len(chosen) // 2 :], axis=0).tolist(), strict=True)) if chosen else {}

    def gain(self) -> float | None:
        r"""Return :math:`g = \eta (1 + \sum h^2)`, what multiplies the output's error in the map that is left of a training whose last hidden layer stands
        still, where that map is plain gradient descent on a linear output layer; else ``None``.
        """
        last = _last_linear(self.m.model)
        settings = self.m.current_parameters()
        is_plain = type(self.m.optimizer).__name__ == "SGD" and settings.get("momentum") == 0.0 and settings.get("weight_decay") == 0.0
        if last is None or not is_plain or not self.looks:
            return None
        return settings["learning_rate"] * (float(last.bias is not None) + self.looks[-1].layers[-1].square)


def _is_flat(layer: Layer, scale: float) -> NDArray[np.bool_]:
    return np.asarray((layer.spread <= FLAT * min(layer.given, scale)) | (layer.spread <= NOTHING * layer.given))


def _last_linear(model: nn.Module) -> nn.Linear | None:
    owners = [module for module in model.modules() if next(module.parameters(recurse=False), None) is not None]
    return owners[-1] if owners and isinstance(owners[-1], nn.Linear) else None


def _passed(m: TrainingMap, state: Tensor, time: int) -> tuple[tuple[Layer, ...], Floats] | None:
    """Return the hidden layers and the output of a forward pass, ``None`` where there are none or only one example."""
    m.layout.load_parameters(state)
    with _listening(m.model) as heard:
        m.field.loss_at(time)
    passed: list[tuple[str, Tensor, Tensor]] = heard["layers"]
    count = _examples(m, time)
    output = heard["output"]
    sound = [(name, rows(given, count), rows(made, count)) for name, given, made in passed]
    if output is None or count < 2 or len(sound) < 2 or any(given is None or made is None for _, given, made in sound):
        return None
    out = rows(output, count)
    layers = [_layer(before[0], before[2], after[1]) for before, after in pairwise(sound)]
    return None if out is None else (tuple(layers), out)


def _layer(name: str, given: Any, arrived: Any) -> Layer:
    return Layer(
        name=name,
        spread=arrived.std(axis=0),
        given=float(given.std(axis=0).mean()),
        size=float(np.sqrt(np.mean(arrived**2))),
        square=float(np.sum(arrived.mean(axis=0) ** 2)),
    )


def rows(tensor: Tensor, count: int) -> Floats | None:
    """Return ``tensor`` as one row per example, ``None`` where its first dimension does not count the examples."""
    if tensor.dim() < 1 or tensor.shape[0] != count or not tensor.is_floating_point():
        return None
    return np.asarray(tensor.detach().cpu().double().reshape(count, -1).numpy())


def _examples(m: TrainingMap, time: int) -> int:
    inputs = m.field.batches.at(time)[0]
    first = next((part for part in inputs if isinstance(part, Tensor)), None) if isinstance(inputs, tuple) else inputs
    return int(first.shape[0]) if isinstance(first, Tensor) and first.dim() else 0


@contextmanager
def _listening(model: nn.Module) -> Iterator[dict[str, Any]]:
    """Hear the first input and the output of each module with parameters of its own, once, and the model's output."""
    heard: dict[str, Any] = {"layers": [], "output": None}
    names: set[str] = set()

    def hear(name: str) -> Any:
        def hook(module: nn.Module, given: Any, made: Any) -> None:
            del module
            source, result = first_tensor(given), first_tensor(made)
            if name not in names and source is not None and result is not None and source.is_floating_point():
                names.add(name)
                heard["layers"].append((name, source.detach(), result.detach()))

        return hook

    def hear_all(module: nn.Module, given: Any, made: Any) -> None:
        del module, given
        found = first_tensor(made)
        heard["output"] = None if found is None else found.detach()

    owners = [(name, module) for name, module in model.named_modules() if next(module.parameters(recurse=False), None) is not None]
    handles = [module.register_forward_hook(hear(name)) for name, module in owners if module is not model]
    handles.append(model.register_forward_hook(hear_all))
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def first_tensor(value: Any) -> Tensor | None:
    """Return the first tensor in ``value``: itself, or in tuples, lists and dicts, ``None`` if there is none."""
    if isinstance(value, torch.Tensor):
        return value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else ()
    return next((found for part in inner if (found := first_tensor(part)) is not None), None)
