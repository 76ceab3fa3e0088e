"""Process-wide attachment points: optimizer steps, backward, gradient clipping and scaling.

Installed once for all observers and taken away with the last of them. No wrapper changes a value; each passes arguments, results and exceptions through
untouched, and a
mistake of ours inside an observer is reported once and ends the watching, never the training.
"""

import functools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from threading import get_ident
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from .followed_thread import FollowedThread
from .keras_steps import KerasSteps
from .resting import Rest
from .scalers import note_scaler, note_update


class Listener(Protocol):
    """What an observer is told.

    Attributes:
        awaits_end: Whether the end of the backward under way matters to it.
    """

    awaits_end: bool

    @property
    def rest(self) -> Rest | None:
        """Its short way through steps at which nothing is due, if it has one."""

    def backward_begins(self, tensors: tuple[Tensor, ...]) -> None:
        """A backward is about to start from these tensors."""

    def backward_ended(self) -> None:
        """That backward is over, however it ended."""

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """The gradients are there, and the optimizer is about to use them."""

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """The optimizer has moved the weights, or left out the step."""

    def clipped(self, total_norm: Any, limit: Any) -> None:
        """Gradients were clipped to a total norm."""

    def scaled(self, scaled: Any, original: Any) -> None:
        """A gradient scaler has multiplied a loss."""

    def scale_updated(self) -> None:
        """A gradient scaler has ended its step, taken or left out."""

    def noticed(self, what: str) -> None:
        """The script uses something that limits what may be looked at."""


class Hearer(Listener, Protocol):
    """A listener that is also told of steps that are announced from outside torch."""

    def give_up(self, error: Exception) -> None:
        """A mistake of ours was made on the way: what is told from now on is not whole."""


_hearers: list[Hearer] = []
_listeners: list[Listener] = []
_short: list[Rest] = []  # the short way of the one listener, if there is only one and it has one
_undo: list[Callable[[], None]] = []
_in_backward = threading.Lock()  # one backward is followed at a time: neither those inside it nor those of other threads meanwhile
_followed = FollowedThread(_in_backward.locked, lambda what: _tell("noticed", what))


def add_listener(listener: Listener) -> None:
    """Attach ``listener``; the first one installs the hooks."""
    if not _listeners:
        _install()
    _listeners.append(listener)
    _find_short_way()


def _find_short_way() -> None:
    _short[:] = [listener.rest for listener in _listeners if len(_listeners) == 1 and listener.rest is not None]


def add_hearer(hearer: Hearer) -> None:
    """Attach a listener that is also told of announced steps."""
    add_listener(hearer)
    _hearers.append(hearer)


def remove_listener(listener: Listener) -> None:
    """Detach ``listener``; the last one takes the hooks away."""
    if listener in _listeners:
        _listeners.remove(listener)
    _find_short_way()
    _hearers[:] = [hearer for hearer in _hearers if hearer is not listener]
    if not _listeners:
        while _undo:
            _undo.pop()()


def _tell(method: str, *arguments: Any) -> None:
    _followed.n_telling += 1
    try:
        for listener in tuple(_listeners):
            getattr(listener, method)(*arguments)
    finally:
        _followed.n_telling -= 1


def _announce(method: str, *arguments: Any) -> None:
    for hearer in tuple(_hearers):
        getattr(hearer, method)(*arguments)


def _keep_from_compiler(function: Any) -> None:
    """Tell the compiler, without importing it, to run a function of ours and all inside as it is: at a graph break it would compile what runs there."""
    frames = torch._C._dynamo.eval_frame
    if hasattr(frames, "set_code_exec_strategy"):
        frames.set_code_exec_strategy(function.__code__, frames._FrameExecStrategy(frames._FrameAction.SKIP, frames._FrameAction.SKIP))


def _watching() -> bool:
    """Return whether calls are to be observed now: not while a compiler traces, not inside ``torch.func`` transforms, not in another thread."""
    # The compiler first: a look at the listeners that it traces would become a guard, and a recompilation when they change.
    return not torch.compiler.is_compiling() and bool(_listeners) and torch._C._functorch.peek_interpreter_stack() is None and _followed.is_ours()


def _replace(owner: Any, name: str, wrap: Callable[[Any], Any]) -> None:
    original, is_own = getattr(owner, name), name in vars(owner)
    wrapper: Any = functools.wraps(original)(wrap(original))
    # torch.jit.script compiles the original behind a wrapper that carries these two marks.
    wrapper.__script_if_tracing_wrapper = True
    wrapper.__original_fn = original
    _put(owner, name, wrapper)
    _undo.append(functools.partial(_put, owner, name, original) if is_own else functools.partial(delattr, owner, name))


def _put(owner: Any, name: str, function: Any) -> None:
    """Set an attribute, in a module and wherever ``torch.nn.utils`` gives it once more (pickle asks that both be the same)."""
    home = sys.modules.get("torch.nn.utils.clip_grad")
    for place in (owner, home) if owner is torch.nn.utils and home is not None else (owner,):
        setattr(place, name, function)


