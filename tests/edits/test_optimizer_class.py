"""Another class of optimizer, with its own rate."""

from tests.edits.asserts import HEADER, change, refused, written, written_into

ADAM = change("adaptive_optimizer", optimizer="Adam", learning_rate=1e-3, from_="SGD")


def test_class_and_rate_are_written_and_momentum_is_left_out(tmp_path):
    text = HEADER + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD(net.parameters(), 0.1, 0.9, nesterov=True, weight_decay=1e-4)  # plain\n"
    assert written_into(tmp_path, text, ADAM)[1] == "+opt = torch.optim.Adam(net.parameters(), 0.001, weight_decay=1e-4)  # plain"


def test_a_constant_gets_the_new_rate(tmp_path):
    assert "+LR = 0.001  # tuned by hand, long ago" in written(tmp_path, "flat_constant.py", ADAM)


def test_groups_with_rates_of_their_own_are_refused(tmp_path):
    text = HEADER + "net = nn.Linear(2, 2)\nopt = torch.optim.SGD([{'params': net.parameters(), 'lr': 1.0}], lr=2.0)\n"
    assert refused(tmp_path, text, ADAM)
