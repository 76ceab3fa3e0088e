"""The three lines of a step are put into order."""

from tests.edits.asserts import HEADER, change, refused, written_into

ORDER = change("reorder_step", order="zero_grad, backward, step")
START = HEADER + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), 0.1)\nfor x in data:\n    loss = net(x).sum()\n"


def lines_of(tmp_path):
    return (tmp_path / "train.py").read_text().splitlines()[-3:]


def test_what_clears_too_late_goes_before_backward(tmp_path):
    written_into(tmp_path, START + "    loss.backward()\n    opt.zero_grad(set_to_none=True)\n    opt.step()\n", ORDER)
    assert lines_of(tmp_path) == ["    opt.zero_grad(set_to_none=True)", "    loss.backward()", "    opt.step()"]


def test_a_step_that_came_too_early_goes_behind_backward(tmp_path):
    written_into(tmp_path, START + "    opt.zero_grad()\n    opt.step()\n    loss.backward()\n", ORDER)
    assert lines_of(tmp_path) == ["    opt.zero_grad()", "    loss.backward()", "    opt.step()"]


def test_refused_where_nothing_stands_in_the_wrong_place_or_not_together(tmp_path):
    assert refused(tmp_path, START + "    opt.zero_grad()\n    loss.backward()\n    opt.step()\n", ORDER)
    assert refused(tmp_path, START + "    loss.backward()\n    if x.any():\n        opt.zero_grad()\n    opt.step()\n", ORDER)
