"""Only a better validation is kept."""

import pytest
import torch

from kazami.cures.early_stopping import EarlyStopping
from tests.cures.cases import finding, prescribed, trace


@pytest.mark.parametrize(("validation_loss", "is_kept"), [(0.5, True), (1.5, False)])
def test_only_a_better_validation_is_kept(validation_loss, is_kept, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    scope = {"torch": torch, "model": torch.nn.Linear(1, 1), "best": 1.0, "validation_loss": validation_loss}
    exec(prescribed(EarlyStopping(), finding("overfitting"), trace()).code, scope)
    assert (tmp_path / "best.pt").exists() is is_kept
