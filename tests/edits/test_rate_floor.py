"""A floor under the schedule."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

FLOOR = change("schedule_floor", floor=1e-3, largest=1e-2)


def test_behind_the_step_of_a_schedule_that_multiplies(tmp_path):
    assert written(tmp_path, "dead_cosine.py", FLOOR) == ["+        for group in optimizer.param_groups:", '+            group["lr"] = max(group["lr"], 0.001)']


def test_a_cosine_has_a_setting_for_it(tmp_path):
    text = HEADER + "m = nn.Linear(2, 2)\no = torch.optim.SGD(m.parameters(), 0.1)\ns = torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, 0)\n"
    assert written_into(tmp_path, text, FLOOR)[1] == "+s = torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, 0.001)"


def test_without_a_schedule_nothing_is_written(tmp_path):
    assert refused(tmp_path, HEADER + "m = nn.Linear(2, 2)\n", FLOOR)
