"""The engine in processes of this machine."""

import os
import signal

import pytest
import torch

from kazami.engines import Member, engine_named, ensemble
from kazami.errors import KazamiError, UsageError
from tests.engines.architectures import architecture
from tests.engines.conformance import job, members


def test_a_killed_worker_changes_nothing_and_parts_keep_their_own_frozen_layers():
    given = architecture("fourier", model=lambda: torch.nn.Sequential(architecture("fourier").model(), torch.nn.BatchNorm1d(2).double()))
    wanted = [Member(seed, {"learning_rate": rate}) for seed in (0, 1) for rate in (0.05, 0.02)]
    expected = engine_named("eager").open(job(given, wanted))
    together, said = ensemble(given, wanted, engine="processes:2", dtype=torch.float64)
    assert said.startswith("processes:2: 4 members in float64, as asked for. 2 workers of processes, in each eager:")
    torch.testing.assert_close(together.advance(4), expected.advance(4), rtol=1e-12, atol=1e-12)
    os.kill(together._pool.process_ids[0], signal.SIGKILL)
    torch.testing.assert_close(together.advance(3), expected.advance(3), rtol=1e-12, atol=1e-12)
    vectors = torch.linalg.qr(torch.ones(4, together.states.shape[1], 1, dtype=torch.float64))[0]
    carried = [run.advance_with_tangents(vectors, 2) for run in (together, expected)]
    torch.testing.assert_close(carried[0].logs, carried[1].logs, rtol=1e-9, atol=1e-9)
    assert together.time == expected.time - 0 == 9
    for index in range(4):
        models = [given.model(), given.model()]
        for run, model in zip((together, expected), models, strict=True):
            run.write_into(model, index)
        for found, right in zip(models[0].state_dict().values(), models[1].state_dict().values(), strict=True):
            torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-12)
    together.close()


def test_a_part_that_raises_says_so_with_the_workers_traceback():
    def loss(output, target):
        raise ZeroDivisionError("the loss is broken")

    def optimizer(model):
        return torch.optim.SGD(model.parameters(), 0.1)

    parent = os.getpid()

    def honest(output, target):
        return torch.nn.functional.cross_entropy(output, target) if os.getpid() == parent else loss(output, target)

    with pytest.raises(KazamiError, match=r"failed in its worker with ZeroDivisionError: the loss is broken"):
        ensemble(architecture("mlp", loss=honest, optimizer=optimizer), members(), engine="processes:1")


def test_the_number_of_processes_is_a_number():
    with pytest.raises(UsageError, match="processes:4"):
        engine_named("processes:many")
    assert engine_named("processes:3")._workers == 3
