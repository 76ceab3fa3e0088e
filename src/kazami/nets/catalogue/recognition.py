"""Which activation is this? A user's own function, recognised by its numbers and not by its name."""

import copy
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...records import Sentence
from .described import plain
from .entries import Activation, Description, activation, all_activations
from .interval import short_signed, shown
from .recognition_fit import Match, best_match

_ROWS, _COLUMNS = 48, 6


@dataclass(frozen=True, slots=True)
class Recognition:
    r"""What a function is: :math:`a\,\varphi(b x + d) + c` with :math:`\varphi` from the catalogue, or none of them.

    Attributes:
        name: Name in the catalogue, ``None`` where it is none of them.
        parameters: Parameters of the catalogue's activation that differ from its defaults.
        output_scale: a.
        input_scale: b.
        input_shift: d.
        output_shift: c.
        error: Largest difference from the catalogue's function on [−100, 100], relative to the function's size.
        is_elementwise: Whether each output depends on the input at its own place only, and in the same way at all places.
        also: Other names of the catalogue for the very same function.
        description: All computed properties of the function; ``None`` where it is not elementwise, or not the same twice.
        reason: Why nothing was recognised, where there is a reason to name.
    """

    name: str | None
    parameters: dict[str, float] = field(default_factory=dict)
    output_scale: float = 1.0
    input_scale: float = 1.0
    input_shift: float = 0.0
    output_shift: float = 0.0
    error: float = math.nan
    is_elementwise: bool = True
    also: tuple[str, ...] = ()
    description: Description | None = None
    reason: Sentence | None = None

    @property
    def is_known(self) -> bool:
        """Whether it is in the catalogue, up to scales and shifts."""
        return self.name is not None

    @property
    def is_plain(self) -> bool:
        """Whether it is the catalogue's function itself, without scales and shifts."""
        return self.is_known and (self.output_scale, self.input_scale, self.input_shift, self.output_shift) == (1.0, 1.0, 0.0, 0.0)

    @property
    def activation(self) -> Activation | None:
        """The catalogue's entry, with the parameters that were found."""
        own = {name: value for name, value in self.parameters.items() if name != "dim"}
        return None if self.name is None else activation(self.name, **own)

    @property
    def formula(self) -> str:
        """What was found, in one line: ``1.72·tanh(0.667·x)``, ``elu(x; alpha=0.5)``; empty where nothing was."""
        if self.name is None:
            return ""
        inner = f"{'' if self.input_scale == 1 else '−' if self.input_scale == -1 else short_signed(self.input_scale) + '·'}x{_added(self.input_shift)}"
        settings = "".join(f"; {name}={short_signed(value)}" for name, value in self.parameters.items())
        outer = "" if self.output_scale == 1 else "−" if self.output_scale == -1 else f"{short_signed(self.output_scale)}·"
        return f"{outer}{self.name}({inner}{settings}){_added(self.output_shift)}"

    @property
    def sentence(self) -> Sentence:
        """What it is, in one sentence."""
        if self.name is not None:
            also_en = f" (the same function as {', '.join(self.also)})" if self.also else ""
            also_ja = f"（{'、'.join(self.also)} と同じ関数）" if self.also else ""
            return Sentence(f"This is {self.formula}{also_en}.", f"これは {self.formula} です{also_ja}。")
        if self.reason is not None:
            return self.reason
        found = self.description
        if found is None:
            return Sentence("None of the catalogue's activations.", "カタログのどの活性化関数でもありません。")
        slope, zones = short_signed(found.derivative_max), shown(found.dead_zones)
        return Sentence(
            f"None of the catalogue's activations, up to scales and shifts: range {found.range}, largest slope {slope}, dead zones {zones}.",
            f"拡大・平行移動を許してもカタログのどれでもありません。値域 {found.range}、最大の傾き {slope}、不感帯 {zones}。",
        )

    def to_dict(self, language: str = "en") -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        names = ("name", "parameters", "output_scale", "input_scale", "input_shift", "output_shift", "error", "is_elementwise", "is_plain", "formula")
        found = {name: getattr(self, name) for name in names}
        found |= {"also": list(self.also), "sentence": self.sentence.in_language(language)}
        found["computed"] = self.description.computed() if self.description is not None else None
        return dict(plain(found))


