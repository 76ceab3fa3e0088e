"""The second moment forgets in twenty steps."""

import pytest
import torch

from kazami.cures.adam_beta2 import BETA2, AdamBeta2
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, plain


def test_the_line_keeps_the_first_beta():
    given = prescribed(AdamBeta2(), finding("loss_spike"), trace(optimizer=ADAM | {"betas": [0.8, 0.999]}))
    assert "betas=(0.8, 0.95)" in given.code
    assert given.parameters == {"beta2": BETA2, "from": 0.999}


@pytest.mark.parametrize("optimizer", [SGD, ADAM | {"betas": [0.9, 0.95]}])
def test_nothing_to_lower(optimizer):
    assert AdamBeta2().prescribe(finding("loss_spike"), trace(optimizer=optimizer)) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_setting_changes_and_nothing_else(style):
    before, parameters = EXAMPLES["adam_beta2"](style)
    group = carried_out(AdamBeta2(), before, **parameters).start().optimizer.param_groups[0]
    assert (group["betas"], group["lr"]) == ((0.9, 0.95), 0.05)
    assert AdamBeta2().apply(plain(style, optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=0.1)), parameters) is None
