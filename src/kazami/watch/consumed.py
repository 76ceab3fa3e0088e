"""What one optimizer step consumed and did: gradients, weights before and after, and gradients that nobody cleared."""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..records.trace import Layer
from .layers import Sight
from .losses import LossCall
from .observables import all_observables, sample
from .player import Player, plain

if TYPE_CHECKING:
    from .observer import Observer
    from .reading import Reading

SMALL = 2_000_000


@dataclass(slots=True)
class _Step:
    sights: list[Sight] = field(default_factory=list)
    is_scaled: bool = False


class StepReader:
    """Reads the optimizer steps for an observer."""

    def __init__(self, observer: "Observer") -> None:
        self._observer = observer
        self._open: dict[int, _Step] = {}
        self._kept: dict[int, list[tuple[Tensor, Tensor, float]]] = {}
        self._is_kept: dict[int, bool] = {}

    def begin(self, player: Player, optimizer: torch.optim.Optimizer) -> None:
        """Read what the optimizer is about to use."""
        step, observer = self._observer.clock, self._observer
        loss = observer.pending_loss
        if loss is not None:
            player.add_number("loss", step, loss)
            if player.first_loss is None and math.isfinite(loss) and loss != 0:
                player.first_loss = loss
        player.facts["kept_gradients"] = player.facts.get("kept_gradients", 0) + 1 if self._is_kept.get(id(player)) else 0
        for reading in observer.readings:
            self._take_facts(player, reading, step)
        is_scaled = getattr(optimizer, "grad_scale", None) is not None
        is_sampled = observer.sampling.is_sampled(step)
        self._note_learning_rate(player, optimizer, step)
        if is_sampled or sum(p.numel() for p in player.parameters.values()) < SMALL:
            self._total_norm(player, step, is_scaled)
        if not is_sampled:
            self._open.pop(id(player), None)
            return
        sights = self._sights(player)
        for sight in sights:
            parameter = sight.weight
            sight.reference_loss = player.reference_loss
            sight.gradient = None if is_scaled or not sight.is_trained else _whole(parameter.grad)
            sight.before = sample(parameter).clone() if sight.is_trained else None
            for observable in all_observables("before_step"):
                sight.values[observable.name] = observable.measure(sight)
        player.given.update(key for key, p in player.parameters.items() if p.grad is not None)
        self._note_clipping(player, step)
        self._open[id(player)] = _Step(sights, is_scaled)

    def end(self, player: Player, optimizer: torch.optim.Optimizer) -> None:
        """Read what the optimizer did."""
        step = self._observer.clock
        self._remember_gradients(player)
        found_inf = getattr(optimizer, "found_inf", None)
        if found_inf is not None and float(found_inf) > 0:
            player.facts["skipped_steps"] = player.facts.get("skipped_steps", 0) + 1
        opened = self._open.pop(id(player), None)
        if opened is None:
            return
        changes = []
        for sight in opened.sights:
            if sight.before is not None:
                sight.update = sample(sight.weight) - sight.before
                changes.append(sight.update.float())
            if opened.is_scaled:
                sight.gradient = _whole(sight.weight.grad)
                for observable in all_observables("before_step"):
                    sight.values[observable.name] = observable.measure(sight)
            for observable in all_observables("after_step"):
                sight.values[observable.name] = observable.measure(sight)
        self._note_update(player, changes, opened.sights, step)
        self._store(player, opened.sights, step)

    def look_for_kept_gradients(self) -> None:
        """At a backward that follows a step: are the consumed gradients still there, so that the new ones will be added to them?"""
        for player_key, kept in self._kept.items():
            self._is_kept[player_key] = bool(kept) and all(p.grad is g and float(g.detach().norm()) == norm for p, g, norm in kept)

    # -- pieces

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
                    name=name.removesuffix(".weight"),
                    kind="other",
                    shape=tuple(p.shape),
                    fan_in=max(p.numel() // max(p.shape[0], 1), 1) if p.dim() else 1,
                    fan_out=p.shape[0] if p.dim() else 1,
                )
                found[key] = Sight(layer=layer, weight=p, is_trained=True)
        return list(found.values())

    def _take_facts(self, player: Player, reading: "Reading", step: int) -> None:
        if not reading.leaves.keys() & player.parameters.keys():
            return
        self._observer.note_leaves(reading)
        for name, fact in reading.facts.items():
            player.facts.setdefault(name, {**fact, "step": step})
        seen = player.facts.setdefault("seen", {})
        for name in reading.facts:
            seen[name] = seen.get(name, 0) + 1
        seen["graphs"] = seen.get("graphs", 0) + (1 if reading.sights else 0)
        if reading.bad is not None:
            player.facts.setdefault("first_bad", {**reading.bad, "step": step})
        if reading.singular:
            player.facts["singular"] = {**reading.singular[0], "step": step}
        for name, value in reading.numbers.items():
            player.add_number(name, step, value)
        self._take_targets(player, reading.calls, reading.value)

    def _take_targets(self, player: Player, calls: list[LossCall], value: float | None) -> None:
        trivial, own = 0.0, 0.0
        for call in calls:
            player.targets.add(call)
            part = player.targets.trivial(call)
            if part is None:
                return
            trivial += part
            own += call_value(call)
        if not calls:
            return
        player.loss_kind = calls[-1].kind
        if value is None or not math.isfinite(value) or not math.isfinite(own) or own <= 0:
            return
        scale = value / own * max(len(self._observer.readings), 1)
        if player.trivial is None or 0.2 < trivial * scale / max(player.trivial, 1e-300) < 5:
            player.trivial = trivial * scale

    def _note_learning_rate(self, player: Player, optimizer: torch.optim.Optimizer, step: int) -> None:
        rates = [plain(group["lr"]) for group in optimizer.param_groups if "lr" in group]
        if rates:
            player.add_number("learning_rate", step, float(max(rates)))

    def _note_clipping(self, player: Player, step: int) -> None:
        if self._observer.pending_clips:
            total, limit = self._observer.pending_clips[-1]
            player.add_number("norm_before_clipping", step, total)
            player.add_number("clipping_limit", step, limit)

    def _total_norm(self, player: Player, step: int, is_scaled: bool) -> None:
        held = [p for p in player.parameters.values() if p.grad is not None and not p.grad.is_sparse]
        if not held or is_scaled:
            return
        norms = torch.stack([norm.double() for norm in torch._foreach_norm([_whole(p.grad) for p in held])])
        total = float(norms.norm())
        player.add_number("total_gradient_norm", step, total)
        loss = self._observer.pending_loss
        if not math.isfinite(total) and loss is not None and math.isfinite(loss) and "bad_gradient" not in player.facts:
            first = int((~torch.isfinite(norms)).nonzero()[0])
            player.facts["bad_gradient"] = {
                "place": self._observer.names.of(held[first]),
                "step": step,
                "singular": player.facts.get("singular", {}) if player.facts.get("singular", {}).get("step") == step else {},
            }

    def _remember_gradients(self, player: Player) -> None:
        gradients = [(p, p.grad) for p in player.parameters.values() if p.grad is not None][:4]
        kept = [(p, g, float(g.detach().norm())) for p, g in gradients if g is not None]
        self._kept[id(player)] = [item for item in kept if item[2] > 0 and math.isfinite(item[2])]

    def _note_update(self, player: Player, changes: list[Tensor], sights: list[Sight], step: int) -> None:
        if not changes:
            return
        update = torch.cat(changes)
        norm = float(update.norm())
        player.add_number("update_norm", step, norm)
        if not math.isfinite(norm) and "bad_update" not in player.facts:
            place = next((s.layer.name for s in sights if s.update is not None and not bool(torch.isfinite(s.update).all())), "the weights")
            player.facts["bad_update"] = {"place": place, "step": step}
        last = player.last_update
        if last is not None and player.last_update_step == step - 1 and last.shape == update.shape and norm > 0:
            player.add_number("update_cosine", step, float(update @ last) / max(norm * float(last.norm()), 1e-300))
        player.last_update, player.last_update_step = update, step
        slope = sum(
            float(sample(s.gradient).float() @ s.update.float())
            for s in sights
            if s.gradient is not None and s.update is not None and s.gradient.shape == s.weight.shape
        )
        player.add_number("predicted_change", step, slope)

    def _store(self, player: Player, sights: list[Sight], step: int) -> None:
        quantities: dict[str, dict[int, float]] = {}
        for sight in sights:
            column = player.column(sight)
            for name, value in sight.values.items():
                quantities.setdefault(name, {})[column] = value
        for name, values in quantities.items():
            if not all(math.isnan(value) for value in values.values()) or name == "layer_wind":
                player.add_layer_values(name, step, values)


