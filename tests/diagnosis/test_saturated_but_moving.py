import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.saturated_but_moving import LIMIT, SaturatedButMoving, head_ratio
from tests.diagnosis.synthetic import falling, fire, stuck, synthetic_trace

RULE = SaturatedButMoving()
N = 80
SWINGING = 3.0 + np.where(np.arange(N) % 2 == 0, 1.5, -1.0)  # above the trivial loss, to and fro


def run(losses=SWINGING, *, slope=(0.001, 0.0, 0.002), hidden=0.0, energy=3.0, curvature=1.0, rate=5.0, **changes):
    """Danovski's case: a rate of 5, two live units of value one, three equal classes (a curvature of 1/3 times 1 + 2)."""
    given = {
        "slope_share": [*slope, np.nan],
        "update_ratio": [hidden, hidden, hidden, 0.5],
        "head_energy": energy,
        "head_curvature": curvature,
        "learning_rate": rate,
    }
    return synthetic_trace(losses, **{**given, **changes})


def test_the_reduced_map_is_told():
    found = fire(RULE, run())
    told = {item.name: item.value for item in found.evidence}
    assert told["gain of the output layer's own map"] == pytest.approx(15.0)
    assert told["output layer's gain over its limit"] == pytest.approx(2.5)
    assert told["learning rate below which the oscillation stops"] == pytest.approx(2.0)
    assert "g = η(1+Σh²) = 15" in found.sentence.en
    assert found.place == "layer3"
    assert examine(run())[0].name == "saturated_but_moving"


def test_the_told_rate_is_where_the_reduced_map_stops():
    """z <- z - g (softmax(z) - p) with g = rate * (1 + sum h²), iterated: it settles just below the rate and swings just above."""
    p, energy = np.array([0.5, 0.3, 0.2]), 4.0
    curvature = float(np.linalg.eigvalsh(np.diag(p) - np.outer(p, p))[-1])
    stops = 2.0 / (curvature * energy)

    def swing(rate):
        z, losses = np.log(p) + np.array([0.01, -0.02, 0.01]), []
        for _ in range(4000):
            q = np.exp(z) / np.exp(z).sum()
            losses.append(-float(p @ np.log(q)))
            z = z - rate * energy * (q - p)
        return float(np.ptp(losses[-50:]))

    assert swing(0.98 * stops) < 1e-9
    assert swing(1.1 * stops) > 1e-4
    trace = run(energy=energy, curvature=curvature * energy, rate=3 * stops)
    assert head_ratio(trace) == pytest.approx(3.0)


@pytest.mark.parametrize(
    "trace",
    [
        run(falling(N)),
        run(stuck(N)),
        run(slope=(0.001, LIMIT, 0.001)),
        run(slope=(0.001, np.nan, 0.001)),
        run(hidden=0.1),
        run(rate=1.9),
    ],
    ids=["good progress", "a loss that stands", "a layer with room", "a layer that does not saturate", "hidden layers that move", "below the limit"],
)
def test_silent_otherwise(trace):
    assert RULE.examine(trace) is None


def test_momentum_moves_the_limit():
    assert head_ratio(run(optimizer={"name": "SGD", "momentum": 0.9})) == pytest.approx(5.0 / (2 * 1.9))


def test_an_adaptive_optimizer_has_no_gain_but_may_swing():
    adam = {"name": "Adam", "learning_rate": 5.0}
    found = fire(RULE, run(optimizer=adam, update_cosine=-0.8))
    assert "g = " not in found.sentence.en
    assert RULE.examine(run(stuck(N), optimizer=adam, update_cosine=0.5)) is None
