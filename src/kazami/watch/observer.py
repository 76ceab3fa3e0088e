"""Observer: follows one process's training through its hooks and keeps what was seen, one `Player` an optimizer."""

import threading
import time
import weakref
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..diagnosis import all_rules
from ..records.trace import Trace
from . import evaluation_hooks, loaders
from .consumed import StepReader
from .extra_backward import COMPILED_BACKWARD, is_backward_compiled
from .followed_thread import MOVED, OTHER_THREAD, SEVERAL_THREADS, reached
from .graph import LiveGraph
from .growing import GrowthReader
from .guarding import guarded, overheard, own_lock
from .hooks import add_hearer, remove_listener
from .names import Names
from .opposing import SignReader, note_rivals
from .player import Player, number_of, with_origins
from .reading import BARE_LOSS, GraphReader, Reading
from .resting import Rest
from .rotation import rotation_fact
from .sampling import Sampling, several_ranks
from .scaled_losses import ScaledLosses
from .scalers import ScalerMemory, optimizers_of_update
from .sharded import is_sharded
from .spikes import SpikeWatch
from .validation import Validation

ONE_AFTER_ANOTHER = "Models are trained one after another: numbers and curves are those of the first one, findings those of all."
AT_ONCE = "Models are trained in several threads at once: only the trainings of one thread are seen."

_attaching = threading.RLock()  # two watches may begin at once

if TYPE_CHECKING:
    from .distributions import DistributionReader
    from .following import Follower


