"""Adam gets decoupled decay; an optimizer with decay keeps it."""

import torch

from kazami.cures.add_decay import AddDecay
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace
from tests.cures.trainings import fingerprint, plain


def test_adam_becomes_adamw_with_its_own_rate():
    assert "torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)" in prescribed(AddDecay(), finding("overfitting"), trace(optimizer=ADAM)).code


def test_enough_decay_is_enough():
    assert AddDecay().prescribe(finding("overfitting"), trace(optimizer=SGD | {"weight_decay": 0.01})) is None


def test_adam_with_decay_added_is_adamw():
    before = plain("modules", optimizer=lambda model: torch.optim.Adam(model.parameters(), lr=0.01))
    after = AddDecay().apply(before, {"weight_decay": 0.3, "optimizer": "AdamW"})
    expected = before.replaced(optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.3))
    assert fingerprint(after) == fingerprint(expected)


def test_the_same_decay_is_no_change():
    assert AddDecay().apply(plain("modules"), {"weight_decay": 0.01, "optimizer": "SGD"}) is None
