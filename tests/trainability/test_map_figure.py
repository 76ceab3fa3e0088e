"""Colours of maps."""

import numpy as np

from kazami.trainability.map_figure import GAP, MISSING, colours, levels, scale_of


def test_signs_keep_their_side_and_faster_is_further_out():
    values = np.array([[-100.0, -50.0, -1.0, 2.0, 30.0, 400.0]])
    found = levels(values, scale_of(values))[0]
    assert (found[:3] <= -GAP + 1e-12).all()
    assert (found[3:] >= GAP - 1e-12).all()
    assert found[2] == -1.0  # the smallest sum of losses: the fastest to converge
    assert found[3] == 1.0  # the smallest sum of inverses: the fastest to fail
    assert (np.diff(found[:3]) < 0).all()
    assert (np.diff(found[3:]) < 0).all()


def test_blue_red_grey_and_paler():
    values = np.concatenate([np.full((5, 8), -3.0), np.full((5, 8), 7.0)])
    values[0, 0] = np.nan
    every = np.ones(values.shape, dtype=bool)
    picture = colours(values, every, scale_of(values)).astype(int)
    assert (picture[2:5, :, 2] > picture[2:5, :, 0]).all()
    assert (picture[5:, :, 0] > picture[5:, :, 2]).all()
    assert picture[0, 0].tolist() == [int(MISSING[start : start + 2], 16) for start in (1, 3, 5)]
    pale = colours(values, ~every, scale_of(values)).astype(int)
    assert (pale[1:].sum(axis=2) > picture[1:].sum(axis=2)).all()


def test_one_kind_only():
    values = np.full((3, 3), -2.0)
    assert np.isfinite(levels(values, scale_of(values))).all()
