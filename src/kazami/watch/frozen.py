"""Parameters that require no gradient: which of a model's stand still, and in which of these nothing was ever learned."""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .fresh import is_fresh, is_judged
from .layers import Sight
from .names import KERAS, materialised, without_wrappers

MOSTLY = 0.7  # of the frozen weights must look untouched: of ten that are, one may fail a test at 5 %


@dataclass(frozen=True, slots=True)
class _Still:
    """A parameter that requires no gradient, when it was looked at."""

    name: str
    size: int
    is_matrix: bool
    is_judged: bool
    is_fresh: bool


class Frozen:
    """Remembers what requires no gradient.

    Some require one again a moment later (a critic while the generator is trained): what an optimizer was given a gradient for is not frozen.
    """

    def __init__(self) -> None:
        self._layers: dict[str, int] = {}
        self._trained: set[str] = set()
        self._still: dict[int, _Still] = {}
        self._n_parameters = 0

    def note_layers(self, sights: Sequence[Sight]) -> None:
        """Remember which layers of a graph get gradients and which do not."""
        self._trained.update(sight.layer.name for sight in sights if sight.is_trained)
        self._layers.update({sight.layer.name: sight.weight.numel() for sight in sights if not sight.is_trained})

    def note_modules(self, modules: Sequence[nn.Module]) -> None:
        """Look through the modules of a training."""
        self._still = {id(p): _looked_at(name, p) for module in modules for name, p in stopped(module)}
        self._n_parameters = sum(p.numel() for module in modules for _, p in materialised(module))

    def facts(self, trained: Set[int]) -> dict[str, Any]:
        """Return what stands still, apart from the parameters of which ``trained`` holds the ``id``: those that an optimizer was given a gradient for."""
        layers = {name: size for name, size in self._layers.items() if name not in self._trained}
        found: dict[str, Any] = {"frozen": layers} if layers else {}
        still = [one for key, one in self._still.items() if key not in trained]
        if not still:
            return found
        judged, fresh = sum(one.is_judged for one in still), sorted(one.name for one in still if one.is_fresh)
        return found | {
            "requires_no_gradient": [one.name for one in still],
            "never_trained": fresh if len(fresh) > MOSTLY * judged else [],
            "frozen_matrices": sum(one.is_matrix for one in still),
            "frozen_share": sum(one.size for one in still) / max(self._n_parameters, 1),
        }


def stopped(module: nn.Module) -> Iterable[tuple[str, nn.Parameter]]:
    """Yield the parameters of a module that require no gradient and could; what Keras keeps as a parameter of torch and never trains (seeds, moving
    averages) is none.
    """
    states = {id(tensor) for part in module.modules() for tensor in _keras_states(part)}
    for name, p in without_wrappers(module):
        if not p.requires_grad and (p.is_floating_point() or p.is_complex()) and id(p) not in states:
            yield name, p


def _keras_states(module: nn.Module) -> list[Tensor]:
    if KERAS not in module._modules:
        return []
    return [variable.value for layer in getattr(module, "_flatten_layers", list)() for variable in getattr(layer, "_non_trainable_variables", ())]


def _looked_at(name: str, p: nn.Parameter) -> _Still:
    judged = p.dim() >= 2 and is_judged(p)
    return _Still(name, p.numel(), p.dim() >= 2, judged, judged and is_fresh(p))
