"""Adam gets decoupled decay; an optimizer with decay keeps it."""

from kazami.cures.add_decay import AddDecay
from tests.cures.cases import ADAM, SGD, finding, prescribed, trace


def test_adam_becomes_adamw_with_its_own_rate():
    assert "torch.optim.AdamW(model.parameters(), lr=0.01, weight_decay=0.1)" in prescribed(AddDecay(), finding("overfitting"), trace(optimizer=ADAM)).code


def test_enough_decay_is_enough():
    assert AddDecay().prescribe(finding("overfitting"), trace(optimizer=SGD | {"weight_decay": 0.01})) is None
