"""What doors are made of: names that open on first use, and one name that is a room and a function at once."""

import inspect
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from .errors import closest


def lazy_door(package: str, module_of: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a ``__getattr__`` for ``package`` that imports what a name needs only when the name is first asked for.

    Args:
        package: The package's ``__name__``.
        module_of: For each name on the door the module that defines it, relative to the package (``".session"``). A name that is a room itself
            leads to the room (``{"watch": ".watch"}``).

    Example:
        ``__getattr__ = lazy_door(__name__, {"open_run": ".reader"})`` in ``storage/__init__.py``.
    """

    def open_door(name: str) -> Any:
        if name not in module_of:
            match = closest(name, module_of)
            advice = f" Did you mean {package}.{match}?" if match else ""
            raise AttributeError(f"{package} has no {name!r}.{advice}", name=name, obj=sys.modules[package])
        module = import_module(module_of[name], package)
        value = module if module.__name__ == f"{package}.{name}" else getattr(module, name)
        setattr(sys.modules[package], name, value)  # from now on the door stands open
        return value

    return open_door


class CallableRoom(ModuleType):
    """A module that, when called, calls the function in it that has the module's own name."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function that has the room's name, with the same arguments."""
        return _function_of(self)(*args, **kwargs)

    @property
    def __signature__(self) -> inspect.Signature:
        """The function's signature, so that ``help`` and editors show the real arguments."""
        return inspect.signature(_function_of(self))


def make_callable(module_name: str) -> None:
    """Make the module ``module_name`` callable; a room calls it at its end as ``make_callable(__name__)``.

    ``kazami.watch(model)`` and ``import kazami.watch.session`` shall both work. But when Python imports a submodule it binds the *module* to the submodule's
    name in the parent package, over a function that stood there. So the module itself becomes the function.

    Limits:
        The room must give a function under its own last name (``kazami.watch`` gives ``watch``), and have no submodule of that name.
    """
    sys.modules[module_name].__class__ = CallableRoom


def _function_of(room: ModuleType) -> Any:
    return getattr(room, room.__name__.rpartition(".")[2])
