"""Known truths on this machine."""

import math

import pytest

from kazami.errors import UnknownName
from kazami.lab import verification
from kazami.lab.verification import Verification, all_truths, truths, verify
from kazami.lab.verification._base import failed_to_measure, truth
from kazami.lab.verification.depth import Depth
from kazami.lab.verification.descent import Descent
from kazami.lab.verification.exponents import Exponents
from kazami.lab.verification.series import PATTERNS, logistic
from kazami.lab.verification.thresholds import flip
from kazami.storage.strict_json import dumps, loads


def test_every_group_of_the_truths_is_there():
    assert [group.name for group in all_truths()] == ["depth", "descent", "exponents", "series", "thresholds", "training"]
    assert all(group.title.ja for group in all_truths())


def test_thresholds_pass_and_are_plain_data():
    found = verify(["thresholds"])
    assert found.passed
    assert found.is_complete
    document = loads(dumps(found.to_dict()))
    assert document["schema"] == 1
    assert {"name", "expected", "tolerance", "measured", "passed"} <= set(document["checks"][0])
    assert all(check.name_ja and check.source for check in found.checks)


def test_a_wrong_optimizer_would_be_seen():
    import torch

    measured = flip(lambda model: torch.optim.SGD(model.parameters(), 0.1, momentum=0.5), below=0.1, above=1000.0)
    assert measured == pytest.approx(2 * 1.5 / 0.1)  # heavy ball, not the 20 of plain descent
    assert measured != pytest.approx(20.0, rel=0.1)


def test_ctrl_c_keeps_what_was_measured():
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    found = verify(["thresholds"], progress=stop)
    assert not found.is_complete
    assert not found.passed
    assert len(found.checks) == 2


def test_a_measurement_that_ends_with_an_error_fails_and_the_rest_goes_on(monkeypatch):
    class Broken:
        name = "broken"

        def measurements(self, *, quick):
            def breaks():
                raise ValueError("no such thing")

            return [breaks, lambda: [truth(("fine", "良い"), 1.0, 1.0, 0.0, "arithmetic")]]

    monkeypatch.setattr(verification, "truths", lambda name: Broken())
    found = verify(["broken"])
    assert [check.passed for check in found.checks] == [False, True]
    assert "no such thing" in found.checks[0].name


def test_unknown_group_is_named():
    with pytest.raises(UnknownName, match="exponents"):
        truths("exponent")
    assert truths("exponents").name == "exponents"


def test_nothing_measured_is_not_passed():
    assert not Verification((), True).passed
    assert not failed_to_measure("group", 0, ValueError("x")).passed


def test_order_patterns_are_a_distribution():
    assert sum(PATTERNS.values()) == pytest.approx(1.0)
    x = logistic(4.0, 1000)
    assert ((x >= 0) & (x <= 1)).all()


@pytest.mark.parametrize("group", [Exponents(), Descent(), Depth()])
def test_quick_is_never_more(group):
    assert len(group.measurements(quick=True)) <= len(group.measurements(quick=False))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["depth", "descent", "exponents", "series", "training"])
def test_all_truths_hold(name):
    found = verify([name], quick=True)
    assert [check.name for check in found.checks if not check.passed] == []
    assert not any(math.isnan(check.measured) for check in found.checks)
