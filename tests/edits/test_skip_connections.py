"""Skip connections in forward."""

from tests.edits.asserts import change, refused, written


def test_a_layer_with_its_activation_is_added_to_what_it_is_given(tmp_path):
    lines = written(tmp_path, "forward_functions.py", change("residual", layers=["fc3"], scale=0.5, width=24))
    assert lines == ["-        x = self.fc3(x).sigmoid()", "+        x = x + 0.5 * self.fc3(x).sigmoid()"]


def test_an_activation_in_another_statement_is_refused(tmp_path):
    from tests.edits.asserts import SCRIPTS

    assert refused(tmp_path, (SCRIPTS / "forward_functions.py").read_text(), change("residual", layers=["fc2"], scale=0.5, width=24))


def test_layers_in_a_list(tmp_path):
    lines = written(
        tmp_path,
        "lost_layers.py",
        change("register_modules", containers={"layers": "ModuleList"}),
        change("residual", layers=["layers.0", "layers.1"], scale=0.7, width=16),
    )
    assert "+            x = x + 0.7 * torch.relu(layer(x))" in lines
