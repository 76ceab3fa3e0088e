"""Parameters that were frozen."""

from tests.edits.asserts import HEADER, change, refused, written, written_into


def test_the_one_flag_is_turned(tmp_path):
    lines = written(tmp_path, "frozen_body.py", change("unfreeze", "model.features.requires_grad_(True)", parameters=["features.0.weight"]))
    assert lines == ['-        parameter.requires_grad = False  # "pre-trained"', '+        parameter.requires_grad = True  # "pre-trained"']


def test_of_several_none_is_turned_but_a_line_added(tmp_path):
    text = HEADER + "net = nn.Linear(2, 2)\nnet.weight.requires_grad_(False)\nnet.bias.requires_grad_(False)\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
    code = "model.weight.requires_grad_(True)  # before the optimizer is made"
    lines = written_into(tmp_path, text, change("unfreeze", code, parameters=["weight"]))
    assert lines == ["+net.weight.requires_grad_(True)"]
    assert "requires_grad_(True)\nopt" in (tmp_path / "train.py").read_text()


def test_a_group_with_a_rate_of_zero_gets_one(tmp_path):
    text = HEADER + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD([{'params': [net.weight], 'lr': 0.0}, {'params': [net.bias]}], lr=0.1)\n"
    lines = written_into(tmp_path, text, change("unfreeze", parameters=[], learning_rate=0.1))
    assert lines[1].startswith("+opt = torch.optim.SGD([{'params': [net.weight], 'lr': 0.1}")


def test_where_nothing_is_frozen_nothing_is_written(tmp_path):
    assert refused(tmp_path, HEADER + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), 0.1)\n", change("unfreeze", "x", parameters=["weight"]))
