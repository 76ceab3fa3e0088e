"""Gradient descent becomes Adam with the same decay; Adam stays."""

from kazami.cures.adaptive_optimizer import AdaptiveOptimizer
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace


def test_gradient_descent_becomes_adam():
    assert "torch.optim.Adam(model.parameters(), lr=0.001)" in prescribed(AdaptiveOptimizer(), finding("slow_convergence"), trace()).code
    assert (
        "AdamW(model.parameters(), lr=0.001, weight_decay=0.02)"
        in prescribed(AdaptiveOptimizer(), finding("slow_convergence"), trace(optimizer=SGD | {"weight_decay": 0.02})).code
    )


def test_adam_stays():
    assert AdaptiveOptimizer().prescribe(finding("slow_convergence"), trace(optimizer=ADAM)) is None
