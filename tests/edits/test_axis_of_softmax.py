"""The axis of a log-softmax is written where it stands."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written_into

AXIS = change("softmax_axis", axis=0, classes=1)
LOOP = "opt = torch.optim.SGD(net.parameters(), 0.1)\nfor x, y in data:\n    loss = {loss}\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n"


@pytest.mark.parametrize(
    ("net", "loss", "line"),
    [
        ("nn.Sequential(nn.Linear(2, 2), nn.LogSoftmax(dim=0))", "F.nll_loss(net(x), y)", "+net = nn.Sequential(nn.Linear(2, 2), nn.LogSoftmax(dim=1))"),
        ("nn.Linear(2, 2)", "F.nll_loss(F.log_softmax(net(x), 0), y)", "+    loss = F.nll_loss(F.log_softmax(net(x), 1), y)"),
        ("nn.Linear(2, 2)", "F.nll_loss(net(x).log_softmax(dim=0), y)", "+    loss = F.nll_loss(net(x).log_softmax(dim=1), y)"),
    ],
)
def test_it_is_written(tmp_path, net, loss, line):
    assert written_into(tmp_path, HEADER + f"net = {net}\n" + LOOP.format(loss=loss), AXIS)[1] == line


def test_refused_where_none_or_several_have_that_axis(tmp_path):
    assert refused(tmp_path, HEADER + "net = nn.Linear(2, 2)\n" + LOOP.format(loss="F.nll_loss(F.log_softmax(net(x), 1), y)"), AXIS)
    twice = "F.nll_loss(F.log_softmax(net(x), 0), y) + F.log_softmax(net(x), 0).mean()"
    assert refused(tmp_path, HEADER + "net = nn.Linear(2, 2)\n" + LOOP.format(loss=twice), AXIS)
