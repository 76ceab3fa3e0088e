"""Samples that are not finite."""

from tests.edits.asserts import HEADER, LOOP, change, refused, written

KEEP = "keep = torch.isfinite(inputs).reshape(len(inputs), -1).all(dim=1)\ninputs, target = inputs[keep], target[keep]"
FILL = "finite = inputs[torch.isfinite(inputs)]\ninputs = torch.nan_to_num(inputs, nan=0.0, posinf=float(finite.max()), neginf=float(finite.min()))"


def test_a_filter_before_the_model_sees_the_batch(tmp_path):
    assert written(tmp_path, "missing_values.py", change("clean_data", KEEP, data="inputs")) == [
        "+        keep = torch.isfinite(xb).reshape(len(xb), -1).all(dim=1)",
        "+        xb, yb = xb[keep], yb[keep]",
    ]


def test_values_are_filled(tmp_path):
    assert written(tmp_path, "missing_values.py", change("fill_data", FILL))[0] == "+        finite = xb[torch.isfinite(xb)]"


def test_one_batch_of_all_data_is_filtered_once_before_the_loop(tmp_path):
    assert written(tmp_path, "house_prices.py", change("clean_data", KEEP, data="inputs"))[1] == "+x, y = x[keep], y[keep]"
    assert "x, y = x[keep], y[keep]\nfor epoch" in (tmp_path / "train.py").read_text()


def test_data_without_a_name_are_refused(tmp_path):
    text = HEADER + LOOP.format(loss="F.mse_loss(net(x[0]), x[1])")
    assert refused(tmp_path, text, change("clean_data", KEEP, data="inputs"))
