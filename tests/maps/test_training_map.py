"""A training as a map: what belongs to the state, what is frozen, what is refused."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from kazami.errors import UnknownName, UsageError
from kazami.maps import Training, TrainingMap
from tests.maps.properties import (
    assert_equals_torch,
    assert_round_trips,
    assert_stacks,
    assert_tangents_are_differences,
    classification,
    parameters_after,
    quadratic,
)

GENERATOR = torch.Generator().manual_seed(0)
INPUTS = torch.randn(32, 8, generator=GENERATOR, dtype=torch.float64)
TARGETS = torch.randn(32, 3, generator=GENERATOR, dtype=torch.float64)
TOKENS = torch.randint(11, (6, 7), generator=GENERATOR)


def momentum(model):
    return torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def training(model, optimizer=momentum, loss=nn.functional.mse_loss, batches=None, **changes) -> Training:
    made = batches or (lambda: [(INPUTS, TARGETS)])
    return Training(model=lambda: model().double(), optimizer=optimizer, loss=loss, batches=made, steps=50).replaced(**changes)


def next_token_loss(output, target):
    return nn.functional.cross_entropy(output.flatten(0, 1), target.flatten())


class TiedLanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.middle, self.out = nn.Embedding(11, 8), nn.Linear(8, 8), nn.Linear(8, 11, bias=False)
        self.out.weight = self.embedding.weight

    def forward(self, tokens):
        return self.out(torch.tanh(self.middle(self.embedding(tokens))))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.heads, self.out = nn.Embedding(11, 8), nn.Linear(8, 24), nn.Linear(8, 11)

    def forward(self, tokens):
        q, k, v = self.heads(self.embedding(tokens)).reshape(6, 7, 3, 2, 4).permute(2, 0, 3, 1, 4)
        return self.out(nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(6, 7, 8))


class Cube(torch.autograd.Function):
    """x³ with a backward that cannot be differentiated."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return x**3

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(context, gradient):
        return gradient * 3 * context.saved_tensors[0] ** 2


class Cubed(nn.Linear):
    def forward(self, x):
        return Cube.apply(super().forward(x))


class HiddenNoise(nn.Linear):
    def forward(self, x):
        self.generator = getattr(self, "generator", torch.Generator().manual_seed(0))
        return super().forward(x) + torch.randn(x.shape[0], 3, generator=self.generator, dtype=x.dtype)


class Counting(nn.Linear):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.register_buffer("calls", torch.tensor(0))

    def forward(self, x):
        self.calls += 1
        return super().forward(x) * (1 + 0.1 * self.calls)


class HalfUsed(nn.Linear):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.spare = nn.Linear(4, 4)


def convolution():
    return nn.Sequential(nn.Unflatten(1, (1, 2, 4)), nn.Conv2d(1, 4, 2), nn.GELU(), nn.Flatten(), nn.Linear(12, 3))


def normalised():
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 3))


TRAININGS = {
    "batch_norm": training(normalised),
    "batch_norm_eval": training(lambda: normalised().eval()),
    "tied": training(TiedLanguageModel, loss=next_token_loss, batches=lambda: [(TOKENS, TOKENS.roll(-1, 1))]),
    "attention": training(Attention, loss=next_token_loss, batches=lambda: [(TOKENS, TOKENS.roll(-1, 1))]),
    "convolution": training(convolution),
    "lstm": training(
        lambda: nn.LSTM(8, 4, batch_first=True),
        loss=lambda output, target: nn.functional.mse_loss(output[0], target),
        batches=lambda: [(INPUTS.reshape(4, 8, 8), TARGETS.new_zeros(4, 8, 4))],
    ),
    "batches": training(lambda: nn.Linear(8, 3), batches=lambda: [(INPUTS[:16], TARGETS[:16]), (INPUTS[16:], TARGETS[16:])]),
    "unused": training(lambda: HalfUsed(8, 3), lambda m: torch.optim.AdamW(m.parameters(), 0.01, weight_decay=0.5)),
    "one weight": training(lambda: nn.Linear(8, 1, bias=False), batches=lambda: [(INPUTS, TARGETS[:, :1])]),
    "groups and schedule": training(
        lambda: nn.Linear(8, 3),
        lambda m: torch.optim.SGD([{"params": [m.weight], "momentum": 0.5}, {"params": [m.bias], "lr": 0.01}], lr=0.1),
        scheduler=lambda o: torch.optim.lr_scheduler.OneCycleLR(o, [0.1, 0.05], total_steps=100, cycle_momentum=False),
    ),
    "spectral": training(lambda: nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(8, 16)), nn.Tanh(), nn.Linear(16, 3))),
}


