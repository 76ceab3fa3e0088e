"""Look into networks: activations, one neuron up to a deep network, hidden linearity, sensitivity."""

from importlib.util import find_spec

from ._group import CommandFolder

_PACKAGE = "kazami.cli.nets"
_FOLDER = (find_spec(_PACKAGE).submodule_search_locations or [""])[0]  # type: ignore[union-attr]

command = CommandFolder(
    "nets", folder=_FOLDER, package=_PACKAGE, help="Look into networks: what they are made of, and what a trained or fresh one does to its input."
)
