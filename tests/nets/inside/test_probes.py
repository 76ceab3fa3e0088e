"""Probes against planted knowledge, and scikit-learn itself."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from torch import nn

from kazami.errors import UsageError
from kazami.nets import probe_layers
from tests.nets.models import Written, normal, seeded_model


def task(rows=300):
    x = normal(rows, 6, dtype=torch.float32)
    return x, (x[:, 0] * x[:, 1] > 0).long()


def test_what_a_layer_computes_is_read_there_and_is_gone_where_it_is_thrown_away():
    model = nn.Sequential(Written(lambda _, x: torch.cat([x, x[:, :1] * x[:, 1:2]], 1)), Written(lambda _, h: h[:, :6]), nn.Linear(6, 2))
    found = probe_layers(model, task())
    scores = {row.name: row.score for row in found.rows}
    assert scores["input"] < 0.65
    assert scores["0"] > 0.9
    assert scores["1"] == scores["input"]
    assert 0.4 < found.chance < 0.65
    assert any("is lost" in sentence.en for sentence in found.said)


def test_the_score_is_scikit_learns_own():
    x, y = task()
    y = (x.sum(1) + 0.5 * normal(300, seed=1, dtype=torch.float32) > 0).long()
    found = probe_layers(nn.Sequential(nn.Linear(6, 2)), (x, y), seed=4)
    train, test = train_test_split(np.arange(300), test_size=0.33, random_state=4, stratify=y.numpy())
    scaled = (x - x[train].mean(0)) / x[train].std(0, unbiased=False)
    reader = LogisticRegression(max_iter=300).fit(scaled[train].numpy(), y[train].numpy())
    assert found.rows[0].score == pytest.approx(reader.score(scaled[test].numpy(), y[test].numpy()))


def test_numbers_as_answers_and_batches_and_projection():
    x = normal(200, 40, dtype=torch.float32)
    model = seeded_model(lambda: nn.Linear(40, 1)).float()
    y = model(x).detach()
    batches = [(x[i : i + 50], y[i : i + 50]) for i in range(0, 200, 50)]
    found = probe_layers(nn.Sequential(model), batches)
    assert found.unit == "R²"
    assert found.own_score == pytest.approx(1.0)
    assert found.rows[1].score > 0.999
    assert probe_layers(nn.Sequential(model), batches, max_features=10).rows[0].is_projected


def test_sequences_are_read_along_their_rows():
    x = normal(7, 60, 3, dtype=torch.float32)  # time first
    model = nn.Sequential(Written(lambda self, h: self.cell(h)[0][-1], cell=nn.LSTM(3, 4)))
    found = probe_layers(model, (x, (x[-1].sum(1) > 0).long()))
    assert {row.name: row.n_features for row in found.rows} == {"input": 21, "0": 4, "0.cell": 28}


def test_too_little_is_refused():
    with pytest.raises(UsageError, match="ten rows"):
        probe_layers(nn.Linear(2, 2), (torch.ones(4, 2), torch.tensor([0, 1, 0, 1])))
    with pytest.raises(UsageError, match="two classes"):
        probe_layers(nn.Linear(2, 2), (torch.ones(40, 2), torch.zeros(40, dtype=torch.long)))
