"""The reshaping makes the very shapes that were seen equal."""

import pytest
import torch

from kazami.cures.match_shapes import MatchShapes, reshaping
from tests.cures.cases import finding, prescribed, trace


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
