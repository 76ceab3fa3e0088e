"""Box counting on sets whose dimension is known."""

import math

import numpy as np
import pytest

from kazami.errors import UsageError
from kazami.trainability import box_dimension, edges


def carpet(order, hole):
    """Return Sierpinski's carpet (a hole in the middle) or Cantor's dust (all but the corners missing)."""
    pattern = np.ones((3, 3), dtype=bool)
    if hole == "middle":
        pattern[1, 1] = False
    else:
        pattern[1, :] = pattern[:, 1] = False
    found = np.ones((1, 1), dtype=bool)
    for _ in range(order):
        found = np.kron(pattern, found).astype(bool)
    return found


@pytest.mark.parametrize(("hole", "boxes"), [("middle", 8), ("cross", 4)])
def test_a_set_that_is_like_itself(hole, boxes):
    """At sizes that are powers of three the count is exact."""
    found = box_dimension(carpet(6, hole), sizes=3 ** np.arange(7))
    assert found.counts.tolist() == [boxes ** (6 - k) for k in range(7)]
    assert found.value == pytest.approx(math.log(boxes) / math.log(3), abs=1e-12)
    assert found.r_squared == pytest.approx(1.0)
    assert found.local_slopes == pytest.approx(math.log(boxes) / math.log(3))


def test_all_sizes_agree_nearly():
    assert box_dimension(carpet(6, "middle")).value == pytest.approx(math.log(8) / math.log(3), abs=0.1)


@pytest.mark.parametrize("angle", [0.0, 0.3, math.pi / 4])
def test_a_line_and_a_disc(angle):
    y, x = np.mgrid[-256:256, -256:256] + 0.5
    line = np.abs(np.cos(angle) * y - np.sin(angle) * x) < 1.0
    disc = x**2 + y**2 < 200**2
    assert box_dimension(line).value == pytest.approx(1.0, abs=0.1)  # two pixels thick
    assert box_dimension(disc).value == pytest.approx(2.0, abs=0.1)
    assert box_dimension(edges(disc)).value == pytest.approx(1.0, abs=0.06)


def test_the_edge_is_where_signs_change():
    values = np.array([[-1.0, -2.0, 3.0], [-1.0, -1.0, 2.0], [-5.0, -1.0, -1.0]])
    assert edges(values).tolist() == [[False, True], [False, True]]
    assert edges(values < 0).tolist() == edges(values).tolist()


def test_no_edge_has_no_dimension():
    found = box_dimension(np.zeros((64, 64), dtype=bool))
    assert math.isnan(found.value)
    assert found.to_dict()["value"] is None
    assert found.edge_pixels == 0


def test_the_fit_range_is_as_asked():
    found = box_dimension(carpet(5, "middle"), fit_range=(4, 23))
    assert 4 <= found.fit_range[0] < found.fit_range[1] <= 23


def test_refusals():
    with pytest.raises(UsageError):
        edges(np.ones((1, 5)))
    with pytest.raises(UsageError):
        box_dimension(np.ones(5))
