"""The reshaping makes the very shapes that were seen equal."""

import pytest
import torch
from torch.nn import functional as F

from kazami.cures.match_shapes import MatchShapes, reshaping
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, own_step


@pytest.mark.parametrize(
    ("output", "target"), [((32, 1), (32,)), ((32,), (32, 1)), ((8, 10, 1), (8, 10)), ((8, 1, 4), (8, 4)), ((1, 32), (32, 1)), ((4, 6), (6,))]
)
def test_output_and_target_have_one_shape_afterwards(output, target):
    side, call = reshaping(output, target)
    tensors = {"output": torch.zeros(output), "target": torch.zeros(target)}
    tensors[side] = eval(f"{side}{call}", dict(tensors))
    assert tensors["output"].shape == tensors["target"].shape


def test_the_code_names_the_loss_and_the_shapes():
    seen = trace(loss_kind="l1", facts={"target_broadcast": {"output": [32, 1], "target": [32]}})
    code = prescribed(MatchShapes(), finding("target_broadcast"), seen).code
    assert "F.l1_loss(output.squeeze(-1), target)" in code
    assert "(32, 1)" in code


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("side", "call"), [("output", "squeeze(-1)"), ("target", "unsqueeze(-1)"), ("target", "view_as(output)")])
def test_the_loss_compares_row_by_row(style, side, call):
    before, _ = EXAMPLES["match_shapes"](style)
    after = carried_out(MatchShapes(), before, side=side, call=call)
    exact = before.replaced(loss=lambda output, target: F.mse_loss(output[:, 0], target))
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(exact.run().losses))


def test_other_calls_and_steps_of_ones_own_are_left_alone():
    before, _ = EXAMPLES["match_shapes"]("modules")
    assert MatchShapes().apply(before, {"side": "output", "call": "__class__()"}) is None
    assert MatchShapes().apply(before.replaced(train_step=own_step), {"side": "output", "call": "squeeze(-1)"}) is None
