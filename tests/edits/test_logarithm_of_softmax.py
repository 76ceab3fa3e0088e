"""The logarithm of a softmax in one operation."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into

EXACT = change("log_softmax", dim=-1)


def test_over_a_name(tmp_path):
    assert written(tmp_path, "log_of_softmax.py", EXACT) == [
        "-    loss = nn.NLLLoss()(torch.log(probabilities), y)",
        "+    loss = nn.NLLLoss()(nn.functional.log_softmax(scores, dim=1), y)",
    ]


@pytest.mark.parametrize(
    "old", ["torch.log(F.softmax(z, dim=1))", "F.softmax(z, 1).log()", "torch.log(z.softmax(1) + 1e-9)", "torch.log(torch.softmax(z, dim=1).clamp(min=1e-9))"]
)
def test_in_one_expression(tmp_path, old):
    assert written_into(tmp_path, HEADER + f"def f(z, y):\n    return F.nll_loss({old}, y)\n", EXACT)[1] == "+    return F.nll_loss(F.log_softmax(z, dim=1), y)"


def test_logits_that_change_in_between_are_refused(tmp_path):
    assert refused(tmp_path, HEADER + "def f(z):\n    p = F.softmax(z, 1)\n    z = z + 1\n    return p.log()\n", EXACT)
    assert refused(tmp_path, HEADER + "def f(z):\n    z = F.softmax(z, 1)\n    return z.log()\n", EXACT)
