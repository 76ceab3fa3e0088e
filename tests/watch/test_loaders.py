"""A step is a batch of an epoch where the steps follow a loader."""

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from kazami.watch import watch
from kazami.watch.loaders import Loaders
from kazami.watch.observer import Observer


class Endless(IterableDataset):
    """Numbers without an end or a length."""

    def __iter__(self):
        yield from torch.arange(3.0)


def trained(epochs, *, validate_at=None, loader=None):
    data = TensorDataset(torch.randn(30, 2), torch.randn(30, 1))
    model = nn.Linear(2, 1)
    train, valid = loader or DataLoader(data, batch_size=5), DataLoader(data, batch_size=10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    observer = Observer([model])
    observer.attach()
    for n, (x, y) in enumerate((batch for _ in range(epochs) for batch in train), start=1):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
        if validate_at is not None and n % validate_at == 0:
            list(valid)
    observer.detach()
    assert "kazami" not in observer.blind
    return observer.traces()[0].facts.get("epoch")


def test_the_epochs_of_the_loader_that_the_steps_follow():
    assert trained(3) == {"first": 1, "batches": 6}
    assert trained(1) == {"first": 1, "batches": 6}
    assert trained(3, validate_at=6) == {"first": 1, "batches": 6}
    assert trained(3, validate_at=4) == {"first": 1, "batches": 6}


def test_attached_in_the_middle_of_an_epoch():
    loaders = Loaders()
    for step in (4, 10, 16):
        loaders.add(1, 6, step)
    assert loaders.epoch(20) == {"first": 4, "batches": 6}


def test_steps_that_follow_no_loader():
    loaders = Loaders()
    assert loaders.epoch(3) is None
    loaders.add(1, 6, 1)
    loaders.add(2, 9, 1)
    assert loaders.epoch(3) is None
    loaders.add(1, 6, 15)
    assert loaders.epoch(20) is None


def test_loaders_work_as_before_with_a_listener_and_after_it():
    original = DataLoader.__iter__
    observer = Observer()
    observer.attach()
    assert DataLoader.__iter__ is not original
    assert [float(x) for x in DataLoader(Endless(), batch_size=None)] == [0.0, 1.0, 2.0]
    observer.detach()
    assert DataLoader.__iter__ is original


class Silent(IterableDataset):
    def __iter__(self):
        return iter(range(5))

    def __len__(self):
        raise ValueError("nobody knows")


class Understated(Silent):
    def __len__(self):
        return 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dataset", [Silent, Understated])
def test_a_length_that_is_asked_for_by_us_alone_changes_nothing(dataset):
    with watch():
        assert sum(1 for _ in DataLoader(dataset())) == 5


def begun_anew(*, validates=False, steps=10):
    """What is known of a loader begun before every step."""
    data = TensorDataset(torch.randn(30, 2), torch.randn(30, 1))
    model, loader = nn.Linear(2, 1), DataLoader(data, batch_size=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    observer = Observer([model])
    observer.attach()
    x, y = next(iter(loader))
    for _ in range(steps):
        if validates:
            with torch.no_grad():
                list(loader)
        else:
            x, y = next(iter(loader))
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()
    observer.detach()
    assert "kazami" not in observer.blind
    return observer.traces()[0].facts


def test_a_loader_that_is_begun_before_every_step():
    facts = begun_anew()
    assert facts["restarted_loader"] == {"batches": 6, "size": 5, "times": 10, "first": 1}
    assert facts["batch_rows"] == 5
    assert begun_anew(steps=80)["restarted_loader"]["times"] == 64


def test_a_loader_that_validates_before_every_step():
    assert "restarted_loader" not in begun_anew(validates=True)


def test_loaders_that_are_gone_through_are_not_restarted():
    loaders = Loaders()
    for step in (1, 7, 13):
        loaders.add(1, 6, step, size=5)
    for step in (1, 2, 3):  # and then no more
        loaders.add(2, 6, step, size=5)
    assert loaders.restarted(13) is None
    for step in range(20, 23):  # of one batch: all there is
        loaders.add(3, 1, step, size=5)
    assert loaders.restarted(22) is None
