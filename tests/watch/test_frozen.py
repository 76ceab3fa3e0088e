"""What requires no gradient: frozen, frozen for a moment only, or never meant to be trained."""

import torch
from torch import nn

from kazami.watch import watch
from kazami.watch.frozen import Frozen, stopped
from tests.watch.test_names import KerasLayer


def gan(steps, *, learns):
    """Train generator and critic in turns, the other one's weights switched off meanwhile; without ``learns`` the critic is never trained."""
    torch.manual_seed(0)
    generator, critic = (
        nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)),
        nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1)),
    )
    whole = nn.ModuleDict({"generator": generator, "critic": critic})
    optimizers = [torch.optim.Adam(part.parameters(), lr=1e-3) for part in (generator, critic)]
    with watch(whole, *optimizers) as seen:
        for _ in range(steps):
            critic.requires_grad_(False)
            optimizers[0].zero_grad()
            nn.functional.binary_cross_entropy_with_logits(critic(generator(torch.randn(8, 4))), torch.ones(8, 1)).backward()
            optimizers[0].step()
            critic.requires_grad_(learns)
            if learns:
                generator.requires_grad_(False)
                optimizers[1].zero_grad()
                judged = critic(torch.cat([generator(torch.randn(8, 4)), torch.randn(8, 2) + 3]))
                nn.functional.binary_cross_entropy_with_logits(judged, torch.cat([torch.zeros(8, 1), torch.ones(8, 1)])).backward()
                optimizers[1].step()
                generator.requires_grad_(True)
    return seen


def test_what_is_switched_off_for_a_moment_is_not_frozen():
    for trace in gan(4, learns=True).observer.traces():
        assert not {"frozen", "requires_no_gradient", "never_trained"} & trace.facts.keys()


def test_what_is_switched_off_for_good_is():
    facts = gan(4, learns=False).trace.facts
    assert set(facts["frozen"]) == {"critic.0", "critic.2", "critic.4"}
    assert "critic.2.bias" in facts["requires_no_gradient"]
    assert facts["never_trained"] == ["critic.2.weight"]  # the others are too small to tell
    assert facts["frozen_matrices"] == 3
    assert 0 < facts["frozen_share"] < 1


def test_seeds_and_moving_averages_that_keras_keeps_are_not_frozen():
    layer = KerasLayer("bn", bn__gamma=2, bn__moving_mean=2)
    layer._torch_params["seed/state"] = nn.Parameter(torch.zeros(2, dtype=torch.int64), requires_grad=False)
    layer.requires_grad_(False)
    mean = layer._torch_params["bn/moving_mean"]
    layer._non_trainable_variables = [type("Variable", (), {"value": mean})]
    layer._flatten_layers = lambda: [layer]
    assert [name for name, _ in stopped(layer)] == ["bn.gamma"]


def test_of_a_model_that_moves_as_a_whole_nothing_is_told():
    frozen = Frozen()
    frozen.note_modules([nn.Linear(2, 2)])
    assert frozen.facts(set()) == {}
