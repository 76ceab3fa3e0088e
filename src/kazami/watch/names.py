"""Names for parameters that are met in a graph: which module owns them, and whether that module is registered anywhere."""

import gc
import time
from collections.abc import Iterable, Iterator
from itertools import chain, compress, repeat
from operator import itemgetter
from typing import Any
from weakref import WeakSet

from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter
from torch.utils.weak import WeakTensorKeyDictionary

FREE_SEARCHES = 8
KERAS = "_torch_params"  # in which a Keras layer keeps the weights of itself and of all in it, under their own paths: ``model/block/layer/kernel``
OF_LAYERS = (".weight", ".kernel", ".embeddings")  # after a layer's own name
WRAPPED = ("_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")  # torch.compile, FSDP1, activation checkpointing
PAUSE = 5.0


class Names:
    """Maps parameters to their path in the largest module that contains them.

    Modules given by the user come first; otherwise the living modules of the process are searched, only when an unknown parameter turns up.
    """

    def __init__(self, modules: Iterable[nn.Module] = ()) -> None:
        self.modules: WeakSet[nn.Module] = WeakSet(modules)
        self._paths: WeakTensorKeyDictionary = WeakTensorKeyDictionary()  # by identity; empty where no module was found
        self._storages: dict[int, str] = {}
        self._searches = 0
        self._searched_at = 0.0
        for module in modules:
            self._learn(module)

    def of(self, parameter: Tensor) -> str:
        """Return the parameter's path, or its shape where no module owns it."""
        if parameter not in self._paths:
            self._search()
            self._paths.setdefault(parameter, "")
        return self._paths[parameter] or f"tensor {'×'.join(map(str, parameter.shape)) or 'scalar'}"

    def of_storage(self, tensor: Tensor) -> str | None:
        """Return the path of the parameter that shares memory with ``tensor`` (a frozen weight that autograd saved), else ``None``."""
        return self._storages.get(tensor.untyped_storage().data_ptr())

    def _search(self) -> None:
        # A search costs tens of milliseconds; models are not made every few steps.
        if self._searches >= FREE_SEARCHES and time.monotonic() - self._searched_at < PAUSE:
            return
        self._searches += 1
        self._searched_at = time.monotonic()
        for module in roots(living_modules()):
            self.modules.add(module)
            self._learn(module)

    def _learn(self, module: nn.Module) -> None:
        for path, parameter in without_wrappers(module):
            known: str = self._paths.get(parameter, "")
            if path.count(".") >= known.count(".") or not known:
                self._paths[parameter] = path
                if type(parameter) in (Tensor, nn.Parameter):  # a sharded one has no memory of its own
                    self._storages[parameter.untyped_storage().data_ptr()] = path


def without_wrappers(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the named parameters of a module by the paths that they have in the user's own model: compilers and parallel training wrap it in modules.

    Example:
        >>> [path for path, _ in without_wrappers(nn.ModuleDict({"_orig_mod": nn.Linear(2, 1)}))]
        ['weight', 'bias']
    """
    prefixes = [f"{path}.{inner}." if path else f"{inner}." for path, part in module.named_modules() for inner in (_inner(part),) if inner]
    for path, parameter in materialised(module):
        for prefix in reversed(prefixes):  # the innermost first: the outer ones stay where they stand
            if path.startswith(prefix):
                path = prefix.removesuffix(prefix.rsplit(".", 2)[-2] + ".") + path.removeprefix(prefix)
        yield _without_keras(path, module) if f"{KERAS}." in path else path, parameter


def _without_keras(path: str, module: nn.Module) -> str:
    """Return where a Keras variable is by the layers that the user knows, ``block.layer.kernel``: Keras' own path without the model's name."""
    place, _, own = path.rpartition(f"{KERAS}.")
    place = "" if KERAS in module._modules else place.replace("_functional.", "")  # a Keras model names all that is in it; a torch model knows where it stands
    name, *inside = own.split("/")
    is_owner = name == getattr(module.get_submodule(place.removesuffix(".")), "name", None)
    return place + ".".join(inside if is_owner and (place or len(inside) > 1) else (name, *inside))


def layer_of(path: str) -> str:
    """Return the layer whose weight has this path.

    Example:
        >>> layer_of("encoder.0.weight"), layer_of("hidden.kernel"), layer_of("scale")
        ('encoder.0', 'hidden', 'scale')
    """
    return next((path.removesuffix(suffix) for suffix in OF_LAYERS if path.endswith(suffix)), path)


def _inner(module: nn.Module) -> str:
    """Return under which name a wrapper holds the module that it wraps, empty where it is none."""
    if type(module).__name__ in ("DistributedDataParallel", "DataParallel"):
        return "module"
    return next((name for name in WRAPPED if name in module._modules), "")


def materialised(module: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield the named parameters of a module; those of lazy modules that were never called have neither shape nor memory, and are passed over."""
    return ((path, parameter) for path, parameter in module.named_parameters() if not isinstance(parameter, UninitializedParameter))


def living_modules() -> list[nn.Module]:
    """Return all modules that are alive in this process (by type alone: asking an unknown object for its class could run user code)."""
    return living(nn.Module)


def living(kind: type) -> list[Any]:
    """Return the objects of this process whose type is ``kind`` or made from it.

    All is one call of C, in which no other thread runs: a tuple that another thread is just building would be among the objects, and must not be held by
    anybody else when it is done (its builder gets a SystemError).
    """
    everything = chain.from_iterable(map(gc.get_objects, (None,)))
    twice = chain.from_iterable(map(itemgetter(0, 0), zip(everything)))  # each once to be kept, and once for its type
    return list(compress(twice, map(issubclass, map(type, twice), repeat(kind))))


def roots(modules: list[nn.Module]) -> list[nn.Module]:
    """Return the modules that are nobody's child."""
    inner = {id(child) for module in modules for child in module._modules.values() if child is not None}
    return [module for module in modules if id(module) not in inner and not isinstance(module, nn.modules.loss._Loss)]


def unregistered(modules: Iterable[nn.Module]) -> dict[int, str]:
    """Return parameters that hang in a plain list, tuple or dict of a module, so that ``parameters()`` does not give them: ``id`` to place."""
    found: dict[int, str] = {}
    for root in modules:
        registered = {id(parameter) for parameter in root.parameters()}
        for path, module in root.named_modules():
            containers = {name: value for name, value in vars(module).items() if not name.startswith("_") and isinstance(value, list | tuple | dict)}
            for attribute, value in containers.items():
                found.update(_hidden_in(value, f"{path}.{attribute}" if path else attribute, registered))
    return found


def _hidden_in(container: list[object] | tuple[object, ...] | dict[object, object], prefix: str, registered: set[int]) -> dict[int, str]:
    items = container.items() if isinstance(container, dict) else enumerate(container)
    found: dict[int, str] = {}
    for key, value in items:
        if isinstance(value, nn.Module):
            found.update({id(p): f"{prefix}[{key!r}].{name}" for name, p in value.named_parameters() if id(p) not in registered})
        elif isinstance(value, nn.Parameter) and id(value) not in registered:
            found[id(value)] = f"{prefix}[{key!r}]"
        elif isinstance(value, list | tuple | dict):
            found.update(_hidden_in(value, f"{prefix}[{key!r}]", registered))
    return found


def is_nameless(name: str) -> bool:
    """Return whether a name is that of a tensor which no module and no variable holds."""
    return name.startswith("tensor ")
