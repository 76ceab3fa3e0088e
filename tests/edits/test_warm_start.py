"""A warm-up behind the optimizer and its steps."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

WARM = change("warm_up", steps=100, start_factor=0.1)


def test_it_is_stepped_where_the_optimizer_is(tmp_path):
    assert written(tmp_path, "trainer_class.py", WARM) == [
        "+        self.warmup = th.optim.lr_scheduler.LinearLR(self.optimizer, start_factor=0.1, total_iters=100)",
        "+            self.warmup.step()",
    ]


def test_in_another_function_it_hangs_on_the_optimizer(tmp_path):
    text = HEADER + "def fit(m, o, data):\n    for x in data:\n        m(x).sum().backward()\n        o.step()\n"
    text += "def main():\n    m = nn.Linear(2, 2)\n    o = torch.optim.SGD(m.parameters(), 0.1)\n    fit(m, o, [])\nmain()\n"
    assert written_into(tmp_path, text, WARM) == [
        "+    warmup = torch.optim.lr_scheduler.LinearLR(o, start_factor=0.1, total_iters=100)",
        "+    o.register_step_post_hook(lambda *_: warmup.step())",
    ]


def test_a_schedule_that_sets_the_rate_itself_is_refused(tmp_path):
    text = HEADER + "m = nn.Linear(2, 2)\no = torch.optim.SGD(m.parameters(), 0.1)\ns = torch.optim.lr_scheduler.LambdaLR(o, len)\n"
    assert refused(tmp_path, text + "for x in data:\n    m(x).sum().backward()\n    o.step()\n    s.step()\n", WARM)
