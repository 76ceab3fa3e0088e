"""Training as a map: one optimizer step as a function of parameters and optimizer state, with its exact derivative."""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..records.estimate import Remark
from ._base import AbstractMap, Part
from ._field import LossField, Method
from ._opened import Opened, opened
from ._settings import Settings
from ._updates import Update
from ._verified import chosen_method, differences, members_agree
from .training import Training, untouched_randomness

Tangents = Literal["auto", "exact", "finite_difference"]


class TrainingMap(AbstractMap):
    r"""One optimizer step as the map :math:`x_{t+1} = F_t(x_t)`, where :math:`x` holds the parameters *and* the optimizer's memory.

    .. math:: x = (\theta, s), \qquad (\theta', s') = U_t(\theta, \nabla L_t(\theta), s), \qquad
              \delta x' = \partial_{\theta} U\, \delta\theta + \partial_g U\, \nabla^2 L_t\, \delta\theta + \partial_s U\, \delta s

    Batches are kept in their order, dropout masks and other randomness become functions of the step's number, a scheduler makes the settings functions of
    it; Adam's bias correction and NAdam's momentum schedule depend on it already. So the map depends on time, but on nothing else.

    Args:
        training: Any `Training` whose optimizer is one of torch's SGD (plain, momentum, Nesterov), Adam, AdamW, RMSprop, Adagrad, Adadelta, Adamax, NAdam
            and RAdam, with any parameter groups.
        dtype: Precision of everything; float64 unless you want to know what float32 does to a tangent.
        tangents: ``"exact"``: Hessian–vector products through the update rule; ``"finite_difference"``: central differences of the whole step;
            ``"auto"``: exact, after a comparison with a finite difference at the first use, which also finds gradients that are none (a detached target).

    Raises:
        UsageError: The optimizer is not supported; the training has no batch; the gradient's norm is clipped over parameters that the optimizer does not move.

    Limits:
        Not thread-safe: the map owns one model and writes into it. At a kink (ReLU, AMSGrad's maximum) the tangent is that of one side. Buffers that do not
        influence the loss (the running statistics of BatchNorm in training mode) are not part of the state; those that do are, with tangents by finite
        differences. A training with its own ``train_step`` or with step hooks is replayed as it is, with finite differences.

    References:
        Benettin et al. 1980 (tangent vectors); Cohen et al. 2021, appendix B (momentum in the phase space).

    Example:
        >>> from kazami.maps import Training
        >>> t = Training(model=lambda: nn.Linear(1, 1, bias=False), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1),
        ...              loss=nn.functional.mse_loss, batches=lambda: [(torch.ones(1, 1), torch.zeros(1, 1))], steps=5)
        >>> m = TrainingMap(t)
        >>> _, tangent = m.advance_tangents(m.current_state(), torch.ones(1, 1, dtype=torch.float64), 0)  # curvature 2, so 1 - 0.1 * 2
        >>> round(tangent.item(), 12)
        0.8
    """

    def __init__(self, training: Training, *, dtype: torch.dtype = torch.float64, tangents: Tangents = "auto") -> None:
        """Make the training's model and optimizer, of the map's own, and freeze what is random about it."""
        if not isinstance(training, Training):
            raise UsageError(f"TrainingMap needs a kazami.Training, but it was given a {type(training).__name__}.")
        self.training = training
        self.dtype = dtype
        self._tangents: Tangents = tangents
        self._opened: Opened = opened(training, dtype)
        self._take_layout()

    def _take_layout(self) -> None:
        opened = self._opened
        self.layout = opened.layout()
        self._update = Update(self.layout, opened.rule, self.training.clip_grad_norm)
        self._method: Method | None = "finite_difference" if self._tangents == "finite_difference" or opened.is_replayed or self.layout.buffers else None
        self._can_stack: bool | None = False if opened.is_replayed or self.layout.buffers else None
        self._why_difference: str = ""
        self._begin_at(opened.initial_state(self.layout))

    @property
    def dimension(self) -> int:
        """Number of parameters, entries of the optimizer's memory, and whatever else the next step depends on."""
        return self.layout.dimension

    @property
    def n_parameters(self) -> int:
        """Number of entries of the parameters: the first coordinates of a state."""
        return self.layout.n_parameters

    @property
    def model(self) -> nn.Module:
        """The map's own model, holding the parameters of the state last looked at."""
        return self._opened.model

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        """The map's own optimizer, with the settings of the first step; its state is not used."""
        return self._opened.optimizer

    @property
    def field(self) -> LossField:
        """The gradient field."""
        return self._opened.loss_field

    @property
    def update(self) -> Update:
        """What happens between the gradient and the next state."""
        return self._update

    @property
    def settings(self) -> Settings:
        """The optimizer's settings by step number."""
        return self._opened.settings

    @property
    def resting_buffers(self) -> tuple[str, ...]:
        """Names of the buffers that change in a step but do not influence the loss; they are not part of the state."""
        return self._opened.resting_buffers

    @property
    def unused(self) -> tuple[str, ...]:
        """Names of the parameters that the loss does not use, as far as the first step tells: torch leaves them and their memory alone."""
        if self._opened.is_replayed or self.layout.gradient is not None:
            return ()
        self.layout.load_parameters(self._start)
        is_used = self.field.gradient(self.layout, 0).is_used
        return tuple(name for name, used in zip(self.layout.names, is_used, strict=True) if not used)

    def tangent_method(self, state: Tensor, time: int) -> Method:
        """Return how tangents are found here, after the comparison with a finite difference if there was none yet."""
        if self._method is None:
            self._method, self._why_difference = chosen_method(self.field, self.layout, state, time, is_forced=self._tangents == "exact")
        return self._method

    @property
    def notes(self) -> tuple[Remark, ...]:
        """What was frozen, what belongs to the state, in which precision, and how tangents are found."""
        return (*self._opened.notes(self.layout), self._note_on_tangents())

    def current_parameters(self) -> Mapping[str, float]:
        """Return the optimizer's settings in the current step: ``learning_rate``, ``momentum``, ``beta_1`` …; further groups as ``learning_rate[1]``."""
        return self._opened.settings.current(self._time)

    def set_parameter(self, name: str, value: float) -> None:
        """Change a setting of every group, or of one (``"learning_rate[1]"``), before the scheduler sees it.

        The state stays, unless the optimizer's memory gets another shape (momentum 0 or not): then the map begins anew.
        """
        self._opened.settings.change(name, value)
        self._opened.write_settings(0)
        if self._opened.layout().dimension != self.dimension:
            self._take_layout()
        else:
            self._update = Update(self.layout, self._opened.rule, self.training.clip_grad_norm)

    def coordinates(self, part: Part = "all") -> Tensor:
        """Return which coordinates are parameters (``"parameters"``), or parameters with two or more dimensions (``"weights"``)."""
        chosen = torch.zeros(self.dimension, dtype=torch.bool)
        if part == "all":
            return ~chosen
        flags = [torch.full((like.numel(),), part == "parameters" or like.dim() > 1) for like in self.layout.parameters]
        chosen[: self.n_parameters] = torch.cat(flags)
        return chosen

    def loss(self, state: Tensor, time: int = 0) -> float:
        """Return the loss of ``state`` on the batch of step number ``time``."""
        if self._opened.is_replayed:
            raise UsageError("The loss at a state should come from loss(model(x), y), but this training has a train_step of its own.")
        self.layout.load_parameters(state)
        with torch.no_grad():
            return float(self.field.loss_at(time))

    def write_settings(self) -> None:
        """Write the settings of the current step into :attr:`optimizer`."""
        self._opened.write_settings(self._time)

    @property
    def is_replayed(self) -> bool:
        """Whether the training's own step is run as it is (a ``train_step``, step hooks): there is no loss at a state then."""
        return self._opened.is_replayed

    @property
    def rhythm(self) -> int | None:
        """After how many steps the map is the same again: the number of batches in a pass; ``None`` where batches or randomness never repeat.

        Known as far as the map was walked: a pass that is not over has not repeated. Schedules and bias corrections are not counted.
        """
        return None if self._opened.randomness.is_needed else self._opened.batches.period

    def write_memory(self, state: Tensor, time: int) -> None:
        """Write the parameters of ``state`` into :attr:`model`, and its optimizer's memory and the settings after ``time`` steps into :attr:`optimizer`."""
        self.layout.load_parameters(state)
        self._opened.write_settings(time)
        self._opened.load_memory(self.layout, state, time)

    def read_memory(self) -> Tensor:
        """Return the state that :attr:`model` and :attr:`optimizer` hold now, after steps of torch's own."""
        return self._opened.read_memory(self.layout, self._start)

    def fresh_state(self, seed: int) -> Tensor:
        """Return the state before the first step of the same training with another seed of its initialisation; batches and masks stay those of this map."""
        with untouched_randomness():
            fresh = self.training.replaced(seed=seed).start()
        values = dict(fresh.model.named_parameters())
        state = self._start.clone()
        state[: self.n_parameters] = torch.cat([values[name].detach().reshape(-1).to(self.dtype) for name in self.layout.names])
        return state

    def write_into(self, model: nn.Module, state: Tensor | None = None) -> None:
        """Copy the parameters of ``state`` (the current one by default) into ``model``, a module of the same make."""
        into = dict(model.named_parameters())
        with torch.no_grad():
            for name, part in zip(self.layout.names, self.layout.split(self._state if state is None else state), strict=True):
                into[name].copy_(part)

    def advance(self, state: Tensor, time: int) -> Tensor:
        """Return the state after one optimizer step."""
        if self._opened.is_replayed:
            return self._opened.replayed(self.layout, state, time)
        self.layout.load_parameters(state)
        found = self.field.gradient(self.layout, time)
        new = self._update.next_state(state, self._update.arrive(found.flat, state), self._update.moves(self._opened.settings.at(time), time))
        self._rest_unused(found.is_used, state, new)
        if self.layout.buffers:
            self.layout.read_buffers(new)
        return new

    def advance_tangents(self, state: Tensor, vectors: Tensor, time: int) -> tuple[Tensor, Tensor]:
        """Return the state after one optimizer step and the step's derivative along ``vectors``, shape ``(dimension, k)``."""
        if self.tangent_method(state, time) == "finite_difference":
            return self.advance(state, time), differences(self.advance, state, vectors, time)
        self.layout.load_parameters(state)
        found = self.field.gradient(self.layout, time, keep_graph=True)
        turned = self.field.products(self.layout, found, vectors[: self.n_parameters])
        update = self._update
        moves = update.moves(self._opened.settings.at(time), time)
        gradient = update.arrive(found.flat, state)
        arrived = update.arrive_tangents(found.flat, turned, state, vectors)
        new = update.next_state(state, gradient, moves)
        carried = update.next_tangents(state, gradient, vectors, arrived, moves)
        self._rest_unused(found.is_used, state, new)
        self._rest_unused(found.is_used, vectors, carried)
        return new, carried

    def advance_many(self, states: Tensor, time: int) -> Tensor:
        """Return the states after one optimizer step for every row of ``states``: all at once where vmap can, else one after another."""
        if self.can_stack(states, time):
            return self._stacked(states, time)
        return torch.stack([self.advance(state, time) for state in states])

    def can_stack(self, states: Tensor, time: int) -> bool:
        """Return whether vmap takes the step of all rows of ``states`` at once, and rightly; looked at once, on the first and the last row."""
        if self._can_stack is None:
            self._can_stack = members_agree(self._stacked, self.advance, states, time)
        return self._can_stack

    def _stacked(self, states: Tensor, time: int) -> Tensor:
        return self.moved(states, self.gradients(states, time)[0], time)

    def gradients(self, states: Tensor, time: int) -> tuple[Tensor, Tensor]:
        """Return gradient and loss of every row of ``states`` on the batch of step number ``time``, computed together.

        Limits:
            Only where `can_stack` says so.
        """
        return self._opened.stacked_gradients(self.layout, states, time)

    def moved(self, states: Tensor, gradients: Tensor, time: int) -> Tensor:
        """Return ``states`` after step number ``time`` with these ``gradients``, by the optimizer's rule with this map's settings."""
        return self._update.next_state(states, self._update.arrive(gradients, states), self._update.moves(self._opened.settings.at(time), time))

    def _rest_unused(self, is_used: tuple[bool, ...], old: Tensor, new: Tensor) -> None:
        """Undo the step where the loss did not use a parameter: torch gives it no gradient and leaves it and its memory alone."""
        if all(is_used) or self.layout.gradient is not None:
            return
        flags = [torch.full((like.numel(),), not used) for like, used in zip(self.layout.parameters, is_used, strict=True)]
        rests = torch.cat(flags)
        for block in self.layout.blocks:
            for place in (block.theta, *block.memory):
                new[place][rests[block.theta]] = old[place][rests[block.theta]]

    def _note_on_tangents(self) -> Remark:
        if self._method == "finite_difference":
            reason = self._why_difference or self._opened.why_difference(self.layout)
            text = f"Tangents are central finite differences{': ' + reason if reason else ''}; they are good to a few digits only."
            return Remark(text, "接ベクトルは中心差分で求めた。精度は数桁にとどまる。")
        return Remark("Tangents are exact: Hessian–vector products through the update rule.", "接ベクトルは厳密：更新則を通したヘッセ行列とベクトルの積。")
