"""The short way through the steps of which nothing but loss and learning rate is recorded.

Between a training's own steps the caches are cold, and every function of ours that is entered costs microseconds, whatever it does. So that a step which is
not recorded enters a handful of them, the observer settles beforehand up to which step nothing will be due, and leaves what it would find in the same state.
"""

import weakref
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from .consumed import GLANCE

if TYPE_CHECKING:
    from .observer import Observer
    from .player import Player

FARTHEST = 512  # steps settled at a time


class Rest:
    """Passes steps at which nothing is due; whatever is unusual about one goes the long way, through the observer's own methods.

    Args:
        observer: Whose steps these are. Its state after a step passed here is the one after that step taken the long way.

    Attributes:
        until: The first step that must go the long way; 0 where all must.
    """

    def __init__(self, observer: "Observer") -> None:
        self.until = 0
        self._observer = observer
        self._optimizer: weakref.ref[torch.optim.Optimizer] | None = None
        self._player: Player | None = None
        self._n_groups = 0
        self._opened = -1  # the backward that was passed last,
        self._value: float | None = None  # and its loss
        self._is_passing = False  # its optimizer step has begun here

    def settle(self, player: "Player", optimizer: torch.optim.Optimizer) -> None:
        """At the end of a step that went the long way: up to which step is nothing due?"""
        observer, now = self._observer, self._observer.clock
        if now < self.until and player is self._player and not observer.has_open:
            return
        self.until = 0
        if len(observer.players) != 1 or observer.sampling.is_shared or observer.has_open or player.first_loss is None or "turned" in player.facts:
            return
        end = int(min(1 << (now - 1).bit_length(), now + FARTHEST, observer.next_measured))  # at powers of two the strides are decided
        cadence = observer.follower.cadence if observer.follower is not None else None
        for step in range(now, end):
            if observer.sampling.records(step) or (cadence is not None and cadence.is_due(step - 1)):
                end = step
                break
        if end > now:
            self.until, self._player = end, player
            self._optimizer, self._n_groups = weakref.ref(optimizer), len(optimizer.param_groups)

    def backward(self, root: object) -> bool:
        """Take the loss of a backward that is about to begin; return whether that is all there is to do."""
        observer = self._observer
        if observer.clock >= self.until or not observer.has_stepped or type(root) is not Tensor or root.numel() != 1:
            return False
        if torch._C._functorch.peek_interpreter_stack() is not None:  # inside a transform; and a compiler's tensors are of types of their own
            return False
        try:
            with observer.lock:
                value = root.item() if root.is_cpu else None  # to read it elsewhere would make the device wait
                if root.is_cpu and not (type(value) is float and observer.spikes.took_usual(value)):
                    return False
                observer.begin_step(value)
                self._opened, self._value = observer.n_backwards, value
        except Exception as error:
            observer.give_up(error)
        return True

    def step(self, optimizer: torch.optim.Optimizer) -> bool:
        """Note loss and learning rate of an optimizer step that is about to begin; return whether that is all there is to do."""
        observer, player = self._observer, self._player
        self._is_passing = False
        if self._opened != observer.n_backwards or observer.clock >= self.until or observer.has_stepped or player is None:
            return False
        groups = optimizer.param_groups
        if self._optimizer is None or self._optimizer() is not optimizer or len(groups) != self._n_groups:
            return False
        try:
            with observer.lock:
                if observer.clock % GLANCE == 0 and not observer.steps.are_sound(player):
                    return False
                player.note_step(observer.moment, self._value, groups)
                self._is_passing = True
        except Exception as error:
            observer.give_up(error)
        return True

    def ended(self) -> bool:
        """Move the clock on after an optimizer step that began here; return whether there was one."""
        observer, player = self._observer, self._player
        if not self._is_passing or player is None:
            return False
        self._is_passing = False
        try:
            with observer.lock:
                observer.end_step(player)
        except Exception as error:
            observer.give_up(error)
        return True
