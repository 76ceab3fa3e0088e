"""Matrices and formulas in characters: blocks of lines that stand beside one another, aligned in the middle."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...reports.numerals import short

Block = list[str]
_WHOLE = 5  # rows and columns that are shown without leaving one out


def shown_indices(size: int, whole: int = _WHOLE) -> list[int | None]:
    """Return which rows (columns, neurons) are shown, at most ``whole`` of them; ``None`` stands for those left out before the last.

    >>> shown_indices(4), shown_indices(100)
    ([0, 1, 2, 3], [0, 1, 2, None, 99])
    """
    if size <= whole:
        return list(range(size))
    return [*range(whole - 2), None, size - 1]


def matrix(values: NDArray[np.float64], *, whole: int = _WHOLE) -> Block:
    """Return a matrix in brackets; rows and columns of a large one are left out in the middle.

    >>> print("\\n".join(matrix(np.array([[1.0, -0.5], [20.0, 3.25]]))))
    ⎡  1  -0.5 ⎤
    ⎣ 20  3.25 ⎦
    """
    rows, columns = shown_indices(values.shape[0], whole), shown_indices(values.shape[1], whole)
    cells = [[_cell(values, row, column) for column in columns] for row in rows]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    if len(lines) == 1:
        return [f"[ {lines[0]} ]"]
    middle = len(lines) - 2
    left, right = "⎡" + "⎢" * middle + "⎣", "⎤" + "⎥" * middle + "⎦"
    return [f"{start} {line} {end}" for start, line, end in zip(left, lines, right, strict=True)]


def _cell(values: NDArray[np.float64], row: int | None, column: int | None) -> str:
    if row is None:
        return "⋮" if column is not None else "⋱"
    return "…" if column is None else short(float(values[row, column]))


def beside(*parts: Block | str, gap: str = " ") -> Block:
    """Return blocks side by side, their middles on one line.

    >>> beside(["a", "b", "c"], "=", ["d"])
    ['a', 'b = d', 'c']
    """
    blocks = [[part] if isinstance(part, str) else part for part in parts]
    height = max(len(block) for block in blocks)
    padded = []
    for block in blocks:
        above, width = (height - len(block)) // 2, max(map(len, block))
        padded.append([line.ljust(width) for line in ([""] * above + block + [""] * (height - len(block) - above))])
    return [gap.join(line).rstrip() for line in zip(*padded, strict=True)]


def captioned(block: Block, caption: str) -> Block:
    """Return the block with a caption below its middle; its middle stays where it was.

    >>> captioned(["[ 1  2 ]"], "1×2")
    ['', '[ 1  2 ]', '  1×2']
    """
    width = max(*map(len, block), len(caption))
    middle = [line.center(max(map(len, block))).ljust(width) if len(line) < width else line for line in block]
    return ["", *(line.rstrip() for line in middle), caption.center(max(map(len, block))).rstrip()]


def shape_text(shape: Sequence[int]) -> str:
    """Return a shape as people write it.

    >>> shape_text((3, 4)), shape_text(())
    ('3×4', '1')
    """
    return "×".join(map(str, shape)) or "1"
