"""The reference of the Python interface: a page a room, with the names on its door; the texts are the docstrings."""

import inspect
from importlib import import_module

from .staging import Pages

# What a user imports, from everyday to special; the other rooms are told in docs of their own or are kazami's own affair.
ROOMS = (
    "kazami",
    "kazami.nets",
    "kazami.derivatives",
    "kazami.surfaces",
    "kazami.maps",
    "kazami.dynamics",
    "kazami.curvature",
    "kazami.signals",
    "kazami.sweeps",
    "kazami.trainability",
    "kazami.engines",
    "kazami.comparison",
    "kazami.lab",
    "kazami.records",
    "kazami.storage",
    "kazami.diagnosis",
    "kazami.cures",
)


def pages() -> Pages:
    """Return a page for each room, and the one that lists them."""
    found = {f"api/{room}.rst": page_of(room) for room in ROOMS}
    names = "\n".join(room for room in ROOMS)
    found["api/index.md"] = (
        "# Python interface\n\nEvery name on the doors of kazami's rooms, with its docstring. What stands on no door may change without notice.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n"
    )
    return found


def page_of(room: str) -> str:
    """Return the page of one room as reStructuredText, the language of the docstrings."""
    module = import_module(room)
    doc = inspect.cleandoc(module.__doc__ or "").partition("\n\n")[0].partition("\n")[0]
    parts = [f"{room}\n{'=' * len(room)}", f".. py:module:: {room}", doc]
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if inspect.ismodule(value) and not callable(value):
            parts.append(f"``{room}.{name}`` is a room of its own: :doc:`{value.__name__}`.")
        else:
            parts.append(directive(f"{room}.{name}", value, is_copy=room == "kazami"))
    return "\n\n".join(parts) + "\n"


def directive(path: str, value: object, *, is_copy: bool) -> str:
    """Return the directive that documents one name; a copy stands in a room's page as well and has its address there."""
    text = _directive(path, value)
    return text.replace("\n   :members:", "\n   :members:\n   :no-index:") if is_copy and ":members:" in text else text


def _directive(path: str, value: object) -> str:
    if inspect.isclass(value):
        return f".. autoclass:: {path}\n   :members:\n   :show-inheritance:"
    if inspect.isroutine(value):
        return f".. autofunction:: {path}"
    if inspect.ismodule(value):  # a room that can be called: the function of its name in it
        return f"``{path}(…)`` is both a room and a function:\n\n.. autofunction:: {value.__name__}.{value.__name__.rpartition('.')[2]}"
    return f".. autodata:: {path}\n   :no-value:"
