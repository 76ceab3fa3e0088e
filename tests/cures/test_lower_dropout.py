"""Every dropout module gets the usual rate."""

import pytest
from torch import nn

from kazami.cures.lower_dropout import USUAL, LowerDropout
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import Dropping, carried_example
from tests.cures.trainings import STYLES, rows, training


def test_all_dropouts_are_lowered():
    model = nn.Sequential(nn.Dropout(0.95), nn.Sequential(nn.Dropout(0.9)))
    exec(prescribed(LowerDropout(), finding("over_regularised", 0.95, "dropout rate"), trace()).code, {"model": model, "nn": nn})
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [USUAL] * 2


def test_other_evidence_is_for_another_cure():
    assert LowerDropout().prescribe(finding("over_regularised", 0.1, "weights left since the start"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_fewer_units_are_dropped(style):
    model = carried_example(LowerDropout(), style).start().model
    seen = []
    model.c.register_forward_hook(lambda layer, given, output: seen.append(given[0]))
    model.a.bias.data.fill_(100.0)
    model(rows(1, 500)[0][0])
    assert float((seen[0] == 0).float().mean()) == pytest.approx(0.1, abs=0.01)


def test_a_lower_rate_stays():
    assert LowerDropout().apply(training(lambda: Dropping("modules")), {"p": 0.95}) is None
