"""zero_grad stands before backward."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

CLEAR = change("zero_grad", zero_grad=True)


def test_it_stands_before_backward_in_the_function_of_the_loop(tmp_path):
    assert written(tmp_path, "forgotten_zero_grad.py", CLEAR) == ["+        opt.zero_grad()"]
    lines = (tmp_path / "train.py").read_text().splitlines()
    assert lines[lines.index("        opt.zero_grad()") + 1] == "        loss.backward()"


def test_behind_the_step_where_gradients_are_accumulated(tmp_path):
    assert written(tmp_path, "accumulation.py", CLEAR) == ["+        opt.zero_grad()"]
    assert (tmp_path / "train.py").read_text().endswith("        opt.step()\n        opt.zero_grad()\n")


def test_on_one_line_with_others(tmp_path):
    text = HEADER + "net = nn.Linear(2, 2)\no = torch.optim.SGD(net.parameters(), 0.1)\nfor x in data:\n\tl = net(x).sum(); l.backward(); o.step()\n"
    assert written_into(tmp_path, text, CLEAR)[1] == "+\tl = net(x).sum(); o.zero_grad(); l.backward(); o.step()"


def test_two_players_are_refused(tmp_path):
    text = HEADER + "a, b = nn.Linear(2, 2), nn.Linear(2, 2)\np = torch.optim.SGD(a.parameters(), 0.1)\nq = torch.optim.SGD(b.parameters(), 0.1)\n"
    assert refused(tmp_path, text + "for x in data:\n    a(x).sum().backward()\n    p.step()\n    b(x).sum().backward()\n    q.step()\n", CLEAR)
