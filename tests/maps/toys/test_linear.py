"""The linear map."""

from kazami.maps.toys.linear import Linear
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(Linear())


def test_the_image_by_hand():
    m = Linear(p1=2.0, p2=3.0, shear=0.5, state=(1.0, 4.0))
    assert m.advance(m.current_state(), 0).tolist() == [4.0, 12.0]
