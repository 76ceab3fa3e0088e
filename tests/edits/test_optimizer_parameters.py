"""The parameters that the optimizer was not given."""

from tests.edits.asserts import HEADER, change, refused, written, written_into


def test_a_layer_that_was_put_in_later_is_added(tmp_path):
    lines = written(tmp_path, "new_head.py", change("add_to_optimizer", parameters=["fc.weight", "fc.bias"]))
    assert lines == ['+optimizer.add_param_group({"params": model.fc.parameters()})']
    assert "model.fc = nn.Linear(32, 3)\noptimizer.add_param_group" in (tmp_path / "train.py").read_text()


def test_a_part_becomes_the_whole(tmp_path):
    text = HEADER + "net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))\nopt = torch.optim.SGD(net[1].parameters(), 0.1)\n"
    assert written_into(tmp_path, text, change("add_to_optimizer", parameters=["0.weight"]))[1] == "+opt = torch.optim.SGD(net.parameters(), 0.1)"


def test_an_optimizer_of_a_part_that_was_replaced_later_is_made_behind_it_with_the_whole(tmp_path):
    made = "net = nn.ModuleDict({'body': nn.Linear(2, 2), 'head': nn.Linear(2, 9)})\nopt = torch.optim.SGD(net.head.parameters(), 0.1)\n"
    lines = written_into(tmp_path, HEADER + made + "net.head = nn.Linear(2, 3)\n", change("add_to_optimizer", parameters=["head.weight", "body.weight"]))
    assert lines == [
        "-opt = torch.optim.SGD(net.head.parameters(), 0.1)",
        "+opt = torch.optim.SGD(net.parameters(), 0.1)",
    ]
    assert "nn.Linear(2, 3)\nopt = torch" in (tmp_path / "train.py").read_text()


def test_an_optimizer_that_is_used_before_the_part_is_replaced_stays_where_it_is(tmp_path):
    made = "net = nn.ModuleDict({'body': nn.Linear(2, 2), 'head': nn.Linear(2, 9)})\nopt = torch.optim.SGD(net.head.parameters(), 0.1)\n"
    text = HEADER + made + "decay = torch.optim.lr_scheduler.StepLR(opt, 9)\nnet.head = nn.Linear(2, 3)\n"
    assert refused(tmp_path, text, change("add_to_optimizer", parameters=["head.weight", "body.weight"]))


def test_another_model_is_not_found(tmp_path):
    text = HEADER + "a, b = nn.Linear(2, 2), nn.Linear(2, 2)\nopt = torch.optim.SGD(list(a.parameters()) + list(b.parameters()), 0.1)\n"
    assert refused(tmp_path, text, change("add_to_optimizer", parameters=["c.weight"]))
