"""Formulas of the page in MathML, with live matrices: browsers draw it, screen readers read it, no script is needed."""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from ..reports.numerals import short


def math(*parts: str) -> str:
    """Return a formula made of its parts."""
    return f'<math display="inline">{"".join(parts)}</math>'


def name(letter: str, index: str = "") -> str:
    """Return the name of a quantity: capitals are matrices and upright."""
    variant = ' mathvariant="normal"' if letter.isupper() or len(letter) > 1 else ""
    mark = f"<mi{variant}>{escape(letter)}</mi>"
    return f"<msub>{mark}<mn>{escape(index)}</mn></msub>" if index else mark


def sign(*signs: str) -> str:
    """Return operators as they stand."""
    return "".join(f"<mo>{escape(one)}</mo>" for one in signs)


def number(value: float) -> str:
    """Return a number with three significant digits, negative ones with a real minus.

    >>> number(-0.5)
    '<mn>−0.5</mn>'
    """
    return f"<mn>{short(float(value)).replace('-', '−')}</mn>"


def matrix(values: ArrayLike) -> str:
    """Return a matrix, or a row where one dimension is given; its brackets are borders, as stretched ones need a font of their own."""
    rows = np.atleast_2d(np.asarray(values, dtype=np.float64))
    cells = "".join("<mtr>" + "".join(f"<mtd>{number(value)}</mtd>" for value in row) + "</mtr>" for row in rows.tolist())
    return f'<mtable class="matrix">{cells}</mtable>'


def shaped(part: str, shape: Sequence[int]) -> str:
    """Return a part with its shape below it."""
    return f"<munder>{part}<mtext>{'×'.join(map(str, shape))}</mtext></munder>"
