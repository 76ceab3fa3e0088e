"""Estimates and what they say."""

import json
from types import MappingProxyType

import numpy as np
import pytest

from kazami.records.estimate import Estimate, Outcome, Remark


def spectrum() -> Estimate:
    local = np.array([[0.2, -1.0], [0.4, -np.inf]])
    return Estimate(
        name="spectrum",
        value=local.mean(axis=0),
        uncertainty=np.array([0.1, np.nan]),
        local=local,
        steps=2,
        time_per_step=0.5,
        outcome=Outcome.NON_FINITE,
        stopped_at=2,
        warnings=(Remark("Too short.", "短すぎる。"),),
        details=MappingProxyType({"sum": -np.inf, "windows": [(1, 2)]}),
    )


def test_a_remark_is_its_english_text_and_knows_the_japanese():
    remark = Remark("Too short.", "短すぎる。")
    assert remark == "Too short."
    assert [remark.in_language(language) for language in ("en", "ja")] == ["Too short.", "短すぎる。"]
    assert Remark("Only this.").in_language("ja") == "Only this."


def test_goes_through_json_without_what_json_cannot_say():
    told = json.loads(json.dumps(spectrum().to_dict(), allow_nan=False))
    assert told["value"] == [pytest.approx(0.3), None]
    assert told["outcome"] == "non_finite"
    assert told["warnings"] == ["Too short."]
    assert told["details"] == {"sum": None, "windows": [[1, 2]]}


def test_time_and_horizon():
    found = spectrum()
    assert found.per_time[0] == pytest.approx(0.6)
    assert found.horizon == pytest.approx(1 / 0.3)
    assert found.convergence[:, 0] == pytest.approx([0.2, 0.3])
    falling = Estimate(name="x", value=-0.5, uncertainty=0.0, local=np.array([-0.5]), steps=1)
    assert (falling.horizon, float(falling)) == (np.inf, -0.5)
