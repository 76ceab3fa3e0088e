"""A recurrent net with gates."""

from tests.edits.asserts import HEADER, change, refused, written

GATES = change("gated_recurrent", kind="gru")


def test_the_class_is_written_without_the_activation(tmp_path):
    assert written(tmp_path, "plain_recurrent.py", GATES) == [
        '-        self.rnn = nn.RNN(1, hidden, nonlinearity="tanh", batch_first=True)',
        "+        self.rnn = nn.GRU(1, hidden, batch_first=True)",
    ]


def test_a_cell_by_hand_is_refused(tmp_path):
    assert refused(tmp_path, HEADER + "r = nn.RNN(1, 2)\n", change("gated_recurrent", kind="gate"))
    assert refused(tmp_path, HEADER + "r = nn.RNN(1, 2)\ns = nn.RNN(1, 2)\n", GATES)
