"""A training opened for mapping: its model, optimizer, batches and randomness, made once, looked at, and frozen."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..records.estimate import Remark
from ..registry import plugins
from ._field import LossField, uses_fused_attention
from ._frozen import FrozenBatches, FrozenRandomness, generator_states, same_states
from ._layout import Layout, lay_out
from ._settings import Settings
from .optimizers._base import AbstractOptimizerRule
from .training import Training, untouched_randomness


@dataclass(slots=True)
class Opened:
    """What :func:`opened` found and made.

    Attributes:
        training: The training it was made from.
        dtype: Precision of the map.
        model: The map's own model.
        optimizer: The map's own optimizer.
        rule: The optimizer's rule.
        settings: The optimizer's settings by step number.
        batches: By step number.
        randomness: By step number.
        loss_field: The gradient field.
        buffers: Buffers that change in a step and influence the loss.
        resting_buffers: Names of buffers that change in a step and do not.
        original_dtype: Precision of the training as the user runs it.
        is_replayed: Whether the training's own step must be run as it is (a ``train_step``, step hooks).
        first_parameters: The fresh parameters, flat.
        first_buffers: The values that ``buffers`` begin with.
        has_first_state: Whether torch fills the optimizer's state when it is made (Adagrad).
    """

    training: Training
    dtype: torch.dtype
    model: nn.Module
    optimizer: torch.optim.Optimizer
    rule: AbstractOptimizerRule
    settings: Settings
    batches: FrozenBatches
    randomness: FrozenRandomness
    loss_field: LossField
    original_dtype: torch.dtype
    is_replayed: bool
    has_first_state: bool
    buffers: tuple[tuple[str, Tensor], ...] = ()
    resting_buffers: tuple[str, ...] = ()
    first_parameters: Tensor = field(default_factory=lambda: torch.zeros(0))
    first_buffers: list[Tensor] = field(default_factory=list)

    def layout(self) -> Layout:
        """Return where everything lies, with the settings of the first step."""
        groups = [{**settings, "params": group["params"]} for settings, group in zip(self.settings.at(0), self.optimizer.param_groups, strict=True)]
        return lay_out(self.model, groups, self.rule, keeps_gradients=not self.training.zero_grad, buffers=self.buffers)

    def initial_state(self, layout: Layout) -> Tensor:
        """Return the state before the first step: the fresh parameters, and the optimizer's memory as torch begins it."""
        like = layout.parameters[0]
        state = torch.zeros(layout.dimension, dtype=self.dtype, device=like.device)
        state[: layout.n_parameters] = self.first_parameters
        for block in layout.blocks:
            for slot, place in zip(block.slots, block.memory, strict=True):
                state[place] = self.rule.start(slot, self.settings.at(0)[block.group])
        for (_, _, place), first in zip(layout.buffers, self.first_buffers, strict=True):
            state[place] = first
        return state

    def write_settings(self, time: int) -> None:
        """Write the settings of step number ``time`` into the optimizer."""
        for group, settings in zip(self.optimizer.param_groups, self.settings.at(time), strict=True):
            group.update(settings)

    def replayed(self, layout: Layout, state: Tensor, time: int) -> Tensor:
        """Return the state after the training's own step, run from ``state``."""
        layout.load_parameters(state)
        self.write_settings(time)
        self.load_memory(layout, state, time)
        batch = self.batches.at(time)
        with self.randomness.at(time), torch.enable_grad():
            self.training.step(self.model, self.optimizer, batch)
        return self.read_memory(layout, state)

    def read_memory(self, layout: Layout, like: Tensor) -> Tensor:
        """Return the state that the model and the optimizer hold now; slots that the optimizer has not made yet are as in ``like``."""
        new = torch.cat([parameter.detach().reshape(-1) for parameter in layout.parameters])
        new = torch.cat([new, like[layout.n_parameters :]])
        for block, members in self._members(layout):
            for slot, place in zip(block.slots, block.memory, strict=True):
                held = [self.optimizer.state[parameter].get(slot) for parameter in members]
                parts = [torch.zeros_like(part) if kept is None else kept for kept, part in zip(held, members, strict=True)]
                new[place] = torch.cat([part.reshape(-1) for part in parts])
        if layout.gradient is not None:
            parts = [torch.zeros_like(part) if part.grad is None else part.grad for part in layout.parameters]
            new[layout.gradient] = torch.cat([part.reshape(-1) for part in parts])
        layout.read_buffers(new)
        return new

    def stacked_gradients(self, layout: Layout, states: Tensor, time: int) -> tuple[Tensor, Tensor]:
        """Return gradient and loss at every row of ``states``, shapes ``(members, n_parameters)`` and ``(members,)``, by vmap over stacked parameters."""
        inputs, target = self.batches.at(time)
        buffers = {name: buffer.expand(len(states), *buffer.shape).clone() for name, buffer in self.model.named_buffers()}
        parameters = dict(zip(layout.names, layout.split(states), strict=True))

        def loss(moving: dict[str, Tensor], resting: dict[str, Tensor]) -> Tensor:
            return self.training.loss(torch.func.functional_call(self.model, (moving, resting), (inputs,)), target)

        with self.randomness.at(time), self.loss_field.attention():
            found, losses = torch.func.vmap(torch.func.grad_and_value(loss), randomness="same")(parameters, buffers)
        return torch.cat([found[name].detach().reshape(len(states), -1) for name in layout.names], dim=1), losses.detach()

    def notes(self, layout: Layout) -> tuple[Remark, ...]:
        """Return what was frozen and what belongs to the state."""
        name, count = type(self.optimizer).__name__, layout.n_parameters
        said = [Remark(f"{count} parameters, phase space of {layout.dimension} ({name}).", f"パラメータ{count}個、相空間は{layout.dimension}次元（{name}）。")]
        said.append(self.batches.note)
        if self.randomness.is_needed:
            text = "Dropout masks and other randomness are frozen: the same numbers in the same step."
            said.append(Remark(text, "ドロップアウトなどの乱数はステップごとに固定した。"))
        if self.resting_buffers:
            text = f"Buffers that do not influence the loss are not part of the state ({', '.join(self.resting_buffers[:3])} …)."
            said.append(Remark(text, "損失に影響しないバッファは状態に含めない。"))
        if layout.buffers:
            said.append(Remark(f"Buffers belong to the state: {', '.join(name for name, _, _ in layout.buffers)}.", "損失に影響するバッファを状態に含めた。"))
        if self.dtype != torch.float64:
            text = f"Computed in {self.dtype}: only the sign of a leading exponent may be trusted. float64 is the default."
            said.append(Remark(text, "低い精度で計算した。信頼できるのは最大指数の符号までである。"))
        elif self.original_dtype != torch.float64:
            text = f"The training runs in {self.original_dtype}; the map runs the same training in float64."
            said.append(Remark(text, "学習自体の精度はこれより低いが、写像はfloat64で計算した。"))
        return tuple(said)

    def why_difference(self, layout: Layout) -> str:
        """Return why tangents cannot be exact here, or nothing if they were asked to be differences."""
        if self.training.train_step is not None:
            return "the training has a train_step of its own"
        if self.is_replayed:
            return "hooks act on the optimizer's step"
        return "buffers that change in the forward pass influence the loss" if layout.buffers else ""

    def _members(self, layout: Layout) -> list[tuple[Any, list[nn.Parameter]]]:
        groups = self.optimizer.param_groups
        return [(block, [parameter for parameter in groups[block.group]["params"] if parameter.requires_grad]) for block in layout.blocks]

    def load_memory(self, layout: Layout, state: Tensor, time: int) -> None:
        """Write the optimizer's memory, and gradients that are kept, as they are in ``state`` after ``time`` steps, into the optimizer and the model."""
        self.optimizer.state.clear()
        accumulated = [None] * len(layout.parameters) if layout.gradient is None else layout.split(state[layout.gradient])
        for parameter, kept in zip(layout.parameters, accumulated, strict=True):
            parameter.grad = None if kept is None or not time else kept.clone()
        for block, members in self._members(layout):
            if not time and not self.has_first_state and not any(state[place].any() for place in block.memory):
                continue  # torch makes the state itself in the first step
            sizes = [parameter.numel() for parameter in members]
            group = self.optimizer.param_groups[block.group]
            counters = self.rule.counters(group, time)
            for parameter in members:
                self.optimizer.state[parameter].update({name: torch.tensor(value, dtype=torch.float32) for name, value in counters.items()})
            for slot, place in zip(block.slots, block.memory, strict=True):
                for parameter, part in zip(members, state[place].split(sizes), strict=True):
                    self.optimizer.state[parameter][slot] = part.reshape(parameter.shape).clone()


