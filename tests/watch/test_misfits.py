"""What cannot be meant is seen in the graph, and what is meant is left alone."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.seeing import fact

X, SHARES = torch.randn(8, 5), torch.randn(8, 4).softmax(-1)


def head(units=4):
    torch.manual_seed(0)
    return nn.Linear(5, units)(X)


def ctc(scores):
    return F.ctc_loss(scores.unsqueeze(1), torch.tensor([[1, 2]]), torch.tensor([8]), torch.tensor([2]))


class Straight(torch.autograd.Function):
    """Rounds, with the derivative of the identity."""

    @staticmethod
    def forward(ctx, x):
        return x.round()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


Round = type("Round", (Straight,), {})  # named like torch's own


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (lambda: F.kl_div(head().softmax(-1), SHARES, reduction="batchmean"), ("softmax", "kl_div")),
        (lambda: nn.KLDivLoss(reduction="sum")(nn.Softmax(dim=1)(head()), SHARES), ("softmax", "kl_div")),
        (lambda: F.kl_div(head(), SHARES, reduction="batchmean"), ("identity", "kl_div")),
        (lambda: F.kl_div(head().log_softmax(-1), SHARES, reduction="batchmean"), None),
        (lambda: (SHARES * head().softmax(-1)).sum(), None),  # an expected value
        (lambda: (1 - (SHARES * head().softmax(-1)).sum(-1)).mean(), None),  # a share that is missed
        (lambda: (torch.logsumexp(head(), -1) - (SHARES * head()).sum(-1)).mean(), None),  # a cross-entropy, written out
        (lambda: ctc(head().softmax(-1)), ("softmax", "ctc_loss")),
        (lambda: ctc(head()), ("identity", "ctc_loss")),
        (lambda: ctc(head().log_softmax(-1)), None),
        (lambda: ctc(head().half().float().log_softmax(-1).half().float()), None),
    ],
)
def test_losses_of_logarithms_are_not_given_probabilities(loss, told):
    seen = fact(loss(), "nll_without_log")
    assert (seen and (seen["activation"], seen["loss"])) == told


@pytest.mark.parametrize(
    ("loss", "holds"),
    [
        (lambda: F.binary_cross_entropy(head(1).softmax(-1), torch.ones(8, 1)), True),
        (lambda: head(1).log_softmax(1).mean(), True),
        (lambda: head(2).softmax(1).square().mean(), False),
        (lambda: nn.Linear(1, 2)(head(1).softmax(1)).square().mean(), False),  # attention to a single key: layers come after it
    ],
)
def test_a_softmax_over_one_number(loss, holds):
    assert (fact(loss(), "softmax_of_one") is not None) is holds


@pytest.mark.parametrize(
    ("loss", "outside"),
    [
        (lambda: F.binary_cross_entropy_with_logits(head(1), torch.ones(8, 1) + torch.arange(8)[:, None] % 2), 0.5),
        (lambda: F.binary_cross_entropy_with_logits(head(1), 1.0 - 2 * (torch.arange(8.0)[:, None] % 2)), 0.5),
        (lambda: F.binary_cross_entropy_with_logits(head(), SHARES), None),
        (lambda: F.binary_cross_entropy(head(1).sigmoid(), torch.ones(8, 1)), None),
        (lambda: F.mse_loss(head(), 3 * SHARES), None),
    ],
)
def test_targets_that_are_no_probabilities(loss, outside):
    assert (fact(loss(), "targets_no_probabilities") or {"outside": None})["outside"] == outside


@pytest.mark.parametrize(
    ("loss", "share"),
    [
        (lambda: (head().sigmoid().round() - SHARES).square().mean(), 1.0),
        (lambda: (head().floor() - SHARES).square().mean() + head().sign().mean(), 1.0),
        (lambda: (head() + (head().round() - head()).detach()).square().mean(), None),  # straight through
        (lambda: Straight.apply(head()).square().mean(), None),
        (lambda: Round.apply(head()).square().mean(), None),
        (lambda: (lambda h: h * h.round())(head()).square().mean(), None),  # another way is open
        (lambda: (head(4) - head(2).round().sum()).square().mean(), 1 / 3),
    ],
)
def test_operations_without_slope(loss, share):
    seen = fact(loss(), "without_slope")
    assert (None if seen is None else pytest.approx(seen["share"], abs=0.01)) == share


class Layers(nn.Module):
    """A tower for one sample of several tokens: the answers of its layers side by side."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.first, self.layers = nn.Linear(n_in, n_out), nn.ModuleList(nn.Linear(n_out, n_out) for _ in range(4))

    def forward(self, x):
        seen = [self.first(x[0])]
        for layer in self.layers:
            seen.append(layer(seen[-1]).tanh())
        return torch.stack(seen), None


def recurrent(kind, taken, **settings):
    torch.manual_seed(0)
    states, _ = kind(3, 4, **settings)(torch.randn(6, 7, 3))
    return taken(states).square().mean()


class Written(nn.Module):
    """A recurrent network in a loop over axis 1, its states side by side."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.cell = nn.RNNCell(n_in, n_out)

    def forward(self, x):
        states = [x.new_zeros(len(x), self.cell.hidden_size)]
        for t in range(x.shape[1]):
            states.append(self.cell(x[:, t], states[-1]))
        return torch.stack(states[1:]), states[-1]


@pytest.mark.parametrize(
    ("kind", "settings", "taken", "sequences"),
    [
        (nn.LSTM, {}, lambda s: s[:, -1], 7),
        (nn.GRU, {}, lambda s: s[:, -1], 7),
        (nn.RNN, {}, lambda s: s[:, -1, :], 7),
        (nn.LSTM, {"bidirectional": True, "num_layers": 2}, lambda s: s[:, 0], 7),
        (nn.LSTM, {"batch_first": True}, lambda s: s[-1], 6),
        (nn.GRU, {"batch_first": True}, lambda s: s[-1], 6),
        (nn.LSTM, {}, lambda s: s[-1], None),
        (nn.LSTM, {"batch_first": True}, lambda s: s[:, -1], None),
        (nn.GRU, {"batch_first": True}, lambda s: s[:, -1], None),
        (nn.RNN, {}, lambda s: s.mean(0), None),
        (nn.LSTM, {}, lambda s: s[:, -1] + s[:, 0], None),  # two of them
        (nn.LSTM, {}, lambda s: s[:, -1].mean() + s.mean(), None),
        (Written, {}, lambda s: s[-1], None),
        (Written, {}, lambda s: s[:, -1], 6),
        (Layers, {}, lambda s: s[:, 0], None),
    ],
)
def test_one_sequence_out_of_a_batch(kind, settings, taken, sequences):
    seen = fact(recurrent(kind, taken, **settings), "one_sequence")
    assert (seen and seen["sequences"]) == sequences


def test_a_batch_of_one_sequence_is_taken_whole():
    states, _ = nn.LSTM(3, 4)(torch.randn(6, 1, 3))
    assert fact(states[:, -1].square().mean(), "one_sequence") is None
