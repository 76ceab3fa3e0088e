"""What one optimizer step consumed and did: gradients, weights before and after, and gradients that nobody cleared."""

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from ..records.trace import Layer
from .layers import Sight
from .moved_weights import MOST_WEIGHTS, compare_weights, predicted_change, remember_weights
from .names import layer_of
from .observables import all_observables, norms_of, sample
from .player import Player
from .sharded import FSDP1, flat_pieces, is_sharded, part_of
from .shared_norms import SharedNorms

if TYPE_CHECKING:
    from .observer import Observer
    from .reading import Reading

REMEMBERED = 4  # parameters whose gradients are followed from one call to the next
BRIEF = 1  # the beat of a step whose graph is not read: what is measured at each fourth step only is not measured
GLANCE = 4  # at so many steps that are not recorded one is glanced at


@dataclass(slots=True)
class _Step:
    sights: list[Sight] = field(default_factory=list)
    is_scaled: bool = False
    beat: int = 0


class _Consumed(NamedTuple):
    """A gradient that a step has used: whose, which, and autograd's count of the changes made to it. It holds no memory of the training's."""

    parameter: weakref.ref[Tensor]
    gradient: weakref.ref[Tensor]
    version: int

    def is_there(self) -> bool:
        """Return whether the same gradient is still in place, unchanged."""
        parameter, gradient = self.parameter(), self.gradient()
        if parameter is None or gradient is None or parameter.grad is not gradient or gradient._version != self.version:
            return False
        return _size(gradient) != 0  # ``.data.zero_()`` is not counted; what is not finite was not cleared either


