"""The one thread whose trainings are followed: losses of two trainings at once would mix, and a gradient that another thread writes must not be read."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from weakref import WeakSet

import torch
from torch import Tensor

PATIENCE = 16  # backwards and steps of another thread, while the followed one is silent, after which that one is followed
NEAR = 256  # nodes of a graph among which a known weight is looked for
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
    """

    def __init__(self, is_in_backward: Callable[[], bool], notice: Callable[[str], None]) -> None:
        self._is_in_backward, self._notice = is_in_backward, notice
        self._deciding = threading.RLock()
        self.begin()

    def begin(self) -> None:
        """Follow nobody yet."""
        self.ident = self.n_heard = self._heard_before = 0
        self._known: WeakSet[torch.optim.Optimizer] = WeakSet()
        self._others: Counter[int] = Counter()
        self._first: set[int] = set()  # weights that backwards have reached before any step

    def know(self, optimizer: torch.optim.Optimizer) -> None:
        """Remember an optimizer whose steps are followed."""
        self._known.add(optimizer)

    def saw(self, roots: object) -> None:
        """Remember what a backward that is followed reaches, as long as no optimizer is known."""
        if not self._known:
            self._first.update(map(id, _leaves_near(roots)))

    def is_ours(self) -> bool:
        """Return whether what happens in the calling thread belongs to what is followed, without following it because of this."""
        return self.ident in (0, threading.get_ident()) or _is_of_autograd()

    def joins(self, begun: object) -> bool:
        """Return whether what begins in the calling thread, which is not the followed one, is to be followed.

        Args:
            begun: The roots of a backward, or an optimizer that is about to step.
        """
        try:
            with self._deciding:
                return self._decide(begun, threading.get_ident())
        except Exception:  # a mistake of ours must not end the training of that thread; nor must it go unsaid
            self._notice(SEVERAL_THREADS)
            return False

    def _decide(self, begun: object, me: int) -> bool:
        if self.ident == 0:
            self.ident = me
            return True
        if _is_of_autograd():
            return True
        if not self._is_in_backward():
            if self._knows(begun):
                self.ident = me
                self._notice(MOVED)
                return True
            if self._is_silent(me):
                self.ident = me
                self._notice(OTHER_THREAD)
                return True
        self._notice(SEVERAL_THREADS)
        return False

    def _is_silent(self, me: int) -> bool:
        if all(thread.ident != self.ident for thread in threading.enumerate()):
            return True
        if self.n_heard != self._heard_before:
            self._heard_before = self.n_heard
            self._others.clear()
        self._others[me] += 1
        return self._others[me] > PATIENCE

    def _knows(self, begun: object) -> bool:
        if isinstance(begun, torch.optim.Optimizer):
            return begun in self._known or not self._first.isdisjoint(_weights_of((begun,)))
        known = self._first | _weights_of(tuple(self._known))
        return any(id(leaf) in known for leaf in _leaves_near(begun))


def _weights_of(optimizers: Iterable[torch.optim.Optimizer]) -> set[int]:
    return {id(weight) for optimizer in optimizers for group in optimizer.param_groups for weight in group["params"]}


def _is_of_autograd() -> bool:
    """Return whether Python did not start the calling thread: then autograd did, for the backward of a device."""
    return isinstance(threading.current_thread(), threading._DummyThread)


def _leaves_near(begun: object) -> Iterator[Tensor]:
    """Yield the leaves among the first nodes below the roots of a backward."""
    roots = (begun,) if isinstance(begun, Tensor) else begun if isinstance(begun, list | tuple) else ()
    nodes = [root.grad_fn for root in roots if isinstance(root, Tensor) and root.grad_fn is not None]
    seen = set(nodes)
    for node in nodes:
        if hasattr(node, "variable"):
            yield node.variable
        below = [child for child, _ in node.next_functions if child is not None and child not in seen]
        if len(nodes) + len(below) <= NEAR:
            nodes += below
            seen.update(below)
