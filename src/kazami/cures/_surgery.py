"""How a change is carried out on a `Training`: each function returns a new one, the old one is left as it is.

Names of parameters stay, so that checkpoints load: activations are exchanged in their place, functions are exchanged while ``forward`` runs, and what is added
(a normalisation, a standardisation) hangs in hooks with a name of its own. Every hook is an object, not a closure, so that models can still be copied.
"""

import ast
import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..maps import Training
from ._fresh import fresh

Change = Callable[[nn.Module], nn.Module | None]


def with_model(training: Training, change: Change) -> Training:
    """Return the training whose model is changed after it is made.

    Args:
        change: Changes a model in place and returns nothing, or returns another model. What it draws comes from torch's generator, after the model's own
            initialisation: the same seed gives the same model.
    """
    make = training.model

    def changed() -> nn.Module:
        model = make()
        return change(model) or model

    return training.replaced(model=changed)


def with_settings(training: Training, **settings: Any) -> Training | None:
    """Return the training whose optimizer has other settings in every parameter group; a schedule is made after that, and so follows.

    ``None`` where it has them already, or has no such settings.

    Args:
        settings: By torch's names (``lr``, ``momentum``, ``weight_decay``, ``betas``, ``eps``); those a group does not have are left out.
    """
    make = training.optimizer

    def changed(model: nn.Module) -> torch.optim.Optimizer:
        optimizer = make(model)
        first = optimizer.param_groups[0].get("lr")
        for group in optimizer.param_groups:
            # Groups keep their ratios: a head that learns ten times faster goes on doing so.
            own = {key: value * group["lr"] / first if key == "lr" and first else value for key, value in settings.items() if key in group}
            group.update(own)
            group.update({"initial_lr": own["lr"]} if "lr" in own and "initial_lr" in group else {})
        return optimizer

    known = [{key: group.get(key) for key in settings} for group in fresh(training).optimizer.param_groups]
    new = training.replaced(optimizer=changed)
    return new if known != [{key: group.get(key) for key in settings} for group in fresh(new).optimizer.param_groups] else None


def with_inputs(training: Training, change: Callable[[Any], Any]) -> Training:
    """Return the training whose inputs are changed before the model sees them, in training and evaluation alike."""

    def add(model: nn.Module) -> None:
        model.register_forward_pre_hook(ChangedInputs(change))

    return with_model(training, add)


