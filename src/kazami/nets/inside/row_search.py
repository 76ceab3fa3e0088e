"""Which dimension of a network's inputs holds the rows: found by asking, not assumed."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ...errors import UsageError
from ...records import Sentence
from .embedded_inputs import input_lookups
from .flat_network import InputOutputMap, Part, flat_rows, floating
from .nested_tensors import tensors_in, with_tensors


def find_shapes(made: InputOutputMap) -> None:
    """Fill in inputs, outputs, rows and the batch dimension of ``made``.

    Raises:
        UsageError: There is no floating input and no embedding, or no floating output.
    """
    floats = [(name, tensor) for name, tensor in tensors_in(made.arguments[0]) + tensors_in(made.arguments[1]) if tensor.is_floating_point()]
    lookups, vectors = _lookups(made, [tensor for _, tensor in floats])
    values: list[tuple[str, Tensor, int | None]] = [(name, tensor, None) for name, tensor in floats]
    values += [(f"embedding {k}", vectors[k], k) for k in lookups]
    if not values:
        raise UsageError("The model should have a floating input or an embedding of its input, and has neither: there is nothing that can be varied.")
    with torch.no_grad():
        output = floating(made.run([tensor for _, tensor in floats]))
    if not output:
        raise UsageError("The model should give a floating output, and gives none.")
    _look_for_chance(made, [tensor for _, tensor in floats])
    for dimension in (0, 1):
        batches = _batches([tensor for _, tensor, _ in values], dimension)
        if batches and _rows_stand_alone(made, values, output, dimension, batches):
            return
    _set_shapes(made, values, output, None, [None] * len(values), [None] * len(output))
    if max(tensor.dim() for _, tensor, _ in values) > 1 and len(values[0][1]) > 1:
        made.notes.append(
            Sentence(
                "The rows of the batch do not stand alone (they influence one another, the batch size is built in, or each gets its own random numbers), "
                "so the whole example counts as one input.",
                "バッチ内の行が独立していない（互いに影響し合う、バッチサイズが固定、または行ごとに乱数が異なる）ため、例全体を一つの入力として扱いました。",
            )
        )


def _lookups(made: InputOutputMap, floats: list[Tensor]) -> tuple[list[int], list[Tensor]]:
    tensors = [tensor for _, tensor in tensors_in(made.arguments)]
    whole = [tensor for tensor in tensors if not tensor.is_floating_point() and not tensor.is_complex()]
    if not whole:
        return [], []
    kept = made.arguments

    def run(replaced: Sequence[Tensor]) -> None:
        waiting = iter(replaced)
        made.arguments = with_tensors(kept, (t if t.is_floating_point() or t.is_complex() else next(waiting) for t in tensors))
        try:
            made.run([tensor.clone() for tensor in floats], as_given=True)  # look-ups are known by the memory they read
        finally:
            made.arguments = kept

    with torch.no_grad():
        numbers, calls = input_lookups(run, whole)
    if not numbers:
        made.notes.append(Sentence("Whole-number inputs were held as they are in the example.", "整数の入力は例の値に固定しました。"))
    else:
        made.notes.append(
            Sentence(
                "Whole-number inputs were varied as the vectors that the embedding makes of them, as if one-hot vectors went into a linear layer.",
                "整数の入力は、one-hot ベクトルが線形層に入るものとみなし、埋め込みベクトルとして動かしました。",
            )
        )
    return numbers, calls.vectors


def _look_for_chance(made: InputOutputMap, floats: list[Tensor]) -> None:
    """Find out whether another seed gives another output where the same seed gives the same, and say so."""
    outputs = []
    for seed in (0, 0, 1):
        made.seed = seed
        with torch.no_grad():
            outputs.append([tensor for _, tensor in floating(made.run(floats))])
    made.seed = 0
    again, other = (all(_alike(a, b, made.rounding) for a, b in zip(outputs[0], outputs[k], strict=False)) for k in (1, 2))
    made.is_random = again and not other
    if made.is_random:
        made.notes.append(
            Sentence(
                "The network draws random numbers in every pass (dropout, noise); it was examined for one fixed draw.",
                "ネットワークは実行のたびに乱数を使います（ドロップアウト、ノイズなど）。一つの固定した乱数で調べました。",
            )
        )


def _alike(a: Tensor, b: Tensor, rounding: float) -> bool:
    return a.shape == b.shape and torch.allclose(a, b, rtol=rounding**0.6, atol=0.0, equal_nan=True)


def _batches(inputs: list[Tensor], dimension: int) -> list[int]:
    """Return for each input the dimension that may hold the rows if the first has them in ``dimension``; nothing where this cannot be.

    That is the same dimension where its size fits, else the first that fits (an LSTM's state has its rows in the second). Dimension 1 is asked only for
    sequences: in a table it holds the features.
    """
    first = inputs[0]
    if first.dim() <= dimension or (dimension == 1 and first.dim() < 3):
        return []
    n_rows = first.shape[dimension]
    found = [next((d for d in (dimension, *range(t.dim())) if d < t.dim() and t.shape[d] == n_rows), None) for t in inputs]
    return [d for d in found if d is not None] if None not in found else []


def _set_shapes(
    made: InputOutputMap,
    values: list[tuple[str, Tensor, int | None]],
    output: list[tuple[str, Tensor]],
    dimension: int | None,
    batches: Sequence[int | None],
    output_batches: Sequence[int | None],
) -> None:
    made.batch_dimension = dimension
    made.inputs, made.outputs, start = [], [], 0
    for (name, tensor, lookup), batch in zip(values, batches, strict=True):
        made.inputs.append(Part(name, _row_shape(tensor, batch), start, batch, lookup))
        start += made.inputs[-1].size
    made.rows = torch.cat([flat_rows(tensor.detach(), batch, made.dtype) for (_, tensor, _), batch in zip(values, batches, strict=True)], dim=1)
    start = 0
    for (name, tensor), batch in zip(output, output_batches, strict=True):
        real = torch.view_as_real(tensor) if tensor.is_complex() else tensor
        made.outputs.append(Part(name, _row_shape(real, batch), start, batch))
        start += made.outputs[-1].size


def _rows_stand_alone(
    made: InputOutputMap, values: list[tuple[str, Tensor, int | None]], output: list[tuple[str, Tensor]], dimension: int, batches: list[int]
) -> bool:
    """Tell whether three rows give together what each gives alone; the outputs' batch dimensions are those that grow with the number of rows."""
    _set_shapes(made, values, output, dimension, batches, [None] * len(output))
    generator = torch.Generator().manual_seed(0)
    context = torch.tensor([0, len(made.rows) - 1, 0])
    rows = made.rows[context]
    rows = rows + 0.5 * made.scale * torch.randn(rows.shape, generator=generator, dtype=torch.float64).to(rows)
    try:
        with torch.no_grad():
            shapes = [[tensor.shape for _, tensor in floating(made.output_of(rows[:n], context[:n]))] for n in (2, 3)]
            grown = [[d for d, (a, b) in enumerate(zip(two, three, strict=True)) if (a, b) == (2, 3)] for two, three in zip(*shapes, strict=True)]
            if any(len(places) != 1 for places in grown):
                return False
            _set_shapes(made, values, output, dimension, batches, [places[0] for places in grown])
            together = made(rows, context)
            alone = torch.cat([made(rows[i : i + 1], context[i : i + 1]) for i in range(3)])
    except Exception:  # the batch size is built in
        return False
    size = float(alone.abs().nan_to_num(0.0, 0.0, 0.0).amax()) if alone.numel() else 0.0
    return torch.allclose(together, alone, rtol=0.0, atol=made.rounding**0.6 * size, equal_nan=True)


def _row_shape(tensor: Tensor, dimension: int | None) -> tuple[int, ...]:
    shape = list(tensor.shape)
    if dimension is not None:
        del shape[dimension]
    return tuple(shape)
