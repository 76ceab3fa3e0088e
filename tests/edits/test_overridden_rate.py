"""A rate that stands nowhere in the script is changed behind the optimizer."""

import textwrap

import pytest

from tests.edits.asserts import HEADER, change, refused, written_into

GIVEN = (
    HEADER
    + "import sys\nnet = nn.Linear(2, 2)\nsgd = torch.optim.SGD(net.parameters(), lr=float(sys.argv[1]))\n"
    + "for x in data:\n    net(x).sum().backward()\n    sgd.step()\n"
)
LOWER = change("lower_learning_rate", **{"learning_rate": 0.1, "from": 2.0})


def test_the_lines_stand_behind_the_optimizer(tmp_path):
    lines = written_into(tmp_path, GIVEN, LOWER)
    assert lines == ["+for group in sgd.param_groups:", '+    group["lr"] *= 0.05  # 2 -> 0.1']
    text = (tmp_path / "train.py").read_text()
    assert text.index("param_groups") < text.index("for x in data")


def test_a_number_that_can_be_changed_is_changed_instead(tmp_path):
    lines = written_into(tmp_path, GIVEN.replace("float(sys.argv[1])", "2.0"), LOWER)
    assert lines == [
        "-sgd = torch.optim.SGD(net.parameters(), lr=2.0)",
        "+sgd = torch.optim.SGD(net.parameters(), lr=0.1)",
    ]


def test_without_the_old_rate_or_the_optimizers_name_nothing_is_written(tmp_path):
    assert refused(tmp_path, GIVEN, change("lower_learning_rate", learning_rate=0.1))
    assert refused(tmp_path, GIVEN.replace("sgd = ", "fit(").replace("[1]))", "[1])))").replace("sgd.step()", "step()"), LOWER)


@pytest.mark.parametrize("rate", [0.5, 4.0])
def test_what_is_written_does_what_it_says(tmp_path, rate):
    import torch

    name = "lower_learning_rate" if rate < 2 else "raise_learning_rate"
    lines = written_into(tmp_path, GIVEN, change(name, **{"learning_rate": rate, "from": 2.0}))
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    exec(textwrap.dedent("\n".join(line[1:] for line in lines)), {"sgd": sgd})
    assert sgd.param_groups[0]["lr"] == rate
