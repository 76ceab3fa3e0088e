"""A finding points at a line only where the script leaves no doubt."""

import pytest

from kazami.diagnosis import Script, located
from kazami.records import Finding, Sentence

NET = """\
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem: nn.Module = nn.Linear(4, 8)
        self.body = nn.Sequential(
            nn.Linear(8, 8),
            nn.Sequential(
                nn.ReLU(),
                nn.Linear(8, 8),
            ),
        )
        self.many = nn.ModuleList([nn.Linear(8, 8) for _ in range(9)])
        self.drop = nn.Dropout(0.5)

optimizer = torch.optim.AdamW(
    model.parameters(), lr=1e-3)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3)
for x, y in loader:
    loss = criterion(model(x), y)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
"""


def line(source, *, place="", name="dead_units", family="signal", optimizer="AdamW"):
    finding = Finding("KZ104", name, "error", 0.9, 1, place, Sentence("", ""), family=family)
    (found,) = located([finding], Script.read("train.py", source.encode()), optimizer)
    assert found.file == "train.py"
    return found.line


@pytest.mark.parametrize(
    ("place", "wanted"),
    [
        ("stem", 7),
        ("stem.weight", 7),
        ("net.stem", 7),
        ("body.0", 9),
        ("body.1.1", 12),
        ("body.1.1.bias", 12),
        ("many.3", 15),
        ("head", None),
        ("5", None),
        ("gradient clipping", 24),
        ("the loss", 22),
        ("the schedule", 20),
        ("dropout", 16),
        ("weight decay", 18),
        ("sqrt (after stem)", None),
    ],
)
def test_layers_and_phrases_are_found(place, wanted):
    assert line(NET, place=place) == wanted


def test_a_step_too_long_points_at_the_optimizer_and_a_missing_zero_grad_at_backward():
    assert line(NET, name="lr_too_high", family="step") == 18
    assert line(NET, name="no_zero_grad", family="structure") == 23


def test_two_possible_places_are_none():
    twice = NET + "\nother = torch.optim.AdamW(model.parameters())\nclass Other:\n    def __init__(self):\n        self.stem = nn.Linear(1, 1)\n"
    assert line(twice, name="lr_too_high", family="step") is None
    assert line(twice, place="stem") is None


def test_the_layers_of_the_one_sequential_are_counted():
    source = "model = nn.Sequential(\n    nn.Linear(1, 2),\n    nn.ReLU(), nn.Linear(2, 3),\n)\n"
    assert [line(source, place=place) for place in ("0", "1", "2", "2.weight", "7")] == [2, 3, 3, 3, 1]
    assert line("model = nn.Sequential(*layers)\n", place="4") == 1
    assert line(source + source, place="0") is None


def test_no_python_gives_no_line_and_no_script_no_file():
    assert line("this is no python", place="stem") is None
    finding = Finding("KZ104", "dead_units", "error", 0.9, 1, "stem", Sentence("", ""))
    assert located([finding], Script("", None)) == [finding]