def opened(training: Training, dtype: torch.dtype) -> Opened:
    """Make the training's parts in ``dtype``, look at one step of it, and put everything back where it was.

    Raises:
        UsageError: See `TrainingMap`.
    """
    with untouched_randomness():
        run = training.start()
        original = next((parameter.dtype for parameter in run.model.parameters()), dtype)
        run.model.to(dtype)
        states = generator_states()
        rule = rule_of(run.optimizer)
        settings = Settings(lambda: training.optimizer(run.model), training.scheduler)
    batches = FrozenBatches(training, dtype, states)
    randomness = FrozenRandomness(training.seed)
    loss_field = LossField(run.model, training.loss, batches, randomness, needs_plain_attention=False)
    hooks = run.optimizer._optimizer_step_pre_hooks or run.optimizer._optimizer_step_post_hooks
    is_replayed = training.train_step is not None or bool(hooks)
    found = Opened(
        training, dtype, run.model, run.optimizer, rule, settings, batches, randomness, loss_field, original, is_replayed, bool(run.optimizer.state)
    )  # fmt: skip
    plain = found.layout()
    if not plain.parameters:
        raise UsageError("The optimizer should move at least one parameter that requires a gradient, but it moves none.")
    _refuse_hidden_gradients(training, run.model, plain)
    _look(found, plain)
    return found


