"""Targets of several columns: how unlike their sizes are, and whether the small ones are learned."""

import pytest
import torch

from kazami.watch.reading import FEWEST_ROWS, MOST_COLUMNS, column_numbers

TARGET = torch.randn(64, 2, generator=torch.Generator().manual_seed(0)) * torch.tensor([1000.0, 1.0])


def test_the_small_column_is_judged_by_itself():
    output = TARGET.clone()
    output[:, 1] = TARGET[:, 1].mean()
    found = column_numbers(output, TARGET)
    assert found["target_columns_ratio"] == pytest.approx(float(TARGET[:, 0].std() / TARGET[:, 1].std()), rel=1e-5)
    assert found["small_columns_explained"] == pytest.approx(0.0, abs=1e-5)
    assert column_numbers(TARGET, TARGET)["small_columns_explained"] == 1.0


@pytest.mark.parametrize("target", [TARGET[:, :1], TARGET[: FEWEST_ROWS - 1], torch.randn(64, MOST_COLUMNS + 1), torch.ones(64, 2), torch.randn(64, 2, 2)])
def test_others_tell_nothing(target):
    assert column_numbers(torch.zeros_like(target), target) == {}
