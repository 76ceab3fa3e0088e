"""A schedule that is stepped once an epoch."""

from tests.edits.asserts import HEADER, change, refused, written

RARE = change("slower_schedule", step_once_per="epoch")


def test_the_line_moves_behind_the_loop_over_batches(tmp_path):
    assert written(tmp_path, "dead_cosine.py", RARE) == ["-        scheduler.step()", "+    scheduler.step()"]


def test_without_epochs_there_is_no_such_place(tmp_path):
    text = HEADER + "m = nn.Linear(2, 2)\no = torch.optim.SGD(m.parameters(), 0.1)\ns = torch.optim.lr_scheduler.StepLR(o, 1)\n"
    assert refused(tmp_path, text + "for i in range(9):\n    o.step()\n    s.step()\n", RARE)
