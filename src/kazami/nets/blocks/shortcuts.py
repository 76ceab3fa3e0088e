"""Ways past a branch: the identity, zero padding and a learned projection, and what each of them can join."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...errors import UsageError, unknown_name

Kind = Literal["identity", "zero_pad", "projection"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_CONVOLUTIONS: dict[int, type[nn.Conv1d | nn.Conv2d | nn.Conv3d]] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_OF_FEATURES = (nn.Linear, nn.LayerNorm, nn.RMSNorm, nn.RNNBase, nn.MultiheadAttention)


@dataclass(frozen=True, slots=True)
class Ends:
    """What a branch makes of its input's shape, read as (…, channels, places …).

    A layer of features has no places: its channels are the last dimension. A convolution of images has two.

    Attributes:
        before: Shape of the input.
        after: Shape of the output.
        n_places: Number of dimensions behind the channels: 0 for features, 1 to 3 for convolutions.
        strides: For each place dimension every how many-th place of the input is kept; empty where no stride gives the output.
        misfit: Why no shortcut at all can join the two, in the words of an error; empty where one can.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    n_places: int
    strides: tuple[int, ...]
    misfit: str

    @property
    def channel_dimension(self) -> int:
        """Where the channels (or features) are."""
        return len(self.before) - self.n_places - 1

    @property
    def n_in(self) -> int:
        """Channels of the input."""
        return self.before[self.channel_dimension]

    @property
    def n_out(self) -> int:
        """Channels of the output."""
        return self.after[self.channel_dimension]

    @property
    def is_strided(self) -> bool:
        """Whether places are left out."""
        return any(stride > 1 for stride in self.strides)

    def said(self) -> str:
        """Return what changes: ``"8 → 16 features"``, ``"64 → 128 channels and 32×32 → 16×16 (stride 2)"``."""
        thing = "channels" if self.n_places else "features"
        parts = [f"{self.n_in} → {self.n_out} {thing}"] if self.n_in != self.n_out else []
        places = self.before[-self.n_places :], self.after[-self.n_places :]
        if self.n_places and places[0] != places[1]:
            stride = f" (stride {'×'.join(map(str, dict.fromkeys(self.strides)))})" if self.strides else ""
            parts.append(f"{'×'.join(map(str, places[0]))} → {'×'.join(map(str, places[1]))}{stride}")
        return " and ".join(parts) or f"{self.n_in} → {self.n_out} {thing}"


def ends(before: Sequence[int], after: Sequence[int], module: nn.Module) -> Ends:
    """Read the two shapes at the ends of ``module``: where the channels are is taken from its layers, else from what changes.

    >>> ends((2, 8), (2, 16), nn.Linear(8, 16)).said()
    '8 → 16 features'
    >>> ends((2, 64, 32, 32), (2, 128, 16, 16), nn.Conv2d(64, 128, 3, stride=2, padding=1)).said()
    '64 → 128 channels and 32×32 → 16×16 (stride 2)'
    """
    shapes = tuple(before), tuple(after)
    if len(shapes[0]) != len(shapes[1]) or not shapes[0]:
        numbers = f"{len(shapes[0])} and {len(shapes[1])} dimensions"
        misfit = f"{list(shapes[0])} → {list(shapes[1])}: no shortcut possible between {numbers}; wrap only layers that keep their number"
        return Ends(*shapes, 0, (), misfit)
    strided = _declared_strides(module)
    readings = [_read(*shapes, n_places, strided) for n_places in _possible_places(module, len(shapes[0]))]
    return next((reading for reading in readings if not reading.misfit), readings[0])


def _read(before: tuple[int, ...], after: tuple[int, ...], n_places: int, declared: tuple[int, ...]) -> Ends:
    channel = len(before) - n_places - 1
    strides = [_stride(old, new, declared) for old, new in zip(before[channel + 1 :], after[channel + 1 :], strict=True)]
    reading = Ends(before, after, n_places, tuple(stride for stride in strides if stride) if all(strides) else (), "")
    if before[:channel] != after[:channel]:
        return Ends(
            before, after, n_places, (), f"{list(before)} → {list(after)}: no shortcut possible, since more changes than the last dimension, the features"
        )
    if not all(strides):
        where = next(index for index, stride in enumerate(strides) if not stride)
        old, new = before[channel + 1 + where], after[channel + 1 + where]
        reason = f"a shortcut cannot make {old} places {new}" if new > old else f"{new} is not {old} divided by a whole stride"
        return Ends(
            before,
            after,
            n_places,
            (),
            f"{reading.said()}: no shortcut possible, {reason}; give the convolutions a padding that keeps the size (before the stride)",
        )
    return reading


