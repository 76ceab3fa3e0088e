"""Exponents against closed forms and published values, quiet motion as carefully as wild."""

import math

import numpy as np
import pytest
import torch

import kazami
from kazami.dynamics import kaplan_yorke, lyapunov_spectrum, max_lyapunov, source
from kazami.errors import UsageError
from kazami.maps import CubicDescent, FoldedTowel, Henon, Ikeda, Linear, Logistic, Lorenz, MultiscaleDescent, QuarticDescent, StandardMap, Tent, TrainingMap
from kazami.records.estimate import Outcome
from tests.maps.properties import classification, quadratic
from tests.maps.test_training_map import HiddenNoise, training


def cycle_exponent(r: float, period: int) -> float:
    """Return the exponent of the logistic map's attracting cycle, by iterating it here."""
    x = 0.4
    for _ in range(20_000):
        x = r * x * (1 - x)
    total = 0.0
    for _ in range(period):
        total += math.log(abs(r * (1 - 2 * x)))
        x = r * x * (1 - x)
    return total / period


@pytest.mark.parametrize(
    ("m", "expected", "tolerance"),
    [
        (Logistic(), math.log(2), 5e-4),
        (Logistic(r=3.7), 0.3551, 4e-3),
        (Logistic(r=3.83), cycle_exponent(3.83, 3), 1e-4),
        (Logistic(r=3.2), math.log(0.16) / 2, 1e-6),
        (Logistic(r=3.5), cycle_exponent(3.5, 4), 1e-4),
        (Logistic(r=2.5), math.log(0.5), 1e-9),
        (Tent(), math.log(1.9999), 1e-9),
        (Tent(slope=1.3), math.log(1.3), 1e-9),
        (CubicDescent(a=0.3), math.log(0.4), 1e-9),
        (CubicDescent(a=0.8), math.log(0.6), 1e-9),
        (CubicDescent(a=1.15), math.log(abs(9 - 2 * 2.15**2)) / 2, 1e-6),
        (CubicDescent(a=2.0), math.log(3), 5e-3),
        (QuarticDescent(), math.log(3), 5e-3),
        (MultiscaleDescent(), 1.894, 0.02),
    ],
    ids=lambda value: value.notes[0].split(",")[0] if hasattr(value, "notes") else None,
)
def test_one_dimensional_truths(m, expected, tolerance):
    found = max_lyapunov(m, steps=50_000, transient=5000)
    assert found.value == pytest.approx(expected, abs=tolerance)
    assert found.outcome is Outcome.COMPLETE


def test_the_edge_of_chaos_has_the_exponent_zero():
    assert abs(max_lyapunov(Logistic(r=3.5699456), steps=300_000, transient=300_000).value) < 1.5e-3


@pytest.mark.parametrize(
    ("m", "expected", "tolerance", "total", "dimension"),
    [
        (Henon(), [0.4192, -1.6231], 0.006, math.log(0.3), 1.258),
        (Ikeda(), [0.509, -0.720], 0.02, 2 * math.log(0.9), 1.707),
        (StandardMap(), [1.62, -1.62], 0.02, 0.0, 2.0),
        (FoldedTowel(), [0.430, 0.377, -3.300], 0.02, None, 2.2445),
    ],
    ids=["henon", "ikeda", "standard", "towel"],
)
def test_spectra(m, expected, tolerance, total, dimension):
    found = lyapunov_spectrum(m, steps=20_000, transient=1000)
    assert found.value == pytest.approx(expected, abs=tolerance)
    assert found.details["sum_rule_gap"] < 1e-9
    assert total is None or found.details["sum"] == pytest.approx(total, abs=1e-9)
    assert found.details["kaplan_yorke"] == pytest.approx(dimension, abs=0.02)
    assert (np.abs(found.value - expected) < 5 * found.uncertainty + 2e-3).all()


def test_the_flow_of_lorenz():
    found = lyapunov_spectrum(Lorenz(), steps=30_000, transient=3000)
    assert found.per_time == pytest.approx([0.906, 0.0, -14.572], abs=0.06)
    assert found.per_time.sum() == pytest.approx(-(10 + 1 + 8 / 3), abs=2e-3)  # up to the error of the integrator
    assert found.details["kaplan_yorke"] == pytest.approx(2.062, abs=0.01)


