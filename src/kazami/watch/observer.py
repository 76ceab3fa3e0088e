"""Observer: follows one process's training through its hooks and keeps what was seen, one `Player` an optimizer."""

import functools
import time
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from ..records.trace import Trace
from .consumed import StepReader
from .graph import LiveGraph
from .hooks import add_listener, remove_listener
from .names import Names
from .player import Player
from .reading import GraphReader, Reading
from .sampling import Sampling


def guarded(method: Callable[..., None]) -> Callable[..., None]:
    """Keep a mistake of ours away from the training: it is noted once, and the watching ends."""

    @functools.wraps(method)
    def safe(self: "Observer", *arguments: Any) -> None:
        if self.is_off:
            return
        began = time.perf_counter()
        try:
            with torch.no_grad():
                method(self, *arguments)
        except Exception as error:
            self.give_up(error)
        finally:
            self.sampling.spend(time.perf_counter() - began)

    return safe


class Observer:
    """Listens to all trainings of this process.

    Args:
        modules: Modules whose parameter names are known; the process is searched for others.
        optimizers: Follow only these; all where empty.
        sampling: Which steps are recorded.
        on_step: Called after each optimizer step with the player and its step number (to write, to diagnose, to stop).
    """

    def __init__(
        self,
        modules: Iterable[nn.Module] = (),
        optimizers: Iterable[torch.optim.Optimizer] = (),
        sampling: Sampling | None = None,
        on_step: Callable[[Player, int, bool], None] | None = None,
    ) -> None:
        self.names = Names(tuple(modules))
        self.only = {id(optimizer) for optimizer in optimizers}
        self.sampling = sampling or Sampling()
        self.on_step = on_step
        self.players: list[Player] = []
        self.blind: dict[str, str] = {}
        self.noticed_things: set[str] = set()
        self.is_off = False
        self.clock = 1  # the number of the optimizer step that comes next
        self.n_backwards = 0
        self.began = time.perf_counter()
        self._of_optimizer: dict[int, Player] = {}
        self._optimizers: dict[int, weakref.ref[torch.optim.Optimizer]] = {}
        self._readings: list[Reading] = []
        self._loss = 0.0
        self._has_loss = False
        self._stepped = False
        self._unscaled: dict[int, Tensor] = {}
        self._clips: list[tuple[float, float]] = []
        self._reader = GraphReader(self.names)
        self._steps = StepReader(self)

    # -- attachment

    def attach(self) -> None:
        """Begin to listen."""
        add_listener(self)

    def detach(self) -> None:
        """Stop listening; what was seen stays."""
        self._release()
        remove_listener(self)

    def give_up(self, error: Exception) -> None:
        """End the watching after a mistake of ours, and say so."""
        self.is_off = True
        self._release()
        self.blind["kazami"] = (
            f"kazami stopped watching at step {self.clock} because of a mistake of its own ({type(error).__name__}: {error}). The training went on."
        )

    def _release(self) -> None:
        for reading in self._readings:
            reading.remove_probes()
        self._readings = []

    # -- what the hooks tell

    @guarded
    def clipped(self, total_norm: Any, limit: Any) -> None:
        """Remember what clipping did to the gradient of this step."""
        if self.sampling.is_sampled(self.clock):
            self._clips.append((float(total_norm), float(limit)))

    @guarded
    def scaled(self, scaled: Any, original: Any) -> None:
        """Remember the loss behind a scaled one."""
        if isinstance(scaled, Tensor) and isinstance(original, Tensor):
            self._unscaled[id(scaled)] = original.detach()

    @guarded
    def noticed(self, what: str) -> None:
        """Remember that the script uses something that limits what may be looked at."""
        self.noticed_things.add(what)

    @guarded
    def backward_begins(self, tensors: tuple[Tensor, ...]) -> None:
        """Read the live graph of a sampled step, and of any step whose loss is not finite."""
        self.n_backwards += 1
        if self._stepped:
            self._forget_step()
            self._steps.look_for_kept_gradients()
        value = self._value_of(tensors)
        if value is not None:
            self._loss += value
            self._has_loss = True
        is_bad = value is not None and not abs(value) < float("inf")
        if not (self.sampling.is_sampled(self.clock) or (is_bad and not self._reader.has_found_bad)) or len(self._readings) >= 4:
            return
        graph = LiveGraph(tensors)
        if graph.nodes:
            self._readings.append(self._reader.read(graph, tensors, self, is_bad=is_bad, value=value))

    @guarded
    def backward_ended(self) -> None:
        """Take the probes out of the graph that backward has just walked."""
        if self._readings:
            self._readings[-1].remove_probes()

    @guarded
    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """Read gradients and weights as the optimizer is about to use them."""
        player = self.player_of(optimizer)
        if player is not None:
            self._steps.begin(player, optimizer)

    @guarded
    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """Read the update, store the row and move the clock on."""
        player = self.player_of(optimizer)
        if player is None:
            return
        is_sampled = self.sampling.is_sampled(self.clock)
        self._steps.end(player, optimizer)
        player.steps = self.clock
        if is_sampled:
            player.n_sampled += 1
            self.sampling.steps_recorded += 1
        self._stepped = True
        self.sampling.decide(self.clock, time.perf_counter() - self.began)
        step, self.clock = self.clock, self.clock + (1 if player is self.players[0] else 0)
        if self.on_step is not None:
            self.on_step(player, step, is_sampled)

    # -- what others ask

    def player_of(self, optimizer: torch.optim.Optimizer) -> Player | None:
        """Return the player of an optimizer: a new one over the same parameters continues the old one."""
        if self.only and id(optimizer) not in self.only:
            return None
        known = self._of_optimizer.get(id(optimizer))
        if known is not None:
            return known
        ids = {id(p) for group in optimizer.param_groups for p in group["params"]}
        same = next((player for player in self.players if ids & player.parameters.keys()), None)
        if same is None:
            same = Player(optimizer)
            self.players.append(same)
        same.adopt(optimizer)
        self._of_optimizer[id(optimizer)] = same
        self._optimizers[id(same)] = weakref.ref(optimizer)
        return same

    def traces(self, settings: dict[str, Any] | None = None) -> list[Trace]:
        """Return one trace per player."""
        facts = self._reader.facts_for_all(self)
        return [player.trace(list(self.blind.values()), settings or {}, facts(player)) for player in self.players]

    def optimizer_of(self, player: Player) -> torch.optim.Optimizer | None:
        """Return the living optimizer of a player."""
        reference = self._optimizers.get(id(player))
        return reference() if reference is not None else None

    def note_leaves(self, reading: Reading) -> None:
        """Remember which parameters backward reaches."""
        self._reader.note_leaves(reading)

    @property
    def readings(self) -> list[Reading]:
        """The readings of the step in progress."""
        return self._readings

    @property
    def pending_loss(self) -> float | None:
        """The sum of the losses on which backward was called since the last step."""
        return self._loss if self._has_loss else None

    @property
    def pending_clips(self) -> list[tuple[float, float]]:
        """Total norm and limit of each gradient clipping since the last step."""
        return self._clips

    def _forget_step(self) -> None:
        self._release()
        self._loss, self._has_loss, self._stepped, self._clips = 0.0, False, False, []
        self._unscaled.clear()

    def _value_of(self, tensors: tuple[Tensor, ...]) -> float | None:
        values = [self._unscaled.get(id(t), t.detach()) for t in tensors if isinstance(t, Tensor) and t.numel() == 1]
        if not values or (values[0].device.type != "cpu" and not self.sampling.is_sampled(self.clock)):
            return None
        return float(sum(float(v) for v in values))
