"""The catalogue of activations: what a plug-in declares, with everything else computed."""

import math
from functools import cache, cached_property
from typing import Any, ClassVar

import torch.nn.init
from torch import Tensor, nn

from ...errors import unknown_name
from ...records import Sentence
from ...registry import plugins
from ..activations._base import AbstractActivation, Family, Kind
from .described import AbstractDescribed, plain
from .profile import ScalarProfile
from .vectors import VectorProfile

_PACKAGE = "kazami.nets.activations"
_VECTOR_SIZE = 3  # at which softmax and its logarithm are looked at; a gate and maxout say theirs
FAMILIES: tuple[Family, ...] = ("threshold", "linear", "squashing", "rectifier", "smooth rectifier", "shrinkage", "gate", "vector")


class Activation(AbstractDescribed):
    r"""One activation of the catalogue; get it with :func:`activation`.

    Everything that can be computed is: range, slopes, zones, gains and losses come from the function alone, in float64, on first use. Declared are the name,
    the formula, the texts and the references.

    Args:
        declared: The plug-in.
        parameters: Its parameters, where they are not the defaults.

    References:
        Each activation's own, in :attr:`references`.

    Example:
        >>> sigmoid = activation("sigmoid")
        >>> sigmoid.derivative_max, str(sigmoid.range), sigmoid.derivative_max**10 < 1e-6
        (0.25, '(0, 1)', True)
    """

    declared: AbstractActivation
    parameters: dict[str, float]

    def __init__(self, declared: AbstractActivation, **parameters: float) -> None:
        """Take the plug-in's part; nothing is computed yet."""
        object.__setattr__(self, "declared", declared)
        object.__setattr__(self, "parameters", declared.given(parameters))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: an activation does not change."""
        raise AttributeError(f"An activation of the catalogue does not change; {name!r} cannot be set. Use activation(name, parameter=value).")

    def __repr__(self) -> str:
        """Return the call that gives it."""
        changed = [f", {name}={value:g}" for name, value in self.parameters.items() if value != self.declared.parameters[name]]
        return f"activation({self.name!r}{''.join(changed)})"

    @property
    def name(self) -> str:
        """Name in the catalogue."""
        return self.declared.name

    @property
    def title(self) -> str:
        """Name as the literature writes it."""
        return self.declared.title

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names that :func:`activation` understands."""
        return self.declared.aliases

    @property
    def family(self) -> Family:
        """What it is like."""
        return self.declared.family

    @property
    def kind(self) -> Kind:
        """``"scalar"``, ``"gate"`` or ``"vector"``: on each number alone, on pairs, on the whole last axis."""
        return self.declared.kind

    @property
    def formula(self) -> str:
        """LaTeX."""
        return self.declared.formula

    @property
    def references(self) -> tuple[str, ...]:
        """Where it comes from."""
        return self.declared.references

    @property
    def trait(self) -> Sentence:
        """What it does."""
        return self.declared.trait

    @property
    def advantage(self) -> Sentence:
        """What it is good for."""
        return self.declared.advantage

    @property
    def disadvantage(self) -> Sentence:
        """What goes wrong with it."""
        return self.declared.disadvantage

    @property
    def suits(self) -> Sentence:
        """Where it is used."""
        return self.declared.suits

    def function(self, x: Tensor) -> Tensor:
        """Return φ(x), the formula itself, in the type of ``x``."""
        return self.declared.function(x, **self.parameters)

    def module(self) -> nn.Module:
        """Return a new ``nn.Module``, torch's own where torch has it."""
        return self.declared.module(**self.parameters)

    @cached_property
    def profile(self) -> ScalarProfile | VectorProfile:
        """Where the properties are computed."""
        if self.kind == "scalar":
            return ScalarProfile(self.function)
        size = 2 if self.kind == "gate" else int(self.parameters.get("pieces", _VECTOR_SIZE))
        return VectorProfile(self.function, size=size)

    @cached_property
    def torch_gain(self) -> float:
        """What ``torch.nn.init.calculate_gain`` returns for it, NaN where PyTorch has no value."""
        for name in (self.name, *self.aliases):
            try:
                return float(torch.nn.init.calculate_gain(name, self.parameters.get("negative_slope")))  # type: ignore[arg-type]
            except ValueError:
                continue
        return math.nan

    @property
    def gain_note(self) -> Sentence | None:
        """Why PyTorch's gain is not the computed one; ``None`` where they agree or PyTorch has none."""
        return self.declared.gain_note

    def to_dict(self, language: str = "en") -> dict[str, Any]:
        """Return everything as plain data for JSON; texts in ``"en"`` or ``"ja"``."""
        words = {"property": self.trait, "advantage": self.advantage, "disadvantage": self.disadvantage, "suits": self.suits}
        declared = {name: getattr(self, name) for name in ("name", "title", "aliases", "family", "kind", "formula", "parameters", "references")}
        texts = {name: text.in_language(language) for name, text in words.items()}
        note = self.gain_note
        gains = {"torch_gain": self.torch_gain, "gain_note": note.in_language(language) if note else ""}
        return dict(plain(declared | texts | self.computed() | gains))


class Description(AbstractDescribed):
    """The computed properties of a function that the catalogue does not name.

    Args:
        function: Takes and returns a float64 tensor, elementwise.
    """

    kind: ClassVar[Kind] = "scalar"

    def __init__(self, function: Any) -> None:
        """Keep the function."""
        self._profile = ScalarProfile(function)

    @property
    def profile(self) -> ScalarProfile:
        """Where the properties are computed."""
        return self._profile

    def function(self, x: Tensor) -> Tensor:
        """Return φ(x)."""
        return self._profile.function(x)


def activation(name: str, **parameters: float) -> Activation:
    """Return the activation of a name, or of one of its aliases; upper and lower case, blanks and hyphens do not matter.

    Args:
        name: For example ``"gelu"``, ``"swish"``, ``"Hard Swish"``.
        parameters: Parameters that differ from the defaults, named as torch names them: ``activation("elu", alpha=0.5)``.

    Raises:
        UnknownName: There is no such activation, or it has no such parameter; the closest name is proposed.

    Example:
        >>> activation("swish").name, activation("leaky_relu", negative_slope=0.2).derivative_min
        ('silu', 0.2)
    """
    names = _by_name()
    found = names.get(_folded(name))
    if found is None:
        raise unknown_name("activation", name, names)
    return _default(found.name) if not parameters else Activation(found, **parameters)


def all_activations() -> tuple[Activation, ...]:
    """Return the whole catalogue, family by family, by name within each.

    Example:
        >>> [one.name for one in all_activations()][:3]
        ['sign', 'step', 'identity']
    """
    declared = sorted(_plugins(), key=lambda one: (FAMILIES.index(one.family), one.name))
    return tuple(_default(one.name) for one in declared)


def _folded(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


@cache
def _plugins() -> tuple[AbstractActivation, ...]:
    return tuple(kind() for kind in plugins(_PACKAGE, AbstractActivation))


@cache
def _by_name() -> dict[str, AbstractActivation]:
    aliases = {_folded(alias): one for one in _plugins() for alias in (*one.aliases, one.title)}
    return aliases | {one.name: one for one in _plugins()}


@cache
def _default(name: str) -> Activation:
    """One object per activation, so that what was computed once is kept."""
    return Activation(next(one for one in _plugins() if one.name == name))