@pytest.mark.parametrize(("p1", "p2", "shear"), [(0.5, 0.25, 1.0), (-0.9, 0.3, 0.0), (1.1, 0.9, 2.0), (0.5, 0.5, 0.0)])
def test_linear_maps(p1, p2, shear):
    m = Linear(p1=p1, p2=p2, shear=shear)
    expected = sorted([math.log(abs(p1)), math.log(abs(p2))], reverse=True)
    assert lyapunov_spectrum(m, steps=500).value == pytest.approx(expected, abs=1e-9 if shear == 0.0 or p1 == 0.5 else 1e-3)
    assert max_lyapunov(m, steps=500).value == pytest.approx(expected[0], abs=1e-3)


MOMENTUM = [
    ({"lr": 0.1}, 1.5),  # plain
    ({"lr": 0.1}, 25.0),  # plain, beyond 2 / lr
    ({"lr": 0.1, "momentum": 0.9}, 0.01),  # two real multipliers
    ({"lr": 0.1, "momentum": 0.9}, 3.0),  # a complex pair
    ({"lr": 0.1, "momentum": 0.9}, 39.0),  # beyond 2 (1 + beta) / lr
    ({"lr": 0.1, "momentum": 0.81}, (1 - 0.9) ** 2 / 0.1),  # degenerate: both multipliers 0.9
    ({"lr": 0.1, "momentum": 0.9, "nesterov": True}, 3.0),
    ({"lr": 0.1, "momentum": 0.5, "weight_decay": 0.3}, 2.0),
]


@pytest.mark.parametrize(("settings", "curvature"), MOMENTUM, ids=str)
def test_gradient_descent_on_a_quadratic(settings, curvature):
    """The multipliers are the roots of z² − (1 + β − η h) z + β (heavy ball) or z² − (1 + β)(1 − η h) z + β (1 − η h) (Nesterov), by NumPy."""
    rate, beta = settings["lr"], settings.get("momentum", 0.0)
    h = curvature + settings.get("weight_decay", 0.0)
    roots = [1 - rate * h]
    if beta:
        polynomial = [1, -(1 + beta - rate * h), beta]
        if settings.get("nesterov"):
            polynomial = [1, -(1 + beta) * (1 - rate * h), beta * (1 - rate * h)]
        roots = np.roots(polynomial)
    expected = np.sort(np.log(np.abs(roots)))[::-1]
    m = TrainingMap(quadratic([curvature], lambda model: torch.optim.SGD(model.parameters(), **settings), start=1e-3))
    found = lyapunov_spectrum(m, steps=600, transient=100)
    tolerance = 0.012 if len(expected) > 1 and abs(expected[0] - expected[1]) < 1e-6 else 1e-6  # a degenerate pair converges like ln t / t
    assert found.value == pytest.approx(expected, abs=tolerance)
    assert found.details["sum_rule_gap"] < 1e-9


def test_the_sum_of_heavy_balls_exponents_is_known_whatever_the_loss():
    """The step's determinant is β to the power of the number of parameters."""
    m = TrainingMap(classification(lambda model: torch.optim.SGD(model.parameters(), 0.5, momentum=0.8)))
    found = lyapunov_spectrum(m, steps=30)
    assert found.value.sum() == pytest.approx(m.n_parameters * math.log(0.8), rel=1e-9)
    assert found.details["sum_rule_gap"] < 1e-9


def test_the_spectrum_of_a_training_is_that_of_its_jacobians():
    """Against NumPy's QR of whole Jacobians made from a dense Hessian by torch.func."""
    made = classification(lambda model: torch.optim.SGD(model.parameters(), 0.7))
    m = TrainingMap(made)
    inputs, labels = made.batches()[0]
    model, state = made.start().model, m.current_state()
    names = [name for name, _ in model.named_parameters()]

    def loss(flat):
        parts = flat.split([parameter.numel() for parameter in model.parameters()])
        values = {name: part.view(like.shape) for name, part, like in zip(names, parts, model.parameters(), strict=True)}
        return torch.nn.functional.cross_entropy(torch.func.functional_call(model, values, (inputs,)), labels)

    basis, total = np.eye(m.dimension), np.zeros(m.dimension)
    for _ in range(40):
        basis, triangle = np.linalg.qr((np.eye(m.dimension) - 0.7 * torch.autograd.functional.hessian(loss, state).numpy()) @ basis)
        total += np.log(np.abs(np.diag(triangle)))
        state = state - 0.7 * torch.autograd.functional.jacobian(loss, state)
    found = lyapunov_spectrum(m, steps=40)
    assert found.value.sum() == pytest.approx(total.sum() / 40, abs=1e-9)
    assert found.value[0] == pytest.approx(np.sort(total)[-1] / 40, abs=0.05)  # another first basis: the difference dies like 1 / steps


