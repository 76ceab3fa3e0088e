"""Experiment: named experiments with their expectations, loss surfaces, gradient checks."""

from importlib.util import find_spec

from ._group import CommandFolder

_PACKAGE = "kazami.cli.lab"
_FOLDER = (find_spec(_PACKAGE).submodule_search_locations or [""])[0]  # type: ignore[union-attr]

command = CommandFolder(
    "lab", folder=_FOLDER, package=_PACKAGE, help="Experiment: named experiments with expected and measured side by side, loss surfaces, gradient checks."
)
