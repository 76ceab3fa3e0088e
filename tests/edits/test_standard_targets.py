"""Standardised targets, and predictions in the old unit."""

from tests.edits.asserts import HEADER, LOOP, change, refused, written

UNIT = change("standardise_targets", mean=250000.0, std=40000.0, loss="mse")


def test_loss_and_outputs_are_turned(tmp_path):
    assert written(tmp_path, "house_prices.py", UNIT) == [
        "+model.register_forward_hook(lambda module, inputs, output: output * 40000 + 250000)",
        "-    loss = F.mse_loss(prediction, y)",
        "+    loss = F.mse_loss((prediction - 250000) / 40000, (y - 250000) / 40000)",
    ]


def test_a_classification_is_refused(tmp_path):
    text = HEADER + LOOP.format(loss="F.cross_entropy(net(x), y)")
    assert refused(tmp_path, text, UNIT)
