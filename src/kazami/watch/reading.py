"""Reading a live graph at a sampled step: layers, forward quantities, structure, targets, curvature, and probes for the backward pass."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from .collapse import collapse_numbers
from .curving import CurvatureReader
from .data_flow import FlowReader
from .extra_backward import COMPILED_BACKWARD
from .found_losses import losses_in
from .frozen import Frozen
from .graph import LiveGraph, Skeleton
from .head import head_numbers
from .layers import Outline, Sight, outlines, read_layers, seen_again, weights_above
from .losses import LossCall, call_value
from .moving_targets import TargetMemory
from .names import Names, is_nameless, unregistered
from .nonfinite import first_bad_place, singular_operations
from .observables import all_observables, norm_of, sample, signal
from .opposing import watch_operations
from .player import Player
from .precision import UnderflowReader, precision_facts
from .structure import read_structure
from .terms import TermReader

if TYPE_CHECKING:
    from .observer import Observer

BARE_LOSS = "bare_loss"  # noticed: backward was called on a tensor without history
MOST_PROBES = 4096
MANY_USES = 16
MOST_COLUMNS, FEWEST_ROWS = 64, 8
MOST_NUMBERS = 2048  # of a gradient on its way back; the gradients of weights are read whole
DENSE = 64  # so many recorded steps show everything,
SPARSE = 16  # later steps do so at this distance,
FOURTH = 4  # and of those between each fourth shows what changes fast; the others show gradients and updates alone
OFTEN = 8
SINGULAR = frozenset({"Sqrt", "Rsqrt", "Log", "Div", "Pow", "Std", "Acos", "Asin", "Exp", "Atan2", "Reciprocal", "Log1P"})


@dataclass(slots=True)
class Reading:
    """What one backward call showed.

    Attributes:
        sights: Its layers.
        leaves: The tensors it gives gradients to, by ``id``.
        facts: Structural facts.
        calls: The loss calls it contains.
        value: The loss.
        bad: Where the first non-finite number came from, if any.
        singular: Operations with an infinite derivative.
        numbers: Run-level numbers measured here (output and target statistics, curvature).
        running: Facts that are told anew whenever everything is looked at, the newest being the true one.
        probes: The hooks in its graph, until backward has passed.
        scale: By what a gradient scaler has multiplied the loss.
        beat: Steps since the last step that showed everything; 0 if this one does.
        has_facts: Whether the structure was looked at.
    """

    sights: list[Sight]
    leaves: dict[int, Tensor]
    facts: dict[str, Any]
    calls: list[LossCall]
    value: float | None
    bad: dict[str, Any] | None = None
    singular: list[dict[str, Any]] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    running: dict[str, Any] = field(default_factory=dict)
    probes: list[Any] = field(default_factory=list)
    scale: float = 1.0
    beat: int = 0
    has_facts: bool = False

    def remove_probes(self) -> None:
        """Take the hooks out of the graph and forget the graph, so that its memory can go."""
        for probe in self.probes:
            probe.remove()
        self.probes = []
        for sight in self.sights:
            sight.uses, sight.activation, sight.inputs, sight.first_input = [], None, None, None
        for call in self.calls:
            call.let_go()


class GraphReader:
    """Reads graphs for an observer and remembers what lasts between steps."""

    def __init__(self, names: Names, *, is_dynamics: bool = False) -> None:
        self.names = names
        self.has_found_bad = False
        self.curvature, self.underflow, self.terms, self.targets = CurvatureReader(is_full=is_dynamics), UnderflowReader(), TermReader(), TargetMemory()
        self.flow = FlowReader()
        self._memories: WeakTensorKeyDictionary = WeakTensorKeyDictionary()
        self._frozen_memories: dict[int, dict[str, Any]] = {}
        self._outside: dict[int, str] = {}
        self._frozen = Frozen()
        self._hidden: dict[int, str] = {}
        self._searched = 0
        self._outlines: dict[Skeleton, list[Outline]] = {}
        self._beat_of, self._whole_at, self._n_whole = 0, -SPARSE, 0

    def read(self, graph: LiveGraph, losses: tuple[Tensor | None, ...], observer: "Observer", *, is_bad: bool, value: float | None) -> Reading:
        """Measure everything that can be measured before the user's backward runs, then place probes."""
        blocked = "saved_tensor_hooks" in observer.noticed_things
        if graph.is_compiled():
            observer.blind["compiled"] = "Part of the model is compiled: inside it only parameters, gradients and updates are seen, no activations."
        if blocked:
            observer.blind["checkpoint"] = (
                "The script uses activation checkpointing or saved-tensor hooks: activations are not looked at, so as not to run them again."
            )
            return Reading([], graph.leaves, {}, [], value)
        beat = 0 if is_bad or observer.stands_out else self._beat(observer.clock)
        is_searched = beat == 0 and (self._n_whole <= OFTEN or self._n_whole % OFTEN == 0)
        reading = Reading(self._layers(graph, is_searched=is_searched), graph.leaves, {}, [], value, beat=beat, has_facts=is_searched)
        if reading.beat == 0:
            self._read_whole(graph, reading)
            if value is not None and not is_bad:
                reading.running = self.terms.read(graph, losses, reading.sights, reading.calls, value, observer)
                reading.running |= self.targets.read(reading.sights, reading.calls)
        if is_bad and not self.has_found_bad:
            self.has_found_bad = True
            reading.bad = first_bad_place(graph, reading.sights, self.names)
        if not graph.names.isdisjoint(SINGULAR):
            reading.singular = singular_operations(graph, reading.sights)
        for observable in all_observables("forward", reading.beat):
            for sight in reading.sights:
                sight.values[observable.name] = observable.measure(sight)
        if value is not None and not is_bad:
            self.underflow.read(graph, reading.sights, observer)
            self.curvature.read(losses, graph, observer, reading.numbers)
        if COMPILED_BACKWARD not in observer.noticed_things:
            self._place_probes(reading)
        else:
            observer.blind[COMPILED_BACKWARD] = "The backward pass is compiled: the gradients of activations are not seen, so as not to have it compiled again."
        if reading.has_facts:
            if COMPILED_BACKWARD not in observer.noticed_things:
                watch_operations(graph, reading)
            self.flow.read(graph, reading.sights)
        return reading

    def read_curvature(self, graph: LiveGraph, losses: tuple[Tensor | None, ...], observer: "Observer", value: float) -> Reading:
        """Measure curvature alone, at a step that is not recorded."""
        reading = Reading([], graph.leaves, {}, [], value)
        self.curvature.read(losses, graph, observer, reading.numbers)
        return reading

    def _beat(self, step: int) -> int:
        """Return how many steps ago everything was shown: the first steps, and then steps far enough apart, show it."""
        if step != self._beat_of:
            self._beat_of = step
            if self._n_whole < DENSE or step - self._whole_at >= SPARSE:
                self._whole_at, self._n_whole = step, self._n_whole + 1
        return step - self._whole_at

    def is_brief(self, observer: "Observer") -> bool:
        """Return whether gradients and updates are all that the step in progress is recorded for, so that its graph need not be read."""
        follower, since = observer.follower, observer.clock - self._whole_at
        if self._n_whole < DENSE or self.curvature.is_full or not 0 < since < SPARSE or since % FOURTH == 0:
            return False
        return follower is None or not follower.cadence.is_due(observer.clock - 1)

    def _layers(self, graph: LiveGraph, *, is_searched: bool) -> list[Sight]:
        """Return the layers of a graph, from memory where its shape is known and no search is due."""
        known = self._outlines.get(graph.skeleton)
        sights = seen_again(graph, known) if known is not None and not is_searched else None
        if sights is not None:
            return sights
        sights = read_layers(graph, self.names)
        for sight in sights:
            sight.memory = self._memories.setdefault(sight.weight, {}) if sight.is_trained else self._frozen_memories.setdefault(sight.weight.data_ptr(), {})
        self._frozen.note_layers(sights)
        self._outlines.pop(graph.skeleton, None)
        if all(sight.is_trained for sight in sights):
            self._outlines[graph.skeleton] = outlines(graph, sights)
            while len(self._outlines) > OFTEN:
                del self._outlines[next(iter(self._outlines))]
        return sights

    def _read_whole(self, graph: LiveGraph, reading: Reading) -> None:
        above = weights_above(graph)
        reading.calls = losses_in(graph, above)
        for call in reading.calls:
            call.value = call_value(call)
        reading.numbers |= output_numbers(reading.calls) | head_numbers(graph, reading.sights, reading.calls)
        reading.numbers |= collapse_numbers(graph, above, reading.sights, reading.calls)
        if reading.has_facts:
            structure = read_structure(graph, above, reading.sights, reading.calls)
            reading.facts = structure | input_facts(reading.sights) | precision_facts(reading.sights)

    def _place_probes(self, reading: Reading) -> None:
        n_uses = sum(len(sight.uses) for sight in reading.sights)
        if n_uses > MOST_PROBES:
            return
        for sight in reading.sights:
            if sight.layer.kind in ("norm", "embedding") or (len(sight.uses) > MANY_USES and reading.beat % FOURTH):
                continue
            sight.output_gradients = [float("nan")] * len(sight.uses)
            for index, node in enumerate(sight.uses):
                reading.probes.append(node.register_prehook(_probe(reading, sight, index)))

    def facts_for_all(self, observer: "Observer") -> Callable[[Player], dict[str, Any]]:
        """Return a function that gives the facts of one player that only become clear with all optimizers known."""
        owned = {key for player in observer.players for key in player.sizes}
        hidden = self._hidden
        given = {key for player in observer.players for key in player.given}

        def facts(player: Player) -> dict[str, Any]:
            outside = {key: name for key, name in self._outside.items() if key not in owned}
            trained = sum(player.sizes.values())
            found: dict[str, Any] = {"trained_parameters": trained}
            flow = self.flow.of(player)
            if flow is not None:
                found["data_flow"] = flow
            lost = sorted(hidden[key] for key in outside if key in hidden)
            if lost:
                found["unregistered"] = lost
            foreign = sorted(name for key, name in outside.items() if key not in hidden)
            if foreign and player is observer.players[0]:
                found["not_in_optimizer"] = foreign
            found |= self._frozen.facts(given)
            ungiven = of_living_modules(player.ungiven, [observer.names.of(p) for p in player.parameters.values()])
            if ungiven and player.n_sampled >= 1 and observer.n_backwards:
                found["never_given_a_gradient"] = list(ungiven.values())
                found["is_loss_bare"] = BARE_LOSS in observer.noticed_things
                found["never_given_share"] = sum(player.sizes.get(key, 0) for key in ungiven) / max(trained, 1)
            return found

        return facts

    def note_leaves(self, reading: Reading) -> None:
        """Remember the parameters that backward reaches, to compare them with what the optimizers hold."""
        for key, leaf in reading.leaves.items():
            if isinstance(leaf, nn.Parameter) and key not in self._outside:
                self._outside[key] = self.names.of(leaf)
        modules = list(self.names.modules)
        if len(modules) > self._searched:
            self._searched = len(modules)
            self._hidden.update(unregistered(modules))
            own = [module for module in modules if any(id(p) in reading.leaves for p in module.parameters())]  # a teacher that is frozen as a whole is none
            self._frozen.note_modules(own)


