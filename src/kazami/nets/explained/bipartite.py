"""The drawing with neurons and wires: each layer is joined to the next by all wires there can be, a complete bipartite graph."""

from collections.abc import Sequence
from html import escape
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .text_blocks import Block, shown_indices

_WHOLE = 6  # neurons of a layer that are drawn one by one
_WHOLE_LAYERS = 5
_BRAILLE = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # bits of a braille cell: two columns of four dots


def n_wires(sizes: Sequence[int]) -> int:
    """Return how many wires the drawing has: the products of neighbouring sizes, added.

    >>> n_wires([3, 4, 2]), n_wires([784, 128, 64, 10])
    (20, 109184)
    """
    return sum(before * after for before, after in pairwise(sizes))


def bipartite_text(sizes: Sequence[int], *, gap: int = 8) -> Block:
    """Return the drawing in characters: ``○`` are neurons, the wires are drawn in braille dots; long layers are cut by ``⋮`` and long networks by ``⋯``.

    Args:
        sizes: Neurons per layer, input first.
        gap: Characters between two layers.
    """
    layers = _layers(sizes)
    height = 2 * max(len(shown) for _, shown in layers) - 1
    canvas = np.zeros((height * 4, (gap + 1) * (len(layers) - 1) * 2 + 2), dtype=bool)
    rows = [_rows(shown, height) for _, shown in layers]
    for place, ((left, here), (right, there)) in enumerate(pairwise(zip(layers, rows, strict=True))):
        if left[0] is not None and right[0] is not None:
            _wire(canvas, place * (gap + 1), (place + 1) * (gap + 1), _neurons(left[1], here), _neurons(right[1], there))
    lines = _characters(canvas)
    for place, ((size, shown), here) in enumerate(zip(layers, rows, strict=True)):
        for index, row in zip(shown, here, strict=True):
            lines[row][place * (gap + 1)] = "⋯" if size is None else "⋮" if index is None else "○"
    labels = "".join(("" if size is None else str(size)).ljust(gap + 1) for size, _ in layers)
    return ["".join(line).rstrip() for line in lines] + [labels.rstrip()]


def bipartite_svg(sizes: Sequence[int], *, label: str, weights: Sequence[NDArray[np.float64]] | None = None, names: tuple[str, str] = ("X", "Y")) -> str:
    """Return the drawing as an SVG element in the page's own colours.

    Args:
        sizes: Neurons per layer, input first.
        label: One sentence for screen readers.
        weights: For each pair of layers the matrix W, shape (before, after); a wire is as thick as its weight is large, and dashed where it is negative.
        names: What the inputs and the outputs are called.
    """
    layers = _layers(sizes)
    most = max(len(shown) for _, shown in layers)
    step, width = 46, 150
    height = most * step + 70
    places = {
        (layer, spot): (40.0 + layer * width, 40 + (spot - (len(shown) - 1) / 2 + (most - 1) / 2) * step)
        for layer, (_, shown) in enumerate(layers)
        for spot in range(len(shown))
    }
    parts: list[str] = []
    for layer, ((size, shown), (next_size, next_shown)) in enumerate(pairwise(layers)):
        if size is not None and next_size is not None:
            matrix = None if weights is None else weights[_pair(sizes, layers, layer)]
            parts += _svg_wires(layer, shown, next_shown, places, matrix)
    for layer, (size, shown) in enumerate(layers):
        name = names[0] if layer == 0 else names[1] if layer == len(layers) - 1 else ""
        parts += [_svg_neuron(places[layer, spot], index, size, name) for spot, index in enumerate(shown)]
        caption = "" if size is None else str(size)
        parts.append(f'<text x="{40 + layer * width}" y="{height - 12}" text-anchor="middle" font-size="14" fill="currentColor">{caption}</text>')
    total = 80 + (len(layers) - 1) * width
    return f'<svg role="img" aria-label="{escape(label)}" viewBox="0 0 {total} {height}" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'


def _layers(sizes: Sequence[int]) -> list[tuple[int | None, list[int | None]]]:
    """Return for each drawn layer its size and the neurons that are drawn; size ``None`` stands for layers that are left out."""
    drawn = list(sizes) if len(sizes) <= _WHOLE_LAYERS else [*sizes[:2], None, *sizes[-2:]]
    return [(size, [None] if size is None else shown_indices(size, _WHOLE)) for size in drawn]


def _pair(sizes: Sequence[int], layers: Sequence[object], drawn: int) -> int:
    return drawn if len(layers) == len(sizes) else drawn if drawn < 2 else len(sizes) - len(layers) + drawn


def _rows(shown: Sequence[int | None], height: int) -> list[int]:
    first = (height - (2 * len(shown) - 1)) // 2
    return [first + 2 * spot for spot in range(len(shown))]


def _neurons(shown: Sequence[int | None], rows: Sequence[int]) -> list[int]:
    return [row for index, row in zip(shown, rows, strict=True) if index is not None]


def _wire(canvas: NDArray[np.bool_], left: int, right: int, starts: Sequence[int], ends: Sequence[int]) -> None:
    x = np.arange(2 * left + 3, 2 * right - 1)  # one character of air on both sides
    share = (x - 2 * left) / (2 * right - 2 * left)
    for start in starts:
        for end in ends:
            y = np.rint((4 * start + 1.5) * (1 - share) + (4 * end + 1.5) * share).astype(int)
            canvas[y, x] = True


def _characters(canvas: NDArray[np.bool_]) -> list[list[str]]:
    rows, columns = canvas.shape[0] // 4, canvas.shape[1] // 2
    cells = canvas.reshape(rows, 4, columns, 2)
    bits = sum(cells[:, dot, :, side] * _BRAILLE[side][dot] for side in (0, 1) for dot in range(4))
    return [[chr(0x2800 + int(bit)) if bit else " " for bit in line] for line in np.asarray(bits)]


def _svg_wires(
    layer: int,
    shown: Sequence[int | None],
    next_shown: Sequence[int | None],
    places: dict[tuple[int, int], tuple[float, float]],
    matrix: NDArray[np.float64] | None,
) -> list[str]:
    largest = float(np.abs(matrix).max()) if matrix is not None and matrix.size else 1.0
    lines = []
    for spot, index in enumerate(shown):
        for next_spot, next_index in enumerate(next_shown):
            if index is None or next_index is None:
                continue
            (x1, y1), (x2, y2) = places[layer, spot], places[layer + 1, next_spot]
            weight = 1.0 if matrix is None else float(matrix[index, next_index])
            dash = ' stroke-dasharray="5 4"' if weight < 0 else ""
            thick = 0.5 + 2 * abs(weight) / (largest or 1.0)
            lines.append(f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" stroke="var(--muted, #56636f)" stroke-width="{thick:.2f}"{dash}/>')
    return lines


def _svg_neuron(place: tuple[float, float], index: int | None, size: int | None, name: str) -> str:
    x, y = place
    if index is None:
        return f'<text x="{x:g}" y="{y + 6:g}" text-anchor="middle" font-size="20" fill="currentColor">{"⋯" if size is None else "⋮"}</text>'
    label = (
        f'<text x="{x:g}" y="{y + 4:g}" text-anchor="middle" font-size="12" fill="currentColor">{name}<tspan font-size="9" dy="3">{index + 1}</tspan></text>'
        if name
        else ""
    )
    return f'<circle cx="{x:g}" cy="{y:g}" r="16" fill="var(--paper, #fff)" stroke="var(--accent, #0b5c7a)" stroke-width="1.8"/>{label}'