@pytest.mark.parametrize("name", TRAININGS)
def test_any_module_is_a_map(name):
    made = TRAININGS[name]
    assert_equals_torch(made)
    m = TrainingMap(made)
    assert m.is_deterministic()
    assert_round_trips(m)
    m.step(5)
    assert_tangents_are_differences(m, 1e-5)
    assert_stacks(m)


def test_the_step_on_a_quadratic_is_the_matrix_of_theory():
    """Heavy ball: θ' = θ − η (β m + h θ), m' = β m + h θ."""
    rate, beta, curvature = 0.1, 0.9, 3.0
    m = TrainingMap(quadratic([curvature], lambda model: torch.optim.SGD(model.parameters(), rate, momentum=beta)))
    _, matrix = m.advance_tangents(m.current_state(), torch.eye(2, dtype=torch.float64), 1)
    expected = [[1 - rate * curvature, -rate * beta], [curvature, beta]]
    assert matrix.numpy() == pytest.approx(np.array(expected), abs=1e-12)


def test_many_vectors_are_the_same_as_one_after_another():
    m = TrainingMap(TRAININGS["convolution"])
    vectors = torch.randn(m.dimension, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    _, together = m.advance_tangents(m.current_state(), vectors, 0)
    single = torch.cat([m.advance_tangents(m.current_state(), vectors[:, [column]], 0)[1] for column in range(5)], dim=1)
    torch.testing.assert_close(together, single, rtol=1e-10, atol=1e-12)


def test_running_statistics_stay_outside_and_power_iterations_inside():
    assert any("do not influence the loss" in note for note in TrainingMap(TRAININGS["batch_norm"]).notes)
    m = TrainingMap(TRAININGS["spectral"])
    assert m.dimension == 2 * m.n_parameters + 8 + 16
    assert any("Buffers belong to the state" in note for note in m.notes)


def test_dropout_masks_depend_on_the_step_alone():
    m = TrainingMap(training(lambda: nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 3))))
    state = m.current_state()
    assert torch.equal(m.advance(state, 3), m.advance(state, 3))
    assert not torch.equal(m.advance(state, 3), m.advance(state, 4))
    assert m.is_deterministic()
    assert_tangents_are_differences(m)
    assert any("randomness" in note for note in m.notes)


def test_a_shuffling_loader_is_frozen():
    loader = DataLoader(TensorDataset(INPUTS, TARGETS), batch_size=8, shuffle=True)
    m = TrainingMap(training(lambda: nn.Linear(8, 3), batches=lambda: loader))
    late = m.advance(m.current_state(), 9)
    assert torch.equal(late, m.advance(m.current_state(), 9))
    assert not torch.equal(late, m.advance(m.current_state(), 5))


def test_a_float32_training_is_mapped_in_float64_and_says_so():
    made = training(lambda: nn.Linear(8, 3), batches=lambda: [(INPUTS.float(), TARGETS.float())])
    single = TrainingMap(made.replaced(model=lambda: nn.Linear(8, 3)))
    assert single.current_state().dtype == torch.float64
    assert any("runs in torch.float32" in note for note in single.notes)
    coarse = TrainingMap(made, dtype=torch.float32)
    assert coarse.advance(coarse.current_state(), 0).dtype == torch.float32
    assert any("only the sign" in note for note in coarse.notes)


def test_the_caller_notices_nothing():
    before = torch.random.get_rng_state()
    m = TrainingMap(TRAININGS["batch_norm"])
    m.step(2)
    m.advance_tangents(m.current_state(), torch.ones(m.dimension, 1, dtype=torch.float64), 2)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_settings_are_changed_by_the_fields_words():
    m = TrainingMap(classification(lambda model: torch.optim.SGD(model.parameters(), 0.1)))
    assert m.current_parameters()["learning_rate"] == 0.1
    m.set_parameter("learning_rate", 0.3)
    m.step(10)
    expected = parameters_after(classification(lambda model: torch.optim.SGD(model.parameters(), 0.3)), 10)
    assert m.current_state().numpy() == pytest.approx(expected.numpy(), abs=1e-13)
    with pytest.raises(UnknownName, match="learning_rate"):
        m.set_parameter("learningrate", 0.1)


def test_momentum_switched_on_gives_the_phase_space_its_memory():
    m = TrainingMap(classification(lambda model: torch.optim.SGD(model.parameters(), 0.1)))
    plain = m.dimension
    m.set_parameter("momentum", 0.9)
    assert m.dimension == 2 * plain
    m.step(10)
    expected = parameters_after(classification(lambda model: torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)), 10)
    assert m.current_state()[:plain].numpy() == pytest.approx(expected.numpy(), abs=1e-13)


def test_one_groups_setting_can_be_changed_alone():
    m = TrainingMap(TRAININGS["groups and schedule"].replaced(scheduler=None))
    m.set_parameter("learning_rate[1]", 0.5)
    assert m.current_parameters()["learning_rate"] == 0.1
    assert m.current_parameters()["learning_rate[1]"] == 0.5


