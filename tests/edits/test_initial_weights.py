"""Lines about the new model stand directly behind it."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into


def test_in_the_words_of_the_script(tmp_path):
    code = "for weight in (model.fc1.weight, model.fc2.weight):\n    weight.data.mul_(2)  # after the model is made"
    lines = written(tmp_path, "forward_functions.py", change("rescale_init", code, factor=2.0, layers=["fc1", "fc2"]))
    assert lines == ["+    for weight in (model.fc1.weight, model.fc2.weight):", "+        weight.data.mul_(2)"]
    assert "    model = Net()\n    for weight in" in (tmp_path / "train.py").read_text()


def test_before_the_optimizer_where_the_model_is_a_parameter(tmp_path):
    text = HEADER + "def fit(net):\n    opt = torch.optim.SGD(net.parameters(), 0.1)\n"
    lines = written_into(tmp_path, text, change("smaller_head", "model.out.weight.data.mul_(0.1)  # after the model is made", layer="out", factor=0.1))
    assert lines == ["+    net.out.weight.data.mul_(0.1)"]
    assert "def fit(net):\n    net.out" in (tmp_path / "train.py").read_text()


def test_a_weight_without_a_name_is_refused(tmp_path):
    text = HEADER + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
    hook = "model.weight.register_forward_pre_hook(lambda layer, x: x)"
    assert refused(tmp_path, text, change("input_batch_norm", hook, layer="weight", features=2, dimensions=1))
    assert refused(tmp_path, text, change("random_init", "nn.init.xavier_uniform_(weight)", layers=[]))


@pytest.mark.parametrize(
    "own",
    [
        "net.apply(spread)\n",
        "spread(net[0])\n",
        "for layer in net:\n    layer.reset_parameters()\n",
        "with torch.no_grad():\n    net[0].bias.fill_(-3)\n",
        "nn.init.zeros_(net[0].weight)\nnet.train()\nprint(net)\n",
    ],
)
def test_the_own_initialisation_of_the_script_does_not_undo_them(tmp_path, own):
    made = HEADER + "net = nn.Sequential(nn.Linear(2, 2))\n" + own
    line = change("random_init", "nn.init.xavier_uniform_(model[0].weight)  # after the model is made", layers=["0"], init="xavier_uniform_")
    lines = written_into(tmp_path, made + "opt = torch.optim.SGD(net.parameters(), 0.1)\n", line)
    assert lines == ["+nn.init.xavier_uniform_(net[0].weight)"]
    text = (tmp_path / "train.py").read_text()
    assert text.index(own.partition("net.train()")[0]) < text.index("+nn.init.xavier_uniform_"[1:]) < text.index("opt =")


def test_what_only_shows_the_model_or_makes_something_of_it_leaves_them_where_it_is_new(tmp_path):
    made = HEADER + "net = nn.Sequential(nn.Linear(2, 2))\nprint(net)\nfast = torch.compile(net)\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
    written_into(tmp_path, made, change("random_init", "nn.init.xavier_uniform_(model[0].weight)", layers=["0"], init="xavier_uniform_"))
    assert "nn.Linear(2, 2))\nnn.init" in (tmp_path / "train.py").read_text()
