"""What the walk shows at each step: the operands with their numbers, the result, one entry of it worked out by hand, and a sentence."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..nets.explained.text_blocks import shown_indices
from ..records import Sentence
from ..reports.numerals import short
from .backprop_drawing import minus
from .backprop_graph import output_name
from .backprop_words import SENTENCES
from .backpropagation import ACTIVATIONS, Array, Backprop, Step

MOST = 6  # rows and columns of a matrix that are shown
MOST_TERMS = 4  # of a sum that is worked out
Marked = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Tile:
    """A matrix that is shown.

    Attributes:
        name: HTML of its name.
        value: Its numbers, shape ``(rows, columns)``.
        shape: As people write it.
        marked: Tells whether an entry (row, column) takes part in the entry worked out.
        sign: What stands before it.
    """

    name: str
    value: Array
    shape: str
    marked: Marked
    sign: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One step.

    Attributes:
        step: What is computed.
        uses: Ids of the quantities that go in.
        tiles: Operands, in the order of the formula.
        result: What comes out.
        by_hand: One entry worked out: what it is called, its terms, its value; empty where nothing is computed.
        words: What happens.
        entry: Row and column of the entry worked out.
    """

    step: Step
    uses: tuple[str, ...]
    tiles: tuple[Tile, ...]
    result: Tile
    by_hand: str
    words: Sentence
    entry: tuple[int, int] = field(default=(0, 0))


def scenes_of(found: Backprop) -> list[Scene]:
    """Return what is shown at each of the steps."""
    return [_scene(found, step) for step in found.steps()]


def _scene(found: Backprop, step: Step) -> Scene:
    kind = step.name.partition("_")[0]
    if kind == "A" and step.layer == 0:
        result = _tile("X", step.value, lambda row, column: False)
        return Scene(step, (), (), result, "", SENTENCES["X"])
    row, column = entry = largest(np.atleast_2d(step.value))
    words, uses, tiles, by_hand = _KINDS[kind](found, step, row, column)
    result = _tile(
        html_name(step.name, len(found.sums)), step.value, lambda i, j: (i, j) == entry, ")² =" if step.name == "C" and found.loss_name == "mse" else "="
    )
    value = number(float(np.atleast_2d(step.value)[entry]))
    where = f"<sub>{row + 1},{column + 1}</sub>" if step.value.ndim == 2 else f"<sub>{column + 1}</sub>" if step.value.ndim else ""
    return Scene(step, uses, tiles, result, f"{_bracketed(result.name, where)} = {by_hand} = <b>{value}</b>", words, entry)


def largest(values: Array) -> tuple[int, int]:
    """Return row and column of the largest entry among those that are shown: it tells most."""
    rows = [row for row in shown_indices(values.shape[0], MOST) if row is not None]
    columns = [column for column in shown_indices(values.shape[1], MOST) if column is not None]
    sizes = np.nan_to_num(np.abs(values[np.ix_(rows, columns)]))
    row, column = np.unravel_index(int(np.argmax(sizes)), sizes.shape)
    return rows[int(row)], columns[int(column)]


def html_name(name: str, last: int) -> str:
    """Return the name of a step's result as HTML, as the picture calls it.

    >>> html_name("A_1", 2), html_name("delta_2", 2), html_name("dW_1", 2)
    ('H<sub>1</sub>', 'δ<sub>2</sub>', '∂C/∂W<sub>1</sub>')
    """
    letter, _, index = name.partition("_")
    if letter == "A":
        called = output_name(int(index), last)
        return f"H<sub>{index}</sub>" if called.startswith("H") else called
    said = {"delta": "δ", "dW": "∂C/∂W", "db": "∂C/∂b"}.get(letter, letter)
    return f"{said}<sub>{index}</sub>" if index else said


def number(value: float) -> str:
    """Return a number as the page writes it."""
    return minus(short(value))


def _bracketed(name: str, where: str) -> str:
    return name if not where else f"({name}){where}" if "∂" in name else f"[{name}]{where}"


def _tile(name: str, value: Array, marked: Marked, sign: str = "") -> Tile:
    return Tile(name, np.atleast_2d(value), "×".join(map(str, value.shape)) or "1", marked, sign)


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def _sum(terms: Sequence[str]) -> str:
    """Return terms as a sum, the middle of a long one left out."""
    kept = list(terms) if len(terms) <= MOST_TERMS else [*terms[: MOST_TERMS - 2], "…", terms[-1]]
    return " + ".join(kept)


def _products(left: Array, right: Array) -> str:
    return _sum([f"{_factor(float(a))}·{_factor(float(b))}" for a, b in zip(left, right, strict=True)])


_Shown = tuple[Sentence, tuple[str, ...], tuple[Tile, ...], str]


def _sums(found: Backprop, step: Step, row: int, column: int) -> _Shown:
    at, last = step.layer - 1, len(found.sums)
    entering, weight, bias = found.inputs[at], found.weights[at], found.biases[at]
    tiles = (
        _tile(html_name(f"A_{at}", last), entering, lambda i, j: i == row),
        _tile(f"W<sub>{step.layer}</sub>", weight, lambda i, j: j == column, "·"),
        _tile(f"b<sub>{step.layer}</sub>", bias, lambda i, j: j == column, "+"),
    )
    by_hand = f"{_products(entering[row], weight[:, column])} + {_factor(float(bias[column]))}"
    return SENTENCES["Z"], (f"A_{at}", f"W_{step.layer}", f"b_{step.layer}"), tiles, by_hand


