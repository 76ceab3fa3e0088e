"""What cuts gradients off."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into

THROUGH = change("let_gradients_through", parameters=["encode.weight"])
FORWARD = (
    "class N(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(2, 2)\n    def forward(self, x):\n        return {}\n"
)


def test_a_block_goes_and_its_lines_move(tmp_path):
    assert written(tmp_path, "cut_features.py", THROUGH) == [
        "-        with torch.no_grad():",
        "-            h = self.encode(x)",
        "-            h = torch.relu(h)   # features",
        "+        h = self.encode(x)",
        "+        h = torch.relu(h)   # features",
    ]


@pytest.mark.parametrize("cut", ["torch.relu(self.a(x).detach())", "torch.relu(self.a(x).data)"])
def test_a_cut_in_an_expression(tmp_path, cut):
    assert written_into(tmp_path, HEADER + FORWARD.format(cut), THROUGH)[1] == "+        return torch.relu(self.a(x))"


def test_two_cuts_are_refused(tmp_path):
    assert refused(tmp_path, HEADER + FORWARD.format("self.a(x.detach()).detach()"), THROUGH)


@pytest.mark.parametrize("copy", ["torch.tensor(value, requires_grad=True)", "torch.tensor(value.item(), requires_grad=True)", "torch.tensor(value.data)"])
def test_a_copy_of_the_loss_gives_way_to_the_loss(tmp_path, copy):
    text = (
        "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), 0.1)\nfor x, y in data:\n    value = F.mse_loss(net(x), y)\n"
        "    loss = {}\n    opt.zero_grad()\n    loss.backward()\n    opt.step()\n"
    )
    assert written_into(tmp_path, HEADER + text.format(copy), THROUGH)[1] == "+    loss = value"
    assert refused(tmp_path, HEADER + text.format("value"), THROUGH)
