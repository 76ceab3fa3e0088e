"""Matrices in characters."""

import numpy as np
import pytest

from kazami.nets.explained.text_blocks import beside, captioned, matrix, shape_text, shown_indices


@pytest.mark.parametrize("size", [1, 5, 6, 7, 1000])
def test_long_rows_are_cut_and_keep_their_ends(size):
    shown = shown_indices(size)
    assert shown[0] == 0
    assert shown[-1] == size - 1
    assert len(shown) == min(size, 5)
    assert (None in shown) is (size > 5)


def test_every_line_of_a_matrix_is_as_long():
    lines = matrix(np.random.default_rng(0).normal(size=(20, 30)) * 100)
    assert len({len(line) for line in lines}) == 1
    assert (lines[0][0], lines[1][0], lines[-1][0]) == ("⎡", "⎢", "⎣")
    assert "⋮" in lines[3]
    assert "…" in lines[0]


def test_middles_stand_on_one_line():
    assert beside("A =", captioned(matrix(np.eye(3)), shape_text((3, 3)))) == ["", "    ⎡ 1  0  0 ⎤", "A = ⎢ 0  1  0 ⎥", "    ⎣ 0  0  1 ⎦", "        3×3"]
