"""A recorded training made to run again: the model the script had, the batches it used, its loss, optimizer and rates."""

import copy
import dataclasses
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..derivatives.copies import RandomStates
from ..maps import Training
from .program import Constant, Part, Program, Weight, all_leaves, leaves


@dataclass(frozen=True, slots=True)
class StepSeen:
    """What was seen of one optimizer step.

    Attributes:
        program: What led to its loss.
        loss: The loss that the script computed, summed over its backward passes.
        settings: Of each parameter group, what a scheduler may change: learning rate, momentum …
        clip: Largest norm that the gradients were clipped to.
    """

    program: Program
    loss: float
    settings: list[dict[str, Any]]
    clip: float | None = None


@dataclass(frozen=True, slots=True)
class OptimizerSeen:
    """Enough to make a script's optimizer again.

    Attributes:
        kind: Its class.
        groups: Per parameter group its settings, and the names of its parameters in the recorded model under ``"params"``.
        state: Its ``state_dict()`` before the first step seen.
    """

    kind: type[torch.optim.Optimizer]
    groups: list[dict[str, Any]]
    state: dict[str, Any]

    def make(self, model: nn.Module) -> torch.optim.Optimizer:
        """Return a new optimizer of the same kind and settings over the parameters of ``model``."""
        named = dict(model.named_parameters(remove_duplicate=False))
        groups = [{**copy.deepcopy(group), "params": [named[name] for name in group["params"]]} for group in self.groups]
        accepted = inspect.signature(self.kind.__init__).parameters
        required = {name for name, value in accepted.items() if value.default is inspect.Parameter.empty}
        first = {key: value for key, value in groups[0].items() if key in required and key != "params"}
        optimizer = self.kind(groups, **first)
        if self.state["state"]:
            optimizer.load_state_dict(copy.deepcopy(self.state))
        return optimizer


class Recorded(nn.Module):
    """Several modules and bare weights as one model that runs recorded programs: its output is theirs, a loss or what the last module gave.

    Args:
        parts: The modules, by name.
        weights: The bare weights, by name.
        programs: The programs; where there are several, the first number that :meth:`forward` is given says which one runs.
    """

    def __init__(self, parts: dict[str, nn.Module], weights: dict[str, Tensor], programs: Sequence[Program]) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        for name, weight in weights.items():
            self.register_parameter(name, nn.Parameter(weight.detach().clone()))
        self._programs = tuple(programs)

    def forward(self, *given: Any) -> Any:
        """Return what a program gives for a batch: its number where there are several, then its constants, as one tuple or one by one."""
        batch = given[0] if len(given) == 1 and isinstance(given[0], tuple) else given
        number, constants = (0, batch) if len(self._programs) == 1 else (int(batch[0]), batch[1:])
        own = dict(self.named_parameters(remove_duplicate=False))
        weights = {name: own[name] for program in self._programs for name in _weights_of(program)}
        return self._programs[number].run(dict(self.named_modules()), weights, constants)


def _weights_of(program: Program) -> set[str]:
    found = all_leaves([(call.arguments, call.keywords) for call in program.calls])
    return {leaf.name for leaf in found if isinstance(leaf, Weight)}


@dataclass(frozen=True, slots=True)
class TapedLoss:
    """The loss of a recorded program as a function of the model's output and the target.

    Args:
        program: Holds exactly one call of the model.
        model_call: The number of that call.
        inputs: Which constants are the model's inputs and nothing else; the others, in their order, are the target.
    """

    program: Program
    model_call: int
    inputs: tuple[int, ...]

    def __call__(self, output: Any, target: Any) -> Tensor:
        """Return the loss.

        Args:
            output: What the model gave.
            target: A tensor, a tuple of tensors, or ``None`` where the loss needs none.
        """
        given = iter(() if target is None else target if isinstance(target, tuple) else (target,))
        constants = [self.program.constants[index] if index in self.inputs else next(given) for index in range(len(self.program.constants))]
        loss: Tensor = self.program.run({}, {}, constants, {self.model_call: output})
        return loss


def plain_batches(steps: Sequence[StepSeen]) -> tuple[TapedLoss, list[tuple[Any, Any]]] | None:
    """Return the loss and the (inputs, target) of each step, where each step is loss(model(inputs), target) with one tensor as inputs; else ``None``."""
    programs = [step.program for step in steps]
    first = programs[0]
    model_calls = [number for number, call in enumerate(first.calls) if isinstance(call.function, Part)]
    if len(model_calls) != 1 or _weights_of(first) or any(not program.has_the_form_of(first) for program in programs):
        return None
    call = first.calls[model_calls[0]]
    if call.keywords or len(call.arguments) != 1 or not isinstance(call.arguments[0], Constant):
        return None
    place = call.arguments[0].index
    uses = [leaf for other in first.calls if other is not call for leaf in _constants_in((other.arguments, other.keywords))]
    only_inputs = () if place in uses else (place,)  # an autoencoder's inputs are its target as well
    loss = TapedLoss(first, model_calls[0], only_inputs)
    return loss, [(program.constants[place], _target([c for index, c in enumerate(program.constants) if index not in only_inputs])) for program in programs]


