"""Steps of Keras' optimizers on torch: they are not torch's own, so they are told from where Keras takes them, after unscaling, accumulating and clipping."""

import functools
import math
import sys
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from .announced import AnnouncedOptimizer, Announcements, announce_begin, announce_clipping, announce_end, announced_optimizer
from .arrival import stop_awaiting, when_imported

HOME = "keras.src.optimizers.base_optimizer"
SETTINGS = {"momentum": "momentum", "nesterov": "nesterov", "amsgrad": "amsgrad", "rho": "alpha", "epsilon": "eps", "weight_decay": "weight_decay"}
MOMENTS = {"Adam": ("_momentums", "_velocities"), "AdamW": ("_momentums", "_velocities")}  # kept as torch's own keep them
Keep = Callable[[Callable[..., Any]], None]


@dataclass(slots=True)
class _Application:
    """One call of ``optimizer.apply``.

    Attributes:
        variables: What it moves.
        began: What stands for the optimizer, once a step has begun: accumulating gradients is none.
    """

    variables: Sequence[Any] = ()
    began: AnnouncedOptimizer | None = field(default=None)


class KerasSteps:
    """Tells listeners of the steps of Keras' optimizers.

    Args:
        tell: Tells the listeners.
        is_watching: Whether anything is to be told now.
        keep: Keeps a function of ours away from the compiler.
    """

    def __init__(self, tell: Announcements, is_watching: Callable[[], bool], keep: Keep) -> None:
        self._tell, self._is_watching, self._keep = tell, is_watching, keep
        self._undo: list[Callable[[], None]] = []
        self._under_way: list[_Application] = []
        self._stand_ins: weakref.WeakKeyDictionary[Any, AnnouncedOptimizer] = weakref.WeakKeyDictionary()

    def follow(self) -> None:
        """Begin: at once where Keras is imported, else when it is."""
        when_imported(HOME, self._arrived)

    def stop(self) -> None:
        """End, and leave Keras as it was."""
        stop_awaiting(self._arrived)
        while self._undo:
            self._undo.pop()()

    def _arrived(self) -> None:
        base = sys.modules[HOME].BaseOptimizer
        for name, wrap in (("apply", self._wrap_apply), ("_backend_apply_gradients", self._wrap_gradients), ("_clip_gradients", self._wrap_clip)):
            original = getattr(base, name)
            wrapper = functools.wraps(original)(wrap(original))
            self._keep(wrapper)
            setattr(base, name, wrapper)
            self._undo.append(functools.partial(setattr, base, name, original))

    # -- what Keras calls, from the outside to the inside

    def _wrap_apply(self, original: Any) -> Any:
        def apply(optimizer: Any, *arguments: Any, **keywords: Any) -> Any:
            if not self._is_watching():
                return original(optimizer, *arguments, **keywords)
            self._under_way.append(_Application())
            try:
                result = original(optimizer, *arguments, **keywords)
            finally:
                application = self._under_way.pop()
            if application.began is not None:
                announce_end(self._tell, application.began)
            return result

        return apply

    def _wrap_gradients(self, original: Any) -> Any:
        def apply_gradients(optimizer: Any, gradients: Any, variables: Any, *arguments: Any, **keywords: Any) -> Any:
            if self._under_way:
                self._under_way[-1].variables = variables
            return original(optimizer, gradients, variables, *arguments, **keywords)

        return apply_gradients

    def _wrap_clip(self, original: Any) -> Any:
        def clip(optimizer: Any, gradients: Any, *arguments: Any, **keywords: Any) -> Any:
            clipped = original(optimizer, gradients, *arguments, **keywords)
            if self._under_way and self._under_way[-1].began is None:
                try:
                    self._begin(self._under_way[-1], optimizer, gradients, clipped)
                except Exception as error:  # a mistake of ours must not reach the training
                    self._tell("give_up", error)
            return clipped

        return clip

    def _begin(self, application: _Application, optimizer: Any, gradients: Any, clipped: Any) -> None:
        """Announce the step that is about to use the gradients ``clipped``."""
        pairs = list(zip(application.variables, clipped, strict=False))
        consumed = {variable.value: one for variable, one in pairs if isinstance(one, Tensor) and isinstance(variable.value, Tensor)}
        if not consumed:
            return
        if clipped is not gradients:
            announce_clipping(self._tell, lambda: _total_norm(gradients), float(optimizer.global_clipnorm or math.nan))
        application.began = self._stand_in(optimizer)
        announce_begin(self._tell, application.began, consumed)

    def _stand_in(self, optimizer: Any) -> AnnouncedOptimizer:
        """Return what stands for the optimizer, with the settings of this step."""
        settings = settings_of(optimizer)
        known = self._stand_ins.get(optimizer)
        if known is None:
            parameters = [variable.value for variable in optimizer._trainable_variables]
            known = self._stand_ins[optimizer] = announced_optimizer(type(optimizer).__name__, parameters, settings)
        known.param_groups[0].update(settings)
        steps = float(_plain(optimizer.iterations))
        for variable, *moments in zip(optimizer._trainable_variables, *self._moments(optimizer), strict=False):
            known.state[variable.value] = {"step": steps, **dict(zip(("exp_avg", "exp_avg_sq"), map(_plain, moments), strict=False))}
        return known

    def _moments(self, optimizer: Any) -> list[Any]:
        names = () if getattr(optimizer, "amsgrad", False) else MOMENTS.get(type(optimizer).__name__, ())
        return [getattr(optimizer, name) for name in names]


def settings_of(optimizer: Any) -> dict[str, Any]:
    """Return the settings of a Keras optimizer under torch's names."""
    given = {own: getattr(optimizer, keras) for keras, own in SETTINGS.items() if getattr(optimizer, keras, None) is not None}
    if hasattr(optimizer, "beta_1"):
        given["betas"] = (float(optimizer.beta_1), float(optimizer.beta_2))
    return {**given, "lr": float(_plain(optimizer.learning_rate))}


def _plain(variable: Any) -> Any:
    """Return what a Keras variable holds, and anything else as it is: under conditions Keras gives bare tensors."""
    return getattr(variable, "value", variable)


def _total_norm(gradients: Sequence[Any]) -> Tensor:
    norms = [gradient.detach().float().norm() for gradient in gradients if isinstance(gradient, Tensor)]
    total: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return total
