"""Changes at a model's layers while its ``forward`` runs: something behind a layer, a way past it; for modules and for functions called by hand alike."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ._fresh import fresh, goes, if_it_goes
from ._order import FUNCTIONS, layer_of
from ._surgery import with_model

INPUT_NORM = "kazami_input_norm"
Behind = Callable[[nn.Module, str, Tensor], Tensor]  # (the whole model, the layer's name, its output) -> what goes on
ACTIVATIONS = frozenset(function for name, functions in FUNCTIONS.items() if name not in ("dropout", "softmax", "log_softmax") for function in functions)


class BehindLayers(TorchFunctionMode):
    """Changes what layers give, found by their weights.

    Args:
        model: The model that runs.
        layers: Names of layers as in a trace.
        behind: Gives what goes on instead of a layer's output.
    """

    def __init__(self, model: nn.Module, layers: Iterable[str], behind: Behind) -> None:
        super().__init__()
        wanted = set(layers)
        named = ((name, weight) for name, weight in model.named_parameters() if weight.dim() >= 2)
        self._names = {id(weight): layer for name, weight in named for layer in [layer_of(model, name)] if layer in wanted}
        self._model, self._behind = model, behind

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call, and change its result if it is a layer's."""
        del types
        result = function(*arguments, **(keywords or {}))
        name = self._layer(arguments, keywords or {})
        return self._behind(self._model, name, result) if name and isinstance(result, Tensor) and result.dim() >= 2 else result

    def _layer(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> str:
        if len(arguments) + len(keywords) < 2:  # a transpose, a norm: no layer yet
            return ""
        return next((self._names[id(one)] for one in (*arguments, *keywords.values()) if isinstance(one, nn.Parameter) and id(one) in self._names), "")


class PastLayers(TorchFunctionMode):
    """Adds what a layer was given to what its activation gives: ``x + scale * φ(layer(x))``, where both have one shape.

    Args:
        model: The model that runs.
        layers: Names of layers as in a trace.
        scale: Factor before the branch.
        added: Called whenever something is added.
    """

    def __init__(self, model: nn.Module, layers: Iterable[str], scale: float, added: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._added = added
        wanted = set(layers)
        self._weights = {id(weight) for name, weight in model.named_parameters() if weight.dim() >= 2 and layer_of(model, name) in wanted}
        self._scale = scale
        self._given: Tensor | None = None

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call; note a layer's input, and add it behind the next activation."""
        del types
        result = function(*arguments, **(keywords or {}))
        if any(isinstance(one, nn.Parameter) and id(one) in self._weights for one in (*arguments[1:], *(keywords or {}).values())):
            self._given = arguments[0] if arguments and isinstance(arguments[0], Tensor) else None
        elif function in ACTIVATIONS and self._given is not None:
            given, self._given = self._given, None
            if isinstance(result, Tensor) and result.shape == given.shape:
                self._added()
                return given + self._scale * result
        return result


@dataclass(slots=True)
class ModeWhileForward:
    """Two hooks in one: a mode that is active from the beginning of a model's forward to its end, however it ends.

    Args:
        make: Makes the mode for the model that runs; it is asked anew each time, so that copies of the model get their own.
    """

    make: Callable[[nn.Module], TorchFunctionMode]
    _open: list[TorchFunctionMode] = field(default_factory=list)

    def attach(self, model: nn.Module) -> None:
        """Hang the hooks on a model."""
        model.register_forward_pre_hook(self.begin)
        model.register_forward_hook(self.finish, always_call=True)

    def begin(self, model: nn.Module, arguments: Any) -> None:
        """Begin."""
        del arguments
        self._open.append(self.make(model))
        self._open[-1].__enter__()

    def finish(self, model: nn.Module, arguments: Any, output: Any) -> None:
        """Stop."""
        del model, arguments, output
        self._open.pop().__exit__(None, None, None)


def knows_layers(training: Training, layers: Iterable[str]) -> bool:
    """Return whether the training's model has weight matrices under all of these names."""
    model = fresh(training).model
    if isinstance(model, torch.jit.ScriptModule):
        return False
    known = {layer_of(model, name) for name, weight in model.named_parameters() if weight.dim() >= 2}
    return set(layers) <= known


def home_of(model: nn.Module, layer: str) -> nn.Module:
    """Return the module that a layer's own new modules hang in: the layer itself, or whichever module holds it where the layer is a bare parameter."""
    modules = dict(model.named_modules())
    home: nn.Module = modules[layer] if layer in modules else modules[layer.rpartition(".")[0]]
    return home


def with_behind(training: Training, layers: Iterable[str], behind: Behind, prepare: Callable[[nn.Module], None] | None = None) -> Training | None:
    """Return the training with something behind some layers, ``None`` where the model does not have them all, or calls one of them out of sight.

    Args:
        behind: Gives what goes on instead of a layer's output.
        prepare: Changes the model once, for example to give it the modules that ``behind`` calls.
    """
    names = tuple(layers)
    if not names or not knows_layers(training, names):
        return None

    def with_it(behind: Behind) -> Training:
        def changed(model: nn.Module) -> None:
            if prepare is not None:
                prepare(model)
            ModeWhileForward(lambda running: BehindLayers(running, names, behind)).attach(model)

        return with_model(training, changed)

    used: set[str] = set()

    def noting(model: nn.Module, layer: str, output: Tensor) -> Tensor:
        used.add(layer)
        return behind(model, layer, output)

    return with_it(behind) if goes(with_it(noting)) and used == set(names) else None


def with_past(training: Training, layers: Iterable[str], scale: float) -> Training | None:
    """Return the training with a way past some layers and their activations; ``None`` where the model does not have them all, or none has equal ends."""
    names = tuple(layers)
    if not names or not knows_layers(training, names):
        return None
    used: list[bool] = []
    goes(with_model(training, ModeWhileForward(lambda running: PastLayers(running, names, scale, lambda: used.append(True))).attach))
    return if_it_goes(with_model(training, ModeWhileForward(lambda running: PastLayers(running, names, scale)).attach)) if used else None


@dataclass(frozen=True, slots=True)
class NormsInputs:
    """A hook that normalises what a layer is given by the statistics of the batch.

    Args:
        features: Of an input.
        dimensions: Of a convolution; 1 for features in the last axis.
    """

    features: int
    dimensions: int

    def __call__(self, module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Normalise the first argument."""
        x = arguments[0]
        norm = module.get_submodule(INPUT_NORM)
        if isinstance(module, nn.modules.conv._ConvNd):
            return (norm(x), *arguments[1:])
        return (norm(x.reshape(-1, self.features)).reshape(x.shape) if x.shape[-1] == self.features else x, *arguments[1:])


def with_input_norm(training: Training, layer: str, features: int, dimensions: int) -> Training | None:
    """Return the training with a batch normalisation without weights before a layer; ``None`` where nothing of that width comes to it."""
    if not knows_layers(training, [layer]):
        return None

    def change(model: nn.Module) -> None:
        home = home_of(model, layer)
        norm: nn.Module = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[dimensions - 1](features, affine=False)
        home.add_module(INPUT_NORM, norm)
        home.register_forward_pre_hook(NormsInputs(features, dimensions))

    changed = with_model(training, change)
    return changed if goes(changed, lambda model: int(home_of(model, layer).get_submodule(INPUT_NORM).num_batches_tracked) > 0) else None  # type: ignore[arg-type]
