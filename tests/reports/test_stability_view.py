"""The curve of sharpness, the block of the document, and the gauge of the live line."""

import json

import numpy as np
import pytest

from kazami.records import RunInfo, Series, Trace, wind_of
from kazami.reports import document, live_line
from kazami.reports.stability_view import dynamics, growth_picture, stability_picture
from kazami.signals.stability_gauge import StabilityGauge


def a_trace():
    steps = np.array([2, 3, 9, 10])
    series = {
        "stability_ratio": Series(steps, np.array([0.4, 0.6, 0.9, 1.1])),
        "sharpness": Series(steps, np.array([8.0, 12.0, 18.0, 22.0])),
        "sharpness_limit": Series(steps, np.full(4, 20.0)),
        "learning_rate": Series(np.arange(1, 11), np.full(10, 0.1)),
        "local_exponent": Series(np.arange(4, 10), np.full(6, 0.25)),
        "burst_length": Series(np.arange(4, 10), np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])),
    }
    return Trace(step=10, series=series)


def test_the_curve_is_in_the_optimizers_unit():
    seen = stability_picture(a_trace())
    assert seen.steps.tolist() == [3, 10]
    assert seen.value == pytest.approx([1.0, 2.0])
    assert seen.limit == pytest.approx([2.0, 2.0])
    assert seen.title.en == "η·λmax ends at 2; the optimizer's stability limit is 2"
    assert "限界" in seen.title.ja


def test_nothing_measured_is_nothing_shown():
    assert stability_picture(Trace(step=3)).steps.size == 0
    assert growth_picture(Trace(step=3)).steps.size == 0
    assert dynamics(Trace(step=3)) == {}
    assert "dynamics" not in document(RunInfo(id="a"), (), None, trace=Trace(step=3))


def test_the_running_mean_of_the_growth_starts_anew_with_each_burst():
    steps, values = np.array([4, 5, 6, 20, 21]), np.array([1.0, 3.0, 2.0, -1.0, 0.0])
    seen = growth_picture(Trace(step=21, series={"local_exponent": Series(steps, values)}))
    assert seen.steps.tolist() == steps.tolist()
    assert seen.mean == pytest.approx([1.0, 2.0, 2.0, -1.0, -0.5])


def test_the_document_has_the_numbers():
    found = document(RunInfo(id="a"), (), None, trace=a_trace())["dynamics"]
    assert found["stability"] == {"step": 10, "ratio": 1.0, "value": pytest.approx(2.0), "limit": pytest.approx(2.0), "sharpness": 22.0}
    assert found["growth"]["exponent"] == 0.25
    assert (found["growth"]["steps"], found["growth"]["bursts"], found["growth"]["error"]) == (6, 2, None)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize(("language", "said"), [("en", "η·λmax = 1.93 of 2"), ("ja", "η·λmax = 1.93（限界 2）")])
def test_the_live_line_has_a_gauge(language, said):
    gauge = StabilityGauge(119, 0.965, 1.93, 2.0)
    line = live_line(120, 0.7, wind_of(0), "fc1", stability=gauge, width=90, language=language)
    assert said in line
    assert "fc1" in line
    assert "λ" not in live_line(120, 0.7, wind_of(0), "", stability=gauge, width=34, language=language)
