"""Lines about the new model stand directly behind it."""

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
