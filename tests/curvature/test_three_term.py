"""The three-term recurrence against dense spectra: the matrix stays that of an orthogonal basis, in either precision, while few vectors are cleaned."""

import math

import numpy as np
import pytest
import torch

from kazami.curvature.krylov import Basis, orthonormalised, tridiagonal
from kazami.curvature.three_term import ThreeTerm

from .models import Dense, drawing, with_eigenvalues

DRAW = np.random.default_rng(1)
SPECTRA = {
    "outliers": np.r_[DRAW.normal(size=300) * 0.02, 3.0, 2.9, 1.0, -0.5],
    "decades": 10.0 ** -DRAW.uniform(0, 8, size=300),
    "bulk": DRAW.normal(size=300),
}


def coefficients(matrix, start, steps):
    """Return the coefficients of Lanczos, made orthogonal twice a step in float64."""
    row, basis, diagonal, beside = start / np.linalg.norm(start), [], [], []
    for _ in range(steps):
        basis.append(row)
        across = matrix @ row
        diagonal.append(across @ row)
        for _ in range(2):
            across = across - np.array(basis).T @ (np.array(basis) @ across)
        beside.append(np.linalg.norm(across))
        row = across / beside[-1]
    return diagonal, beside


class Noisy(Dense):
    """A product whose rounding is far above the precision of its vectors, as that of a deep network in float32 is."""

    def flat_product(self, vector):
        across = super().flat_product(vector)
        noise = torch.randn(len(vector), generator=torch.Generator().manual_seed(int(1e6 * abs(float(vector[0])))), dtype=vector.dtype)
        return across + 1e-9 * noise


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_the_basis_stays_orthogonal_to_the_root_of_rounding_and_the_ritz_values_are_true(name, dtype):
    exact = with_eigenvalues(SPECTRA[name])
    start = torch.randn(exact.n_entries, generator=drawing(), dtype=torch.float64)
    space = ThreeTerm(Dense(exact.matrix.to(dtype)), start.to(dtype))
    while len(space.rows) < 60 and space.advance():
        pass
    overlaps = torch.stack(space.rows) @ torch.stack(space.rows).T
    rounding = torch.finfo(dtype).eps
    assert float((overlaps - torch.eye(len(overlaps), dtype=dtype)).abs().max()) <= 3.0 * math.sqrt(rounding)
    diagonal, beside = coefficients(exact.matrix.numpy(), start.numpy(), 60)
    found, expected = (
        np.linalg.eigvalsh(np.diag(d) + np.diag(b[:59], 1) + np.diag(b[:59], -1)) for d, b in ((space.diagonal, space.beside), (diagonal, beside))
    )
    reach = np.abs(expected).max()
    assert abs(found[-1] - expected[-1]) <= 100 * rounding * reach
    assert abs(found[0] - expected[0]) <= (100 * rounding + 0.002 * (name == "decades")) * reach


def test_few_vectors_are_cleaned_before_anything_converges():
    operator = with_eigenvalues(SPECTRA["bulk"])
    space = ThreeTerm(operator, torch.randn(operator.n_entries, generator=drawing(), dtype=torch.float64))
    for _ in range(15):
        space.advance()
    assert space.n_cleaned == 0


def test_noise_in_the_products_is_seen_and_cleaned_away():
    quiet = with_eigenvalues(SPECTRA["outliers"])
    noisy = Noisy(quiet.matrix)
    start = torch.randn(quiet.n_entries, generator=drawing(), dtype=torch.float64)
    spaces = [ThreeTerm(operator, start.clone()) for operator in (quiet, noisy)]
    for space in spaces:
        for _ in range(40):
            space.advance()
    assert spaces[1].noise > 1e-11 > spaces[0].noise
    assert spaces[1].n_cleaned > spaces[0].n_cleaned
    rows = torch.stack(spaces[1].rows)
    assert float((rows @ rows.T - torch.eye(40, dtype=torch.float64)).abs().max()) < 1e-7


def test_an_exhausted_space_ends_and_nothing_is_made_up():
    space = ThreeTerm(with_eigenvalues([3.0, 3.0, 1.0, 0.0]), torch.ones(4, dtype=torch.float64))
    while space.advance():
        pass
    assert len(space.rows) <= 4
    assert space.beside[-1] == 0.0
    off = space.beside[:-1]
    values = np.linalg.eigvalsh(np.diag(space.diagonal) + np.diag(off, 1) + np.diag(off, -1))
    assert set(values.round(9)) <= {3.0, 1.0, 0.0}


def test_a_start_that_is_an_eigenvector_but_for_a_trace_stays_orthogonal():
    operator = with_eigenvalues(SPECTRA["outliers"])
    values, vectors = torch.linalg.eigh(operator.matrix)
    start = vectors[:, -1] + 1e-9 * torch.randn(len(values), generator=drawing(), dtype=torch.float64)
    space = ThreeTerm(operator, start)
    for _ in range(6):
        space.advance()
    rows = torch.stack(space.rows)
    assert float((rows @ rows.T - torch.eye(len(rows), dtype=torch.float64)).abs().max()) < 1e-7
    assert space.diagonal[0] == pytest.approx(float(values[-1]), rel=1e-12)


def test_tridiagonal_ends_at_a_product_that_is_not_finite():
    diagonal, beside = tridiagonal(Dense(torch.full((4, 4), math.nan, dtype=torch.float64)), torch.ones(4, dtype=torch.float64), 3)
    assert (len(diagonal), len(beside)) == (1, 0)
    assert math.isnan(diagonal[0])


def test_nearly_parallel_vectors_of_a_block_stay_orthogonal_to_the_basis():
    generator = drawing()
    rows = torch.linalg.qr(torch.randn(50, 12, generator=generator, dtype=torch.float64))[0].T.contiguous()
    basis = Basis(50, rows)
    basis.add(rows)
    common = torch.randn(50, generator=generator, dtype=torch.float64)
    vectors = torch.stack([common, common + 1e-7 * torch.randn(50, generator=generator, dtype=torch.float64)])
    kept = vectors.clone()
    overlaps, new, inside = orthonormalised(vectors, basis)
    together = torch.cat([rows, new])
    assert float((together @ together.T - torch.eye(14, dtype=torch.float64)).abs().max()) < 1e-8
    torch.testing.assert_close(overlaps.T @ rows + inside.T @ new, kept, rtol=0, atol=1e-12)