class Observer:
    """Listens to all trainings of this process.

    Args:
        modules: Modules whose parameter names are known; the process is searched for others.
        optimizers: Follow only these; all where empty.
        sampling: Which steps are recorded.
        on_step: Called after each optimizer step with the player and its step number (to write, to diagnose, to stop).
        is_dynamics: Measure sharpness and the growth of tiny differences at every recorded step, whatever it costs.
    """

    leader: Player | None = None  # whose steps move the clock
    is_brief = False  # the step in progress is recorded, but the graph of its newest loss is not read
    follower: "Follower | None" = None  # of the weights, where a run directory is written
    distributions: "DistributionReader | None" = None  # there, too

    def __init__(
        self,
        modules: Iterable[nn.Module] = (),
        optimizers: Iterable[torch.optim.Optimizer] = (),
        sampling: Sampling | None = None,
        on_step: Callable[[Player, int, bool], None] | None = None,
        *,
        is_dynamics: bool = False,
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
        self.moment = 1  # the number of the step that the last backward belongs to; the same for all optimizers that use its gradients
        self.awaits_end = True  # of the backward under way; between a training's own steps, with cold caches, even a call that does nothing costs 30 µs
        self.depth = 0  # of methods of ours within one another: what runs inside them is not the script's
        self.lock = own_lock(self)  # trainings may run in several threads
        self.n_backwards = 0
        self.began = time.perf_counter()
        self._of_optimizer: weakref.WeakKeyDictionary[torch.optim.Optimizer, tuple[Player, int]] = weakref.WeakKeyDictionary()
        self._optimizers: dict[int, weakref.ref[torch.optim.Optimizer]] = {}
        self._readings: list[Reading] = []
        self._loss, self._has_loss, self.has_stepped = 0.0, False, False  # the last one: since the newest backward
        self._reached: list[Player] = []  # by the backward under way, where gradients are remembered
        self._moved: set[int] = set()  # the players that stepped since the last backward
        self._scaled = ScaledLosses()
        self._clips: list[tuple[float, float]] = []
        self._reader = GraphReader(self.names, is_dynamics=is_dynamics)
        self.growth = GrowthReader(is_full=is_dynamics)
        self.steps = StepReader(self)
        self._validation, self._scalers = Validation(), ScalerMemory()
        self.spikes, self.signs = SpikeWatch(), SignReader()
        self.rest = Rest(self)
        self.stands_out = False  # the loss of the step in progress, from those before: then the step is recorded
        self._loaders = loaders.Loaders()

    # -- attachment

    def attach(self) -> None:
        """Begin to listen."""
        with _attaching:
            add_hearer(self)
            evaluation_hooks.listen(self.evaluated)
            loaders.listen(self.loader_begun)

    def detach(self) -> None:
        """Stop listening; what was seen stays."""
        with self.lock:
            self._release()
        with _attaching:
            remove_listener(self)
            evaluation_hooks.stop_listening(self.evaluated)
            loaders.stop_listening(self.loader_begun)

    def give_up(self, error: Exception) -> None:
        """End the watching after a mistake of ours, and say so."""
        self.is_off, self.rest.until = True, 0
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
        if self.sampling.is_sampled(self.clock) or self.growth.is_following:
            self._clips.append((number_of(total_norm), number_of(limit)))

    @guarded
    def scaled(self, scaled: Any, original: Any) -> None:
        """Remember the loss behind a scaled one."""
        self.rest.until = 0
        self._scaled.add(scaled, original)

    @overheard
    def evaluated(self, kind: str, function: Callable[..., Tensor], arguments: tuple[Any, ...], result: Tensor) -> None:
        """Take a loss without gradients as part of a validation pass."""
        self.rest.until = 0
        if self.players and not self._is_of_others and self._validation.add(kind, function, arguments, result):
            self._validation.note_mode(self.names.modules, self.leader or self.players[0])

    @overheard
    def loader_begun(self, loader: int, batches: int | None, size: int | None) -> None:
        """Note which step the first batch of a loader belongs to."""
        if not self._is_of_others:
            self._loaders.add(loader, batches, self.clock, size=size)

    @guarded
    def scale_updated(self) -> None:
        """Forget a step that a gradient scaler has left out: its loss is not part of the next one's. One that leaves out all has an optimizer, too."""
        self.rest.until = 0
        self._scalers.updated(was_skipped=self._has_loss and not self.has_stepped)
        for optimizer in optimizers_of_update():
            self.player_of(optimizer)
        if self._has_loss and not self.has_stepped:
            for player in self.players[:1]:
                player.facts["skipped_steps"] = player.facts.get("skipped_steps", 0) + 1
            self._forget_step()

    def noticed(self, what: str) -> None:
        """Remember that the script uses something that limits what may be looked at; any thread may say so, and does not wait for what another one records."""
        self.noticed_things.add(what)
        if what == SEVERAL_THREADS:
            self.blind[what] = AT_ONCE
        if what in (MOVED, OTHER_THREAD):
            self.rest.until = 0
        if what == OTHER_THREAD:
            guarded(Observer._forget_step)(self)

    @guarded
    def backward_begins(self, tensors: tuple[Tensor, ...]) -> None:
        """Read the live graph of a sampled step, and of any step whose loss stands out or is not finite."""
        self.n_backwards += 1
        self.sampling.is_shared = self.sampling.is_shared or several_ranks()
        if self.has_stepped or self._was_discarded(tensors):
            self._forget_step()
        if is_backward_compiled():
            self.noticed_things.add(COMPILED_BACKWARD)
        self.awaits_end = self.steps.has_kept
        if self.awaits_end:
            self._reached = self._reached_by(tensors)
            self.steps.look_for_kept_gradients(self._reached)
        self.moment = self.clock
        value = self._value_of(tensors)
        if value is not None:
            self._loss += value
            self._has_loss = True
            self.stands_out = self.spikes.stands_out(value) and not self.sampling.is_shared  # ranks must all do the same
        is_bad = value is not None and not abs(value) < float("inf")
        losses = tuple(map(self._scaled.original, tensors))
        self.growth.backward_begins(losses, self)
        is_sampled = self.sampling.is_sampled(self.clock)
        is_read = self.stands_out or (is_bad and not self._reader.has_found_bad) or (is_sampled and not self._reader.is_brief(self))
        self.is_brief = is_sampled and not is_read
        is_curved = not is_read and value is not None and not is_bad and "saved_tensor_hooks" not in self.noticed_things and self._reader.curvature.wants(self)
        if not (is_read or is_curved) or len(self._readings) >= 4:
            return
        graph = LiveGraph(tensors)
        if not graph.nodes:
            self.noticed_things.add(BARE_LOSS)
            return
        self.awaits_end = True
        if not is_read and value is not None:
            self._readings.append(self._reader.read_curvature(graph, losses, self, value))
            return
        self._readings.append(self._reader.read(graph, losses, self, is_bad=is_bad, value=value))
        self._readings[-1].scale = self._scaled.scale_of(tensors, value)
        if self.follower is not None:
            self.follower.batch_seen(graph, self._readings[-1])
        if self.distributions is not None:
            self.distributions.forward(self._readings[-1], self)

    @guarded
    def backward_ended(self) -> None:
        """Take the probes out of the graph that backward has just walked."""
        if self._readings:
            self._readings[-1].remove_probes()
            self.steps.note_what_was_made(self._readings[-1])
            if self._readings[-1].beat == 0:
                self.signs.note([player for player in self.players if player.parameters.keys() & self._readings[-1].leaves.keys()])
        self.steps.note_what_was_added(self._reached)

    @guarded
    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """Read gradients and weights as the optimizer is about to use them."""
        player = self.player_of(optimizer)
        if player is not None:
            self._lead(player)
            self.moment = self.clock if player.steps >= self.moment else self.moment
            player.began, player.thread = player.began or self.moment, threading.get_ident()
            if player is self.leader:
                self._validation.close(player, self.moment)
            self.steps.begin(player, optimizer)
            self.growth.step_begins(player, optimizer, self)
            if self.follower is not None:
                self.follower.step_begins(player, self.moment)

    @guarded
    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """Read the update, store the row and move the clock on."""
        player = self.player_of(optimizer)
        if player is None:
            return
        is_sampled = self.sampling.is_sampled(self.moment)
        self.steps.end(player, optimizer)
        if is_sampled:
            player.n_sampled += 1
            self.sampling.steps_recorded += 1
        self._moved.add(id(player))
        self.sampling.decide(self.clock, time.perf_counter() - self.began)
        if self.follower is not None:
            self.follower.step_ended(self.moment)
        try:
            self.end_step(player, is_sampled=is_sampled)
        finally:
            self.rest.settle(player, optimizer)

    # -- what every step does, also one that `Rest` passes

    def begin_step(self, value: float | None) -> None:
        """Take the first loss after a step as that of the next one; ``None`` where it is not read."""
        self.n_backwards += 1
        self.awaits_end, self.stands_out, self.moment = False, False, self.clock
        self._loss, self._has_loss, self.has_stepped = value or 0.0, value is not None, False

    def end_step(self, player: Player, *, is_sampled: bool = False) -> None:
        """Move the clock on, and tell who asked for it."""
        step = player.steps = self.moment
        self.has_stepped = True
        self.clock += 1 if player is self.leader else 0
        if self.on_step is not None:
            self.on_step(player, step, is_sampled)

    # -- what others ask

    @property
    def has_open(self) -> bool:
        """Whether anything of the step that has just ended matters to the next one."""
        return bool(self._readings or self._scaled or self._clips or self.steps.has_kept or self.growth.is_following)

    @property
    def next_measured(self) -> float:
        """The first step from now on at which curvature or growth may be measured though it is not recorded."""
        return min(self.growth.next_step, self._reader.curvature.next_step(self))

    def player_of(self, optimizer: torch.optim.Optimizer) -> Player | None:
        """Return the player of an optimizer: a new one over the same parameters continues the old one."""
        if self.only and id(optimizer) not in self.only:
            return None
        known, n_known = self._of_optimizer.get(optimizer, (None, 0))
        count = sum(len(group["params"]) for group in optimizer.param_groups)
        if known is not None and n_known == count:
            return known
        ids = {id(p) for group in optimizer.param_groups for p in group["params"]}
        same = known or next((player for player in self.players if any(key in player.parameters for key in ids)), None)
        if same is None:
            same = Player(optimizer)
            self.players.append(same)
        same.adopt(optimizer)
        self._of_optimizer[optimizer] = same, count
        self._optimizers[id(same)] = weakref.ref(optimizer)
        return same

    def traces(self, settings: dict[str, Any] | None = None) -> list[Trace]:
        """Return one trace per player."""
        with self.lock:  # they may be asked for in another thread than that of the training
            if self.leader is not None:
                self._validation.close(self.leader, self.leader.steps)
                if self.players[0].steps < self.leader.began:
                    self.blind["one_after_another"] = ONE_AFTER_ANOTHER
            for player in self.players[:1]:
                player.facts |= self._loaders.facts(player.steps)
            facts = self._reader.facts_for_all(self)
            checks = {"checks": [rule.name for rule in all_rules()], **self._scalers.facts(), **rotation_fact(self.players)}
            blind = list(self.blind.values())
            return with_origins([player.trace(blind, settings or {}, {**facts(player), **checks}) for player in self.players], self.players)

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

    def _lead(self, player: Player) -> None:
        """Let a player whose second step comes before another one of the leader lead: the leader's training may be over (folds, a teacher and its student)."""
        last = self.leader = self.leader or player
        if last is player or player.steps < self.clock:
            return
        self.leader, self.clock = player, self.clock + 1
        if last.steps < player.began:
            self._validation.close(last, last.steps)
            self._validation = Validation()

    def _forget_step(self) -> None:
        self.growth.forget_step()
        if self._readings:
            note_rivals(self, self._moved)
            self._release()
        self._moved.clear()
        self._loss, self._has_loss, self.has_stepped, self._clips, self.stands_out, self.is_brief = 0.0, False, False, [], False, False
        self._scaled.forget_dead()

    def _was_discarded(self, tensors: tuple[Tensor, ...]) -> bool:
        """Return whether the script has thrown away the gradients of earlier backward calls instead of stepping (a batch that it skipped)."""
        players = self._reached_by(tensors) if self._has_loss else []
        if players and self.noticed_things.isdisjoint((SEVERAL_THREADS, MOVED, OTHER_THREAD)):
            players = self.players  # the other side of a game, too
        gone = (p.grad is None and not is_sharded(p) for player in players for p in player.parameters.values())  # FSDP2 gives gradients at the last one
        return bool(players) and all(gone)

    def _reached_by(self, tensors: tuple[Tensor, ...]) -> list[Player]:
        """Return the players whose gradients no other thread may be writing; ranks, of whose sharded weights a graph holds copies, train in one thread."""
        return self.players if self.sampling.is_shared else reached(self.players, tensors)

    @property
    def _is_of_others(self) -> bool:
        """Whether the calling thread is not that of the training, where several train at the same time."""
        return SEVERAL_THREADS in self.noticed_things and self.leader is not None and self.leader.thread != threading.get_ident()

    def _value_of(self, tensors: tuple[Tensor, ...]) -> float | None:
        values = [self._scaled.unscaled(t) for t in tensors if t.numel() == 1 and not t.is_complex()]
        if not values or (values[0].device.type != "cpu" and not self.sampling.is_sampled(self.clock)):
            return None
        return float(sum(value.item() for value in values))
