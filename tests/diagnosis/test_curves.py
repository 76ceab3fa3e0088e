"""The course behind a number of evidence: declared by name, in the number's own unit, and near the number where it was read."""

import inspect
import math
import sys

import numpy as np
import pytest

from kazami.diagnosis import _curves, all_rules
from kazami.diagnosis.dead_units import DeadUnits
from kazami.diagnosis.lr_too_high import LrTooHigh
from kazami.diagnosis.no_progress import NoProgress
from kazami.diagnosis.vanishing_gradient import VanishingGradient
from kazami.records import Finding, Layer, Sentence, Series, Trace

STEPS = np.arange(1, 41)
LAYERS = tuple(Layer(f"fc{n}", "linear", (4, 4), 4, 4, "sigmoid", is_output=n == 4) for n in range(5))


def series(values):
    return Series(STEPS, np.asarray(values, dtype=np.float64))


def finding(place=""):
    return Finding("KZ000", "made_up", "warning", 0.9, 1, place, Sentence("", ""))


def trace(**named):
    return Trace(step=40, layers=LAYERS, series={name: series(values) for name, values in named.items()})


@pytest.mark.parametrize("rule", [rule for rule in all_rules() if rule.curves], ids=lambda rule: rule.name)
def test_each_course_belongs_to_a_number_that_the_rule_gives(rule):
    module = sys.modules[type(rule).__module__]
    told_by = [inspect.getsource(one) for one in (sys.modules.get("kazami.diagnosis._answers"),) if one is not None]
    body = "".join([inspect.getsource(module).replace(inspect.getsource(type(rule)).split("    def ")[0], ""), *told_by])
    for name in rule.curves:
        stem = name.rsplit(" over ", 1)[0] if name not in body else name  # "growth of the gradient {what}"
        assert stem in body, name


@pytest.mark.parametrize("rule", [rule for rule in all_rules() if rule.curves], ids=lambda rule: rule.name)
def test_a_course_of_nothing_is_empty(rule):
    for course in rule.curves.values():
        assert len(course(Trace(step=0), finding("nowhere"))) == 0


def test_a_layer_s_own_numbers():
    rows = np.arange(200.0).reshape(40, 5)
    rows[3, 2] = np.nan
    course = DeadUnits.curves["share of units silent on every sample"](trace(dead_share=rows), finding("fc2"))
    assert course.steps.tolist() == [step for step in range(1, 41) if step != 4]
    assert course.values[0] == 2.0
    assert len(DeadUnits.curves["share of units silent on every sample"](trace(dead_share=rows), finding("elsewhere"))) == 0


def test_the_fall_over_depth_is_in_decades():
    fading = np.tile(10.0 ** np.array([-4, -3, -2, -1, 0]), (40, 1))
    course = VanishingGradient.curves["attenuation of the gradient over depth"](trace(output_gradient_rms=fading), finding("fc0"))
    assert course.values == pytest.approx(np.full(40, 4.0))


def test_the_middle_of_the_layers_and_what_a_loss_has_become():
    updates = np.tile(np.array([0.1, 0.2, 0.3, 0.4, np.nan]), (40, 1))
    seen = trace(update_ratio=updates, loss=np.linspace(2.0, 6.0, 40))
    assert LrTooHigh.curves["size of the updates beside the weights"](seen, finding()).values[0] == pytest.approx(0.25)
    assert LrTooHigh.curves["loss over its start"](seen, finding()).values[-1] == pytest.approx(3.0)
    explained = NoProgress.curves["share of the loss explained"](seen.replaced(trivial_loss=4.0), finding())
    assert explained.values[[0, -1]] == pytest.approx([0.5, -0.5])


def test_one_number_over_another_at_the_steps_of_both():
    made = Trace(step=4, series={"a": Series(np.array([1, 2, 4]), np.array([1.0, 2.0, 3.0])), "b": Series(np.array([2, 4]), np.array([4.0, math.nan]))})
    course = _curves.ratio_of("a", "b")(made, finding())
    assert (course.steps.tolist(), course.values.tolist()) == ([2], [0.5])