def recognise(function: Callable[[Tensor], Tensor]) -> Recognition:
    """Recognise an activation from its values.

    It is evaluated in float64 on [−100, 100] and compared with everything in the catalogue: as it is, with other parameters, scaled, shifted. It counts as the
    same if no value differs by more than 1e-8 of its size, which keeps exact and approximate GELU, SiLU and hard swish, and Swish of other β well apart.

    Args:
        function: Any callable from tensor to tensor, or a module; a module is looked at in evaluation mode, as a float64 copy, so yours is not touched.

    Raises:
        UsageError: It cannot be called with a tensor, or does not return one.

    Limits:
        A function that differs from the catalogue's beyond ±100, or only between the points looked at (about 0.03 apart), is not told apart. A function that
        computes in float32 is compared to 2e-6, and no properties are computed for it.

    Example:
        >>> import torch
        >>> recognise(lambda x: x).name, recognise(lambda x: 1.7159 * torch.tanh(2 * x / 3)).formula
        ('identity', '1.72·tanh(0.667·x)')
        >>> recognise(lambda x: torch.where(x > 0, x, 0.01 * x)).parameters or "the default slope, 0.01"
        'the default slope, 0.01'
    """
    with torch.random.fork_rng(devices=[]):
        looked_at = _Seen(function)
        if not looked_at.is_repeatable:
            return Recognition(None, is_elementwise=looked_at.is_elementwise, reason=_RANDOM)
        if not looked_at.is_elementwise:
            return _several_inputs(looked_at)
        if looked_at.problem is not None:
            return Recognition(None, reason=looked_at.problem)
        description = None if looked_at.is_single else Description(looked_at.on_line)
        match = best_match(looked_at.on_line, is_learned=looked_at.is_learned, is_single=looked_at.is_single, module=looked_at.module)
        return _recognition(match, description)


def describe(function: Callable[[Tensor], Tensor]) -> Description:
    """Return the computed properties of any elementwise function: range, slopes, saturation, gains, losses …

    Args:
        function: Any callable from tensor to tensor, or a module.

    Raises:
        UsageError: It is not elementwise, not the same twice, or computes in float32.

    Example:
        >>> import torch
        >>> describe(lambda x: torch.sin(x)).range.to_dict()["high"]
        1.0
    """
    with torch.random.fork_rng(devices=[]):
        looked_at = _Seen(function)
        mixing = _PER_CHANNEL if looked_at.is_per_channel else _MIXING
        problem = _RANDOM if not looked_at.is_repeatable else mixing if not looked_at.is_elementwise else looked_at.problem
    if problem is not None:
        raise UsageError(problem.en)
    if looked_at.is_single:
        raise UsageError("The function computes in float32 whatever it is given, and the properties need float64. Leave the type of its input as it is.")
    return Description(looked_at.on_line)


_RANDOM = Sentence("The function gives another answer the second time: it is random.", "同じ入力に対して二度目は違う値を返します。確率的な関数です。")
_NOT_FINITE = Sentence(
    "The function is NaN or infinite for some ordinary inputs, so it is looked at no further.",
    "通常の入力で NaN か無限大になるため、これ以上は調べません。",
)
_COARSE = Sentence(
    "The function computes with 16 bits, too few to tell activations apart.",
    "16 ビットで計算する関数で、活性化関数を見分けるには粗すぎます。",
)
_PER_CHANNEL = Sentence(
    "The function is not the same for all channels: each has one of its own.",
    "チャネルごとに別の関数です。",
)
_MIXING = Sentence(
    "The function is not elementwise: an output depends on more than the input at its own place.",
    "要素ごとの関数ではありません。出力が同じ位置以外の入力にも依存します。",
)


