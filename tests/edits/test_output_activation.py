"""The activation before a loss that does not want it."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into

SOFTMAX = change("drop_output_activation", activation="softmax", loss="cross_entropy")
LOOP = "opt = torch.optim.SGD(net.parameters(), 0.1)\nfor x, y in data:\n    loss = {loss}\n    loss.backward()\n    opt.step()\n"


def test_an_attribute_called_at_the_end_of_forward(tmp_path):
    assert written(tmp_path, "double_softmax.py", SOFTMAX) == ["-        return self.softmax(x)  # probabilities", "+        return x  # probabilities"]


def test_the_last_element_of_a_sequential(tmp_path):
    lines = written(tmp_path, "sigmoid_twice.py", change("drop_output_activation", activation="sigmoid", loss="binary_cross_entropy_with_logits"))
    assert lines[1] == "+model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))"


@pytest.mark.parametrize(
    ("loss", "new"),
    [
        ("F.cross_entropy(F.softmax(net(x), 1), y)", "F.cross_entropy(net(x), y)"),
        ("F.cross_entropy(net(x).softmax(-1), y)", "F.cross_entropy(net(x), y)"),
        ("nn.CrossEntropyLoss()(nn.Softmax(dim=1)(net(x)), y)", "nn.CrossEntropyLoss()(net(x), y)"),
    ],
)
def test_in_the_loop(tmp_path, loss, new):
    lines = written_into(tmp_path, HEADER + "net = nn.Linear(2, 2)\n" + LOOP.format(loss=loss), SOFTMAX)
    assert lines == [f"-    loss = {loss}", f"+    loss = {new}"]


def test_a_hidden_one_is_not_meant(tmp_path):
    text = HEADER + "net = nn.Sequential(nn.Linear(2, 2), nn.Softmax(1), nn.Linear(2, 2))\n" + LOOP.format(loss="F.cross_entropy(net(x), y)")
    assert refused(tmp_path, text, SOFTMAX)
