"""In which order a model calls its layers and activations: found by one forward pass on the training's first batch, with nothing changed by it."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ..maps.training import untouched_randomness
from ._fresh import first_batch, fresh

# Every way to call an activation; a module calls one of these as well, so its calls are seen like those of a script.
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "sigmoid": (torch.sigmoid, torch.sigmoid_, Tensor.sigmoid, Tensor.sigmoid_, F.sigmoid, torch.special.expit),
    "tanh": (torch.tanh, torch.tanh_, Tensor.tanh, Tensor.tanh_, F.tanh),
    "relu": (torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, F.relu, F.relu_),
    "leaky_relu": (F.leaky_relu, F.leaky_relu_),
    "hardtanh": (F.hardtanh, F.hardtanh_, F.relu6),
    "hardsigmoid": (F.hardsigmoid,),
    "softplus": (F.softplus,),
    "softmax": (torch.softmax, Tensor.softmax, F.softmax),
    "log_softmax": (torch.log_softmax, Tensor.log_softmax, F.log_softmax),
    "gelu": (F.gelu,),
    "silu": (F.silu,),
    "elu": (F.elu, F.elu_),
    "selu": (F.selu, torch.selu, torch.selu_),
    "dropout": (F.dropout, torch.dropout, torch.dropout_, F.alpha_dropout, F.feature_alpha_dropout, F.dropout1d, F.dropout2d, F.dropout3d),
}


class _Following(TorchFunctionMode):
    """Notes for each call of some functions which layer was called last before it."""

    def __init__(self, functions: Iterable[Any], names: dict[int, str]) -> None:
        super().__init__()
        self._functions = set(functions)
        self._names = names
        self._last = ""
        self.after: list[str] = []

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Note the call, and make it."""
        del types
        if function in self._functions:
            self.after.append(self._last)
        for tensor in (*arguments, *(keywords or {}).values()):
            if isinstance(tensor, nn.Parameter) and tensor.dim() >= 2 and id(tensor) in self._names:
                self._last = self._names[id(tensor)]
        return function(*arguments, **(keywords or {}))


def layers_before(training: Training, functions: Iterable[Any]) -> list[str]:
    """Return for each call of ``functions`` within one forward the name of the layer whose weight was used last before it, empty where there was none.

    Layers are named as in a trace: by the path of the module, or of the parameter where the model itself holds it.

    Limits:
        Empty for a model in TorchScript, and for one that does not take a batch's inputs as its one argument. Calls inside of fused
        kernels (recurrent layers, fused attention) are not seen. A model that branches on its data may call others on other batches.
    """
    state, (inputs, _) = fresh(training), first_batch(training)
    if isinstance(state.model, torch.jit.ScriptModule):
        return []
    names = {id(weight): layer_of(state.model, name) for name, weight in state.model.named_parameters() if weight.dim() >= 2}
    try:
        with untouched_randomness(), torch.no_grad(), _Following(functions, names) as seen:
            state.model(inputs)
    except Exception:  # a model that is called in another way, in a step of the user's own
        return []
    return list(seen.after)


def layer_of(model: nn.Module, parameter: str) -> str:
    """Return the name that a trace gives to the layer of a parameter."""
    path, _, last = parameter.rpartition(".")
    return path if last == "weight" and path and not isinstance(model.get_submodule(path), nn.RNNBase) else parameter


def calls_after(training: Training, functions: Iterable[Any], layers: Iterable[str]) -> tuple[int, ...]:
    """Return which calls of ``functions`` within one forward, counted from 0, come right after one of ``layers``."""
    wanted = set(layers)
    return tuple(number for number, layer in enumerate(layers_before(training, functions)) if layer in wanted)
