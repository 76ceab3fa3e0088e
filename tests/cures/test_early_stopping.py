"""Only a better validation is kept."""

import pytest
import torch

from kazami.cures.early_stopping import EarlyStopping
from tests.cures.cases import finding, prescribed, trace
from tests.cures.trainings import STYLES, carried_out, plain, rows


@pytest.mark.parametrize(("validation_loss", "is_kept"), [(0.5, True), (1.5, False)])
def test_only_a_better_validation_is_kept(validation_loss, is_kept, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    scope = {"torch": torch, "model": torch.nn.Linear(1, 1), "best": 1.0, "validation_loss": validation_loss}
    exec(prescribed(EarlyStopping(), finding("overfitting"), trace()).code, scope)
    assert (tmp_path / "best.pt").exists() is is_kept


@pytest.mark.parametrize("style", STYLES)
def test_the_best_of_all_looks_is_what_is_evaluated(style):
    scores = []

    def score(model):
        with torch.no_grad():
            return float(model.eval()(rows(1)[0][0]).sum())

    def downhill(output, target):
        return output.sum()  # each step makes the score worse

    before = plain(style, loss=downhill, evaluate=score, steps=6)
    state = before.start()
    for _, batch in zip(range(6), before.endless_batches(), strict=False):
        before.step(state.model.train(), state.optimizer, batch)
        scores.append(score(state.model))
    after = carried_out(EarlyStopping(), before, keep="best")
    assert after.run().score == pytest.approx(max(scores))
    assert after.run().losses == before.run().losses
    assert before.run().score == pytest.approx(scores[-1])


def test_without_an_evaluation_there_is_no_best():
    assert EarlyStopping().apply(plain("modules", evaluate=None), {"keep": "best"}) is None
