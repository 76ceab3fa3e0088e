"""An explanation in the characters of a terminal, at most 80 columns wide."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ...reports.numerals import short
from ...reports.wrapping import pad, width_of, wrap
from .bipartite import bipartite_text
from .explanation import SOFTMAX_OF, Explanation, LayerNumbers
from .text_blocks import Block, beside, captioned, matrix, shape_text
from .words import words

WIDTH = 80
_INDENT = "   "
_BAR = 24  # characters of the bar of a probability 1/2
_VOTES = 5
_BOXES = 5
_WHOLE, _FEWEST = 5, 3  # columns of a matrix: as many as are shown, and what is left of them where there is no room
_DRAWING = 38  # columns for the left of two drawings


def explanation_text(shown: Explanation) -> str:
    """Return the explanation as text."""
    language = shown.language
    sizes = "-".join(map(str, shown.sizes))
    lines = [words("title", language, sizes=sizes), words("setting", language, activation=shown.activation, seed=shown.seed)]
    steps = [_one_input, _neuron, _layer, _network, _forms, _drawings, _softmax, _threshold]
    for number, step in enumerate(steps, 1):
        title, block, note = step(shown)
        lines += ["", f"{number}  {title}", *(f"{_INDENT}{line}".rstrip() for line in block)]
        lines += [f"{_INDENT}{line}" for line in wrap(note, WIDTH - len(_INDENT))] if note else []
    return "\n".join(lines)


def _one_input(shown: Explanation) -> tuple[str, Block, str]:
    one, language = shown.one_input, shown.language
    line = f"y = φ(x·w + b) = φ({short(float(one.x[0]))} · {_signed(float(one.weight[0]))} + {_signed(one.bias)}) = φ({short(one.vote)}) = {short(one.y)}"
    return words("one_input", language), [line], words("one_input_note", language)


def _neuron(shown: Explanation) -> tuple[str, Block, str]:
    neuron, language, n = shown.neuron, shown.language, shown.sizes[0]
    w = captioned(matrix(neuron.weight[:, None]), f"{n}×1")
    x = _widest(lambda whole: captioned(matrix(neuron.x[None], whole=whole), f"1×{n}"), other=beside("y = φ(", w, "·", "+", _signed(neuron.bias), ")"))
    block = beside("y = φ(", x, "·", w, "+", captioned([_signed(neuron.bias)], "1"), ")")
    lines = ["y = φ(x·w + b)", *_kept(block), f"  = φ({short(neuron.vote)}) = {short(neuron.y)}"]
    return words("neuron", language, n=n), lines, words("neuron_note", language)


def _layer(shown: Explanation) -> tuple[str, Block, str]:
    language, m = shown.language, shown.sizes[1]
    note = words("layer_note" if m > 1 else "layer_note_one", language)
    return words("layer", language, m=m), ["Y = φ(X·W + b)", *_layer_block(shown.layers[0], "X", "Y")], note


def _layer_block(layer: LayerNumbers, x: str, y: str) -> Block:
    """Return XW + b and φ(XW + b) with shapes; in two rows each where one would be too wide, and with fewer columns where even that is."""
    start = f"{x}·W + b ="
    weight = _widest(lambda whole: _block(layer.weight, whole), other=beside(start, _block(layer.x, _FEWEST), "·"))
    given = _widest(lambda whole: _block(layer.x, whole), other=beside(start, "·", weight))
    product = beside(start, given, "·", weight, "+", _block(layer.bias))
    if not _fits(product):
        product = [*_kept(beside(start, given, "·", weight)), *_kept(beside(" " * (len(start) - 2), "+", _block(layer.bias)))]
    answer = beside(f"{y} = φ(", _block(layer.sums), ") =", _block(layer.y))
    if not _fits(answer):
        answer = [*_kept(beside(f"{y} = φ(", _block(layer.sums), ")")), *_kept(beside(" " * len(y), "=", _block(layer.y)))]
    return [*_kept(product), *_kept(answer)]


def _block(values: NDArray[np.float64], whole: int = _WHOLE) -> Block:
    return captioned(matrix(values, whole=whole), shape_text(values.shape))


def _widest(made: Callable[[int], Block], *, other: Block) -> Block:
    """Return the block with as many columns as there is room for beside the other one."""
    blocks = [made(whole) for whole in range(_WHOLE, _FEWEST - 1, -1)]
    return next((block for block in blocks if _fits(beside(block, other))), blocks[-1])


def _fits(block: Block) -> bool:
    return max(map(len, block)) <= WIDTH - len(_INDENT)


def _network(shown: Explanation) -> tuple[str, Block, str]:
    language, n = shown.language, len(shown.layers)
    if n == 1:
        return words("network_one", language), [nested_formula(n)], ""
    block = [nested_formula(n)]
    for number, layer in enumerate(shown.layers, 1):
        if 2 < number < n:
            block += [] if number > 3 else [f"⋮ H{_sub(3)} … H{_sub(n - 1)}" if n > 4 else f"⋮ H{_sub(3)}"]
            continue
        before, after = "X" if number == 1 else f"H{_sub(number - 1)}", "Y" if number == n else f"H{_sub(number)}"
        shapes = [shape_text(values.shape) for values in (layer.x, layer.weight, layer.bias, layer.y)]
        line = f"{after} = φ({before}·W{_sub(number)} + b{_sub(number)}):  {shapes[0]} · {shapes[1]} + {shapes[2]} → {shapes[3]}"
        block += [line, *_kept(beside(f"{' ' * len(after)} =", matrix(layer.y)))]
    return words("network", language, n=n), block, words("network_note", language)


def nested_formula(n_layers: int) -> str:
    """Return the whole network as one formula; the middle of a deep one is left out.

    >>> nested_formula(2)
    'Y = φ(φ(X·W₁ + b₁)·W₂ + b₂)'
    """
    if n_layers == 1:
        return "Y = φ(X·W + b)"
    if n_layers <= 3:
        inner = "X"
        for number in range(1, n_layers + 1):
            inner = f"φ({inner}·W{_sub(number)} + b{_sub(number)})"
        return f"Y = {inner}"
    return f"Y = φ(… φ(φ(X·W₁ + b₁)·W₂ + b₂) …·W{_sub(n_layers)} + b{_sub(n_layers)})"


def _forms(shown: Explanation) -> tuple[str, Block, str]:
    language, both = shown.language, shown.forms
    block: Block = []
    for name, form in (("column", both.column), ("row", both.row)):
        heads = ("W", "Xᵀ", "bᵀ", "Y") if name == "column" else ("X", "W′", "b", "Y′")
        tensors = (form.weight, form.input, form.bias, form.output) if name == "column" else (form.input, form.weight, form.bias, form.output)
        shapes = [shape_text(tuple(tensor.shape)) for tensor in tensors]
        label = pad(words(name, language), 12)
        block.append(f"{label} {heads[3]} ({shapes[3]}) = {heads[0]} ({shapes[0]}) · {heads[1]} ({shapes[1]}) + {heads[2]} ({shapes[2]})")
    column, row = matrix(both.column.output.numpy()), matrix(both.row.output.numpy())
    block += _kept(beside("Y =", column, "   Y′ =", row))
    note = words("forms_note", language, difference=short(both.difference), stored=shape_text(tuple(both.column.weight.shape)))
    return words("forms", language), block, note


def _drawings(shown: Explanation) -> tuple[str, Block, str]:
    language, sizes = shown.language, shown.sizes
    wires = bipartite_text(sizes, gap=max(5, min(13, 32 // min(4, len(sizes) - 1) - 1)))
    graph = flow_text(shown)
    heads = pad(words("wires_drawing", language), _DRAWING) + words("graph_drawing", language)
    height = max(len(wires), len(graph))
    left, right = ([""] * ((height - len(part)) // 2) + part for part in (wires, graph))
    rows = [pad(left[row] if row < len(left) else "", _DRAWING) + (right[row] if row < len(right) else "") for row in range(height)]
    return words("drawings", language), [heads, *(row.rstrip() for row in rows)], words("drawings_note", language, **counts(shown))


def counts(shown: Explanation) -> dict[str, object]:
    """Return the numbers of the sentence that compares the drawings."""
    products = [f"{before}·{after}" for before, after in zip(shown.sizes[:-1], shown.sizes[1:], strict=True)]
    n = len(shown.layers)
    said = " + ".join(products if len(products) <= 4 else [*products[:2], "…", products[-1]])
    return {"neurons": f"{sum(shown.sizes):,}", "wires": f"{shown.n_wires:,}", "products": said, "blocks": n, "block": "block" if n == 1 else "blocks"}


def flow_text(shown: Explanation) -> Block:
    """Return the data-flow graph in characters: a box per layer, an edge per quantity; the middle of a deep one is left out."""
    n = len(shown.layers)
    numbers: list[int | None] = list(range(1, n + 1)) if n <= _BOXES else [1, 2, None, n]
    boxes = [
        f" φ(·W{_sub(number)} + b{_sub(number)})   W{_sub(number)} {shape_text(shown.layers[number - 1].weight.shape)} "
        if number
        else f" ⋮ {n - 3} × φ(·W + b) "
        for number in numbers
    ]
    width = max(map(len, boxes))
    middle = width // 2
    lines = [" " * (middle + 1) + f"X  {shape_text(shown.layers[0].x.shape)}"]
    for number, box in zip(numbers, boxes, strict=True):
        top, bottom = "─" * middle + "┴" + "─" * (width - middle - 1), "─" * middle + "┬" + "─" * (width - middle - 1)
        out = "" if number is None else ("Y" if number == n else f"H{_sub(number)}") + "  " + shape_text(shown.layers[number - 1].y.shape)
        lines += [f"┌{top}┐", f"│{box.ljust(width)}│", f"└{bottom}┘", " " * (middle + 1) + (out if number == n else f"│ {out}")]
    return lines


def _softmax(shown: Explanation) -> tuple[str, Block, str]:
    language = shown.language
    column = max(width_of(words("state", language)), 5) + 2
    block = [pad(words("state", language), column) + words("probability", language)]
    block += [
        pad(f"{state:g}", column) + f"{value:.4f}  {'█' * max(1, round(2 * _BAR * value))}" for state, value in zip(SOFTMAX_OF, shown.softmax, strict=True)
    ]
    return words("softmax", language), block, words("softmax_note", language, total=short(round(sum(shown.softmax), 12)))


def _threshold(shown: Explanation) -> tuple[str, Block, str]:
    language = shown.language
    widths = [max(width_of(words("neuron_name", language)), 6) + 2, max(width_of(words("vote", language)), 8) + 2, 9]
    block = [pad(words("neuron_name", language), widths[0]) + pad(words("vote", language), widths[1] + 2) + "θ"]
    for number, vote in enumerate(shown.votes[:_VOTES], 1):
        ends = "● " + words("fires", language) if vote.fires else "○ " + words("silent", language)
        relation = "≥" if vote.fires else "<"
        block.append(pad(str(number), widths[0]) + pad(f"{short(vote.vote)}", widths[1]) + f"{relation} " + pad(short(vote.threshold), widths[2]) + ends)
    n_left = len(shown.votes) - _VOTES
    if n_left > 0:
        block.append(words("and_more", language, n=n_left, fired=sum(vote.fires for vote in shown.votes), total=len(shown.votes)))
    return words("threshold", language), block, words("threshold_note", language)


def _kept(block: Block) -> Block:
    """Drop empty lines at both ends."""
    filled = [place for place, line in enumerate(block) if line.strip()]
    return block[filled[0] : filled[-1] + 1]


def _signed(value: float) -> str:
    return short(value) if value >= 0 else f"({short(value)})"


def _sub(number: int) -> str:
    return "".join(chr(0x2080 + int(digit)) for digit in str(number))
