"""Which module's own backward is at fault: each module that is not torch's own, checked by itself on what it was really fed."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..errors import KazamiError
from .copies import moved_to
from .gradcheck_result import ParameterRow
from .loss_bench import BackpropFails, LossBench

if TYPE_CHECKING:
    from .checking import Checking

MOST = 40  # modules looked at


def guilty_module(checking: "Checking", faults: Sequence[ParameterRow]) -> str | None:
    """Return the name of the innermost module whose own gradients are wrong, ``None`` where it cannot be told or is the model itself.

    Each candidate is fed what it was fed in the model, and its output weighted with random numbers; then its gradients by its input and parameters are checked.
    Modules are looked at from the inside out, those nearer to the loss first.
    """
    bench = checking.bench
    if not faults or bench.why_not_double:
        return None
    fed = _fed(bench)
    candidates = [(name, module) for name, module in bench.model.named_modules() if name in fed and not type(module).__module__.startswith("torch.")]
    candidates.reverse()
    for name, module in sorted(candidates, key=lambda pair: -pair[0].count("."))[:MOST]:
        arguments, keywords = fed[name]
        if _is_wrong(module, arguments, keywords, checking):
            return str(name)
    return None


def _fed(bench: LossBench) -> dict[str, tuple[Any, Any]]:
    """Return what each module but the model itself is fed at its first call."""
    fed: dict[str, tuple[Any, Any]] = {}

    def hook_for(name: str) -> Any:
        def note(module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
            del module
            fed.setdefault(name, (moved_to(arguments, None), moved_to(keywords, None)))

        return note

    hooks = [module.register_forward_pre_hook(hook_for(name), with_kwargs=True) for name, module in bench.model.named_modules() if name]
    try:
        bench.value()
    finally:
        for hook in hooks:
            hook.remove()
    return fed


def _is_wrong(module: nn.Module, arguments: Any, keywords: Any, checking: "Checking") -> bool:
    try:
        alone = LossBench(module, weighted_sum, (arguments, None), keywords=keywords, seed=checking.seed, with_inputs=True)
        if not alone.tensors:
            return False
        again = type(checking)(alone, seed=checking.seed, n_directions=1, n_coordinates=0, tolerance=checking.tolerance, budget_s=5.0)
        again.begin()
        return any(row.is_fault for row in again.rows(None))
    except (KazamiError, BackpropFails, RuntimeError):  # a module that cannot stand alone tells nothing
        return False


def weighted_sum(output: Any, target: Any) -> Tensor:
    """Return the sum of all floating outputs, each entry weighted with a random number: a loss for a model that has none."""
    del target
    generator = torch.Generator().manual_seed(0)
    total = [(part * torch.randn(part.shape, generator=generator, dtype=torch.float64).to(part)).sum() for part in _tensors(output) if part.is_floating_point()]
    return torch.stack(total).sum() if total else torch.zeros(())


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, dict):
        for part in output.values():
            yield from _tensors(part)
    elif isinstance(output, (tuple, list)):
        for part in output:
            yield from _tensors(part)
