"""Axes of a map."""

from fractions import Fraction

import numpy as np
import pytest

from kazami.errors import UnknownName, UsageError
from kazami.trainability import Window


def test_pixels_are_where_logspace_puts_them():
    x, y = Window(x=(1e-3, 1e6), y=(1e-1, 1e4)).coordinates(10, 6)
    assert x == pytest.approx(np.logspace(-3, 6, 10), rel=1e-12)
    assert y == pytest.approx(np.logspace(-1, 4, 6), rel=1e-12)
    assert (x[0], x[-1]) == (1e-3, 1e6)


def test_a_deep_zoom_is_right_to_the_last_digit():
    low, high = 7000.0, 7000.0 * (1 + 2e-13)
    found, _ = Window(x=(low, high), y=(1.0, 2.0)).coordinates(101, 2)
    across = Fraction(high) - Fraction(low)  # so near that equal factors are equal steps
    exact = np.array([float(Fraction(low) + across * Fraction(place, 100)) for place in range(101)])
    assert np.abs(found - exact).max() <= np.spacing(low)


def test_pixels_that_a_precision_does_not_tell_apart_are_refused():
    frame = Window(x=(10.0, 10.0 * (1 + 1e-6)), y=(1.0, 2.0))
    x, y = frame.coordinates(101, 11)
    frame.must_be_resolved(x, y, "float64")
    with pytest.raises(UsageError, match=r"float32 does not tell 101 of them apart on the axis lr0 .* Take float64"):
        frame.must_be_resolved(x, y, "float32")
    with pytest.raises(UsageError, match="Take fewer pixels"):
        Window(x=(10.0, 10.0 + 1e-14), y=(1.0, 2.0)).must_be_resolved(np.array([10.0, 10.0, 10.0 + 1e-14]), y, "float64")


def test_an_axis_through_zero_is_linear():
    frame = Window(("offset", "lr"), (-2.0, 2.0), (0.1, 10.0))
    assert frame.is_logarithmic == (False, True)
    assert frame.coordinates(5)[0].tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0]


def test_settings_by_name():
    assert Window(("offset", "lr"), (1.0, 2.0), (3.0, 4.0)).settings(np.array([1.5]), np.array([3.5])).tolist() == [[3.5, 3.5, 1.5]]
    assert Window(("lr1", "lr0"), (1.0, 2.0), (3.0, 4.0)).settings(np.array([1.5]), np.array([3.5])).tolist() == [[3.5, 1.5, 0.0]]
    frame = Window(("lr0", "offset"), (1.0, 2.0), (3.0, 4.0), fixed=(("lr1", 0.5),))
    assert frame.settings(np.array([1.5]), np.array([3.5])).tolist() == [[1.5, 0.5, 3.5]]


def test_a_part_of_a_window():
    part = Window(x=(1e-2, 1e2), y=(1.0, 16.0)).part(0.5, 1.0, 0.25, 0.5)
    assert part.x == pytest.approx((1.0, 1e2))
    assert part.y == pytest.approx((2.0, 4.0))


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"axes": ("lr0", "lr")}, "same"),
        ({"axes": ("lr0", "offset")}, "lr1"),
        ({"x": (2.0, 1.0)}, "larger"),
        ({"y": (-1.0, 1.0)}, "positive"),
        ({"x": (1.0, float("inf"))}, "larger"),
    ],
)
def test_refusals(options, text):
    with pytest.raises(UsageError, match=text):
        Window(**options)


def test_an_unknown_axis():
    with pytest.raises(UnknownName, match="lr0"):
        Window(("lr00", "lr1"))
