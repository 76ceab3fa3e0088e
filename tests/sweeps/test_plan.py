"""The plan: known beforehand, the same on every machine, within the memory that is allowed."""

import pytest

from kazami.sweeps import Sweep

from .trainings import linear, make_net, net


def test_members_rows_and_structures_are_counted():
    plan = Sweep(net(), width=[2, 3], learning_rate=[0.1, 0.2, 0.3]).plan(record="loss", every=4)
    assert (plan.members, plan.rows, len(plan.weights), len(plan.blocks)) == (6, 6 * 6, 2, 2)
    assert [weight.parameters for weight in plan.weights] == [sum(part.numel() for part in make_net(width).parameters()) for width in (2, 3)]


def test_less_memory_makes_smaller_blocks_that_fit():
    sweep = Sweep(linear(), learning_rate=[0.001 * number for number in range(1, 301)])
    wide, narrow = (sweep.plan(record="loss", memory=memory) for memory in (2**29, 20_000))
    assert len(narrow.blocks) > len(wide.blocks)
    assert narrow.block_bytes <= 20_000 < wide.block_bytes


def test_dear_records_make_smaller_blocks_so_that_a_kill_costs_less():
    sweep = Sweep(linear(), learning_rate=[0.0001 * number for number in range(1, 2001)])
    cheap, dear = (sweep.plan(record=record) for record in ("final_loss", "regime"))
    assert max(len(block.entries) for block in dear.blocks) < max(len(block.entries) for block in cheap.blocks)
    assert dear.seconds > cheap.seconds


def test_every_member_is_in_one_block():
    plan = Sweep(net(), width=[2, 3], seed=range(150)).plan()
    assert sorted(entry.row for block in plan.blocks for entry in block.entries) == list(range(300))


@pytest.mark.parametrize("workers", [1, 2, 8])
def test_the_division_does_not_depend_on_the_workers(workers):
    sweep = Sweep(net(), seed=range(200))
    assert sweep.plan(workers=workers).blocks == sweep.plan().blocks
