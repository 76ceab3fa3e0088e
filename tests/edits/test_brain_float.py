"""bfloat16 in the place of float16."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into

BRAIN = change("bfloat16", dtype="bfloat16")


def test_the_type_of_autocast(tmp_path):
    lines = written(tmp_path, "scaled.py", BRAIN)
    assert lines[1] == '+    with torch.autocast("cpu", dtype=torch.bfloat16):'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("with torch.cuda.amp.autocast():\n    pass", "with torch.cuda.amp.autocast(dtype=torch.bfloat16):"),
        ("with torch.autocast('cuda'):\n    pass", "with torch.autocast('cuda', dtype=torch.bfloat16):"),
        ("net = nn.Linear(2, 2).half()", "net = nn.Linear(2, 2).bfloat16()"),
        ("x = torch.zeros(2, dtype=torch.half)", "x = torch.zeros(2, dtype=torch.bfloat16)"),
    ],
)
def test_every_way_to_write_it(tmp_path, old, new):
    assert written_into(tmp_path, HEADER + old + "\n", BRAIN)[1] == f"+{new}"


def test_without_half_precision_nothing_is_written(tmp_path):
    assert refused(tmp_path, HEADER + "x = torch.zeros(2)\n", BRAIN)
