"""What the first layer reads is of zero mean and unit spread afterwards; parameter names stay."""

import pytest
import torch
from torch import nn

from kazami.cures.standardise_inputs import StandardiseInputs
from kazami.records import Layer
from tests.cures.cases import INPUT, finding, prescribed, trace
from tests.cures.examples import EXAMPLES
from tests.cures.trainings import STYLES, carried_out, rows, training


def test_the_first_layer_reads_standardised_inputs_afterwards():
    torch.manual_seed(0)
    train_inputs = torch.randn(500, 8) * torch.tensor([0.5, 1, 2, 5, 10, 20, 40, 70]) + 100
    model = nn.Sequential(nn.Linear(8, 4))
    exec(
        prescribed(StandardiseInputs(), finding("input_scaling", place="0"), trace(facts={"input": INPUT | {"smallest_std": 0.4}})).code,
        {"model": model, "train_inputs": train_inputs},
    )
    read = []
    model[0].register_forward_pre_hook(lambda layer, x: read.append(x[0]))
    model(train_inputs)
    torch.testing.assert_close(read[0].mean(0), torch.zeros(8), atol=1e-3, rtol=0)
    torch.testing.assert_close(read[0].std(0), torch.ones(8), atol=1e-3, rtol=0)
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias"]


def test_images_are_standardised_by_channel():
    layers = (Layer("0", "conv", (16, 3, 3, 3), 27, 16, "relu"),)
    assert "(0, 2, 3), keepdim=True" in prescribed(StandardiseInputs(), finding("input_scaling", place="0"), trace(layers=layers, facts={"input": INPUT})).code


def test_saturation_with_good_inputs_has_another_cause():
    good = INPUT | {"rms": 1.0, "offset": 0.0, "largest_std": 1.1, "smallest_std": 0.9}
    assert StandardiseInputs().prescribe(finding("saturated", place="0"), trace(facts={"input": good})) is None


@pytest.mark.parametrize("style", STYLES)
def test_the_model_standardises_by_the_training_data(style):
    before, parameters = EXAMPLES["standardise_inputs"](style)
    wide = [(50 + 20 * x, y) for x, y in rows()]
    after = carried_out(StandardiseInputs(), before.replaced(batches=lambda: wide), **parameters)
    seen = torch.cat([x for x, _ in wide])
    expected = before.start().model((wide[0][0] - seen.mean(0)) / seen.std(0))
    torch.testing.assert_close(after.start().model(wide[0][0]), expected, atol=1e-5, rtol=1e-4)


def test_images_are_standardised_per_channel_and_indices_not_at_all():
    images = [(100 * torch.rand(4, 2, 6, 6), torch.zeros(4, 2, 6, 6))]
    model = StandardiseInputs().apply(training(lambda: nn.Conv2d(2, 2, 1), data=images), {"smallest_std": 1e-6}).start().model
    nn.init.dirac_(model.weight), nn.init.zeros_(model.bias)
    torch.testing.assert_close(model(images[0][0]).std((0, 2, 3)), torch.ones(2))
    tokens = [(torch.zeros(4, 2, dtype=torch.long), torch.zeros(4, 2, 1))]
    assert StandardiseInputs().apply(training(lambda: nn.Embedding(2, 1), data=tokens), {"smallest_std": 1e-6}) is None
