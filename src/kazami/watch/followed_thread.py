"""The one thread whose trainings are followed: losses of two trainings at once would mix, and a gradient that another thread writes must not be read."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import torch
from torch import Tensor

from .guarding import own_lock

if TYPE_CHECKING:
    from .player import Player

PATIENCE, SILENCE_S = 16, 1.0  # backwards and steps of another thread, and seconds, while the followed one is silent, after which that one is followed
NEAR, FAR = 256, 4096  # nodes of a graph among which a known weight is looked for: in another thread; in the followed one, which mostly meets it at once
SEVERAL_THREADS = "several_threads"  # what listeners are told: others train at the same time,
MOVED, OTHER_THREAD = "moved", "other_thread"  # the training goes on in another thread, that of another thread is followed from now on


class FollowedThread:
    """Says which thread's backwards and steps are listened to.

    A training may move from thread to thread (a pool, ``asyncio.to_thread``): it is known by its weights. Other trainings are followed once the thread
    followed so far has ended or fallen silent.

    Args:
        is_in_backward: Whether a backward is under way that is followed.
        notice: Tells the listeners.

    Attributes:
        ident: `threading.get_ident` of the followed thread; 0 before the first backward or step.
        n_heard: Backwards and steps of the followed thread; whoever hears them counts them.
        n_telling: How often listeners are being told something just now: a thread held up by ourselves is not silent.
    """

    def __init__(self, is_in_backward: Callable[[], bool], notice: Callable[[str], None]) -> None:
        self._is_in_backward, self._notice = is_in_backward, notice
        self.lock = own_lock(self)
        self.begin()

    def begin(self) -> None:
        """Follow nobody yet."""
        self.ident = self.n_heard = self.n_telling = self._heard_before = 0
        self._silent_since = 0.0
        self._forget()

    def _forget(self) -> None:
        self._known: WeakValueDictionary[int, torch.optim.Optimizer] = WeakValueDictionary()  # by identity: a class of the user's may forbid hashing
        self._others: Counter[int] = Counter()
        self._first: set[int] = set()  # weights that backwards have reached before any step
        self._can_end = _is_of_python(self.ident)

    def know(self, optimizer: torch.optim.Optimizer) -> None:
        """Remember an optimizer whose steps are followed."""
        self._known[id(optimizer)] = optimizer

    def saw(self, roots: object) -> None:
        """Remember what a backward that is followed reaches, as long as no optimizer is known."""
        if not self._known:
            with suppress(Exception):  # to look at what the user's own classes give may run their code
                self._first.update(map(id, _leaves_near(roots)))

    def is_ours(self) -> bool:
        """Return whether what happens in the calling thread belongs to what is followed, without following it because of this."""
        return self.ident in (0, threading.get_ident()) or (_is_of_autograd() and self._is_in_backward())

    def joins(self, begun: object) -> bool:
        """Return whether what begins in the calling thread, which is not the followed one, is to be followed.

        Args:
            begun: The roots of a backward, or an optimizer that is about to step.
        """
        try:
            with self.lock:
                change = self._decide(begun, threading.get_ident())
        except Exception:  # a mistake of ours must not end the training of that thread; nor must it go unsaid
            change = SEVERAL_THREADS
        if change:
            self._notice(change)
        return change != SEVERAL_THREADS

    def _decide(self, begun: object, me: int) -> str:
        """Return what listeners are to be told, which says whether that is followed; empty where it is, and there is nothing to tell."""
        if _is_of_autograd():
            return "" if self._is_in_backward() else SEVERAL_THREADS
        if self.ident == 0:
            self.ident = me
            self._can_end = _is_of_python(me)
            return ""
        if not self._is_in_backward():
            if self._knows(begun):
                self.ident, self._can_end = me, _is_of_python(me)
                return MOVED
            if self._is_silent(me):
                self.ident = me
                self._forget()  # the other one is a stranger from now on, should it go on
                return OTHER_THREAD
        return SEVERAL_THREADS

    def _is_silent(self, me: int) -> bool:
        if self._can_end and not _is_of_python(self.ident):
            return True
        now = time.monotonic()
        if self.n_telling or self.n_heard != self._heard_before:
            self._heard_before, self._silent_since = self.n_heard, now
            self._others.clear()
        self._others[me] += 1
        return self._others[me] > PATIENCE and now - self._silent_since >= SILENCE_S

    def _knows(self, begun: object) -> bool:
        if isinstance(begun, torch.optim.Optimizer):
            return self._known.get(id(begun)) is begun or not self._first.isdisjoint(_weights_of((begun,)))
        optimizers = [optimizer for reference in self._known.valuerefs() if (optimizer := reference()) is not None]
        known = self._first | _weights_of(optimizers)
        return any(id(leaf) in known for leaf in _leaves_near(begun))


def reached(players: Sequence["Player"], roots: Sequence[Tensor]) -> list["Player"]:
    """Return the players whose weights a backward from ``roots`` reaches: the gradients that no other thread may be writing while it begins."""
    left, found = list(players), list["Player"]()
    for leaf in _leaves_near(roots, FAR) if left else ():
        for player in [one for one in left if one.parameters.get(id(leaf)) is leaf]:
            left.remove(player)
            found.append(player)
        if not left:
            break
    return found


def _weights_of(optimizers: Iterable[torch.optim.Optimizer]) -> set[int]:
    return {id(weight) for optimizer in optimizers for group in optimizer.param_groups for weight in group["params"]}


def _is_of_autograd() -> bool:
    """Return whether autograd started the calling thread, for the backward of a device."""
    return torch._C._current_graph_task_id() != -1 and not _is_of_python(threading.get_ident())


def _is_of_python(ident: int) -> bool:
    """Return whether a thread is alive that Python started (autograd starts others, and so may a program with a window)."""
    return any(thread.ident == ident and not isinstance(thread, threading._DummyThread) for thread in threading.enumerate())


def _leaves_near(begun: object, most: int = NEAR) -> Iterator[Tensor]:
    """Yield the leaves among the first nodes below the roots of a backward."""
    roots = (begun,) if isinstance(begun, Tensor) else begun if isinstance(begun, list | tuple) else ()
    nodes = [root.grad_fn for root in roots if isinstance(root, Tensor) and root.grad_fn is not None]
    seen = set(nodes)
    for node in nodes:
        if isinstance(leaf := getattr(node, "variable", None), Tensor):
            yield leaf
        below = dict.fromkeys(child for child, _ in node.next_functions if child is not None and child not in seen)
        if len(nodes) + len(below) <= most:
            nodes += below
            seen.update(below)
