"""What becomes of a descent, against closed forms: 2/η on quadratics, and the cubic map of gradient descent on (w1 w2 - 1)²/2."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from kazami.surfaces import descend, fate_of
from kazami.surfaces.descents import as_starts, stepper
from kazami.surfaces.fates import Outcome, _followed, fates, stretching
from kazami.surfaces.rules import Settings
from kazami.surfaces.two_weights import two_weights

RIDGE = two_weights("product", data=([1.0], [1.0]))


@pytest.mark.parametrize(
    ("rate", "outcome"),
    [
        (0.05, Outcome.CONVERGED),
        (0.0999, Outcome.CONVERGED),
        (0.15, Outcome.ZIGZAG),
        (0.19, Outcome.ZIGZAG),
        (0.2, Outcome.CYCLE),
        (0.2001, Outcome.ESCAPED),
        (0.3, Outcome.ESCAPED),
    ],
)
def test_a_quadratic_turns_at_one_and_two_over_the_curvature(rate, outcome):
    found = fate_of("10*w1^2/2 + 5*w2^2/2", (1.0, 1.0), learning_rate=rate)  # curvatures 10 and 5
    assert found.outcome is outcome
    if outcome in (Outcome.CONVERGED, Outcome.ZIGZAG):
        expected = math.log(max(abs(1 - 10 * rate), abs(1 - 5 * rate)))
        assert found.exponent == pytest.approx(expected, abs=1e-3)
        assert found.place == "minimum"
        assert not found.loss_rose
    if outcome is Outcome.CYCLE:
        assert found.period == 2


def along_the_diagonal(rate, start=0.7):
    """Return the fate on the diagonal, where gradient descent is the cubic map x ← (1+a)x - a x³ with a = η."""
    return fate_of(RIDGE, (start, start), learning_rate=rate, steps=2000)


@pytest.mark.parametrize(
    ("rate", "outcome", "period"),
    [
        (0.4, Outcome.CONVERGED, 1),
        (0.7, Outcome.ZIGZAG, 1),
        (0.97, Outcome.ZIGZAG, 1),
        (1.03, Outcome.CYCLE, 2),
        (math.sqrt(5) - 1 - 0.01, Outcome.CYCLE, 2),
        (math.sqrt(5) - 1 + 0.01, Outcome.CYCLE, 4),
        (1.293, Outcome.CYCLE, 8),
        (1.3005, Outcome.CYCLE, 16),
        (1.31, Outcome.CHAOTIC, 0),
        (1.9, Outcome.CHAOTIC, 0),
        (2.05, Outcome.ESCAPED, 0),
    ],
)
def test_the_cubic_map_goes_from_rest_over_cycles_to_chaos_and_escape(rate, outcome, period):
    found = along_the_diagonal(rate)
    assert found.outcome is outcome
    assert found.period == period


def test_the_exponent_at_two_is_the_logarithm_of_three():
    found = along_the_diagonal(2.0, start=0.6)
    assert found.outcome is Outcome.CHAOTIC
    assert found.exponent == pytest.approx(math.log(3), abs=4 * found.error)
    assert found.error < 0.01
    assert "λ = 1.1" in found.sentence.en


@pytest.mark.parametrize("rate", [1.02, 1.1, 1.2])
def test_the_exponent_of_the_two_cycle_is_that_of_its_multipliers(rate):
    # Along the diagonal 9 - 2(1+a)²; across it (1-a+ax²)(1-a+ax'²) = 3 - 2a, from x² + x'² = 1 + 1/a and xx' = 1/a.
    expected = max(math.log(abs(9 - 2 * (1 + rate) ** 2)), math.log(abs(3 - 2 * rate))) / 2
    assert along_the_diagonal(rate).exponent == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("start", np.linspace(0.05, 1.35, 27).tolist())
def test_below_the_catapult_the_loss_never_rises(start):
    rate = 2 * math.sqrt(2) - 2 - 0.005
    losses = descend(RIDGE, (start, start), learning_rate=rate, steps=300).losses[0]
    assert (np.diff(losses) <= 1e-15).all()


def test_above_it_some_start_is_catapulted():
    rate = 2 * math.sqrt(2) - 2 + 0.02
    starts = [(start, start) for start in np.linspace(0.05, 1.5, 200)]
    rose = [fate for fate in fates(RIDGE, starts, method="gradient_descent", settings=Settings(learning_rate=rate), steps=400) if fate.loss_rose]
    assert rose
    assert all(fate.period == 1 for fate in rose)


@pytest.mark.parametrize("method", ["gradient_descent", "momentum", "nesterov", "rmsprop", "adam"])
def test_what_carries_a_direction_along_is_the_derivative_of_the_steps(method):
    loss, settings = two_weights("tanh"), Settings(learning_rate=0.05)
    start = torch.tensor([[-1.0, 0.8]], dtype=torch.float64)
    states = _followed(loss, start, method, settings, 6, 0)[0]
    carried = np.random.default_rng(0).standard_normal(states[0].numel())
    carried /= np.linalg.norm(carried)
    growth = stretching(loss, states, method, settings)
    # A twin that starts a little aside, in all of the state, follows the same steps.
    step, size = stepper(loss, method, settings), 1e-7
    ahead, behind = (states[1:2] + sign * size * torch.as_tensor(_after_one(loss, states, method, settings, carried)).view_as(states[1:2]) for sign in (1, -1))
    length = float((ahead - behind).norm())
    for number in range(2, 7):
        ahead, behind = step(ahead, number), step(behind, number)
    assert growth[1:].sum() == pytest.approx(math.log(float((ahead - behind).norm()) / length), rel=1e-4)


def _after_one(loss, states, method, settings, carried):
    """Return the carried direction after the first step, of length one; at zero memory RMSprop and Adam have no two-sided derivative."""
    step = stepper(loss, method, settings)
    jacobian = torch.autograd.functional.jacobian(lambda state: step(state, 1).flatten(), states[:1]).reshape(len(carried), -1).numpy()
    found = jacobian @ carried
    return found / np.linalg.norm(found)


def test_outcomes_that_are_no_rest():
    assert fate_of("w1^4/4 + w2^4/4", (1.0, 1.0), learning_rate=0.01, steps=500).outcome is Outcome.CRAWLS
    assert fate_of("tanh", (-2.0, -1.0), learning_rate=0.5, method="sgd", steps=400).outcome is Outcome.NOISY
    assert fate_of("w1 + w2", (0.0, 0.0), learning_rate=1.0, steps=50).outcome in (Outcome.CRAWLS, Outcome.ESCAPED)
    saddle = fate_of("double_well", (0.0, 1.0), learning_rate=0.5)
    assert saddle.place == "saddle"
    assert "on a saddle" in saddle.sentence.en
    assert "鞍点" in saddle.sentence.ja


def test_momentum_on_a_quadratic_escapes_beyond_its_own_threshold():
    limit = 2 * (1 + 0.9) / 10.0  # heavy ball on curvature 10
    for factor, escapes in ((0.98, False), (1.02, True)):
        found = fate_of("10*w1^2/2 + 10*w2^2/2", (1.0, 0.5), learning_rate=factor * limit, method="momentum")
        assert (found.outcome is Outcome.ESCAPED) is escapes


def test_every_outcome_speaks_both_languages():
    base = fate_of("quadratic", (1.0, 1.0), learning_rate=0.05)
    for outcome in Outcome:
        sentence = dataclasses.replace(base, outcome=outcome, place="").sentence
        assert sentence.en.endswith(".")
        assert sentence.ja.endswith("。")
    assert base.to_dict()["outcome"] == "converged"
    assert as_starts((1, 2)).shape == (1, 2)
