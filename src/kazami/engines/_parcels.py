"""Pickles that a fresh Python can open, also where their functions come from a script, a notebook or a module made at run time."""

import sys
from functools import cache
from importlib.machinery import PathFinder
from typing import Any

import cloudpickle


class Packer(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle, which knows closures and ``__main__``, and in addition modules that were loaded from a file by hand."""

    def reducer_override(self, obj: Any) -> Any:
        """Send along by value what lives in a module that a fresh Python would not find."""
        name = getattr(obj, "__module__", None) if isinstance(obj, type) or callable(obj) else None
        if isinstance(name, str) and name in sys.modules and not _is_found(name):
            known = name in cloudpickle.list_registry_pickle_by_value()
            cloudpickle.register_pickle_by_value(sys.modules[name])
            try:
                return super().reducer_override(obj)
            finally:
                if not known:
                    cloudpickle.unregister_pickle_by_value(sys.modules[name])
        return super().reducer_override(obj)


@cache
def _is_found(name: str) -> bool:
    """Return whether a fresh Python with the same path imports the module ``name`` from the same place."""
    module = sys.modules[name]
    origin = getattr(module, "__file__", None)
    if name == "__main__" or origin is None:
        return True  # cloudpickle's own business; built in
    top = name.partition(".")[0]
    if top in sys.builtin_module_names or top in sys.stdlib_module_names:
        return True
    try:
        found = PathFinder.find_spec(top)
    except (ImportError, ValueError):
        return False
    if found is None:  # an editable install may have a finder of its own
        return any(finder is not PathFinder and _finds(finder, top) for finder in sys.meta_path)
    return top != name or found.origin == origin


def _finds(finder: Any, name: str) -> bool:
    try:
        return finder.find_spec(name, None) is not None
    except (AttributeError, ImportError, ValueError, TypeError):
        return False
