import math

import pytest

from kazami.reports.numerals import fraction, short


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (-0.5, "-0.5"), (99999.0, "99999"), (1e5, "1e5"), (0.001, "0.001"), (9.99e-4, "9.99e-4"), (None, "–"), (1 / 3, "0.333")],
)
def test_three_digits_are_enough(value, text):
    assert short(value) == text


def test_what_is_not_finite_has_a_sign():
    assert (short(math.inf), short(-math.inf), short(math.nan)) == ("∞", "−∞", "NaN")


@pytest.mark.parametrize(("share", "text"), [(0.5, "1/2"), (1 / 99.6, "1/100"), (2.43e-5, "1/41\u202f000")])
def test_a_share_is_read_as_a_fraction(share, text):
    assert fraction(share) == text