@dataclass(slots=True)
class ChangedInputs:
    """A hook that changes the first positional argument of a module."""

    change: Callable[[Any], Any]

    def __call__(self, module: nn.Module, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
        """Change it."""
        del module
        return (self.change(arguments[0]), *arguments[1:]) if arguments else arguments


@dataclass(slots=True)
class ChangedOutput:
    """A hook that changes what a module returns."""

    change: Callable[[Tensor], Tensor]

    def __call__(self, module: nn.Module, arguments: tuple[Any, ...], output: Any) -> Any:
        """Change it, if it is a tensor."""
        del module, arguments
        return self.change(output) if isinstance(output, Tensor) else output


class Swap(TorchFunctionMode):
    """Calls other functions in the place of some, for example ``torch.relu`` where ``torch.sigmoid`` is called.

    Args:
        other: For each function the one to call instead, with the same arguments.
        calls: Which of the calls of these functions are changed, counted from 0 within one forward; ``None`` for all.
    """

    def __init__(self, other: Mapping[Any, Callable[..., Any]], calls: Iterable[int] | None = None) -> None:
        super().__init__()
        self._other = dict(other)
        self._calls = None if calls is None else set(calls)
        self.n_calls = 0

    def __torch_function__(self, function: Any, types: Any, arguments: tuple[Any, ...] = (), keywords: dict[str, Any] | None = None) -> Any:
        """Call the other function, or this one."""
        del types
        if function in self._other:
            self.n_calls += 1
            if self._calls is None or self.n_calls - 1 in self._calls:
                return self._other[function](*arguments, **(keywords or {}))
        return function(*arguments, **(keywords or {}))


@dataclass(slots=True)
class SwapsWhileForward:
    """Two hooks in one: functions are exchanged from the beginning of a module's forward to its end, however it ends."""

    other: Mapping[Any, Callable[..., Any]]
    calls: tuple[int, ...] | None = None
    _open: list[Swap] = field(default_factory=list)

    def attach(self, module: nn.Module) -> None:
        """Hang the hooks on a module."""
        module.register_forward_pre_hook(self.begin)
        module.register_forward_hook(self.finish, always_call=True)

    def begin(self, module: nn.Module, arguments: Any) -> None:
        """Begin to exchange."""
        del module, arguments
        swap = Swap(self.other, self.calls)
        self._open.append(swap)
        swap.__enter__()  # type: ignore[no-untyped-call]

    def finish(self, module: nn.Module, arguments: Any, output: Any) -> None:
        """Stop."""
        del module, arguments, output
        self._open.pop().__exit__(None, None, None)  # type: ignore[no-untyped-call]


def replace_module(model: nn.Module, path: str, new: nn.Module) -> None:
    """Put ``new`` in the place of the module at ``path``, wherever else it is registered too; the training mode goes over to it."""
    old = model.get_submodule(path)
    new.train(old.training)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if child is old:
                parent.add_module(name, new)


def module_of(model: nn.Module, layer: str) -> nn.Module | None:
    """Return the module that a layer of the trace is named after, ``None`` where the name is that of a bare parameter."""
    return dict(model.named_modules()).get(layer)


def weights_of(model: nn.Module, layers: Iterable[str]) -> list[nn.Parameter]:
    """Return the weight matrices of layers by the names they have in a trace: a module's path, or a parameter's."""
    modules, parameters = dict(model.named_modules()), dict(model.named_parameters())
    found: list[nn.Parameter] = []
    for layer in layers:
        if layer in parameters:
            found.append(parameters[layer])
        elif layer in modules:
            found += [weight for name, weight in modules[layer].named_parameters(recurse=False) if weight.dim() >= 2 and "weight" in name]
    return found


def with_step(training: Training, step: Callable[[Training, nn.Module, torch.optim.Optimizer, Any], Tensor]) -> Training:
    """Return the training with a step of its own around the one it has.

    Args:
        step: Called with the training as it was, the model, the optimizer and the batch; returns the loss.
    """
    return dataclasses.replace(training, train_step=lambda model, optimizer, batch: step(training, model, optimizer, batch))


def with_cleared_gradients(training: Training) -> Training:
    """Return the training whose own step begins with cleared gradients."""

    def step(before: Training, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
        optimizer.zero_grad()
        return before.step(model, optimizer, batch)

    return with_step(training, step)


def with_step_last(training: Training) -> Training:
    """Return the training whose own step begins with cleared gradients, clears nothing more, and is followed by the optimizer's."""

    def step(before: Training, model: nn.Module, optimizer: torch.optim.Optimizer, batch: Any) -> Tensor:
        optimizer.zero_grad()
        held_back: dict[str, Any] = {name: vars(optimizer)[name] for name in ("step", "zero_grad") if name in vars(optimizer)}  # a schedule wraps the step
        vars(optimizer).update(step=_nothing, zero_grad=_nothing)
        try:
            loss = before.step(model, optimizer, batch)
        finally:
            for name in ("step", "zero_grad"):
                vars(optimizer).pop(name)
            vars(optimizer).update(held_back)
        optimizer.step()
        return loss

    return with_step(training, step)


def _nothing(*arguments: Any, **keywords: Any) -> None:
    del arguments, keywords


def with_weights(training: Training, layers: Iterable[str], change: Callable[[Tensor], object]) -> Training | None:
    """Return the training whose weight matrices of some layers are changed in place after initialisation; ``None`` where the model has none of them."""
    names = list(layers)
    if not weights_of(fresh(training).model, names):
        return None

    def changed(model: nn.Module) -> None:
        with torch.no_grad():
            for weight in weights_of(model, names):
                change(weight)

    return with_model(training, changed)


def with_initialised(training: Training, layers: Iterable[str], calls: Iterable[str]) -> Training | None:
    """Return the training whose layers' weights are drawn anew.

    Args:
        layers: Names of layers.
        calls: For each layer the call of ``torch.nn.init`` as the prescription writes it, with ``{weight}`` for the weight.
    """
    pairs = list(zip(layers, calls, strict=True))
    model = fresh(training).model
    if not any(weights_of(model, [layer]) for layer, _ in pairs):
        return None

    def changed(made: nn.Module) -> None:
        for layer, call in pairs:
            for weight in weights_of(made, [layer]):
                initialise(weight, call)

    return with_model(training, changed)


def with_zero_biases(training: Training, layers: Iterable[str]) -> Training:
    """Return the training whose layers of these names begin with biases of 0."""
    names = list(layers)

    def changed(model: nn.Module) -> None:
        for name in names:
            bias = getattr(module_of(model, name), "bias", None)
            if isinstance(bias, Tensor):
                nn.init.zeros_(bias)

    return with_model(training, changed)


def initialise(weight: Tensor, call: str) -> None:
    """Carry out a call of ``torch.nn.init`` as it is written in a prescription, for example ``nn.init.xavier_uniform_({weight}, gain=2.0)``."""
    tree = ast.parse(call.replace("{weight}", "weight"), mode="eval").body
    if not (isinstance(tree, ast.Call) and isinstance(tree.func, ast.Attribute)):
        raise ValueError(f"{call!r} is no call of torch.nn.init")
    keywords = {str(keyword.arg): _constant(keyword.value) for keyword in tree.keywords}
    getattr(nn.init, tree.func.attr)(weight, **keywords)


def _constant(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "calculate_gain":
        return nn.init.calculate_gain(ast.literal_eval(node.args[0]))
    return ast.literal_eval(node)


def with_optimizer(training: Training, kind: str, learning_rate: float) -> Training:
    """Return the training with another optimizer of ``torch.optim`` over the same groups; a weight decay is kept, other settings are the new one's own."""
    make = training.optimizer

    def changed(model: nn.Module) -> torch.optim.Optimizer:
        old = make(model)
        groups = [{"params": group["params"], **({"weight_decay": group["weight_decay"]} if "weight_decay" in group else {})} for group in old.param_groups]
        made: torch.optim.Optimizer = getattr(torch.optim, kind)(groups, lr=learning_rate)
        return made

    return training.replaced(optimizer=changed)


class WarmedUp:
    """A linear warm-up in front of the schedule that a training has.

    Args:
        optimizer: Its rates are set before every step.
        schedule: Stepped as before; its rates are those that the warm-up leads to.
        steps: Length of the warm-up.
        start: Share of the rate at the first step.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: Any, steps: int, start: float) -> None:
        self._optimizer, self._schedule, self._steps, self._start = optimizer, schedule, steps, start
        self._n = 0
        self._rates = [group["lr"] for group in optimizer.param_groups]
        self._set()

    def step(self) -> None:
        """Go on by one optimizer step."""
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate  # the schedule shall see its own rate
        if self._schedule is not None:
            self._schedule.step()
        self._rates = [group["lr"] for group in self._optimizer.param_groups]
        self._n += 1
        self._set()

    def _set(self) -> None:
        share = min(1.0, self._start + (1 - self._start) * self._n / self._steps)
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * share


def with_warm_up(training: Training, steps: int, start: float) -> Training | None:
    """Return the training with a linear warm-up before the schedule it has; ``None`` where the optimizer has no rate."""
    make = training.scheduler
    if not all("lr" in group for group in fresh(training).optimizer.param_groups):
        return None
    return training.replaced(scheduler=lambda optimizer: WarmedUp(optimizer, make(optimizer) if make is not None else None, steps, start))