def _install() -> None:
    _followed.begin()
    for function in (_tell, _watching, _before_step, _after_step):
        _keep_from_compiler(function)
    for hook in (_before_step, _after_step):  # a compiled step breaks its graph here, where it would a line later, at torch's own call for a break
        hook._torchdynamo_disable = True  # type: ignore[attr-defined]  # what torch.compiler.disable sets; that one would import the compiler
        hook._torchdynamo_disable_msg = "kazami reads gradients and weights here"  # type: ignore[attr-defined]
    _undo.append(register_optimizer_step_pre_hook(_before_step).remove)
    _undo.append(register_optimizer_step_post_hook(_after_step).remove)
    _replace(torch.autograd, "backward", _wrap_backward)
    for name in ("clip_grad_norm_", "clip_grad_norm"):
        if hasattr(torch.nn.utils, name):
            _replace(torch.nn.utils, name, _wrap_clip)
    _replace(torch.amp.GradScaler, "scale", _wrap_scale)
    _replace(torch.amp.GradScaler, "step", _wrap_scaler_step)
    _replace(torch.amp.GradScaler, "update", _wrap_update)
    # Activation checkpointing and offloading both come by the first of these; torch.utils.checkpoint stays as it is: compilers know it by identity.
    for owner, name, what in (
        (torch._C._autograd, "_push_saved_tensors_default_hooks", "saved_tensor_hooks"),
        (Tensor, "register_hook", "tensor_hooks"),
        (Tensor, "retain_grad", "tensor_hooks"),
    ):
        _replace(owner, name, functools.partial(_wrap_notice, what))
    keras = KerasSteps(_announce, lambda: bool(_hearers) and _watching(), _keep_from_compiler)
    _undo.append(keras.stop)
    keras.follow()


def _before_step(optimizer: torch.optim.Optimizer, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Tell the listeners of a step; with a closure the gradients exist only after its first evaluation, so the closure is wrapped."""
    if get_ident() != _followed.ident and not _followed.joins(optimizer):
        return None
    _followed.n_heard += 1
    closure = arguments[1] if len(arguments) > 1 else keywords.get("closure")
    if closure is None or not callable(closure):
        if not (_short and _short[0].step(optimizer)):
            _followed.know(optimizer)
            _tell("step_begins", optimizer)
        return None
    first = True

    @functools.wraps(closure)
    def watched() -> Any:
        nonlocal first
        result = closure()
        if first:
            first = False
            _followed.know(optimizer)
            _tell("step_begins", optimizer)
        return result

    if len(arguments) > 1:
        return (arguments[0], watched, *arguments[2:]), keywords
    return arguments, {**keywords, "closure": watched}


def _after_step(optimizer: torch.optim.Optimizer, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    del arguments, keywords
    if get_ident() != _followed.ident and not _followed.is_ours():
        return
    if not (_short and _short[0].ended()):
        _tell("step_ended", optimizer)


def _wrap_backward(original: Any) -> Any:
    def backward(tensors: Any, *arguments: Any, **keywords: Any) -> Any:
        if (get_ident() != _followed.ident and not _followed.joins(tensors)) or not _in_backward.acquire(blocking=False):
            return original(tensors, *arguments, **keywords)
        is_told = False
        try:
            _followed.n_heard += 1
            if (_short and _short[0].backward(tensors)) or not _watching():
                return original(tensors, *arguments, **keywords)
            is_told, is_read_once = True, isinstance(tensors, Iterator)
            roots = tuple(tensors) if is_read_once else tensors
            _followed.saw(roots)
            _tell("backward_begins", _tensors_in(roots))
            return original(roots, *arguments, **keywords)
        finally:
            try:
                if is_told and any(listener.awaits_end for listener in _listeners):
                    _tell("backward_ended")
            finally:
                _in_backward.release()

    _keep_from_compiler(backward)
    return backward


def _tensors_in(roots: Any) -> tuple[Tensor, ...]:
    """Return the tensors among the roots of a backward; graph edges are none, and what is no collection is left for torch to refuse."""
    if isinstance(roots, Tensor):
        return (roots,)
    return tuple(root for root in roots if isinstance(root, Tensor)) if isinstance(roots, Iterable) else ()


def _wrap_clip(original: Any) -> Any:
    def clip(parameters: Any, max_norm: Any, *arguments: Any, **keywords: Any) -> Any:
        total = original(parameters, max_norm, *arguments, **keywords)
        if _watching():
            _tell("clipped", total, max_norm)
        return total

    return clip


def _wrap_scale(original: Any) -> Any:
    def scale(self: Any, outputs: Any) -> Any:
        result = original(self, outputs)
        if _watching():
            _tell("scaled", result, outputs)
        return result

    return scale


def _wrap_scaler_step(original: Any) -> Any:
    def step(self: Any, optimizer: Any, *arguments: Any, **keywords: Any) -> Any:
        if _watching():
            note_scaler(self, optimizer)
        return original(self, optimizer, *arguments, **keywords)

    return step


def _wrap_update(original: Any) -> Any:
    def update(self: Any, *arguments: Any, **keywords: Any) -> Any:
        result = original(self, *arguments, **keywords)
        if _watching():
            note_update(self)
            _tell("scale_updated")
        return result

    return update


def _wrap_notice(what: str, original: Any) -> Any:
    def noticing(*arguments: Any, **keywords: Any) -> Any:
        if not torch.compiler.is_compiling():
            _tell("noticed", what)
        return original(*arguments, **keywords)

    _keep_from_compiler(noticing)
    return noticing
