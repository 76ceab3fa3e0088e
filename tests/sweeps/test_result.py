"""The table in its forms: pyarrow with units, pandas, xarray on a grid and off it; what is best; and what is said where a library is missing."""

import builtins

import numpy as np
import pytest
import torch

from kazami.errors import UnknownName, UsageError
from kazami.sweeps import Sweep, sobol

from .trainings import linear, net


@pytest.fixture(scope="module")
def found():
    """A small sweep over two factors and a seed."""
    return Sweep(linear(), learning_rate=[0.4, 0.1], seed=range(3)).run(record=["loss", "max_lyapunov"], every=10)


def test_columns_and_units(found):
    assert found.table.column_names == ["learning_rate", "seed", "step", "loss", "max_lyapunov", "max_lyapunov_error"]
    assert found.units == {"step": "step", "loss": "loss", "max_lyapunov": "1/step", "max_lyapunov_error": "1/step"}
    assert found.table.schema.field("loss").metadata[b"per"] == b"step"


def test_pandas_has_the_same_rows(found):
    frame = found.to_pandas()
    assert list(frame.columns) == found.table.column_names
    assert frame.attrs["units"]["max_lyapunov"] == "1/step"
    assert frame.groupby("learning_rate").max_lyapunov.nunique().tolist() == [1, 1]


def test_xarray_has_an_axis_for_each_factor_in_rising_order(found):
    data = found.to_xarray()
    assert data.loss.dims == ("learning_rate", "seed", "step")
    assert data.max_lyapunov.dims == ("learning_rate", "seed")
    assert data.learning_rate.values.tolist() == [0.1, 0.4]
    rows = found.to_pandas().set_index(["learning_rate", "seed", "step"])
    for rate in (0.1, 0.4):
        assert float(data.loss.sel(learning_rate=rate, seed=2, step=20)) == rows.loss[rate, 2, 20]
    assert data.loss.attrs["units"] == "loss"


def test_points_that_are_no_grid_are_members_with_their_factors_as_coordinates():
    data = Sweep(linear(), learning_rate=sobol(0.1, 0.4, 8), weight_decay=sobol(0.0, 0.1, 8), seed=[0, 1]).run(record="final_loss").to_xarray()
    assert data.final_loss.dims == data.weight_decay.dims == ("member",)
    assert data.final_loss.shape == data.learning_rate.shape == (16,)


def test_cells_of_members_that_failed_are_nan():
    def step(model, optimizer, batch):
        if optimizer.param_groups[0]["lr"] > 0.3:
            raise ValueError("no")
        return model(batch[0]).mean()

    found = Sweep(linear(train_step=step), learning_rate=[0.1, 0.4]).run(record="final_loss")
    assert np.isnan(found.to_xarray().final_loss.values).tolist() == [False, True]


def test_mixed_values_keep_their_cells():
    data = Sweep(net(), clip_grad_norm=[None, 0.1], width=[2, 3]).run(record="final_loss").to_xarray()
    alone = net(model=lambda: net().model(3), clip_grad_norm=0.1).run().losses[-1]
    assert float(data.final_loss.values[1, 1]) == pytest.approx(alone, rel=1e-9)


def test_the_best_come_first(found):
    assert [row["learning_rate"] for row in found.best(3)] == [0.4] * 3
    assert found.best(1, by="max_lyapunov")[0]["max_lyapunov"] == pytest.approx(np.log(0.2))
    with pytest.raises(UnknownName, match="max_lyapunov"):
        found.best(by="max_liapunov")


def test_the_score_is_best_where_it_is_highest():
    training = linear(evaluate=lambda model: -abs(float(model.weight)))
    assert Sweep(training, learning_rate=[0.1, 0.45]).run(record=["score", "final_loss"]).best(1)[0]["learning_rate"] == 0.45


@pytest.mark.parametrize(("library", "method"), [("pandas", "to_pandas"), ("xarray", "to_xarray")])
def test_a_missing_library_is_named_with_the_way_to_it(found, monkeypatch, library, method):
    original = builtins.__import__

    def without(name, *arguments, **keywords):
        if name.partition(".")[0] == library:
            raise ImportError(name)
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=rf"{library}.*kazami\[tables\]"):
        getattr(found, method)()


def test_plain_data_for_json(found):
    document = found.to_dict()
    assert (document["members"], document["rows"], document["is_complete"]) == (6, 24, True)
    assert document["best"][0]["learning_rate"] == 0.4


def test_an_optimizer_choice_is_named_by_its_function():
    def slow(model):
        return torch.optim.SGD(model.parameters(), 0.1)

    def fast(model):
        return torch.optim.SGD(model.parameters(), 0.4)

    found = Sweep(linear(), optimizer=[slow, fast]).run(record="final_loss")
    assert found.table["optimizer"].to_pylist() == ["slow", "fast"]