def _constants_in(tree: Any) -> list[int]:
    return [leaf.index for leaf in all_leaves(tree) if isinstance(leaf, Constant)]


def _target(constants: list[Tensor]) -> Any:
    if not constants:
        return None
    return constants[0] if len(constants) == 1 else tuple(constants)


def numbered_batches(steps: Sequence[StepSeen]) -> tuple[list[Program], list[tuple[Any, Any]]]:
    """Return the different programs of the steps, and each step's batch for :class:`Recorded`, without a target."""
    programs: list[Program] = []
    numbers: list[int] = []
    for program in (step.program for step in steps):
        number = next((n for n, known in enumerate(programs) if program.has_the_form_of(known)), len(programs))
        if number == len(programs):
            programs.append(program)
        numbers.append(number)
    are_numbered = len(programs) > 1
    batches = [
        ((torch.tensor(n), *step.program.constants) if are_numbered else tuple(step.program.constants), None) for n, step in zip(numbers, steps, strict=True)
    ]
    return programs, batches


@dataclass(frozen=True, slots=True)
class SameNumbers:
    """One step of a training that draws random numbers: the generators are set to where they stood in the script.

    Args:
        plain: The training without this.
        states: The generators' states per batch, by the identity of its inputs.
    """

    plain: Training
    states: dict[int, RandomStates]

    def __call__(self, model: nn.Module, optimizer: torch.optim.Optimizer, batch: tuple[Any, Any]) -> Tensor:
        """Take one step."""
        before, state = RandomStates(), self.states.get(id(batch[0]))
        if state is not None:
            state.put_back()
        try:
            return self.plain.step(model, optimizer, batch)
        finally:
            before.put_back()


class RecordedSettings:
    """Sets the learning rates and whatever else the script's own scheduler had set, step by step; the last ones stay.

    Groups of parameters that the script adds on the way are not known to the optimizer made at the start, and are left out.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, settings: Sequence[Sequence[dict[str, Any]]]) -> None:
        self._optimizer = optimizer
        self._settings = settings
        self._step = 0

    def step(self) -> None:
        """Set those of the next step."""
        self._step = min(self._step + 1, len(self._settings) - 1)
        for group, settings in zip(self._optimizer.param_groups, self._settings[self._step], strict=False):
            group.update(settings)


def training_of(
    model: nn.Module, loss: Callable[[Any, Any], Tensor], batches: list[tuple[Any, Any]], optimizer: OptimizerSeen, steps: list[StepSeen]
) -> Training:
    """Return the training that was recorded.

    Args:
        model: As it was before the first step; copied for every start.
        loss: Of the model's output and a target.
        batches: One per step.
        optimizer: How to make it.
        steps: What was seen of each step.
    """
    settings = [step.settings for step in steps]
    clips = {step.clip for step in steps}
    scheduler = None if all(one == settings[0] for one in settings) else lambda made: RecordedSettings(made, settings)
    plain = Training(
        model=lambda: copy.deepcopy(model),
        optimizer=optimizer.make,
        loss=loss,
        batches=lambda: batches,
        steps=len(batches),
        scheduler=scheduler,
        clip_grad_norm=clips.pop() if len(clips) == 1 else None,
    )
    if all(step.program.drawn is None for step in steps):
        return plain.replaced(batches=lambda: _one_period(batches))
    states = {id(batch[0]): step.program.drawn for batch, step in zip(batches, steps, strict=True) if step.program.drawn is not None}
    return plain.replaced(train_step=SameNumbers(plain, states))


def _one_period(batches: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return the batches up to where they begin again (one, for full-batch training)."""
    for period in range(1, len(batches) // 2 + 1):
        if all(_equal(batch, batches[number % period]) for number, batch in enumerate(batches)):
            return batches[:period]
    return batches


def _equal(one: Any, other: Any) -> bool:
    tensors, others = list(leaves(one)), list(leaves(other))
    return len(tensors) == len(others) and all(a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b) for a, b in zip(tensors, others, strict=True))


def reproduced_losses(training: Training, losses: Sequence[float], *, tolerance: float = 1e-4) -> tuple[Training, int]:
    """Return the training, and how many of the script's first losses it reproduces; where leaving out ``zero_grad`` reproduces more, it is left out.

    Args:
        training: What was recorded.
        losses: The script's own.
        tolerance: Largest relative difference that counts as the same.
    """
    best, count = training, _same_beginning(training, losses, tolerance)
    if 0 < count < len(losses):
        without = dataclasses.replace(training, zero_grad=False)
        if training.train_step is None and (kept := _same_beginning(without, losses, tolerance)) > count:
            best, count = without, kept
    return best, count


def _same_beginning(training: Training, losses: Sequence[float], tolerance: float) -> int:
    own = training.run(steps=len(losses)).losses
    for number, (mine, theirs) in enumerate(zip(own, losses, strict=True)):
        is_same = mine == theirs or (math.isnan(mine) and math.isnan(theirs)) or abs(mine - theirs) <= tolerance * max(abs(theirs), 1e-6)
        if not is_same:
            return number
    return len(losses)
