"""The lab: named experiments, each with what is expected, what was measured, a figure and a citation."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .experiments._base import AbstractExperiment

__all__ = ["all_experiments", "experiment"]


def all_experiments() -> "tuple[AbstractExperiment, ...]":
    """Return every experiment, in the order of their files' names."""
    from ..registry import plugins
    from .experiments._base import AbstractExperiment

    return tuple(found() for found in plugins(f"{__name__}.experiments", AbstractExperiment))


def experiment(name: str) -> "AbstractExperiment":
    """Return the experiment called ``name``; underscores may stand for hyphens.

    Raises:
        UnknownName: There is no such experiment; the closest is proposed.

    Example:
        >>> experiment("residual_scaling").title.en
        'How residual branches must be scaled'
    """
    from ..errors import unknown_name

    known = {found.name: found for found in all_experiments()}
    if name.replace("_", "-") not in known:
        raise unknown_name("experiment", name, known)
    return known[name.replace("_", "-")]
