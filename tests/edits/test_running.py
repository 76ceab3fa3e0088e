"""Edited scripts run to their end."""

import pytest

from tests.edits.asserts import change, runs

INIT = 'for weight in (model[0].weight, model[1].weight):\n    nn.init.kaiming_normal_(weight, nonlinearity="relu")'
BUFFERS = """model.register_buffer("input_mean", train_inputs.mean(0))
model.register_buffer("input_std", train_inputs.std(0).clamp_min(0.1))
scale = lambda m, x: ((x[0] - m.input_mean) / m.input_std, *x[1:])
model.register_forward_pre_hook(scale)"""


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("flat_constant.py", [change("zclip", z=2.5, alpha=0.97, mean=3.0, variance=0.5), change("lower_learning_rate", learning_rate=0.05, from_=5.0)]),
        ("forgotten_zero_grad.py", [change("zero_grad"), change("clip_gradients", max_norm=1.5), change("warm_up", steps=10, start_factor=0.1)]),
        ("trainer_class.py", [change("warm_up", steps=10, start_factor=0.1), change("adaptive_optimizer", optimizer="Adam", learning_rate=1e-3)]),
        ("scaled.py", [change("bfloat16"), change("clip_gradients", max_norm=1.5)]),
        ("accumulation.py", [change("zero_grad"), change("skip_bad_step", max_norm=2.0)]),
        ("dead_cosine.py", [change("slower_schedule"), change("schedule_floor", floor=1e-3)]),
        (
            "forward_functions.py",
            [change("norm_layers", layers=["fc1", "fc2"], widths=[24, 24], norm="LayerNorm"), change("residual", layers=["fc3"], scale=0.5)],
        ),
        ("no_bend.py", [change("insert_activation", "layer.register_forward_hook(f)\n" + INIT, layers=["0", "1"])]),
        ("log_of_softmax.py", [change("log_softmax", dim=-1)]),
        ("plain_recurrent.py", [change("gated_recurrent", kind="gru")]),
        ("raw_inputs.py", [change("standardise_inputs", BUFFERS)]),
        ("house_prices.py", [change("standardise_targets", mean=250000.0, std=40000.0), change("average_weights", decay=0.99)]),
        ("overfitted.py", [change("early_stopping"), change("layer_norm", layers=["1"], groups=[8])]),
        ("lost_layers.py", [change("register_modules", containers={"layers": "ModuleList"})]),
        ("new_head.py", [change("add_to_optimizer", parameters=["fc.weight", "fc.bias"])]),
        ("cut_features.py", [change("let_gradients_through", parameters=["encode.weight"])]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_edited_script_runs(tmp_path, capsys, name, changes):
    runs(tmp_path, changes, name)
    assert "Error" not in capsys.readouterr().out
