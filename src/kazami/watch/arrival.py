"""Attaches when the script imports torch, not before: settings the script makes first (threads, devices) must count as they would without kazami."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType


class _Announcing(Loader):
    """Loads a module as its own loader does, and then says so once."""

    def __init__(self, loader: Loader, arrived: Callable[[], None]) -> None:
        self._loader = loader
        self._arrived = arrived

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, give it its own loader back, and announce it."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._arrived()


class _Waiting(MetaPathFinder):
    def __init__(self, name: str, arrived: Callable[[], None]) -> None:
        self._name = name
        self.arrived = arrived

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find the awaited module with the other finders, and wrap its loader."""
        del path, target
        if fullname != self._name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Announcing(spec.loader, self.arrived)
        return spec


def when_imported(name: str, arrived: Callable[[], None]) -> None:
    """Call ``arrived`` right after the module ``name`` has been imported for the first time; at once where it already is."""
    if name in sys.modules:
        arrived()
    else:
        sys.meta_path.insert(0, _Waiting(name, arrived))


def stop_awaiting(arrived: Callable[[], None]) -> None:
    """Do not call ``arrived`` any more."""
    for waiting in [finder for finder in sys.meta_path if isinstance(finder, _Waiting) and finder.arrived == arrived]:
        sys.meta_path.remove(waiting)
