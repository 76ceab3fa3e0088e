"""Another activation behind the hidden layers, and only there."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

RELU = "activation = nn.ReLU()  # not nn.Sigmoid(), after 0, 2 …\n"


def swap(layers, slope=0.0, code=RELU, old="sigmoid"):
    return change("change_activation", code, from_=old, to="leaky_relu" if slope else "relu", negative_slope=slope, layers=layers)


def test_in_a_sequential_the_output_keeps_its_own(tmp_path):
    lines = written(tmp_path, "deep_sigmoid.py", swap(["0", "2", "4", "6", "8", "10"]))
    assert lines[:4] == [
        "-    nn.Sigmoid(),  # squash",
        "-    nn.Linear(32, 32), nn.Sigmoid(),",
        "+    nn.ReLU(),  # squash",
        "+    nn.Linear(32, 32), nn.ReLU(),",
    ]
    assert (tmp_path / "train.py").read_text().count("nn.ReLU()") == 6
    assert "    nn.Linear(32, 1),\n    nn.Sigmoid(),\n)" in (tmp_path / "train.py").read_text()


def test_functions_and_methods_in_forward(tmp_path):
    lines = written(tmp_path, "forward_functions.py", swap(["fc1", "fc2", "fc3"]))
    assert lines == [
        "-        x = torch.sigmoid(self.fc1(x))", "+        x = torch.relu(self.fc1(x))",
        "-        x = self.drop(F.sigmoid(x))", "-        x = self.fc3(x).sigmoid()",
        "+        x = self.drop(torch.relu(x))", "+        x = self.fc3(x).relu()",
    ]  # fmt: skip


def test_a_leaky_one_has_its_slope(tmp_path):
    assert "+        x = F.leaky_relu(self.fc1(x), 0.01)" in written(tmp_path, "forward_functions.py", swap(["fc1"], slope=0.01))


def test_a_class_that_is_handed_over(tmp_path):
    lines = written(tmp_path, "activation_argument.py", swap(["net.0", "net.2"]))
    assert lines == ["-model = Stack(8, 10, activation=nn.Sigmoid)", "+model = Stack(8, 10, activation=nn.ReLU)"]


def test_initialisation_goes_with_it(tmp_path):
    call = 'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")'
    code = RELU + "layers = [m for m in model.modules() if isinstance(m, nn.Linear)][:6]\nfor layer in layers:\n    " + call
    lines = written(tmp_path, "deep_sigmoid.py", swap(["0", "2", "4", "6", "8", "10"], code=code))
    assert lines[-3:] == [
        "+layers = [m for m in net.modules() if isinstance(m, nn.Linear)][:6]",
        "+for layer in layers:",
        '+    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
    ]


def test_a_gate_is_no_hidden_activation(tmp_path):
    text = (
        HEADER
        + "class N(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.g = nn.Linear(2, 2)\n        self.h = nn.Linear(2, 2)\n"
    )
    text += "    def forward(self, x):\n        return torch.sigmoid(self.g(x)) * self.h(x)\nnet = N()\nopt = torch.optim.SGD(net.parameters(), 0.1)\n"
    assert refused(tmp_path, text, swap(["h"]))


def test_a_list_that_a_loop_lengthens_from_its_first_element_on(tmp_path):
    text = (
        HEADER
        + "parts = [nn.Linear(4, 8), nn.Sigmoid()]\nfor _ in range(3):\n    parts += [nn.Linear(8, 8), nn.Sigmoid()]\n"
        + "parts.append(nn.Linear(8, 1))\nnet = nn.Sequential(*parts)\nsgd = torch.optim.SGD(net.parameters(), lr=0.1)\n"
        + "for x in data:\n    net(x).sum().backward()\n    sgd.step()\n"
    )
    lines = written_into(tmp_path, text, swap(["0", "2", "4", "6"], code="activation = nn.ReLU()\n"))
    assert [line for line in lines if line.startswith("+")] == ["+parts = [nn.Linear(4, 8), nn.ReLU()]", "+    parts += [nn.Linear(8, 8), nn.ReLU()]"]
