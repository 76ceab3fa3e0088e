"""The copy is whole, and the user's model, generators and settings stay as they were."""

import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from kazami.errors import UsageError
from kazami.nets import collapse_report, linear_collapse, residual_ratios, variance_through_depth
from kazami.nets.inside.private_copy import private_copy, undisturbed


def test_old_weight_norm_can_be_copied():
    with pytest.warns(FutureWarning):
        layer = nn.utils.weight_norm(nn.Linear(3, 2))
    layer(torch.ones(1, 3))
    x = torch.randn(4, 3)
    assert torch.allclose(private_copy(layer, dtype=torch.float64)(x.double()).float(), layer(x), atol=1e-6)


def test_plain_attributes_are_cast():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.matrix = torch.eye(2)

        def forward(self, x):
            return x @ self.matrix

    assert private_copy(Scaled(), dtype=torch.float64)(torch.ones(1, 2, dtype=torch.float64)).dtype is torch.float64


def test_what_cannot_be_copied_is_refused_by_name():
    layer = nn.Linear(1, 1)
    layer.stream = (number for number in range(3))
    with pytest.raises(UsageError, match="Linear is not"):
        private_copy(layer)


def test_generators_and_settings_stay():
    model = nn.Linear(1, 1)
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy(), torch.get_default_dtype()
    with undisturbed(model, torch.float64, 7):
        assert torch.zeros(1).dtype is torch.float64
        first = torch.rand(1), random.random(), np.random.rand()
    with undisturbed(model, torch.float64, 7):
        assert (torch.rand(1), random.random(), np.random.rand()) == first
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()
    assert torch.get_default_dtype() is before[3]


class Filtered(nn.Module):
    """A filter of the spectrum with complex weights, and one more as a plain attribute."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([1 + 2j, 3 - 1j, 0.5j]))
        self.phase = torch.tensor(1j)

    def forward(self, x):
        return torch.fft.irfft(torch.fft.rfft(x) * self.weight * self.phase, n=4)


@pytest.mark.parametrize(("dtype", "of_parts"), [(torch.float64, torch.complex128), (torch.float32, torch.complex64)])
def test_complex_weights_keep_their_imaginary_part(dtype, of_parts):
    model, x = Filtered(), torch.tensor([[1.0, 2.0, -1.0, 0.5]])
    copied = private_copy(model, dtype=dtype)
    assert copied.weight.dtype == copied.phase.dtype == of_parts
    assert torch.allclose(copied(x.to(dtype)).float(), model(x), atol=1e-6)


def test_what_a_network_of_complex_weights_is():
    matrix, bias = linear_collapse(Filtered(), torch.eye(4))
    assert torch.allclose(matrix.float(), Filtered()(torch.eye(4)), atol=1e-6)
    assert torch.allclose(bias, torch.zeros_like(bias), atol=1e-12)


def scripted() -> nn.Module:
    """Return a scripted network inside an ordinary one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        inner = torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 3)))
    return nn.Sequential(inner, nn.Linear(3, 2))


def test_scripted_modules_are_copied_and_asked_from_outside():
    model = scripted()
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    report = collapse_report(model, x)
    assert report.is_affine
    assert torch.allclose((x.double() @ report.matrix + report.bias).float(), model(x), atol=1e-5)
    assert [layer.name for layer in report.layers] == ["1"]  # nothing can listen in a scripted module
    assert len(variance_through_depth(model, x).layers) == 1
    assert residual_ratios(model, x) == []
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_weights_that_are_not_made_yet_are_refused():
    with pytest.raises(UsageError, match=r"LazyLinear \(1\) has no weights yet. Call the model once"):
        private_copy(nn.Sequential(nn.ReLU(), nn.LazyLinear(2)))