class _Seen:
    """A function as it answers: on what shapes, elementwise or not, in what precision, with learned parameters or not.

    Args:
        function: The user's.
    """

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        if not callable(function):
            raise UsageError(f"recognise wants a function of a tensor or an nn.Module, and was given {type(function).__name__}.")
        self.is_learned = isinstance(function, nn.Module) and any(one.requires_grad for one in function.parameters())
        self.module = type(function) if isinstance(function, nn.Module) else None
        self._function = copy.deepcopy(function).double().eval() if isinstance(function, nn.Module) else function
        with torch.no_grad(), _refusing_errors():
            self.table = self._accepted_table()
            self.answer = self.call(self.table)
        self.is_single = self.answer.dtype != torch.float64
        self.problem = _COARSE if self.answer.dtype in (torch.float16, torch.bfloat16) else None if bool(self.answer.isfinite().all()) else _NOT_FINITE
        slack = 1e-5 if self.is_single else 1e-12
        self.is_per_channel = False
        with torch.no_grad():
            self.is_repeatable = torch.allclose(self.call(self.table), self.answer, rtol=0, atol=0, equal_nan=True)
            self.is_elementwise = self.answer.shape == self.table.shape and self._is_elementwise(slack)

    def call(self, x: Tensor) -> Tensor:
        """Return the function's answer; it gets a copy of its own, as it may work in place."""
        y = self._function(x.clone())
        if not isinstance(y, Tensor):
            raise UsageError(f"An activation returns a tensor; this one returned {type(y).__name__}.")
        return y

    def _accepted_table(self) -> Tensor:
        """Return a table of random numbers that the function takes: with as many columns as a parameter has entries, where it has one per channel."""
        widths = [_COLUMNS]
        if isinstance(self._function, nn.Module):
            widths += [one.numel() for one in self._function.parameters() if one.dim() == 1 and one.numel() > 1]
        for position, width in enumerate(widths):
            table = 2 * torch.randn(_ROWS, width, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
            try:
                self.call(table)
            except RuntimeError:
                if position == len(widths) - 1:
                    raise
                continue
            return table
        return table

    def _is_elementwise(self, slack: float) -> bool:
        turned = torch.roll(torch.arange(self.table.shape[1]), 1)
        changed = self.table.clone()
        changed[:, 0] += 0.7
        answers = {
            "rows": (self.call(self.table[:7]), self.answer[:7]),
            "order": (self.call(self.table.flip(0)), self.answer.flip(0)),
            "columns": (self.call(changed)[:, 1:], self.answer[:, 1:]),
            "channels": (self.call(self.table[:, turned]), self.answer[:, turned]),
        }
        same = {name: torch.allclose(*pair, rtol=slack, atol=slack, equal_nan=True) for name, pair in answers.items()}
        self.is_per_channel = not same["channels"] and same["rows"] and same["order"] and same["columns"]
        return all(same.values())

    def on_line(self, x: Tensor) -> Tensor:
        """Return the function of a tensor of any shape."""
        flat = x.reshape(-1, 1).expand(-1, self.table.shape[1])
        return self.call(flat)[:, 0].reshape(x.shape).to(torch.float64)


@contextmanager
def _refusing_errors() -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except Exception as error:  # the function is the user's, and may fail in any way
        first_line = str(error).strip().split("\n")[0] or type(error).__name__
        raise UsageError(f"The function cannot be called with a table of numbers, shape ({_ROWS}, {_COLUMNS}), float64: {first_line}") from None


def _recognition(match: Match | None, description: Description | None) -> Recognition:
    if match is None:
        return Recognition(None, description=description)
    return Recognition(
        match.name,
        parameters=match.parameters,
        output_scale=match.output_scale,
        input_scale=match.input_scale,
        input_shift=match.input_shift,
        output_shift=match.output_shift,
        error=match.error,
        also=match.also,
        description=description,
    )


def _several_inputs(looked_at: _Seen) -> Recognition:
    """Compare a function that is not elementwise with the catalogue's gates and vectors, along each axis."""
    x, answer = looked_at.table, looked_at.answer.to(torch.float64)
    slack = 1e-5 if looked_at.is_single else 1e-10
    for one in all_activations():
        if one.kind == "scalar":
            continue
        for parameters, dim in [(found, dim) for found in _group_sizes(one) for dim in (1, 0)]:
            try:
                expected = activation(one.name, **parameters).function(x.movedim(dim, -1)).movedim(-1, dim)
            except RuntimeError:  # an axis that cannot be halved, or grouped
                continue
            if expected.shape == answer.shape and torch.allclose(expected, answer, rtol=slack, atol=slack):
                differing = {name: value for name, value in parameters.items() if value != one.parameters[name]} | ({} if dim == 1 else {"dim": 0})
                error = float((expected - answer).abs().max())
                return Recognition(one.name, parameters=differing, is_elementwise=False, error=error)
    return Recognition(None, is_elementwise=False, reason=_PER_CHANNEL if looked_at.is_per_channel else _MIXING)


def _group_sizes(one: Activation) -> list[dict[str, float]]:
    return [{"pieces": pieces} for pieces in (2, 3, 6)] if "pieces" in one.parameters else [{}]


def _added(value: float) -> str:
    return "" if value == 0 else f" {'+' if value > 0 else '−'} {short_signed(abs(value))}"
