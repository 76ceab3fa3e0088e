"""The tent map."""

from kazami.maps.toys.tent import Tent
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(Tent())


def test_both_sides():
    m = Tent(slope=1.5)
    assert [m.formula((x,), None)[0] for x in (0.25, 0.75)] == [0.375, 0.375]
    assert [float(m.jacobian((x,))[0][0]) for x in (0.25, 0.75)] == [1.5, -1.5]
