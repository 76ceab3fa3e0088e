"""One operation, and only where a softmax stands under the logarithm."""

import torch
import torch.nn.functional as F

from kazami.cures.log_softmax import LogSoftmax
from tests.cures.cases import finding, prescribed, trace


def test_it_is_finite_where_two_operations_are_not():
    logits = torch.tensor([[0.0, 200.0]])
    scope = {"F": F, "logits": logits}
    exec(prescribed(LogSoftmax(), finding("log_of_softmax"), trace()).code, scope)
    assert torch.isfinite(scope["log_probabilities"]).all()
    assert not torch.isfinite(torch.log(torch.softmax(logits, -1))).all()


def test_a_nan_elsewhere_is_left_to_others():
    assert LogSoftmax().prescribe(finding("nan_inf", place="sqrt after 2"), trace(facts={"log_of_softmax": {"activation": "softmax"}})) is None
    assert LogSoftmax().prescribe(finding("nan_inf", place="log after 2"), trace(facts={"log_of_softmax": {"activation": "softmax"}})) is not None
    assert LogSoftmax().prescribe(finding("nan_inf", place="log after 2"), trace()) is None
