"""A log-softmax runs over the classes."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.softmax_axis import SoftmaxAxis
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, rows, training

FACTS = {"softmax_axis": {"axis": 0, "classes": 1, "size": 6}}


def test_the_line_gives_each_sample_probabilities():
    scope = {"F": F, "logits": torch.randn(6, 4)}
    exec(prescribed(SoftmaxAxis(), finding("output_activation"), trace(facts=FACTS)).code, scope)
    assert scope["log_probabilities"].exp().sum(1).tolist() == pytest.approx([1.0] * 6)
    assert SoftmaxAxis().prescribe(finding("output_activation"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_model_gives_each_sample_probabilities(style):
    before, parameters = EXAMPLES["softmax_axis"](style)
    after = carried_out(SoftmaxAxis(), before, **parameters)
    x = next(iter(after.batches()))[0]
    assert before.start().model(x).exp().sum(0).tolist() == pytest.approx([1.0] * 4, rel=1e-4)
    assert after.start().model(x).exp().sum(1).tolist() == pytest.approx([1.0] * len(x), rel=1e-4)


def test_so_does_a_loss_function():
    def loss(output, target):
        return F.nll_loss(F.log_softmax(output, dim=0), target)

    before = training(lambda: nn.Linear(3, 4), loss, rows(classes=4))
    after = carried_out(SoftmaxAxis(), before, axis=0, classes=1)
    output, target = torch.randn(5, 4), torch.arange(5) % 4
    assert float(after.loss(output, target)) == pytest.approx(float(F.cross_entropy(output, target)))


def test_nothing_to_change_where_all_run_over_the_classes():
    before = training(lambda: nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(1)), F.nll_loss, rows(classes=4))
    assert SoftmaxAxis().apply(before, {"axis": 0, "classes": 1}) is None
