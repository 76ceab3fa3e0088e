"""A step under a condition on the gradients."""

from tests.edits.asserts import change, refused, written


def test_a_step_is_made_only_with_finite_gradients(tmp_path):
    assert written(tmp_path, "forgotten_zero_grad.py", change("skip_bad_step", max_norm=None)) == [
        "-        opt.step()",
        '+        norm = nn.utils.clip_grad_norm_(model.parameters(), float("inf"))',
        "+        if torch.isfinite(norm):",
        "+            opt.step()",
    ]


def test_zclip_begins_with_the_numbers_of_the_run(tmp_path):
    lines = written(tmp_path, "flat_constant.py", change("zclip", z=2.5, alpha=0.97, mean=3.0, variance=0.5))
    assert lines[0] == "+mean, var = 3.0, 0.5"
    assert lines[2:4] == ["+    z = (norm - mean) / var**0.5", "+    norm = mean + 6.25 / z * var**0.5 if z > 2.5 else norm"]


def test_a_scaler_skips_by_itself(tmp_path):
    from tests.edits.asserts import SCRIPTS

    assert refused(tmp_path, (SCRIPTS / "scaled.py").read_text(), change("skip_bad_step", max_norm=None))
