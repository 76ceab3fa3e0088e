"""The folded-towel map."""

import pytest

from kazami.maps.toys.folded_towel import FoldedTowel
from tests.maps.properties import assert_toy_conforms


def test_conforms():
    assert_toy_conforms(FoldedTowel())


def test_the_image_by_hand():
    m = FoldedTowel(state=(0.5, 0.0, 0.5))
    assert m.advance(m.current_state(), 0).tolist() == pytest.approx([0.95, -0.005, 0.945], abs=1e-15)
