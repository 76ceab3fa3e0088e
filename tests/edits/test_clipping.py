"""Clipping stands between backward and step."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

CLIP = change("clip_gradients", max_norm=1.5, percentile=90)


def test_the_model_has_the_name_of_the_function_that_steps(tmp_path):
    assert written(tmp_path, "forgotten_zero_grad.py", CLIP) == ["+        nn.utils.clip_grad_norm_(model.parameters(), 1.5)"]


def test_a_scaler_takes_its_scale_off_first(tmp_path):
    assert written(tmp_path, "scaled.py", CLIP) == ["+    scaler.unscale_(opt)", "+    nn.utils.clip_grad_norm_(model.parameters(), 1.5)"]
    lines = (tmp_path / "train.py").read_text().splitlines()
    assert lines[lines.index("    scaler.unscale_(opt)") + 2] == "    scaler.step(opt)"


def test_a_limit_is_lifted_where_it_is_written(tmp_path):
    assert written(tmp_path, "tight_clipping.py", change("lift_clipping", max_norm=20.0)) == ["-MAX_NORM = 1e-4", "+MAX_NORM = 2e1"]


def test_a_trainer_clips_its_own_model(tmp_path):
    assert written(tmp_path, "trainer_class.py", CLIP) == ["+            th.nn.utils.clip_grad_norm_(self.model.parameters(), 1.5)"]


def test_groups_of_parameters_are_clipped_together(tmp_path):
    lines = written(tmp_path, "parameter_groups.py", CLIP)
    assert lines == ['+    nn.utils.clip_grad_norm_([p for group in opt.param_groups for p in group["params"]], 1.5)']


def test_torch_is_imported_where_only_parts_of_it_are(tmp_path):
    text = "from torch.nn import Linear\nfrom torch.optim import SGD\nm = Linear(2, 2)\no = SGD(m.parameters(), 0.1)\n"
    text += "for x in data:\n    m(x).sum().backward()\n    o.step()\n"
    assert written_into(tmp_path, text, CLIP) == ["+import torch", "+    torch.nn.utils.clip_grad_norm_(m.parameters(), 1.5)"]


def test_without_clipping_there_is_nothing_to_lift(tmp_path):
    assert refused(tmp_path, HEADER + "net = nn.Linear(2, 2)\n", change("lift_clipping", max_norm=2.0))