def test_a_training_is_taken_as_its_map():
    made = classification(lambda model: torch.optim.SGD(model.parameters(), 0.1))
    first, second = kazami.max_lyapunov(made, steps=20), kazami.max_lyapunov(TrainingMap(made), steps=20)
    assert first.value == second.value
    assert any("exact" in text for text in first.conditions)


def test_the_map_stays_where_it_is_and_a_spectrum_begins_there():
    m = Henon()
    m.step(7)
    before = m.current_state()
    lyapunov_spectrum(m, steps=50)
    assert torch.equal(m.current_state(), before)
    assert m.time == 7


def test_a_state_that_escapes_is_an_outcome_with_its_step():
    found = max_lyapunov(CubicDescent(a=2.3, state=(1.9,)), steps=500)
    assert found.outcome is Outcome.NON_FINITE
    assert found.stopped_at == found.steps < 50
    assert any(f"step {found.stopped_at}" in text for text in found.warnings)
    trained = max_lyapunov(quadratic([1.0], lambda model: torch.optim.SGD(model.parameters(), 1e100)), steps=50)
    assert trained.outcome is not Outcome.COMPLETE
    assert trained.stopped_at == trained.steps


def test_a_superstable_orbit_has_the_exponent_minus_infinity():
    found = max_lyapunov(Logistic(r=2.0, state=(0.5,)), steps=200)
    assert found.value == -math.inf
    assert any("superstable" in text for text in found.warnings)


def test_short_and_drifting_series_are_warned_of():
    assert any("too few" in text for text in max_lyapunov(Logistic(), steps=50).warnings)
    falling = max_lyapunov(CubicDescent(a=0.01, state=(1e-6,)), steps=3000)
    assert any("drift" in text for text in falling.warnings)
    assert max_lyapunov(Logistic(), steps=5000).warnings == ()


def test_what_cannot_be_measured_is_refused(monkeypatch):
    with pytest.raises(UsageError, match="deterministic"):
        max_lyapunov(training(lambda: HiddenNoise(8, 3)), steps=10)
    with pytest.raises(UsageError, match=r"between 1 and the dimension of the phase space, 2, but it is 3"):
        lyapunov_spectrum(Henon(), k=3)
    with pytest.raises(UsageError, match="steps should be at least 1"):
        max_lyapunov(Henon(), steps=0)
    with pytest.raises(UsageError, match=r"needs a map or a kazami\.Training"):
        max_lyapunov(3.0)
    monkeypatch.setattr(source, "_memory", lambda: 100.0)
    with pytest.raises(UsageError, match=r"GiB.*max_lyapunov"):
        lyapunov_spectrum(Henon(), steps=10)


@pytest.mark.parametrize(("exponents", "expected"), [([-1.0, -2.0], 0.0), ([0.5, -1.0], 1.5), ([0.5, 0.1, -1.0], 2.6), ([0.0, -1.0], 1.0), ([0.3, 0.2], 2.0)])
def test_kaplan_yorke(exponents, expected):
    assert kaplan_yorke(np.array(exponents)) == pytest.approx(expected)


def test_too_few_exponents_give_no_dimension():
    assert math.isnan(lyapunov_spectrum(FoldedTowel(), k=2, steps=2000).details["kaplan_yorke"])


class Stopped:
    """Presses Ctrl-C after so many steps."""

    def __init__(self, after: int) -> None:
        self.after = after

    def __call__(self, done: int) -> None:
        if done == self.after:
            raise KeyboardInterrupt


@pytest.mark.parametrize("k", [1, 3])
def test_ctrl_c_keeps_what_was_measured_if_asked_to(k):
    def measured(**options):
        m = TrainingMap(classification(lambda m: torch.optim.SGD(m.parameters(), 0.1)))
        return lyapunov_spectrum(m, 3, transient=5, **options) if k > 1 else max_lyapunov(m, transient=5, **options)

    found = measured(steps=400, progress=Stopped(45), keeps_partial=True)
    assert found.outcome is Outcome.INTERRUPTED
    assert (found.steps, found.stopped_at) == (40, 45)
    np.testing.assert_array_equal(found.value, measured(steps=40).value)
    assert any("interrupted" in str(text) for text in found.warnings)
    with pytest.raises(KeyboardInterrupt):
        measured(steps=400, progress=Stopped(45))
    with pytest.raises(KeyboardInterrupt):  # nothing counts yet
        measured(steps=400, progress=Stopped(3), keeps_partial=True)