def test_weights_are_told_from_biases_and_memory():
    m = TrainingMap(TRAININGS["batches"])
    assert [int(m.coordinates(part).sum()) for part in ("all", "parameters", "weights")] == [54, 27, 24]


def plain_step(model, optimizer, batch):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(batch[0]), batch[1])
    loss.backward()
    optimizer.step()
    return loss


def test_a_step_of_the_users_own_is_replayed_with_differences():
    made = training(lambda: nn.Linear(8, 3))
    own, default = TrainingMap(made.replaced(train_step=plain_step)), TrainingMap(made)
    own.step(10)
    default.step(10)
    torch.testing.assert_close(own.current_state(), default.current_state(), rtol=1e-12, atol=1e-14)
    vectors = torch.randn(own.dimension, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    _, measured = own.advance_tangents(own.current_state(), vectors, 10)
    _, exact = default.advance_tangents(own.current_state(), vectors, 10)
    torch.testing.assert_close(measured, exact, rtol=1e-6, atol=1e-8)
    assert any("train_step of its own" in note for note in own.notes)


def test_step_hooks_are_seen():
    def hooked(model):
        optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.5)

        def clamp(optimizer, arguments, keywords):
            del arguments, keywords
            for parameter in optimizer.param_groups[0]["params"]:
                parameter.grad.clamp_(-0.1, 0.1)

        optimizer.register_step_pre_hook(clamp)
        return optimizer

    assert_equals_torch(training(lambda: nn.Linear(8, 3), hooked))


@pytest.mark.parametrize(
    ("loss", "model", "word"), [(None, lambda: Cubed(8, 3), "Cube"), ("detached", lambda: nn.Sequential(nn.Linear(8, 3), nn.Tanh()), "detached")]
)
def test_what_differentiation_does_not_see_is_found_out(loss, model, word):
    own = nn.functional.mse_loss if loss is None else lambda output, target: nn.functional.mse_loss(output, 0.5 * output.detach() + target)
    made = training(model, loss=own)
    m = TrainingMap(made)
    assert_tangents_are_differences(m)
    assert any(word in note for note in m.notes)
    with pytest.raises(UsageError, match=word):
        TrainingMap(made, tangents="exact").advance_tangents(m.current_state(), torch.ones(m.dimension, 1, dtype=torch.float64), 0)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (training(lambda: nn.Linear(8, 3), lambda m: torch.optim.LBFGS(m.parameters())), r"does not know LBFGS. Supported: .*Adam.*SGD"),
        (training(lambda: Counting(8, 3)), "calls counts whole numbers"),
        (training(lambda: nn.Linear(8, 3), loss=lambda o, t: o.detach().mean()), "nothing would be trained"),
        (training(lambda: nn.Linear(8, 3), batches=list), "needs at least one batch"),
        (training(lambda: HalfUsed(8, 3), lambda m: torch.optim.SGD([m.weight], 0.1), clip_grad_norm=1.0), "bias, spare.weight"),
        (
            training(
                lambda: nn.Embedding(11, 11, sparse=True), lambda m: torch.optim.SGD(m.parameters(), 0.1), next_token_loss, lambda: [(TOKENS, TOKENS)]
            ),
            "sparse=False",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_is_refused_in_a_sentence(made, message):
    with pytest.raises(UsageError, match=message):
        TrainingMap(made).step()


def test_a_module_is_no_training():
    with pytest.raises(UsageError, match=r"needs a kazami.Training, but it was given a Linear"):
        TrainingMap(nn.Linear(1, 1))


def test_hidden_noise_is_found_out():
    assert not TrainingMap(training(lambda: HiddenNoise(8, 3))).is_deterministic()


def test_the_loss_and_the_model_of_a_state():
    m = TrainingMap(TRAININGS["batches"])
    run = TRAININGS["batches"].run(steps=4)
    m.step(3)
    assert m.loss(m.current_state(), 3) == pytest.approx(run.losses[3], abs=1e-13)
    m.step()
    model = nn.Linear(8, 3).double()
    m.write_into(model)
    torch.testing.assert_close(model.weight, run.model.weight, rtol=1e-12, atol=1e-14)


def test_another_seed_gives_another_start():
    m = TrainingMap(TRAININGS["batches"])
    assert torch.equal(m.fresh_state(0), m.current_state())
    assert not torch.equal(m.fresh_state(1), m.current_state())


def test_non_finite_states_are_an_outcome():
    m = TrainingMap(quadratic([1.0], lambda model: torch.optim.SGD(model.parameters(), 1e200)))
    m.step(3)
    assert not math.isfinite(float(m.current_state()[0]))
