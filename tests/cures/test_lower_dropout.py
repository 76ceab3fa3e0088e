"""Every dropout module gets the usual rate."""

from torch import nn

from kazami.cures.lower_dropout import USUAL, LowerDropout
from tests.cures.cases import finding, prescribed, trace


def test_all_dropouts_are_lowered():
    model = nn.Sequential(nn.Dropout(0.95), nn.Sequential(nn.Dropout(0.9)))
    exec(prescribed(LowerDropout(), finding("over_regularised", 0.95, "dropout rate"), trace()).code, {"model": model, "nn": nn})
    assert [m.p for m in model.modules() if isinstance(m, nn.Dropout)] == [USUAL] * 2


def test_other_evidence_is_for_another_cure():
    assert LowerDropout().prescribe(finding("over_regularised", 0.1, "weights left since the start"), trace()) is None
