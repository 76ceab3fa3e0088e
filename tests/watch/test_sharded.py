"""What is sharded is told from what is not, and never read as a whole."""

import pytest
import torch
from torch import nn

from kazami.watch import sharded
from kazami.watch.observables import norm_of, norms_of, sample
from kazami.watch.sharded import is_released, is_sharded, owner_of, part_of


class Piece(torch.Tensor):
    """Stands for a DTensor: a whole shape, of which this rank holds the first row."""

    placements = ()

    def to_local(self):
        return self.as_subclass(torch.Tensor)[:1]


def piece(*shape):
    return torch.ones(*shape).as_subclass(Piece)


def test_an_ordinary_tensor_is_its_own_part():
    for one in (torch.ones(3), nn.Parameter(torch.ones(3))):
        assert not is_sharded(one)
        assert part_of(one) is one
        assert owner_of(one) is one
        assert not is_released(one)


def test_of_a_sharded_tensor_this_ranks_part_is_read():
    one = piece(4, 3)
    assert is_sharded(one)
    assert sample(one).shape == (3,)
    assert norm_of(one) == pytest.approx(3**0.5)
    assert norms_of([part_of(one)]) == pytest.approx([3**0.5])


def test_memory_that_was_given_back_is_never_read(monkeypatch):
    weight = torch.ones(4, 3)
    monkeypatch.setitem(sharded.sys.modules, sharded.FSDP, object())
    assert not is_released(weight)
    weight.untyped_storage().resize_(0)
    assert is_released(weight)
    assert not is_released(torch.empty(0))


def test_the_gathered_copy_belongs_to_the_parameter_that_the_optimizer_moves(monkeypatch):
    class FSDPParam:
        def __init__(self):
            self._unsharded_param, self.sharded_param = nn.Parameter(torch.ones(4, 3)), nn.Parameter(torch.ones(2, 3))

    module = type("module", (), {"FSDPParam": FSDPParam})
    monkeypatch.setitem(sharded.sys.modules, sharded.FSDP, module)
    monkeypatch.setattr(sharded, "_is_job", lambda: True)
    held, stranger = FSDPParam(), nn.Parameter(torch.ones(2))
    assert owner_of(held._unsharded_param) is held.sharded_param
    assert owner_of(stranger) is stranger
    assert owner_of(held.sharded_param) is held.sharded_param


def test_without_a_job_no_object_is_searched(monkeypatch):
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], lr=0.1)
    monkeypatch.setitem(sharded.sys.modules, sharded.FSDP, object())
    monkeypatch.setitem(sharded.sys.modules, "torch.distributed.fsdp._flat_param", object())
    monkeypatch.setattr(sharded, "living", lambda kind: pytest.fail("searched"))
    assert owner_of(weight) is weight
    assert not sharded.flat_pieces(optimizer)


def test_an_optimizer_of_ordinary_weights_holds_no_flat_pieces(monkeypatch):
    from torch.distributed.fsdp import _flat_param

    monkeypatch.setattr(sharded, "_is_job", lambda: True)

    assert _flat_param is not None
    assert not sharded.flat_pieces(torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1))
