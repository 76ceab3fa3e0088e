"""The first outputs are of unit size or a little below afterwards."""

import pytest
import torch

from kazami.cures.smaller_head import SmallerHead
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import (
    EXAMPLES,
)
from tests.cures.trainings import LAYERS, STYLES, carried_out

GAIN = "gain of the initial weights over the ideal"


def test_the_factor_takes_the_first_outputs_to_unit_size():
    given = prescribed(SmallerHead(), finding("bad_init_scale", 12.0, GAIN), trace(numbers={"output_std": [40.0, 1.0]}))
    assert 0.5 < 40.0 * given.parameters["factor"] <= 1.0
    assert given.code.startswith("model[4].weight")


@pytest.mark.parametrize(("gain", "outputs"), [(12.0, [0.5]), (0.01, [40.0]), (12.0, [])])
def test_small_outputs_and_small_weights_are_left_alone(gain, outputs):
    assert SmallerHead().prescribe(finding("bad_init_scale", gain, GAIN), trace(numbers={"output_std": outputs})) is None


@pytest.mark.parametrize("style", STYLES)
def test_only_the_head_begins_smaller(style):
    before, parameters = EXAMPLES["smaller_head"](style)
    one, other = before.start().model, carried_out(SmallerHead(), before, **parameters).start().model
    for name, weight in one.named_parameters():
        assert torch.equal(other.get_parameter(name), weight * 0.1 if name == f"{LAYERS[style][2]}.weight" else weight)