class StepReader:
    """Reads the optimizer steps for an observer."""

    def __init__(self, observer: "Observer") -> None:
        self._observer = observer
        self._open: dict[int, _Step] = {}
        self._kept: dict[int, list[_Consumed]] = {}
        self._is_kept: dict[int, bool] = {}
        self._kept_at: dict[int, int] = {}
        self._shared = SharedNorms()
        self._glanced: dict[int, tuple[int, int]] = {}
        self._made: list[weakref.ref[Tensor]] = []
        self._known: dict[int, dict[int, tuple[weakref.ref[Tensor], Layer, dict[str, Any]]]] = {}

    def begin(self, player: Player, optimizer: torch.optim.Optimizer) -> None:
        """Read what the optimizer is about to use."""
        step, observer = self._observer.moment, self._observer
        loss = observer.pending_loss
        player.note_step(step, loss, optimizer.param_groups)
        if player.first_loss is None and loss is not None and math.isfinite(loss) and loss != 0:
            player.first_loss = loss
        self._count_kept(player, step)
        for reading in observer.readings:
            self._take_facts(player, reading, step)
        is_scaled = getattr(optimizer, "grad_scale", None) is not None
        is_sampled = observer.sampling.is_sampled(step) or observer.stands_out
        is_alone = len(observer.players) == 1
        if is_sampled or not is_alone or "turned" in player.facts:
            player.orbit.add(step, player, is_sampled=is_sampled, is_alone=is_alone)
        if player.steps == 0 and flat_pieces(optimizer):
            observer.blind["fsdp1"] = FSDP1
        if not is_sampled:
            self._open.pop(id(player), None)
            if not is_scaled and step % GLANCE == 0 and not self.are_sound(player):
                self._norms(player, _gradients(player), step)
            return
        self._record(player, optimizer, step, is_scaled=is_scaled)

    def _record(self, player: Player, optimizer: torch.optim.Optimizer, step: int, *, is_scaled: bool) -> None:
        """Read gradients and weights of a step that is recorded, and, unless it is a brief one, what lies between backward and step."""
        observer = self._observer
        beats = [reading.beat for reading in observer.readings if reading.sights or not observer.is_brief]
        is_brief = observer.is_brief and not beats
        beat = BRIEF if is_brief else min(beats, default=0)
        gradients = _gradients(player)
        norms = {} if is_scaled else self._norms(player, gradients, step)
        sights = self._sights_again(player) if is_brief and id(player) in self._known else self._sights(player)
        self._note_weights(player, step, sights, beat)
        for sight in sights:
            sight.reference_loss = player.reference_loss
            if sight.is_trained:
                sight.gradient = None if is_scaled else gradients.get(id(sight.weight))
                sight.gradient_norm = norms.get(id(sight.weight), math.nan)
            for observable in all_observables("before_step", beat):
                sight.values[observable.name] = observable.measure(sight)
        remember_weights([sight for sight in sights if sight.is_trained])
        self._open[id(player)] = _Step(sights, is_scaled, beat)
        self._note_clipping(player, step)
        if is_brief:
            return
        observer.signs.compare(player, optimizer, observer.players)
        if observer.distributions is not None:
            observer.distributions.step_begins(player, sights, observer)
        player.given.update(gradients)
        player.ungiven = {key: observer.names.of(p) for key, p in player.parameters.items() if key not in player.given and p.requires_grad}
        self._note_wiping(player)

    def end(self, player: Player, optimizer: torch.optim.Optimizer) -> None:
        """Read what the optimizer did."""
        step = self._observer.moment
        found_inf = getattr(optimizer, "found_inf", None)
        if found_inf is not None and float(found_inf) > 0:
            player.facts["skipped_steps"] = player.facts.get("skipped_steps", 0) + 1
        opened = self._open.pop(id(player), None)
        self._kept.pop(id(player), None)
        if opened is None:
            return
        self._remember_gradients(player)
        changes = compare_weights(opened.sights)
        for sight in opened.sights:
            if opened.is_scaled:
                sight.gradient = _whole(sight.weight.grad)
                sight.gradient_norm = math.nan if sight.gradient is None or is_sharded(sight.weight) else norms_of([sight.gradient])[0]
                for observable in all_observables("before_step", opened.beat):
                    sight.values[observable.name] = observable.measure(sight)
        self._note_update(player, changes, step, opened.beat)
        for observable in all_observables("after_step", opened.beat):
            for sight in opened.sights:
                sight.values[observable.name] = observable.measure(sight)
        self._store(player, opened.sights, step)
        for sight in opened.sights:
            sight.gradient, sight.update, sight.before = None, None, None  # a copy of all gradients must not outlive the step

    @property
    def has_kept(self) -> bool:
        """Whether a recorded step's gradients are remembered."""
        return bool(self._kept)

    def look_for_kept_gradients(self, players: Sequence[Player]) -> None:
        """At each backward that follows a step and reaches ``players``: are the consumed gradients still there, so that the new ones will be added to them?"""
        for player_key, kept in self._kept_of(players):
            self._is_kept[player_key] = bool(kept) and all(item.is_there() for item in kept)
            if not self._is_kept[player_key]:
                self._kept[player_key] = []  # cleared once is cleared, whatever comes before the next step

    def note_what_was_added(self, players: Sequence[Player]) -> None:
        """After a backward that has reached ``players``: the gradients that it has added to are still those of the last step."""
        for player_key, kept in self._kept_of(players):
            owners = [item.parameter() for item in kept]
            self._kept[player_key] = _consumed([p for p in owners if p is not None])

    def note_what_was_made(self, reading: "Reading") -> None:
        """After a backward that was read: a few of the parameters to which it gave a gradient that is not zero."""
        self._made = []
        for leaf in reading.leaves.values():
            if len(self._made) < REMEMBERED and _has_gradient(leaf):
                self._made.append(weakref.ref(leaf))

    # -- pieces

    def _kept_of(self, players: Sequence[Player]) -> list[tuple[int, list[_Consumed]]]:
        return [(id(player), self._kept[id(player)]) for player in players if id(player) in self._kept]

    def _sights(self, player: Player) -> list[Sight]:
        found: dict[int, Sight] = {}
        for reading in self._observer.readings:
            for sight in reading.sights:
                if id(sight.weight) in player.parameters or not sight.is_trained:
                    found.setdefault(id(sight.weight), sight)
        is_blind = not any(sight.is_trained for sight in found.values())
        for key, p in player.parameters.items():
            if key not in found and p.grad is not None and (p.dim() >= 2 or is_blind):
                name = self._observer.names.of(p)
                layer = Layer(
                    name=layer_of(name),
                    kind="other",
                    shape=tuple(p.shape),
                    fan_in=max(p.numel() // max(p.shape[0], 1), 1) if p.dim() else 1,
                    fan_out=p.shape[0] if p.dim() else 1,
                )
                found[key] = Sight(layer=layer, weight=p, is_trained=True)
        known = self._known.setdefault(id(player), {})
        known.update({key: (weakref.ref(sight.weight), sight.layer, sight.memory) for key, sight in found.items() if sight.is_trained})
        return list(found.values())

    def _sights_again(self, player: Player) -> list[Sight]:
        """Return the layers of steps whose graph was read as far as they have a gradient now."""
        found = []
        for one, layer, memory in self._known.get(id(player), {}).values():
            weight = one()
            if weight is not None and weight.grad is not None:
                found.append(Sight(layer, weight, is_trained=True, memory=memory))
        return found

    def _take_facts(self, player: Player, reading: "Reading", step: int) -> None:
        if not any(key in player.parameters for key in reading.leaves):
            if not any(key in other.parameters for other in self._observer.players for key in reading.leaves):
                self._observer.note_leaves(reading)  # nobody steps on these: the optimizer was made for another model
            return
        self._observer.note_leaves(reading)
        for name, fact in reading.facts.items():
            player.facts.setdefault(name, {**fact, "step": step})
        player.facts.update(reading.running)
        seen = player.facts.setdefault("seen", {})
        for name in reading.facts:
            seen[name] = seen.get(name, 0) + 1
        seen["graphs"] = seen.get("graphs", 0) + (1 if reading.sights and reading.has_facts else 0)
        if reading.bad is not None:
            player.facts.setdefault("first_bad", {**reading.bad, "step": step, "backward": self._observer.n_backwards})
        if reading.singular:
            player.facts["singular"] = {**reading.singular[0], "step": step}
        for name, value in reading.numbers.items():
            player.add_number(name, step, value)
        player.note_targets(reading.calls, reading.value, self._losses_of_step())

    def _losses_of_step(self) -> float:
        """Return how many losses of the size of those that were read the step in progress has: of many, the first few are read."""
        values = [reading.value for reading in self._observer.readings if reading.value is not None]
        total, read = self._observer.pending_loss, sum(values)
        return len(values) * total / read if total is not None and math.isfinite(total) and total > 0 and read > 0 else max(len(values), 1)

    def _note_clipping(self, player: Player, step: int) -> None:
        if self._observer.pending_clips:
            total, limit = self._observer.pending_clips[-1]
            player.add_number("norm_before_clipping", step, total)
            player.add_number("clipping_limit", step, limit)

    def _norms(self, player: Player, gradients: dict[int, Tensor], step: int) -> dict[int, float]:
        """Return the norm of each gradient and note the total."""
        if not gradients:
            return {}
        norms = self._norms_of("gradient", player, step, gradients, {key: p.grad for key, p in player.parameters.items() if p.grad is not None})
        if len(norms) < len(gradients):
            return norms
        total = math.hypot(*norms.values())
        player.add_number("total_gradient_norm", step, total)
        loss = self._observer.pending_loss
        if not math.isfinite(total) and loss is not None and math.isfinite(loss) and "bad_gradient" not in player.facts:
            first = next((key for key, norm in norms.items() if not math.isfinite(norm)), next(iter(norms)))
            player.facts["bad_gradient"] = {
                "place": self._observer.names.of(player.parameters[first]),
                "step": step,
                "backward": self._observer.n_backwards,
                "singular": player.facts.get("singular", {}) if player.facts.get("singular", {}).get("step") == step else {},
            }
        return norms

    def _norms_of(self, name: str, player: Player, step: int, parts: Mapping[int, Tensor], whole: Mapping[int, Tensor]) -> dict[int, float]:
        """Return the norm of each tensor; where ranks hold parts of some, of those whose parts are all told.

        Args:
            name: Of the quantity.
            player: Whose they are.
            step: The optimizer step.
            parts: What this rank holds, by the parameter's ``id``.
            whole: The tensors themselves.
        """
        if not any(is_sharded(whole[key]) for key in parts):
            return dict(zip(parts, norms_of(list(parts.values())), strict=True))
        found = self._shared.norms(f"{name}{self._observer.players.index(player)}", step, [whole[key] for key in parts])
        if self._shared.blind:
            self._observer.blind["sharded"] = self._shared.blind
        return {key: norm for key, norm in zip(parts, found, strict=True) if norm is not None}

    def are_sound(self, player: Player) -> bool:
        """Return whether the first small gradient's sum is finite: what spoils one layer on the way back spoils all that follow."""
        known = self._glanced.get(id(player))
        if known is None or known[0] != len(player.sizes):
            small = next((key for key, size in player.sizes.items() if size <= MOST_WEIGHTS), next(iter(player.sizes), 0))
            known = self._glanced[id(player)] = len(player.sizes), small
        parameter = player.parameters.get(known[1])
        gradient = parameter.grad if parameter is not None else None
        if gradient is None or gradient.device.type != "cpu" or gradient.is_sparse or gradient.is_complex():
            return True
        return math.isfinite(part_of(gradient).sum().item())

    def _note_weights(self, player: Player, step: int, sights: list[Sight], beat: int) -> None:
        """Give each layer the norm of its weights, measured now or at the last step that showed everything."""
        fresh = [sight for sight in sights if beat == 0 or "weight_norm" not in sight.memory]
        weights = {id(sight.weight): sight.weight for sight in fresh}
        norms = self._norms_of("weight", player, step, weights, weights) if fresh else {}
        for sight in fresh:
            sight.memory["weight_norm"] = norms.get(id(sight.weight), math.nan)
        for sight in sights:
            sight.weight_norm = sight.memory["weight_norm"]

    def _note_wiping(self, player: Player) -> None:
        """Count the steps that found nothing of the gradients which the last backward made: cleared between backward and step."""
        made = [p for one in self._made if (p := one()) is not None and id(p) in player.parameters]
        if not made or self._observer.pending_clips:
            return
        is_wiped = not any(_has_gradient(p) for p in made)
        counts = player.facts.setdefault("wiped_gradients", {"wiped": 0, "of": 0})
        counts["wiped"], counts["of"] = counts["wiped"] + is_wiped, counts["of"] + 1

    def _count_kept(self, player: Player, step: int) -> None:
        """Count the steps whose gradients were never cleared; it is looked for after recorded steps only, and those between count with them."""
        is_kept = self._is_kept.pop(id(player), None)
        if is_kept is None:
            return
        before = self._kept_at.get(id(player), step - 1)
        player.facts["kept_gradients"] = player.facts.get("kept_gradients", 0) + step - before if is_kept else 0
        self._kept_at[id(player)] = step

    def _remember_gradients(self, player: Player) -> None:
        held = []
        for p in player.parameters.values():
            if p.grad is not None and not p.grad.is_sparse:
                held.append(p)
            if len(held) == REMEMBERED:
                break
        self._kept[id(player)] = _consumed(held)

    def _note_update(self, player: Player, sights: list[Sight], step: int, beat: int) -> None:
        pairs = [(sight, sight.before, sight.update) for sight in sights if sight.before is not None and sight.update is not None]
        if not pairs:
            return
        norms = norms_of([before for _, before, _ in pairs] + [update for _, _, update in pairs])
        for index, (sight, _, _) in enumerate(pairs):
            sight.before_norm, sight.update_norm = norms[index], norms[len(pairs) + index]
        norm = math.hypot(*norms[len(pairs) :])
        player.add_number("update_norm", step, norm)
        if not math.isfinite(norm) and "bad_update" not in player.facts:
            place = next((sight.layer.name for sight in sights if not math.isfinite(sight.update_norm)), "the weights")
            player.facts["bad_update"] = {"place": place, "step": step, "backward": self._observer.n_backwards}
        update = torch.cat([update.reshape(-1).float().to(pairs[0][2].device) for _, _, update in pairs])
        last = player.last_update
        if last is not None and player.last_update_step == step - 1 and last.shape == update.shape and norm > 0:
            player.add_number("update_cosine", step, float(update @ last) / max(norm * float(last.norm()), 1e-300))
        player.last_update, player.last_update_step = update, step
        if beat == 0:
            player.add_number("predicted_change", step, sum(predicted_change(sight) for sight in sights))

    def _store(self, player: Player, sights: list[Sight], step: int) -> None:
        quantities: dict[str, dict[int, float]] = {}
        for sight in sights:
            column = player.column(sight)
            for name, value in sight.values.items():
                quantities.setdefault(name, {})[column] = value
        for name, values in quantities.items():
            if not all(math.isnan(value) for value in values.values()) or name == "layer_wind":
                player.add_layer_values(name, step, values)


def _whole(tensor: Tensor | None) -> Tensor | None:
    """Return a gradient as an ordinary dense tensor (of a sharded one the part held here; of a sparse one the rows that are not zero)."""
    if tensor is None:
        return None
    if is_sharded(tensor):
        return part_of(tensor)
    return tensor.coalesce().values() if tensor.is_sparse else tensor


def _gradients(player: Player) -> dict[int, Tensor]:
    return {key: whole for key, p in player.parameters.items() if (whole := _whole(p.grad)) is not None}


def _consumed(parameters: list[Tensor]) -> list[_Consumed]:
    return [_Consumed(weakref.ref(p), weakref.ref(p.grad), p.grad._version) for p in parameters if p.grad is not None]


def _has_gradient(parameter: Tensor) -> bool:
    gradient = parameter.grad
    return gradient is not None and not gradient.is_sparse and _size(gradient) != 0


def _size(gradient: Tensor) -> float:
    """Return the norm of a few thousand of a gradient's entries, without asking other ranks."""
    return norms_of([sample(part_of(gradient), 4096)])[0]