def rule_of(optimizer: torch.optim.Optimizer) -> AbstractOptimizerRule:
    """Return the rule of ``optimizer``.

    Raises:
        UsageError: No rule is known for its class.
    """
    rules = {rule.optimizer: rule for rule in plugins("kazami.maps.optimizers", AbstractOptimizerRule)}
    rule = rules.get(type(optimizer))
    if rule is None:
        known = ", ".join(sorted(known.__name__ for known in rules))
        raise UsageError(
            f"TrainingMap should know the optimizer's update, but it does not know {type(optimizer).__name__}. Supported: {known}. Use one of these."
        )
    return rule()


def _refuse_hidden_gradients(training: Training, model: nn.Module, layout: Layout) -> None:
    if training.clip_grad_norm is None:
        return
    moved = set(layout.parameters)
    others = [name for name, parameter in model.named_parameters() if parameter.requires_grad and parameter not in moved]
    if others:
        raise UsageError(
            f"Gradient clipping should see the parameters that the optimizer moves, but it also sees {', '.join(others[:5])}, whose gradients nobody sets to "
            "zero. Give them to the optimizer, or freeze them with requires_grad_(False)."
        )


def _look(found: Opened, layout: Layout) -> None:
    """Take the loss once: does it draw random numbers, hold fused attention, change buffers that matter? Then put parameters and buffers back."""
    first = torch.cat([parameter.detach().reshape(-1).to(found.dtype) for parameter in layout.parameters]).clone()
    before = {name: buffer.detach().clone() for name, buffer in found.model.named_buffers()}
    with untouched_randomness():
        if found.is_replayed:
            found.training.step(found.model, found.optimizer, found.batches.at(0))
            found.randomness.is_needed = True  # a step of the user's own may draw at any time
        else:
            loss = found.loss_field.loss_at(0)
    if not found.is_replayed:
        found.loss_field.needs_plain_attention = uses_fused_attention(loss)
        found.randomness.is_needed = _draws(found)
    changed = {name: buffer for name, buffer in found.model.named_buffers() if not _equal(buffer, before[name])}
    _put_back(found, layout, first, before)
    if changed and _matters(found, layout, first, before, changed):
        _refuse_counters(changed)
        found.buffers = tuple(changed.items())
    else:
        found.resting_buffers = tuple(changed)
    found.first_parameters, found.first_buffers = first, [before[name].reshape(-1).to(found.dtype) for name, _ in found.buffers]


def _draws(found: Opened) -> bool:
    """Return whether a forward pass draws from the global generators."""
    found.randomness.is_needed = False
    with untouched_randomness():
        start = generator_states()
        found.loss_field.loss_at(0)
        return not same_states(start, generator_states())


def _matters(found: Opened, layout: Layout, first: Tensor, before: dict[str, Tensor], changed: dict[str, Tensor]) -> bool:
    """Return whether one more step differs when it starts from other values of the changed buffers."""
    after = {name: buffer.detach().clone() for name, buffer in _after_one(found, layout, first, before).items()}
    plain = _one_result(found, layout, first, before)
    return not torch.equal(plain, _one_result(found, layout, first, {**before, **{name: after[name] for name in changed}}))


def _after_one(found: Opened, layout: Layout, first: Tensor, before: dict[str, Tensor]) -> dict[str, Tensor]:
    _one_result(found, layout, first, before)
    return dict(found.model.named_buffers())


def _one_result(found: Opened, layout: Layout, first: Tensor, buffers: dict[str, Tensor]) -> Tensor:
    _put_back(found, layout, first, buffers)
    if found.is_replayed:
        state = torch.cat([first, first.new_zeros(layout.dimension - layout.n_parameters)])
        return found.replayed(layout, state, 0)
    return found.loss_field.loss_at(0).detach()


def _put_back(found: Opened, layout: Layout, first: Tensor, buffers: dict[str, Tensor]) -> None:
    layout.load_parameters(torch.cat([first, first.new_zeros(layout.dimension - layout.n_parameters)]))
    with torch.no_grad():
        for name, buffer in found.model.named_buffers():
            buffer.copy_(buffers[name])
    if found.is_replayed:
        found.optimizer.zero_grad(set_to_none=True)


def _refuse_counters(changed: dict[str, Tensor]) -> None:
    counters = [name for name, buffer in changed.items() if not buffer.is_floating_point()]
    if counters:
        raise UsageError(
            f"A step should depend on parameters and continuous buffers only, but {', '.join(counters)} counts whole numbers and changes the loss. "
            "Make it constant, or compute it from the batch."
        )


def _equal(first: Tensor, second: Tensor) -> bool:
    return first.shape == second.shape and torch.equal(first, second)
