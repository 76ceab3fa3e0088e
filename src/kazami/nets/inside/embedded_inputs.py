"""Whole numbers as inputs: a network cannot be varied in a token, but in the vector that an embedding makes of it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

EMBEDDINGS = (F.embedding, torch.embedding)


class EmbeddingCalls(TorchFunctionMode):
    """Records the look-ups made in a forward pass, and answers some of them with other vectors.

    Args:
        answers: By the number of the look-up (from 0, in the order of the calls), what it returns instead.
    """

    def __init__(self, answers: Mapping[int, Tensor] | None = None) -> None:
        """Begin with no look-up seen."""
        super().__init__()
        self.answers = dict(answers or {})
        self.indices: list[Tensor] = []
        self.vectors: list[Tensor] = []
        self.weights: list[Tensor] = []

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Pass everything on but look-ups."""
        del types
        if func not in EMBEDDINGS:
            return func(*args, **(kwargs or {}))
        given = [*args, *(kwargs or {}).values()][:2]
        index, weight = given if func is F.embedding else given[::-1]
        number = len(self.indices)
        made = self.answers[number].clone() if number in self.answers else func(*args, **(kwargs or {}))
        self.indices.append(index)
        self.weights.append(weight)
        self.vectors.append(made)
        return made


def input_lookups(run: Callable[[Sequence[Tensor]], Any], integers: Sequence[Tensor]) -> tuple[list[int], EmbeddingCalls]:
    """Return which look-ups of a forward pass read the whole-number inputs, and all look-ups.

    A look-up reads an input if it shares its memory (a view of it), or if its indices change when the input is mirrored within its own range. A look-up of
    fixed positions does neither.

    Args:
        run: Runs the model with these whole-number inputs in place of its own.
        integers: Its whole-number inputs.
    """
    with EmbeddingCalls() as calls:
        run(integers)
    places = {tensor.untyped_storage().data_ptr() for tensor in integers if tensor.numel()}
    reading = [number for number, index in enumerate(calls.indices) if index.untyped_storage().data_ptr() in places]
    if len(reading) == len(calls.indices):
        return reading, calls
    try:
        with EmbeddingCalls() as mirrored:
            run([tensor.max() + tensor.min() - tensor if tensor.numel() and tensor.dtype != torch.bool else tensor for tensor in integers])
    except Exception:  # the model has rules of its own for these numbers; what shares memory is known all the same
        return reading, calls
    moved = [k for k, (a, b) in enumerate(zip(calls.indices, mirrored.indices, strict=False)) if a.shape == b.shape and not torch.equal(a, b)]
    return sorted({*reading, *moved}), calls
