"""The activation goes, with the names of loss and layer; not where the loss lacks a logarithm instead."""

import pytest
import torch

from kazami.cures.drop_output_activation import DropOutputActivation
from tests.cures.cases import RANGE, finding, prescribed, trace
from tests.cures.examples import (
    carried_example,
)
from tests.cures.trainings import STYLES, plain, rows


def test_it_names_the_layer_the_activation_and_the_loss():
    fact = {"activation": "sigmoid", "loss": "binary_cross_entropy_with_logits"}
    code = prescribed(DropOutputActivation(), finding("output_activation"), trace(facts={"activation_before_logits_loss": fact})).code
    assert all(word in code for word in ("F.binary_cross_entropy_with_logits(logits", "model[4]", "no sigmoid"))


def test_bounded_outputs_are_freed_for_the_targets_seen():
    sentence = prescribed(DropOutputActivation(), finding("output_activation"), trace(facts={"output_range": RANGE}, loss_kind="mse")).sentence
    assert str(int(RANGE["target_low"])) in sentence.en
    assert str(int(RANGE["target_high"])) in sentence.ja


def test_a_missing_logarithm_is_no_activation_too_much():
    assert (
        DropOutputActivation().prescribe(finding("output_activation"), trace(facts={"nll_without_log": {"activation": "identity", "loss": "nll_loss"}})) is None
    )


@pytest.mark.parametrize("style", STYLES)
def test_the_model_returns_logits(style):
    after = carried_example(DropOutputActivation(), style)
    model = after.start().model
    x = rows(1)[0][0]
    assert torch.equal(model(x), model.net(x))


def test_a_model_without_it_is_left_alone():
    assert DropOutputActivation().apply(plain("modules"), {"activation": "softmax", "loss": "cross_entropy"}) is None
