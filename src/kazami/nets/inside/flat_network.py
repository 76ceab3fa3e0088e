"""A network as one function of flat rows: what linearity, sensitivity and local models are about."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ...records import Sentence
from .embedded_inputs import EmbeddingCalls
from .nested_tensors import tensors_in, with_tensors
from .private_copy import undisturbed

N_VALUES_AT_ONCE = 2**22  # per call; keeps the largest batch of a search within tens of megabytes per layer


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor that the network reads or gives.

    Attributes:
        name: Its place among the arguments (``"0"``, ``"mask"``) or in the output; ``"embedding 0"`` for the vectors of a look-up.
        shape: Its shape without the batch dimension.
        start: Where it begins in the flat row.
        batch: Which of its dimensions holds the rows, ``None`` where there are none.
        lookup: Number of the look-up it answers, ``None`` for an argument.
    """

    name: str
    shape: tuple[int, ...]
    start: int
    batch: int | None = None
    lookup: int | None = None

    @property
    def size(self) -> int:
        """How many numbers it has per row."""
        return int(torch.Size(self.shape).numel())

    @property
    def columns(self) -> slice:
        """Its place in the flat row."""
        return slice(self.start, self.start + self.size)


@dataclass(slots=True, kw_only=True)
class InputOutputMap:
    r"""A network as :math:`f: \mathbb{R}^n \to \mathbb{R}^m` on a private copy, row by row where its rows do not interact.

    All floating inputs are flattened and joined in the order of the arguments, all floating outputs likewise. Whole-number inputs that go into an embedding
    are varied as the vectors which the embedding makes of them. Everything else stays as in the example. Rows are found by asking, not assumed: a dimension
    is the batch if each row gives the same output alone and among other rows. If there is none, the whole example is one row.

    Attributes:
        model: A private copy, in ``dtype``.
        arguments: The example as ``(positional arguments, keywords)``.
        dtype: ``torch.float64`` where the network runs in it.
        inputs: The inputs that are varied.
        outputs: The floating outputs.
        batch_dimension: Which dimension holds the rows; ``None`` where the rows interact or there is no batch.
        rows: The example, shape ``(rows, n_inputs)``.
        seed: Seeds every pass; a network that draws random numbers is asked for one fixed draw.
        is_random: Whether another seed gives another output.
        notes: What the user should know of how the network was asked.
    """

    model: nn.Module
    arguments: tuple[tuple[Any, ...], dict[str, Any]]
    dtype: torch.dtype
    inputs: list[Part] = field(default_factory=list)
    outputs: list[Part] = field(default_factory=list)
    batch_dimension: int | None = None
    rows: Tensor = field(default_factory=lambda: torch.empty(0))
    seed: int = 0
    is_random: bool = False
    notes: list[Sentence] = field(default_factory=list)

    @property
    def n_inputs(self) -> int:
        """Numbers per input row."""
        return sum(part.size for part in self.inputs)

    @property
    def n_outputs(self) -> int:
        """Numbers per output row."""
        return sum(part.size for part in self.outputs)

    @property
    def rounding(self) -> float:
        """The unit of rounding of ``dtype``."""
        return float(torch.finfo(self.dtype).eps)

    def __call__(self, rows: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the outputs, shape ``(len(rows), n_outputs)``, of input rows of shape ``(…, n_inputs)``.

        Args:
            rows: Input rows; gradients flow.
            context: For each row, from which row of the example everything else is taken that is not varied; the first by default.
        """
        if context is None:
            context = torch.zeros(len(rows), dtype=torch.long, device=rows.device)
        if self.batch_dimension is None:
            return torch.cat([self._outputs_of(row[None], context[:1]) for row in rows])
        return self._outputs_of(rows, context)

    def in_chunks(self, rows: Tensor, context: Tensor | None = None) -> Tensor:
        """Return the same without gradients, a bounded number of rows at a time."""
        step = self.chunk
        with torch.no_grad():
            return torch.cat([self(rows[i : i + step], None if context is None else context[i : i + step]) for i in range(0, len(rows), step)])

    @property
    def chunk(self) -> int:
        """How many rows are evaluated at once at most."""
        return max(1, N_VALUES_AT_ONCE // max(1, self.n_inputs, self.n_outputs))

    @property
    def each_row(self) -> Tensor:
        """The context in which every row of the example is itself, shape ``(rows,)``."""
        return torch.arange(len(self.rows))

    @property
    def scale(self) -> Tensor:
        """Typical size of each input's variation, shape ``(n_inputs,)``: one number per input tensor, its standard deviation, else its mean size, else 1."""
        sizes = torch.ones(self.n_inputs, dtype=self.dtype, device=self.rows.device)
        for part in self.inputs:
            values = self.rows[:, part.columns]
            deviation = float(values.std(unbiased=False)) if values.numel() > 1 else 0.0
            sizes[part.columns] = deviation or float(values.abs().mean()) or 1.0
        return sizes

    def _outputs_of(self, rows: Tensor, context: Tensor) -> Tensor:
        found = floating(self.output_of(rows, context))
        return torch.cat([flat_rows(tensor, part.batch, self.dtype) for (_, tensor), part in zip(found, self.outputs, strict=True)], dim=1)

    def output_of(self, rows: Tensor, context: Tensor) -> Any:
        """Return the model's own output, whatever its structure, of flat rows."""
        given: list[Tensor] = []
        answers: dict[int, Tensor] = {}
        for part in self.inputs:
            values = rows[:, part.columns].reshape(len(rows), *part.shape)
            values = values[0] if part.batch is None else values.movedim(0, part.batch)
            if part.lookup is None:
                given.append(values)
            else:
                answers[part.lookup] = values
        return self.run(given, context, answers)

    def run(self, floats: Sequence[Tensor], context: Tensor | None = None, answers: Mapping[int, Tensor] | None = None, *, as_given: bool = False) -> Any:
        """Run the copy with ``floats`` as its floating inputs, the rest by ``context``, and look-ups answered by ``answers``.

        What is given is copied first, since a layer that works in place would change it; ``as_given`` leaves that out.
        """
        positional, keywords = self.arguments
        waiting = iter(floats)
        chosen = [next(waiting) if tensor.is_floating_point() else self._of_rows(tensor, context) for _, tensor in tensors_in(self.arguments)]
        new = chosen if as_given else [tensor.clone() for tensor in chosen]
        positional, keywords = with_tensors((positional, keywords), iter(new))
        seen: AbstractContextManager[Any] = EmbeddingCalls(answers) if answers else nullcontext()
        with undisturbed(self.model, self.dtype, self.seed), seen:
            return self.model(*positional, **keywords)

    def _of_rows(self, tensor: Tensor, context: Tensor | None) -> Tensor:
        dimension = self.batch_dimension
        if context is None or dimension is None or tensor.dim() <= dimension or tensor.shape[dimension] != len(self.rows):
            return tensor
        return tensor.index_select(dimension, context.to(tensor.device))


def floating(output: Any) -> list[tuple[str, Tensor]]:
    """Return the floating and complex tensors of a model's output with their places."""
    return [(name or "output", t) for name, t in tensors_in(output) if t.is_floating_point() or t.is_complex()]


def flat_rows(tensor: Tensor, dimension: int | None, dtype: torch.dtype) -> Tensor:
    """Return a tensor as rows along ``dimension``, shape ``(rows, numbers)``; all of it as one row without one."""
    real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
    rows = real[None] if dimension is None else real.movedim(dimension, 0)
    return rows.reshape(len(rows), -1).to(dtype)