def call_value(call: LossCall) -> float:
    """Return the mean loss of a call, computed again from its output and target."""
    output, target = call.output.float(), call.target
    options = {key: call.options[key] for key in ("reduction", "ignore_index", "label_smoothing", "weight", "pos_weight") if key in call.options}
    if call.kind in ("cross_entropy", "nll") and target.is_floating_point():
        return float(-(target * output).sum(-1).mean())
    function = {
        "cross_entropy": torch.nn.functional.nll_loss, "nll": torch.nn.functional.nll_loss, "mse": torch.nn.functional.mse_loss, "l1": torch.nn.functional.l1_loss,
        "bce": torch.nn.functional.binary_cross_entropy, "bce_with_logits": torch.nn.functional.binary_cross_entropy_with_logits, "smooth_l1": torch.nn.functional.smooth_l1_loss,
        "huber": torch.nn.functional.huber_loss,
    }.get(call.kind)  # fmt: skip
    if function is None:
        return float("nan")
    options.pop("handwritten", None)
    target = target.float() if target.is_floating_point() else target
    if call.kind == "mse" and output.shape != target.shape:
        output, target = torch.broadcast_tensors(output, target)
    value = function(output.clamp(0, 1) if call.kind == "bce" else output, target, **options)
    return float(value.mean())


def _whole(tensor: Tensor | None) -> Tensor | None:
    """Return a gradient as an ordinary dense tensor (a sharded one gathered, a sparse one made dense)."""
    if tensor is None:
        return None
    if hasattr(tensor, "full_tensor"):
        return tensor.full_tensor()  # type: ignore[no-any-return]
    return tensor.to_dense() if tensor.is_sparse else tensor