def _outputs(found: Backprop, step: Step, row: int, column: int) -> _Shown:
    sums, name = found.sums[step.layer - 1], found.activations[step.layer - 1]
    tiles = (_tile(f"Z<sub>{step.layer}</sub>", sums, lambda i, j: (i, j) == (row, column), "φ of"),)
    return SENTENCES["identity" if name == "identity" else "A"], (f"Z_{step.layer}",), tiles, f"φ({number(float(sums[row, column]))})"


def softmax(values: Array) -> Array:
    """Return the softmax of each row."""
    shares = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _loss(found: Backprop, step: Step, row: int, column: int) -> _Shown:
    del row, column
    output, target, last = found.outputs[-1], found.target, len(found.sums)
    uses = (f"A_{last}", "T")
    if found.loss_name == "mse":
        squares = [f"({number(float(y))} − {_factor(float(t))})²" for y, t in zip(output.ravel(), target.ravel(), strict=True)]
        tiles = (_tile("Y", output, lambda i, j: True, f"1/{output.size} Σ ("), _tile("T", target, lambda i, j: True, "−"))
        return SENTENCES["mse"], uses, tiles, f"[{_sum(squares)}] / {output.size}"
    shares = softmax(output)
    held = [
        f"{_factor(float(t))}·ln {number(float(p))}" if t != 1 else f"ln {number(float(p))}" for t, p in zip(target.ravel(), shares.ravel(), strict=True) if t
    ]
    tiles = (_tile("T", target, lambda i, j: bool(target[i, j]), f"−1/{len(output)} Σ"), _tile("softmax(Y)", shares, lambda i, j: bool(target[i, j]), "ln"))
    return SENTENCES["cross_entropy"], uses, tiles, f"−[{_sum(held)}] / {len(output)}"


def _deltas(found: Backprop, step: Step, row: int, column: int) -> _Shown:
    at, last = step.layer - 1, len(found.sums)
    slopes = ACTIVATIONS[found.activations[at]][1](found.sums[at])
    slope = _tile(f"φ′(Z<sub>{step.layer}</sub>)", slopes, lambda i, j: (i, j) == (row, column), "⊙" if step.layer < last else ") ⊙")
    times = f" · {_factor(float(slopes[row, column]))}"
    if step.layer < last:
        later, weight = found.deltas[step.layer], found.weights[step.layer]
        index = step.layer + 1
        tiles = (_tile(f"δ<sub>{index}</sub>", later, lambda i, j: i == row), _tile(f"W<sub>{index}</sub>ᵀ", weight.T, lambda i, j: j == column, "·"), slope)
        by_hand = f"[{_products(later[row], weight[column])}]{times}"
        return SENTENCES["delta"], (f"delta_{index}", f"W_{index}", f"Z_{step.layer}"), tiles, by_hand
    output, target = found.outputs[-1], found.target
    is_mse = found.loss_name == "mse"
    guess = output if is_mse else softmax(output) * target.sum(axis=1, keepdims=True)
    factor = f"2/{output.size}" if is_mse else f"1/{len(output)}"
    here: Marked = lambda i, j: (i, j) == (row, column)  # noqa: E731
    tiles = (_tile("Y" if is_mse else "softmax(Y)", guess, here, f"{factor} ("), _tile("T", target, here, "−"), slope)
    by_hand = f"{factor} · ({number(float(guess[row, column]))} − {_factor(float(target[row, column]))}){times}"
    return SENTENCES[f"delta_{found.loss_name}"], (f"A_{last}", "T", f"Z_{last}", "C"), tiles, by_hand


def _by_weights(found: Backprop, step: Step, row: int, column: int) -> _Shown:
    at, last = step.layer - 1, len(found.sums)
    entering, delta = found.inputs[at], found.deltas[at]
    tiles = (
        _tile(f"{html_name(f'A_{at}', last)}ᵀ", entering.T, lambda i, j: i == row),
        _tile(f"δ<sub>{step.layer}</sub>", delta, lambda i, j: j == column, "·"),
    )
    return SENTENCES["dW"], (f"A_{at}", f"delta_{step.layer}"), tiles, _products(entering[:, row], delta[:, column])


def _by_biases(found: Backprop, step: Step, row: int, column: int) -> _Shown:
    del row
    delta = found.deltas[step.layer - 1]
    tiles = (_tile(f"δ<sub>{step.layer}</sub>", delta, lambda i, j: j == column, "Σ"),)
    return SENTENCES["db"], (f"delta_{step.layer}",), tiles, _sum([_factor(float(one)) for one in delta[:, column]])


_KINDS: dict[str, Callable[[Backprop, Step, int, int], _Shown]] = {
    "Z": _sums, "A": _outputs, "C": _loss, "delta": _deltas, "dW": _by_weights, "db": _by_biases,
}  # fmt: skip
