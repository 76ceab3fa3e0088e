"""Named properties of the watching room."""

import random
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kazami.watch import hooks
from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling

# What a training is to these tests: start() -> (the things to compare at the end, step(number) -> anything worth comparing).
Start = Callable[[], tuple[list[Any], Callable[[int], Any]]]
ORIGINALS = {
    "backward": torch.autograd.backward,
    "clip": torch.nn.utils.clip_grad_norm_,
    "scale": torch.amp.GradScaler.scale,
    "hook": Tensor.register_hook,
    "compile": torch.compile,
}


def assert_does_not_disturb_training(start: Start, steps: int = 6, *, every: int | None = 1, attach_at: int = 0, is_dynamics: bool = False) -> Observer:
    """Assert that watching changes no bit: weights, buffers, gradients, optimizer state, random streams, what each step returned or raised.

    Args:
        start: Makes the training; called twice, from the same seeds.
        steps: Number of steps.
        every: The observer's stride.
        attach_at: Attach before this step; 0 is before the training is made.
        is_dynamics: Measure sharpness and the growth of tiny differences at every step.

    Returns:
        The observer, detached, for further questions.
    """
    plain, _ = footprint(start, steps)
    watched, observer = footprint(start, steps, Observer(sampling=Sampling(every=every), is_dynamics=is_dynamics), attach_at)
    assert observer is not None
    assert "kazami" not in observer.blind, observer.blind["kazami"]
    assert plain.keys() == watched.keys()
    assert [name for name in plain if plain[name] != watched[name]] == []
    assert_no_hook_is_left()
    return observer


def assert_no_hook_is_left() -> None:
    """Assert that torch is as it was before the first observer came."""
    assert hooks._listeners == []
    now = {
        "backward": torch.autograd.backward,
        "clip": torch.nn.utils.clip_grad_norm_,
        "scale": torch.amp.GradScaler.scale,
        "hook": Tensor.register_hook,
        "compile": torch.compile,
    }
    assert now == ORIGINALS


def footprint(start: Start, steps: int, observer: Observer | None = None, attach_at: int = 0) -> tuple[dict[str, Any], Observer | None]:
    """Run a training, watched or not; return everything it left behind as comparable data."""
    seed_everything(0)
    if observer is not None and attach_at == 0:
        observer.attach()
    try:
        things, step = start()
        results = []
        for number in range(1, steps + 1):
            if observer is not None and number == attach_at:
                observer.attach()
            results.append(outcome(step, number))
    finally:
        if observer is not None:
            observer.detach()
    left = {f"thing {index}": bits(thing) for index, thing in enumerate(things)}
    left |= {"results": results, "torch": bits(torch.get_rng_state()), "numpy": repr(np.random.get_state()), "random": random.getstate()}
    return left | {"grad mode": torch.is_grad_enabled(), "threads": threading.active_count()}, observer


def outcome(step: Callable[[int], Any], number: int) -> Any:
    """Return what a step returned as comparable data, or what it raised."""
    try:
        return bits(step(number))
    except (Exception, KeyboardInterrupt) as error:
        return type(error).__name__, str(error), error.args == getattr(error, "original_args", error.args)


def seed_everything(seed: int) -> None:
    """Seed torch, numpy and random."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)


def bits(thing: Any) -> Any:
    """Return a thing as data that is equal only where every bit is."""
    if isinstance(thing, nn.Module):
        return bits({**thing.state_dict(), "grads": {name: p.grad for name, p in thing.named_parameters()}})
    if isinstance(thing, torch.optim.Optimizer):
        return bits(thing.state_dict())
    if isinstance(thing, Tensor):
        dense = thing.detach().to_dense() if thing.is_sparse else thing.detach()
        return thing.is_sparse, str(thing.dtype), tuple(thing.shape), dense.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()
    if isinstance(thing, dict):
        return {key: bits(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [bits(value) for value in thing]
    return repr(thing) if isinstance(thing, float) else thing
