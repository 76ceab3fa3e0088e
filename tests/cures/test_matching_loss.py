"""The fitting loss gives what the right pair of output and loss gives."""

import pytest
import torch
from torch.nn import functional as F

from kazami.cures.matching_loss import MatchingLoss
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES, Softmaxed
from tests.cures.trainings import STYLES, carried_out, own_step, rows, training


@pytest.mark.parametrize(
    ("activation", "loss", "fact"),
    [
        ("identity", "nll_loss", "nll_without_log"),
        ("softmax", "nll_loss", "nll_without_log"),
        ("softmax", "cross_entropy", "softmax_before_log_softmax"),
    ],
)
def test_the_loss_equals_cross_entropy_of_the_logits(activation, loss, fact):
    logits, target = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3, 0, 1])
    output = logits.softmax(-1) if activation == "softmax" else logits
    scope = {"torch": torch, "F": F, "logits": logits, "output": output, "target": target}
    exec(prescribed(MatchingLoss(), finding("output_activation"), trace(facts={fact: {"activation": activation, "loss": loss}})).code, scope)
    torch.testing.assert_close(scope["loss"], F.cross_entropy(logits, target))


@pytest.mark.filterwarnings("ignore:reduction")
@pytest.mark.parametrize("activation", ["identity", "softmax", "sigmoid"])
def test_a_divergence_is_given_the_logarithm_it_expects(activation):
    logits, target = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.full((6, 4), 0.25)
    scope = {"torch": torch, "F": F, "logits": logits, "target": target}
    given = prescribed(MatchingLoss(), finding("output_activation"), trace(facts={"nll_without_log": {"activation": activation, "loss": "kl_div"}}))
    exec(given.code, scope)
    torch.testing.assert_close(scope["loss"], F.kl_div(logits.log_softmax(-1), target))
    assert given.sentence.en.startswith("Gives kl_div the logarithm")
    assert given.order == 0


def test_there_is_no_loss_for_tanh_logits():
    fact = {"activation": "tanh", "loss": "cross_entropy"}
    assert MatchingLoss().prescribe(finding("output_activation"), trace(facts={"activation_before_logits_loss": fact})) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_training_has_the_fitting_loss(style):
    before, parameters = EXAMPLES["matching_loss"](style)
    after = carried_out(MatchingLoss(), before, **parameters)
    exact = training(lambda: Softmaxed(style).net, F.cross_entropy, rows(classes=4))
    torch.testing.assert_close(torch.tensor(after.run().losses), torch.tensor(exact.run().losses))
    assert MatchingLoss().apply(before.replaced(train_step=own_step), parameters) is None
    assert MatchingLoss().apply(before, {"call": "something_else(output)"}) is None
