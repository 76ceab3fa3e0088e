"""Gates for recurrent nets: a GRU in the place of a plain cell of torch, an update gate behind a cell that is written by hand."""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ._fresh import fresh, goes, if_it_goes
from ._layers import ACTIVATIONS, ModeWhileForward, home_of, knows_layers
from ._order import layer_of
from ._surgery import replace_module, with_model

NAME = "kazami_gate"


def gated_twin(module: nn.Module) -> nn.Module | None:
    """Return a GRU of the same widths, inputs, outputs and state as a plain recurrent net; ``None`` for any other module."""
    options: dict[str, Any]
    if isinstance(module, nn.RNN):
        names = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
        options = {name: getattr(module, name) for name in names}
        made: nn.Module = nn.GRU(**options)
    elif isinstance(module, nn.RNNCell):
        options = {name: getattr(module, name) for name in ("input_size", "hidden_size", "bias")}
        made = nn.GRUCell(**options)
    else:
        return None
    example = next(module.parameters())
    return made.to(device=example.device, dtype=example.dtype).train(module.training)


def with_gru(training: Training, place: str) -> Training | None:
    """Return the training with a GRU in the place of a plain recurrent net; ``None`` where that is not one of torch.

    Args:
        place: Name of the module, or of one of its weights (``"reader.rnn.weight_hh_l0"``).
    """
    modules = dict(fresh(training).model.named_modules())
    path = place if place in modules else place.rpartition(".")[0]
    if not isinstance(modules.get(path), nn.RNN | nn.RNNCell):
        return None

    def change(model: nn.Module) -> nn.Module | None:
        new = gated_twin(model.get_submodule(path))
        if not path or new is None:
            return new
        replace_module(model, path, new)
        return None

    return if_it_goes(with_model(training, change))


class UpdateGate(TorchFunctionMode):
    r"""Lets the state of a cell written by hand go on by addition: :math:`h_t = h_{t-1} + \sigma(V a_t + b) (\varphi(a_t) - h_{t-1})`.

    Args:
        model: The model that runs.
        layer: Name of the layer that feeds itself; the next activation behind it gives the state, what that is given is :math:`a_t`.
    """

    def __init__(self, model: nn.Module, layer: str) -> None:
        super().__init__()
        self._weights = {id(weight) for name, weight in model.named_parameters() if weight.dim() >= 2 and layer_of(model, name) == layer}
        self._gate = home_of(model, layer).get_submodule(NAME)
        self._is_near = False
        self._state: Tensor | None = None

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Make the call; what the cell's activation gives is mixed with the state before."""
        del types
        result = function(*arguments, **(keywords or {}))
        if any(isinstance(one, nn.Parameter) and id(one) in self._weights for one in (*arguments, *(keywords or {}).values())):
            self._is_near = True
        elif self._is_near and function in ACTIVATIONS and isinstance(result, Tensor):
            self._is_near = False
            return self._mixed(result, arguments[0])
        return result

    def _mixed(self, new: Tensor, given: Tensor) -> Tensor:
        state = self._state if self._state is not None and self._state.shape == new.shape else torch.zeros_like(new)
        self._state = state + torch.sigmoid(self._gate(given)) * (new - state)
        return self._state


def with_update_gate(training: Training, layer: str, width: int, steps: int) -> Training | None:
    r"""Return the training with an update gate behind a cell that is written by hand; ``None`` where the layer or its activation is not seen.

    Args:
        layer: Name of the layer that feeds itself.
        width: Of its state.
        steps: Time steps; the gate begins at a bias of :math:`-\log(T - 1)`, with which a state lasts about that long.
    """
    if not knows_layers(training, [layer]):
        return None

    def change(model: nn.Module) -> None:
        gate = nn.Linear(width, width)
        nn.init.constant_(gate.bias, -math.log(max(steps - 1, 1)))
        example = next(model.parameters())
        home_of(model, layer).add_module(NAME, gate.to(device=example.device, dtype=example.dtype))
        ModeWhileForward(lambda running: UpdateGate(running, layer)).attach(model)

    changed = with_model(training, change)
    used: list[bool] = []

    def watched(model: nn.Module) -> None:
        home_of(model, layer).get_submodule(NAME).register_forward_hook(lambda *_: used.append(True))

    return changed if goes(with_model(changed, watched)) and used else None
