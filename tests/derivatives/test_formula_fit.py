"""Networks fitted to a formula come nearer with width and steps."""

import json

import numpy as np
import pytest
import torch

from kazami.derivatives import fit_formula
from kazami.errors import UsageError
from kazami.reports.figures import save_figure


@pytest.fixture(scope="module")
def found():
    return fit_formula("sin(3*x)", widths=(1, 16), steps=250, seeds=(0,))


def test_the_error_falls_with_width_and_with_steps(found):
    by_width = found.by_width()
    assert by_width[16][0] < 0.25 * by_width[1][0]
    for fit in found.fits:
        assert fit.rms[-1] < fit.rms[0]
    assert found.best.width == 16


def test_errors_are_those_on_the_held_out_points(found):
    best = found.best
    truth = np.sin(3 * found.points[:, 0])
    off = np.array(best.curve) - truth
    assert best.rms[-1] == pytest.approx(np.sqrt(np.mean(off**2)), rel=1e-6)
    assert best.largest == pytest.approx(np.abs(off).max(), rel=1e-6)
    assert found.spread == pytest.approx(truth.std())
    assert best.n_weights == 1 * 16 + 16 + 16 * 16 + 16 + 16 + 1


def test_two_variables_can_be_fitted():
    assert fit_formula("x1 * x2", widths=(16,), steps=300, seeds=(0,)).best.rms[-1] < 0.3


def test_progress_reaches_the_end_and_the_generators_are_left_alone():
    told, numbers = [], torch.get_rng_state()
    fit_formula("x", widths=(1, 2), steps=10, seeds=(0,), progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20)
    assert torch.equal(torch.get_rng_state(), numbers)


def test_an_interrupt_keeps_what_is_done():
    def interrupt(done, total):
        if done > 10:
            raise KeyboardInterrupt

    found = fit_formula("x", widths=(1, 2), steps=10, seeds=(0,), progress=interrupt)
    assert not found.is_whole
    assert len(found.fits) == 1


@pytest.mark.parametrize(
    ("formula", "options"), [("log(x)", {}), ("x", {"widths": ()}), ("x", {"steps": 0}), ("x", {"interval": (1.0, 1.0)}), ("1/x", {"interval": (-1.0, 0.0)})]
)
def test_what_cannot_be_fitted_is_said(formula, options):
    with pytest.raises(UsageError):
        fit_formula(formula, **options)


def test_it_is_plain_data_and_a_figure(found, tmp_path):
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["by_width"]["16"]["rms"] == found.by_width()[16][0]
    for language in ("en", "ja"):
        save_figure(found.figure(language), str(tmp_path / f"{language}.svg"))
        header, cells = found.rows(language)
        assert all(len(row) == len(header) for row in cells)
    assert "sin(3*x)" in found.sentence.ja
