"""Output and target of one shape."""

import pytest

from tests.edits.asserts import HEADER, LOOP, change, refused, written, written_into

SQUEEZE = change("match_shapes", side="output", call="squeeze(-1)")


def test_at_the_loss(tmp_path):
    assert written(tmp_path, "broadcast.py", SQUEEZE) == ["-    loss = criterion(outputs, y)", "+    loss = criterion(outputs.squeeze(-1), y)"]


def test_the_target_follows_the_output(tmp_path):
    lines = written(tmp_path, "broadcast.py", change("match_shapes", side="target", call="view_as(output)"))
    assert lines[1] == "+    loss = criterion(outputs, y.view_as(outputs))"


@pytest.mark.parametrize(
    ("loss", "new"), [("((z - y) ** 2).mean()", "((z.squeeze(-1) - y) ** 2).mean()"), ("(y - net(x)).abs().sum()", "(y - net(x).squeeze(-1)).abs().sum()")]
)
def test_a_loss_by_hand(tmp_path, loss, new):
    assert written_into(tmp_path, HEADER + LOOP.format(loss=loss), SQUEEZE)[1] == f"+    loss = {new}"


def test_two_losses_are_refused(tmp_path):
    assert refused(tmp_path, HEADER + LOOP.format(loss="F.mse_loss(z, y) + F.l1_loss(z, y)"), SQUEEZE)
