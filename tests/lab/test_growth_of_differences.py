"""Growth of tiny differences in somebody's own training."""

import math

import pytest
import torch
from torch import nn

from kazami.lab.growth_of_differences import difference_growth
from kazami.maps import Training
from kazami.storage.strict_json import dumps, loads


def quadratic(rate, curvature=1.0):
    def loss(output, target):
        del target
        return 0.5 * curvature * output.square().sum()

    return Training(
        model=lambda: nn.Linear(1, 1, bias=False),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), rate),
        loss=loss,
        batches=lambda: [(torch.ones(1, 1), None)],
        steps=20,
    )


def test_the_exponent_of_a_parabola():
    found = difference_growth(quadratic(0.5), steps=200, twins=False)
    assert found.largest[0] == pytest.approx(math.log(0.5))
    assert found.phase.kind == "none"
    assert "do not part" in found.sentence.en
    assert "離れない" in found.sentence.ja
    document = loads(dumps({"schema": 1, **found.to_dict()}))
    assert document["horizon"] is None
    assert document["twins"] is None


def test_an_unstable_parabola_parts_with_its_rate():
    found = difference_growth(quadratic(2.2), steps=150, twins=True)  # multiplier -1.2
    assert found.largest[0] == pytest.approx(math.log(1.2))
    assert found.phase.kind == "sustained"
    assert float(found.twins) == pytest.approx(math.log(1.2), abs=1e-3)
    assert found.estimate.horizon == pytest.approx(1 / math.log(1.2))


def test_a_short_run_has_no_twins():
    assert difference_growth(quadratic(0.5), steps=20).twins is None


def test_the_figure_has_titles_in_both_languages(tmp_path):
    found = difference_growth(quadratic(0.5), steps=60, twins=False)
    for language in ("en", "ja"):
        for axes in found.figure(language).axes:
            assert axes.get_title(loc="left")
            assert axes.get_xlabel()


def test_ctrl_c_keeps_the_estimate_and_skips_the_twins():
    def stop(done):
        if done == 90:
            raise KeyboardInterrupt

    found = difference_growth(quadratic(0.5), steps=500, progress=stop)
    assert not found.is_complete
    assert found.estimate.steps == 90
    assert found.largest[0] == pytest.approx(math.log(0.5))
    assert found.twins is None
    assert loads(dumps({"schema": 1, **found.to_dict()}))["complete"] is False
