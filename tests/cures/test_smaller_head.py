"""The first outputs are of unit size or a little below afterwards."""

import pytest

from kazami.cures.smaller_head import SmallerHead
from tests.cures.cases import finding, prescribed, trace

GAIN = "gain of the initial weights over the ideal"


def test_the_factor_takes_the_first_outputs_to_unit_size():
    given = prescribed(SmallerHead(), finding("bad_init_scale", 12.0, GAIN), trace(numbers={"output_std": [40.0, 1.0]}))
    assert 0.5 < 40.0 * given.parameters["factor"] <= 1.0
    assert given.code.startswith("model[4].weight")


@pytest.mark.parametrize(("gain", "outputs"), [(12.0, [0.5]), (0.01, [40.0]), (12.0, [])])
def test_small_outputs_and_small_weights_are_left_alone(gain, outputs):
    assert SmallerHead().prescribe(finding("bad_init_scale", gain, GAIN), trace(numbers={"output_std": outputs})) is None