def _stride(old: int, new: int, declared: tuple[int, ...]) -> int | None:
    """Return the stride that leaves ``new`` of ``old`` places, the declared one where it does; every s-th of n places are ⌈n/s⌉."""
    if not 0 < new <= old:
        return 1 if old == new else None
    smallest = max(1, math.ceil(old / new))
    return next((stride for stride in (*declared, smallest) if stride and -(-old // stride) == new), None)


def _possible_places(module: nn.Module, n_dimensions: int) -> list[int]:
    """Return how many place dimensions there may be, the most probable number first."""
    named = {n for part in module.modules() for n in _places_of(part)}
    takes_features = any(isinstance(part, _OF_FEATURES) for part in module.modules())
    guesses = [*sorted(named, reverse=True), *([0] if takes_features or not named else []), *([] if named else [n_dimensions - 2])]
    return list(dict.fromkeys(min(max(guess, 0), n_dimensions - 1) for guess in guesses))


def _places_of(part: nn.Module) -> Iterator[int]:
    """Yield the place dimensions that a layer of torch names in its own name (``Conv2d``, ``MaxPool1d``); ``BatchNorm1d`` also serves features."""
    names = [base.__name__ for base in type(part).__mro__ if base.__module__.startswith("torch.nn")]
    yield from (int(name[-2]) for name in names[:1] if name[-2:] in ("1d", "2d", "3d") and not name.endswith("BatchNorm1d"))


def _declared_strides(module: nn.Module) -> tuple[int, ...]:
    """Return the stride that the layers have together if they follow one another; without strides nothing."""
    strides = [part.stride for part in module.modules() if isinstance(part, nn.modules.conv._ConvNd | nn.modules.pooling._MaxPoolNd) and part.stride]
    together = math.prod(stride[0] if isinstance(stride, tuple) else int(stride) for stride in strides)
    return (together,) if together > 1 else ()


def refusal(kind: Kind, found: Ends) -> str:
    """Return why a shortcut of this kind cannot join these ends, and which kinds can; empty where it can.

    >>> refusal("identity", ends((2, 8), (2, 16), nn.Linear(8, 16)))
    '8 → 16 features: identity impossible, use zero_pad or projection'
    >>> refusal("zero_pad", ends((2, 16), (2, 8), nn.Linear(16, 8)))
    '16 → 8 features: zero_pad impossible, since zeros can only be added, use projection'
    """
    if found.misfit:
        return found.misfit
    shrinks = found.n_out < found.n_in
    others = "projection" if shrinks else "zero_pad or projection"
    if kind == "identity" and (found.n_in != found.n_out or found.is_strided):
        return f"{found.said()}: identity impossible, use {others}"
    if kind == "zero_pad" and shrinks:
        return f"{found.said()}: zero_pad impossible, since zeros can only be added, use {others}"
    return ""


def projection(found: Ends, like: Tensor | None) -> nn.Module:
    """Return the learned map between the ends: a linear layer, or a convolution of one place with the stride; without bias, as in He et al. 2016.

    Raises:
        UsageError: There are more than three place dimensions.
    """
    if found.n_places > len(_CONVOLUTIONS):
        raise UsageError(f"A projection works on features, or with 1 to 3 dimensions behind the channels, not {found.n_places}. Use identity or zero_pad.")
    made: nn.Module
    if found.n_places:
        convolution: Any = _CONVOLUTIONS[found.n_places]
        made = convolution(found.n_in, found.n_out, 1, stride=found.strides, bias=False)
    else:
        made = nn.Linear(found.n_in, found.n_out, bias=False)
    return made.to(like) if like is not None and like.is_floating_point() else made


class ResidualSum(nn.Module):
    r"""The end of a residual block: :math:`s(x) + \alpha f(x)` with a shortcut *s* and a scale α.

    Its parameters are those that the block has besides the wrapped module's: ``projection.weight`` for a projection, ``scale`` for ReZero.

    Args:
        kind: ``"identity"``, ``"zero_pad"`` or ``"projection"``.
        scale: α.
        is_learned: Make α a parameter.
        found: The ends that it joins; ``None``: those of the first call.
        projection: The learned map, for ``"projection"``.
        like: A tensor whose dtype and device a learned α gets.
    """

    def __init__(self, kind: Kind, scale: float, *, is_learned: bool, found: Ends | None, projection: nn.Module | None, like: Tensor | None) -> None:
        super().__init__()
        self.kind = kind
        self.found = found
        self.projection = projection
        if is_learned:
            learned = torch.tensor(scale)
            self.scale: Tensor | float = nn.Parameter(learned.to(like) if like is not None and like.is_floating_point() else learned)
        else:
            self.scale = scale

    def forward(self, x: Tensor, branch: Tensor, module: nn.Module) -> Tensor:
        """Return the sum.

        Args:
            x: What went into the branch.
            branch: What came out of it.
            module: The branch, for the words of an error.

        Raises:
            UsageError: The shapes cannot be joined by this kind of shortcut.
        """
        past = self.past(x, branch, module)
        if past.shape != branch.shape:  # never leave it to broadcasting
            found = ends(x.shape, branch.shape, module)
            reason = (
                refusal(self.kind, found)
                or f"{found.said()}: this {self.kind} was made for other shapes ({self.projection or (self.found and self.found.said())})"
            )
            raise UsageError(f"Residual around {name_of(module)}: {reason}.")
        summed: Tensor = self._sum(past, branch)
        return summed

    def unchecked(self, x: Any, branch: Any) -> Any:
        """Return the sum for symbols without shapes.

        Raises:
            UsageError: Zero padding, which must know how many zeros.
        """
        if self.kind == "zero_pad":
            raise UsageError("A zero_pad shortcut needs shapes, and torch.fx.symbolic_trace has none. Use torch.export, or a projection.")
        return self._sum(x if self.projection is None else self.projection(x), branch)

    def _sum(self, past: Any, branch: Any) -> Any:
        return past + (branch if isinstance(self.scale, float) and self.scale == 1 else self.scale * branch)

    def past(self, x: Tensor, branch: Tensor, module: nn.Module) -> Tensor:
        """Return the shortcut alone, s(x)."""
        if self.kind == "projection" and self.projection is not None:
            try:
                projected: Tensor = self.projection(x)
            except RuntimeError as error:
                raise UsageError(
                    f"Residual around {name_of(module)}: the input {list(x.shape)} does not fit the projection {self.projection} ({error})."
                ) from None
            return projected
        if self.kind == "identity":
            return x
        if self.found is None:
            self.found = ends(x.shape, branch.shape, module)
        return x if refusal(self.kind, self.found) else _padded(x, self.found)

    def extra_repr(self) -> str:
        """Return kind and scale."""
        return f"{self.kind}, scale={self.scale if isinstance(self.scale, float) else 'learned, from 0'}"


def _padded(x: Tensor, found: Ends) -> Tensor:
    """Return every s-th place of ``x``, with zeros for the channels that the branch adds."""
    for place, stride in enumerate(found.strides):
        if stride > 1:
            x = x.transpose(0, place - found.n_places)[::stride].transpose(0, place - found.n_places)
    return F.pad(x, [0, 0] * found.n_places + [0, found.n_out - found.n_in])


def name_of(module: nn.Module) -> str:
    """Return a short name of a module for an error: its own line, or its class where it is made of parts."""
    text = repr(module)
    return text if "\n" not in text else type(module).__name__


def checked_kind(kind: str) -> Kind:
    """Return ``kind`` if it is one.

    Raises:
        UnknownName: It is not; the closest is proposed.
    """
    for known in KINDS:
        if kind == known:
            return known
    raise unknown_name("shortcut", str(kind), KINDS)
