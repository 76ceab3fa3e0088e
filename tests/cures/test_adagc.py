"""A tensor's gradient may grow five percent beyond the average of its own past, and no more."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.cures.adagc import MEMORY, RATIO, START, Adagc
from tests.cures.cases import NORMS, finding, prescribed, trace
from tests.cures.trainings import STYLES, carried_out, plain


def test_the_lines_clip_one_tensor_and_leave_the_other():
    model = nn.ParameterList([nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))])
    given = prescribed(Adagc(), finding("loss_spike", step=40), trace(numbers=NORMS, step=10))
    assert given.parameters["start_steps"] == 1
    scope = {"torch": torch, "model": model}
    first, *rest = given.code.splitlines()
    exec(first, scope)
    for size in (0.3, 30.0):
        model[0].grad, model[1].grad = torch.full((1,), size), torch.full((1,), 0.3)
        exec("\n".join(rest), scope)
    assert float(model[0].grad) == pytest.approx(0.3 * RATIO)
    assert float(model[1].grad) == pytest.approx(0.3)
    assert scope["means"][model[0]] == pytest.approx(MEMORY * 0.3 + (1 - MEMORY) * 0.3 * RATIO)


def test_the_beginning_is_a_tenth_of_the_steps_at_most_a_hundred():
    steps = [prescribed(Adagc(), finding("loss_spike"), trace(numbers=NORMS, step=step)).parameters["start_steps"] for step in (5, 200, 5000)]
    assert steps == [1, 20, START]


def test_no_norms_no_average():
    assert Adagc().prescribe(finding("loss_spike"), trace()) is None


@pytest.mark.parametrize("style", STYLES)
def test_gradients_are_clipped_as_the_algorithm_says(style):
    given = {"ratio": 1.05, "memory": 0.98, "start_steps": 2, "start_norm": 0.05}
    before = plain(style, optimizer=lambda model: torch.optim.SGD(model.parameters(), lr=1.0), steps=5)
    after = carried_out(Adagc(), before, **given)
    state, means = before.start(), {}
    for number, (x, y) in zip(range(5), before.endless_batches(), strict=False):
        state.optimizer.zero_grad()
        F.mse_loss(state.model(x), y).backward()
        parameters = list(state.model.parameters())
        if number < 2:
            nn.utils.clip_grad_norm_(parameters, 0.05)
        for p in parameters:
            if number >= 2:
                nn.utils.clip_grad_norm_([p], 1.05 * means[p])
            norm = float(p.grad.norm())
            means[p] = min(means.get(p, norm), norm) if number < 2 else 0.98 * means[p] + 0.02 * norm
        state.optimizer.step()
    for p, q in zip(after.run().model.parameters(), state.model.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-5)
