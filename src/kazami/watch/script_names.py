"""The names that a script gave to its models and tensors."""

import sys
from typing import Any

from torch import Tensor, nn

from .names import living_modules, roots


def global_name(thing: Any) -> str:
    """Return the name that the script itself gave to a tensor or module, empty where it has none."""
    main = vars(sys.modules["__main__"])
    return next((name for name, value in list(main.items()) if value is thing and not name.startswith("_")), "")


def path_in_a_model(weight: Tensor) -> str:
    """Return the path of a weight in the living module that holds it, for a script that calls ``model.forward`` by itself; empty where none does."""
    for root in roots(living_modules()):
        for path, own in root.named_parameters():
            if own is weight:
                return f"{global_name(root) or type(root).__name__.lower()}.{path}".replace(".", "_")  # a parameter's name has no dots
    return ""


def names_of_roots(models: list[nn.Module]) -> list[str]:
    """Return a name for each model, no two the same."""
    names = [(global_name(root) or type(root).__name__.lower()).replace(".", "_") for root in models]
    return [name if names.count(name) == 1 else f"{name}{position}" for position, name in enumerate(names)]


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the user's own module inside what ``torch.compile`` and the parallel wrappers put around it."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if inner is None and type(module).__name__ in ("DistributedDataParallel", "DataParallel"):
            inner = module.module
        if not isinstance(inner, nn.Module):
            return module
        module = inner
