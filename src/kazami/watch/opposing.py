"""Sides that pull against one another inside one training: some weights get the gradient with its sign turned, so that they climb where the others descend."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from .graph import COMPILED
from .observables import sample

if TYPE_CHECKING:
    from .graph import LiveGraph
    from .observer import Observer
    from .player import Player
    from .reading import Reading

LOOKS = 8  # steps that are looked at
MOST, NUMBERS = 32, 64  # weights of each player, and of each so many numbers
SAME = 0.999  # cosine: clipping and unscaling change a gradient's length alone


class SignReader:
    """Compares the gradients that backward has left with those that the optimizer gets, at the first few steps that show everything."""

    def __init__(self) -> None:
        self._left: dict[int, Tensor] = {}
        self._looks = 0
        self._kept: dict[int, bool] = {}
        self._turned: dict[int, bool] = {}

    def note(self, players: Sequence["Player"]) -> None:
        """Remember some numbers of each gradient of the players that backward has reached, as it has left them."""
        if self._looks >= LOOKS:
            return
        self._looks += 1
        found = [p for player in players for p in list(player.parameters.values())[:MOST] if p.grad is not None and not p.grad.is_sparse]
        self._left.update({id(p): sample(p.grad, NUMBERS).clone() for p in found if p.grad is not None})

    def compare(self, player: "Player", optimizer: torch.optim.Optimizer, players: Sequence["Player"]) -> None:
        """Note as a fact that some weights climb, by their sign or by the optimizer's own word."""
        climbs = {bool(group.get("maximize")) for group in optimizer.param_groups}
        if len(climbs) > 1:
            player.facts.setdefault("turned", {"by": "maximize"})
        if not self._left:
            return
        for key, p in list(player.parameters.items())[:MOST]:
            left = self._left.pop(key, None)
            if left is None or p.grad is None or p.grad.is_sparse:
                continue
            now = sample(p.grad, NUMBERS)
            if now.shape != left.shape:
                continue
            size, product = float(now.norm() * left.norm()), float((now * left).sum())
            self._kept[id(player)] = self._kept.get(id(player), False) or product > SAME * size > 0
            self._turned[id(player)] = self._turned.get(id(player), False) or product < -SAME * size < 0
        if self._turned.get(id(player)) and self._kept.get(id(player)):
            player.facts.setdefault("turned", {"by": "sign"})
        climbing = [other for other in players if self._turned.get(id(other)) and not self._kept.get(id(other))]
        descending = [other for other in players if self._kept.get(id(other)) and not self._turned.get(id(other))]
        if climbing and descending:
            for other in climbing + descending:
                other.facts.setdefault("adversarial", {"players": len(climbing + descending)})


def watch_operations(graph: "LiveGraph", reading: "Reading") -> None:
    """Note as a fact that an operation written by the script gives its gradient back turned round, once backward has passed it."""
    for node in graph.nodes:
        if isinstance(node, torch.autograd.function.BackwardCFunction) and not graph.kinds[node].startswith(COMPILED):
            reading.probes.append(node.register_hook(_judge(reading)))


def _judge(reading: "Reading") -> Any:
    def judge(given: tuple[Tensor | None, ...], got: tuple[Tensor | None, ...]) -> None:
        ins, outs = ([one for one in side if one is not None] for side in (given, got))
        if len(ins) != 1 or len(outs) != 1 or ins[0].shape != outs[0].shape or not ins[0].is_floating_point():
            return
        with torch.no_grad():
            a, b = sample(ins[0], NUMBERS).float(), sample(outs[0], NUMBERS).float()
            if float((a * b).sum()) < -SAME * float(a.norm() * b.norm()) < 0:
                reading.facts["turned"] = {"by": "operation"}

    return judge


def note_rivals(observer: "Observer", moved: set[int]) -> None:
    """Note players of a game: a loss reached two players, and only one of them stepped on it, or one climbs where the other descends.

    Args:
        observer: Whose players these are, at the end of a step.
        moved: The ``id`` of each player that has stepped.
    """
    for reading in observer.readings if len(observer.players) > 1 and moved else ():
        reached = [player for player in observer.players if player.steps > 0 and reaches(reading, player)]
        climbs = {bool(o.param_groups[0].get("maximize")) for player in reached if (o := observer.optimizer_of(player)) is not None}
        if len(reached) > 1 and (len(climbs) > 1 or any(id(player) not in moved for player in reached)):
            for player in reached:
                player.facts["adversarial"] = {"players": len(reached)}


def reaches(reading: "Reading", player: "Player") -> bool:
    """Return whether a loss depends on a player's weights, also on those that the script has switched off for the other player's turn."""
    if player.parameters.keys() & reading.leaves.keys():
        return True
    switched_off = {sight.weight.untyped_storage().data_ptr() for sight in reading.sights if not sight.is_trained}
    own = (p for p in player.parameters.values() if type(p) in (Tensor, nn.Parameter)) if switched_off else ()  # a sharded one has no memory of its own
    return any(p.untyped_storage().data_ptr() in switched_off for p in own)
