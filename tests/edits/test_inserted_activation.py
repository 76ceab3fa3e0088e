"""An activation between layers that have none."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

HOOK = "    layer.register_forward_hook(lambda layer, inputs, output: F.relu(output))\n"
INIT = 'for weight in (model[0].weight, model[1].weight):\n    nn.init.kaiming_normal_(weight, nonlinearity="relu")'


def test_a_sequential_gets_elements_and_the_weights_their_new_names(tmp_path):
    bend = change("insert_activation", "for layer in (model[0], model[1]):\n" + HOOK + INIT, activation="relu", layers=["0", "1"])
    assert written(tmp_path, "no_bend.py", bend) == [
        "-model = nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 16), nn.Linear(16, 1))",
        "+model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))",
        "+for weight in (model[0].weight, model[2].weight):",
        '+    nn.init.kaiming_normal_(weight, nonlinearity="relu")',
    ]


def test_a_call_in_forward_is_wrapped(tmp_path):
    text = (
        HEADER
        + "class N(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.a = nn.Linear(2, 2)\n        self.b = nn.Linear(2, 2)\n"
    )
    text += "    def forward(self, x):\n        return self.b(self.a(x))\nnet = N()\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
    bend = change("insert_activation", "model.a" + HOOK.strip()[5:], activation="relu", layers=["a"])
    assert written_into(tmp_path, text, bend) == ["-        return self.b(self.a(x))", "+        return self.b(torch.relu(self.a(x)))"]


def test_without_names_nothing_is_written(tmp_path):
    assert refused(tmp_path, HEADER, change("insert_activation", "x = F.relu(layer(x))", activation="relu", layers=[]))
