"""Standardised inputs inside the model."""

from tests.edits.asserts import HEADER, LOOP, change, refused, written, written_into

CODE = "\n".join(
    [
        'model.register_buffer("input_mean", train_inputs.mean(0))',
        'model.register_buffer("input_std", train_inputs.std(0).clamp_min(0.1))',
        "scale = lambda m, x: ((x[0] - m.input_mean) / m.input_std, *x[1:])",
        "model.register_forward_pre_hook(scale)",
    ]
)
STANDARD = change("standardise_inputs", CODE, layer="0", axes="0", smallest_std=0.1)


def test_of_a_tensor_that_batches_are_cut_from(tmp_path):
    lines = written(tmp_path, "raw_inputs.py", STANDARD)
    assert lines[0] == '+model.register_buffer("input_mean", features.mean(0))'
    assert len(lines) == 4


def test_of_a_data_set(tmp_path):
    assert written(tmp_path, "missing_values.py", STANDARD)[0] == '+model.register_buffer("input_mean", inputs.mean(0))'


def test_on_the_device_of_the_model(tmp_path):
    text = (
        HEADER + "device = 'cpu'\nx, y = torch.randn(9, 2), torch.randn(9, 1)\nnet = nn.Linear(2, 1).to(device)\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
    )
    text += "for i in range(9):\n    loss = F.mse_loss(net(x), y)\n    loss.backward()\n    opt.step()\n"
    assert written_into(tmp_path, text, STANDARD)[:2] == [
        '+net.register_buffer("input_mean", x.mean(0).to(device))',
        '+net.register_buffer("input_std", x.std(0).clamp_min(0.1).to(device))',
    ]


def test_a_loader_from_elsewhere_is_refused(tmp_path):
    text = HEADER + LOOP.format(loss="F.mse_loss(net(x), y)")
    assert refused(tmp_path, text, STANDARD)
