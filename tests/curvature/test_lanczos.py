"""The top eigenvalue against known spectra."""

import math

import pytest
import torch

from kazami.curvature import HessianProducts, top_eigenvalue


class Diagonal:
    """The operator diag(spectrum): Lanczos in exact arithmetic sees only the spectrum and the start."""

    def __init__(self, spectrum):
        self.spectrum, self.n_entries, self.dtype, self.device = spectrum, spectrum.numel(), spectrum.dtype, spectrum.device

    def flat_product(self, vector):
        return self.spectrum * vector


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def random_spectrum(case, generator):
    """Return one of five families with 400 entries: decaying, outliers, a cluster at the top, both signs, near the edge of a bulk."""
    bulk = torch.rand(400, generator=generator, dtype=torch.float64)
    ranks = torch.arange(1, 401, dtype=torch.float64)
    top = 1.0 - 0.02 * torch.rand(400, generator=generator, dtype=torch.float64)
    families = [
        ranks ** -(0.3 + bulk[0]),
        torch.where(ranks <= 5, 6.0 / ranks, 0.3 * bulk),
        torch.where(ranks <= 8, top, 0.5 * bulk),
        torch.where(ranks <= 3, 2.0 * bulk, bulk - 0.9),
        torch.where(ranks <= 1, 1.2 * top, 0.9 * bulk),
    ]
    return families[case % 5]


@pytest.mark.parametrize("tolerance", [1e-1, 1e-2, 1e-3])
def test_true_error_is_within_the_tolerance_asked_for(tolerance):
    generator = seeded(3)
    within, honest = 0, 0
    for case in range(100):
        spectrum = random_spectrum(case, generator)
        found = top_eigenvalue(Diagonal(spectrum), generator=generator, tolerance=tolerance, max_products=100)
        top = float(spectrum.max())
        assert found.converged
        within += abs(top - found.value) <= tolerance * top
        honest += float((spectrum - found.value).abs().min()) <= found.residual + 1e-12
    assert within >= 95
    assert honest == 100  # an eigenvalue lies within the residual: a theorem


def test_vector_and_smallest():
    spectrum = torch.tensor([3.0, 1.0, 0.5, -4.0], dtype=torch.float64)
    found = top_eigenvalue(Diagonal(spectrum), generator=seeded(), tolerance=1e-9)
    assert found.value == pytest.approx(3.0, abs=1e-12)  # the largest algebraic one, not the largest in size
    assert found.smallest == pytest.approx(-4.0, abs=1e-12)
    assert abs(float(found.vector[0])) == pytest.approx(1.0, abs=1e-6)


def test_zero_operator_one_entry_and_a_multiple_of_the_identity():
    for spectrum, expected in [(torch.zeros(5), 0.0), (torch.tensor([7.0]), 7.0), (torch.tensor([-7.0]), -7.0), (torch.full((9,), 2.0), 2.0)]:
        found = top_eigenvalue(Diagonal(spectrum), generator=seeded())
        assert found.converged
        assert found.value == pytest.approx(expected, rel=1e-6)
        assert found.n_products == 1


def test_operator_of_low_rank_ends_early_and_exact():
    spectrum = torch.zeros(50)
    spectrum[:3] = torch.tensor([3.0, 2.0, 1.0])
    found = top_eigenvalue(Diagonal(spectrum), generator=seeded(), tolerance=1e-9)
    assert found.n_products <= 5
    assert found.value == pytest.approx(3.0, rel=1e-5)


def test_not_finite_is_an_answer():
    found = top_eigenvalue(Diagonal(torch.tensor([1.0, math.nan])), generator=seeded())
    assert math.isnan(found.value)
    assert not found.converged


def test_out_of_products_or_time_is_said():
    spectrum = torch.linspace(0.0, 1.0, 1000)
    assert not top_eigenvalue(Diagonal(spectrum), generator=seeded(), max_products=3).converged
    hurried = top_eigenvalue(Diagonal(spectrum), generator=seeded(), max_seconds=0.0)
    assert (hurried.n_products, hurried.converged) == (1, False)


def test_global_random_stream_is_not_touched():
    before = torch.get_rng_state()
    top_eigenvalue(Diagonal(torch.linspace(0.0, 1.0, 10)), generator=seeded())
    assert torch.equal(before, torch.get_rng_state())


def test_warm_start_follows_a_drifting_quadratic():
    generator = seeded(5)
    basis = torch.linalg.qr(torch.randn(300, 300, generator=generator, dtype=torch.float64))[0]
    drift = torch.randn(300, 300, generator=generator, dtype=torch.float64)
    drift = 2e-4 * (drift - drift.T)
    spectrum = 5.0 / torch.arange(1, 301, dtype=torch.float64)
    warm, warm_products, cold_products = None, [], []
    for step in range(40):
        turned = torch.linalg.matrix_exp(step * drift) @ basis
        values = spectrum * (1.0 + 0.002 * step)
        weights = torch.zeros(300, dtype=torch.float64, requires_grad=True)
        loss = (values * (turned.T @ weights) ** 2).sum() / 2
        found = top_eigenvalue(HessianProducts(loss, [weights]), start=warm, generator=generator)
        cold = top_eigenvalue(HessianProducts(loss, [weights]), generator=generator)
        assert found.value == pytest.approx(float(values.max()), rel=1e-2)
        warm_products.append(found.n_products)
        cold_products.append(cold.n_products)
        warm = found.vector
    assert torch.tensor(warm_products[1:]).median() <= 3
    assert torch.tensor(warm_products[1:]).median() < torch.tensor(cold_products).median()


def test_warm_start_finds_a_new_top_direction():
    spectrum = torch.cat([torch.tensor([1.0, 5.0]), torch.linspace(0.0, 0.5, 98)])
    stale = torch.zeros(100)
    stale[0] = 1.0
    found = top_eigenvalue(Diagonal(spectrum), start=stale, generator=seeded())
    assert found.value == pytest.approx(5.0, rel=1e-2)


def test_a_start_that_stands_still_early_is_not_believed():
    """A tiny part along the top direction: the value rests at the second eigenvalue for some products, and moves on."""
    spectrum = torch.cat([torch.linspace(0.0, 0.3, 300, dtype=torch.float64), torch.tensor([1.0, 1.4], dtype=torch.float64)])
    missed = 0
    for seed in range(40):
        found = top_eigenvalue(Diagonal(spectrum), generator=seeded(seed), tolerance=1e-2, max_products=100)
        assert found.converged
        missed += abs(found.value - 1.4) > 1e-2 * 1.4
    assert missed <= 2
