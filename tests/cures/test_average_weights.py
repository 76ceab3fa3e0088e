"""The average of a swinging weight swings less."""

import pytest
import torch
from torch import nn

from kazami.cures.average_weights import AverageWeights
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, rows


def test_a_swing_averages_out():
    model = nn.Linear(1, 1, bias=False)
    made, update = prescribed(AverageWeights(), finding("oscillating_loss"), trace(step=1000)).code.split("average.update_parameters")
    scope = {"torch": torch, "model": model}
    exec(made, scope)
    for step in range(400):
        model.weight.data.fill_(1.0 if step % 2 else -1.0)
        exec("average.update_parameters" + update, scope)
    assert abs(float(scope["average"].module.weight.detach())) < 0.1


@pytest.mark.parametrize("style", STYLES)
def test_the_model_is_evaluated_with_the_average_and_trained_as_before(style):
    before, parameters = EXAMPLES["average_weights"](style)
    run = carried_out(AverageWeights(), before, **parameters).run()
    assert run.losses == before.run().losses

    average, model = None, (state := before.start()).model
    for batch in (next_batch for _, next_batch in zip(range(before.steps), before.endless_batches(), strict=False)):
        before.step(model, state.optimizer, batch)
        now = {name: p.detach().clone() for name, p in model.named_parameters()}
        average = now if average is None else {name: 0.9 * average[name] + 0.1 * now[name] for name in now}
    x = rows(1)[0][0]
    expected = torch.func.functional_call(model, average, (x,))
    torch.testing.assert_close(run.model.eval()(x), expected)
    assert all(torch.equal(p, q) for p, q in zip(run.model.parameters(), model.parameters(), strict=True)), "its own weights come back"
