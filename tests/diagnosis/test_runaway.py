import numpy as np
import pytest

from kazami.diagnosis._runaway import overflow_ahead
from kazami.diagnosis.lr_too_high import LrTooHigh
from tests.diagnosis.synthetic import fire, noisy, stuck, synthetic_trace


def runaway(beyond, n_features=6, seed=0):
    """Losses of gradient descent on a linear regression in float32 at ``beyond`` times its stability limit, up to the one that overflows."""
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((64, n_features)).astype(np.float32)
    targets = (inputs @ random.standard_normal(n_features) + random.standard_normal(64)).astype(np.float32)
    rate = np.float32(beyond * 2 / np.linalg.eigvalsh(2 * inputs.T.astype(np.float64) @ inputs / 64)[-1])
    weights, losses = np.zeros(n_features, np.float32), []
    with np.errstate(over="ignore", invalid="ignore"):
        while not losses or np.isfinite(losses[-1]):
            errors = inputs @ weights - targets
            losses.append(np.mean(errors * errors, dtype=np.float32))
            weights -= rate * (2 / np.float32(64)) * (inputs.T @ errors)
    return np.array(losses, dtype=np.float64)


@pytest.mark.parametrize("beyond", [1.05, 1.1, 1.3])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_step_of_overflow_is_told_long_before_it_comes(beyond, seed):
    losses = runaway(beyond, seed=seed)
    seen = losses[: losses.size // 3]
    (evidence,) = overflow_ahead(synthetic_trace(seen))
    sooner = np.log(64) / (2 * np.log(2 * beyond - 1))  # steps by which the sum over 64 examples overflows before their mean
    assert evidence.value == pytest.approx(losses.size + sooner, rel=0.05)


def test_nothing_is_foretold_where_growth_is_not_steady():
    assert overflow_ahead(synthetic_trace(stuck())) == []
    assert overflow_ahead(synthetic_trace(noisy(np.r_[np.full(20, 2.3), np.full(20, 60.0)]))) == []  # one leap


def test_the_finding_carries_it():
    found = fire(LrTooHigh(), synthetic_trace(runaway(1.1)[:80], stability_ratio=1.5, update_ratio=0.2))
    assert any(evidence.name.startswith("float32 overflows") for evidence in found.evidence)
