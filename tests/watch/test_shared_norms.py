"""Norms of tensors in parts: equal to those of the whole, on every rank, and nobody waits for long."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import torch

from kazami.watch import shared_norms
from kazami.watch.shared_norms import KEPT, SharedNorms


class Store:
    """A key-value store as ranks share one."""

    def __init__(self):
        self.values, self.fails = {}, False

    def set(self, key, value):
        if self.fails:
            raise torch.distributed.DistNetworkError("gone")
        self.values[key] = value

    def check(self, keys):
        return all(key in self.values for key in keys)

    def get(self, key):
        return self.values[key].encode()

    def delete_key(self, key):
        return self.values.pop(key, None) is not None


class Placement(SimpleNamespace):
    def is_shard(self):
        return self.sharded


class Part(torch.Tensor):
    """A part of a tensor, as a DTensor tells of it."""

    def to_local(self):
        return self.as_subclass(torch.Tensor)


def part(tensor, mesh, *is_shard):
    own = tensor.clone().as_subclass(Part)
    own.device_mesh, own.placements = SimpleNamespace(mesh=mesh), tuple(Placement(sharded=one) for one in is_shard)
    return own


@pytest.fixture
def store(monkeypatch):
    own, here = Store(), threading.local()
    monkeypatch.setattr(shared_norms, "PATIENCE_S", 150.0)  # whoever answers at all answers in time, however busy the machine is
    monkeypatch.setattr(shared_norms, "_store", lambda: own)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: here.rank)
    own.here = here
    return own


def on_ranks(store, n, function):
    def run(rank):
        store.here.rank = rank
        return function(rank)

    with ThreadPoolExecutor(n) as pool:
        return list(pool.map(run, range(n)))


def test_all_ranks_get_the_norm_of_the_whole_though_parts_are_uneven_and_one_may_be_empty(store):
    generator = torch.Generator().manual_seed(0)
    whole = [torch.randn(7, 3, generator=generator), torch.randn(2, generator=generator), torch.randn(5, 5, generator=generator)]
    mesh = torch.arange(3)

    def norms(rank):
        parts = [one.chunk(3)[rank] if rank < len(one.chunk(3)) else one[:0] for one in whole[:2]]
        return SharedNorms().norms("gradient", 1, [*(part(one, mesh, True) for one in parts), whole[2]])

    for found in on_ranks(store, 3, norms):
        assert found == pytest.approx([float(one.norm()) for one in whole])


def test_a_replica_counts_once(store):
    whole = torch.arange(8.0)
    mesh = torch.arange(4).reshape(2, 2)  # two copies, each in two halves

    def norms(rank):
        return SharedNorms().norms("weight", 3, [part(whole.chunk(2)[rank % 2], mesh, False, True)])

    for found in on_ranks(store, 4, norms):
        assert found == pytest.approx([float(whole.norm())])


def test_numbers_that_are_not_finite_reach_every_rank(store):
    def norms(rank):
        own = torch.tensor([float("nan") if rank else 1.0])
        return SharedNorms().norms("gradient", 1, [part(own, torch.arange(2), True), part(own * 0 + 2, torch.arange(2), True)])

    for found in on_ranks(store, 2, norms):
        assert found[0] != found[0]
        assert found[1] != found[1]  # NaN times zero


def test_ranks_that_are_not_watched_are_waited_for_a_bounded_time_and_then_never_again(store, monkeypatch):
    monkeypatch.setattr(shared_norms, "PATIENCE_S", 0.02)
    monkeypatch.setattr(shared_norms, "IN_VAIN_S", 0.05)
    store.here.rank, shared = 0, SharedNorms()
    assert all(shared.norms("gradient", step, [part(torch.ones(2), torch.arange(2), True)]) == [None] for step in range(200))
    assert "do not answer" in shared.blind
    assert len(store.values) <= 3  # asked at three steps at most: two waits in vain are less than what may be waited, three are more


def test_a_rank_that_comes_late_but_in_time_is_waited_for(store):
    def norms(rank):
        time.sleep(0.2 * rank)
        return SharedNorms().norms("gradient", 1, [part(torch.ones(2), torch.arange(2), True)])

    assert on_ranks(store, 2, norms) == [pytest.approx([2.0])] * 2


def test_a_store_that_is_gone_ends_the_asking_and_nothing_else(store):
    store.here.rank, store.fails, shared = 0, True, SharedNorms()
    assert shared.norms("gradient", 1, [part(torch.ones(2), torch.arange(2), True), torch.ones(4)]) == [None, 2.0]
    assert shared.blind


def test_the_store_does_not_fill_up(store):
    def norms(rank):
        shared = SharedNorms()
        for step in range(3 * KEPT):
            shared.norms("gradient", step, [part(torch.ones(2), torch.arange(2), True)])

    on_ranks(store, 2, norms)
    assert len(store.values) <= 2 * KEPT


def test_a_mesh_of_one_rank_asks_nobody(monkeypatch):
    monkeypatch.setattr(shared_norms, "_store", None)
    assert SharedNorms().norms("gradient", 1, [part(torch.ones(4), torch.zeros(1), True)]) == [2.0]
    assert SharedNorms().norms("gradient", 1, []) == []
