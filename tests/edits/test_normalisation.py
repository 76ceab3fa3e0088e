"""A normalisation between the layers."""

from tests.edits.asserts import HEADER, change, refused, written


def test_attributes_and_their_calls(tmp_path):
    lines = written(tmp_path, "forward_functions.py", change("norm_layers", layers=["fc1", "fc2"], widths=[24, 24], norm="LayerNorm"))
    assert lines[:2] == ["+        self.fc1_norm = nn.LayerNorm(24)", "+        self.fc2_norm = nn.LayerNorm(24)"]
    assert "+        x = torch.sigmoid(self.fc1_norm(self.fc1(x)))" in lines
    assert "+        x = self.fc2_norm(self.fc2(x))" in lines


def test_elements_of_a_sequential(tmp_path):
    lines = written(tmp_path, "deep_sigmoid.py", change("norm_layers", layers=["0", "2"], widths=[32, 32], norm="LayerNorm"))
    assert lines == ["+    nn.LayerNorm(32),", "-    nn.Linear(32, 32), nn.Sigmoid(),", "+    nn.Linear(32, 32), nn.LayerNorm(32), nn.Sigmoid(),"]


def test_hooks_where_layers_are_made_in_a_loop(tmp_path):
    code = "for layer in [m for m in model.modules() if isinstance(m, nn.Linear)][:10]:  # before the optimizer is made\n    layer.norm = nn.LayerNorm(8)\n"
    code += "    layer.register_forward_hook(lambda layer, x, y: layer.norm(y))"
    lines = written(tmp_path, "activation_argument.py", change("norm_layers", code, layers=["net.0"], widths=[8], norm="LayerNorm"))
    assert lines[0] == "+for layer in [m for m in model.modules() if isinstance(m, nn.Linear)][:10]:"


def test_an_unknown_model_is_refused(tmp_path):
    text = HEADER + "opt = torch.optim.SGD(some_parameters, 0.1)\n"
    assert refused(tmp_path, text, change("norm_layers", "x", layers=["a"], widths=[2], norm="LayerNorm"))