def _probe(reading: Reading, sight: Sight, index: int) -> Callable[[tuple[Tensor | None, ...]], None]:
    def probe(gradients: tuple[Tensor | None, ...]) -> None:
        first = gradients[0] if gradients else None
        if first is not None:
            with torch.no_grad():
                seen = sample(first, MOST_NUMBERS)
                sight.output_gradients[index] = norm_of(seen) / max(seen.numel(), 1) ** 0.5 / reading.scale

    return probe


def output_numbers(calls: list[LossCall]) -> dict[str, float]:
    """Return mean and spread of the network's output and, for values, of the targets."""
    if not calls or not calls[-1].output.is_floating_point() or calls[-1].output.numel() == 0:
        return {}
    output, target = calls[-1].output.float(), calls[-1].target
    table = signal(output)
    numbers = {
        "output_mean": float(output.mean()),
        "output_std": float(output.std(unbiased=False)),
        "output_spread": float(table.std(0, unbiased=False).mean()),
    }
    if target.is_floating_point():
        values = target.float()
        numbers |= {"target_mean": float(values.mean()), "target_std": float(values.std(unbiased=False))}
        numbers |= column_numbers(output, values)
    return numbers


def column_numbers(output: Tensor, target: Tensor) -> dict[str, float]:
    """Return, for targets of a few columns, how many times larger the largest one's spread is than that of the middle of the smaller half, and how much of
    these is explained.
    """
    if output.shape != target.shape or target.dim() != 2 or not 2 <= target.shape[1] <= MOST_COLUMNS or len(target) < FEWEST_ROWS:
        return {}
    variance = target.var(0, unbiased=False)
    order = variance.argsort()[: target.shape[1] // 2]
    small = variance[order]
    if not bool((small > 0).all()):
        return {}
    left = (output - target).square().mean(0)[order] / small
    return {"target_columns_ratio": float((variance.max() / small.max()).sqrt()), "small_columns_explained": 1.0 - float(left.mean())}


def input_facts(sights: list[Sight]) -> dict[str, Any]:
    """Return, for the first layer that reads the batch, how its features lie: offsets and scales."""
    for sight in sights:
        data = sight.first_input
        if not sight.reads_data or data is None or not data.is_floating_point() or data.dim() < 2:
            continue
        is_fused = sight.layer.kind == "recurrent" and data.dim() == 3  # a whole sequence; a cell that is called step by step may read its state first
        if not (is_fused or sight.layer.kind in ("linear", "conv")) or data.shape[: 2 if is_fused else 1].numel() < 4:
            continue
        table = signal(data, sight.unit_axis, most_rows=4096)
        mean, std = table.mean(0), table.std(0, unbiased=False)
        if not bool(torch.isfinite(std).all()):
            continue
        live = std > 1e-12 * std.max().clamp(min=1e-300)
        if not bool(live.any()):
            continue
        mean, std = mean[live], std[live]
        return {
            "input": {
                "layer": sight.layer.name,
                "rms": float(table.square().mean().sqrt()),
                "std": float(std.square().mean().sqrt()),
                "largest_std": float(std.max()),
                "smallest_std": float(std.min()),
                "typical_std": float(std.median()),
                "offset": float((mean.abs() / std).median()),
                "largest_mean": float(mean.abs().max()),
                "features": int(live.sum()),
            }
        }
    return {}


def of_living_modules(ungiven: dict[int, str], names: list[str]) -> dict[int, str]:
    """Return the parameters without a gradient that some module holds; all of them where no module holds any parameter.

    What was replaced after the optimizer was made (``model.fc = …``) stays in the optimizer, and is nobody's loss.
    """
    return {key: name for key, name in ungiven.items() if not is_nameless(name)} if not all(map(is_nameless, names)) else ungiven
