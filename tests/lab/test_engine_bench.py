"""The bench: right rows, no row for what is wrong, and what is done kept at Ctrl-C. Nothing here looks at how fast anything was."""

import json
import os
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from kazami.engines import engine_named
from kazami.engines.batched import Batched
from kazami.errors import UnknownName
from kazami.kernels import why_not
from kazami.lab import engine_bench
from kazami.lab.bench_trainings import BenchTraining, iris_training
from kazami.lab.engine_bench import WINDOW, BenchCase, BenchPlan, Carried, bench, cpu_seconds, job_of
from kazami.maps import Training
from kazami.records import Sentence
from kazami.storage.strict_json import dumps

TINY = BenchPlan(members=(1, 5), seconds=1e-4, dtypes=("float64",), tangents=(0, 1))
X = torch.linspace(-1.0, 1.0, 12, dtype=torch.float64).reshape(6, 2)


def line(rates=(0.01, 0.1)):
    """Return a training of 3 parameters whose exponents are those of a quadratic."""
    training = Training(
        model=lambda: nn.Linear(2, 1),
        optimizer=lambda model: torch.optim.SGD(model.parameters(), 0.1),
        loss=nn.functional.mse_loss,
        batches=lambda: [(X.float(), X.float().sum(1, keepdim=True))],
        steps=10,
    )
    return BenchTraining("line", Sentence("a line", "直線"), training, rates, {})


@pytest.fixture(autouse=True)
def no_ceilings(monkeypatch):
    """Ceilings have tests of their own; here one core does one multiply–add a second."""
    monkeypatch.setattr(engine_bench, "ceilings", lambda dtype, names: engine_bench.Ceilings(dtype, 1.0, dict.fromkeys(names, 1.0), 1e30))


def by_case(found):
    return {(row.engine, row.case.members, row.case.n_tangents): row for row in found.rows}


def test_every_engine_gets_its_rows():
    seen = []
    found = bench(["eager", "batched"], TINY, trainings=[line()], progress=lambda done, total: seen.append((done, total)))
    rows = by_case(found)
    assert set(rows) == {("eager", 1, 0), ("eager", 1, 1), ("batched", 5, 0), ("batched", 5, 1)}
    assert {(gap.engine, gap.case.members) for gap in found.gaps} == {("eager", 5), ("batched", 1)}
    assert all(row.difference < 1e-9 and row.per_wall_second > 0 and row.steps % WINDOW == 0 and row.start_seconds > 0 for row in found.rows)
    assert seen[-1] == (8, 8)
    assert found.is_complete


def test_the_share_is_that_of_the_floor():
    if why_not() is not None:
        pytest.skip("no ceilings without llvmlite")
    found = bench(["batched"], TINY, trainings=[line()])
    assert found.floors == {("line", "float64", 0): 1 / 24, ("line", "float64", 1): 1 / 48}  # 6 samples of 2 products: 3 w - f, and 6 w - 4 f more
    row = by_case(found)["batched", 5, 1]
    assert row.fraction == pytest.approx(row.per_cpu_second * 48)


def test_without_llvmlite_there_is_no_share(monkeypatch):
    monkeypatch.setattr(engine_bench, "why_not", lambda: "llvmlite is not installed")
    found = bench(["eager"], TINY, trainings=[line()])
    assert found.rows
    assert all(row.fraction is None for row in found.rows)
    assert found.ceilings == {}


@pytest.mark.parametrize("n_tangents", [0, 1])
def test_what_computes_something_else_gets_no_number(monkeypatch, n_tangents):
    class Wrong(Carried):
        def go(self, steps):
            losses, logs = super().go(steps)
            is_reference = losses.shape[1] == 2
            return losses if n_tangents or is_reference else losses * (1 + 1e-6), logs if logs is None or is_reference else logs * (1 + 1e-6)

    monkeypatch.setattr(engine_bench, "Carried", Wrong)
    found = bench(["batched"], BenchPlan(members=(5,), seconds=1e-4, dtypes=("float64",), tangents=(n_tangents,)), trainings=[line()])
    assert found.rows == []
    assert "1.0e-06" in found.gaps[0].reason.en
    assert "1.0e-06" in found.gaps[0].reason.ja


def test_an_engine_that_raises_leaves_the_others(monkeypatch):
    def broken(self, job):
        raise RuntimeError("no such thing")

    monkeypatch.setattr(Batched, "open", broken)
    found = bench(["batched", "eager"], TINY, trainings=[line()])
    assert {row.engine for row in found.rows} == {"eager"}
    assert "RuntimeError: no such thing" in {gap.reason.en for gap in found.gaps}


def test_a_diverging_member_is_no_work():
    found = bench(["batched"], BenchPlan(members=(5,), seconds=1e-4, dtypes=("float64",), tangents=(0,)), trainings=[line((100.0, 1e30))])
    assert found.rows == []
    assert found.gaps


def test_ctrl_c_keeps_what_is_done(monkeypatch):
    whole = Carried.go
    count = 0

    def interrupted(self, steps):
        nonlocal count
        count += 1
        if count > 12:
            raise KeyboardInterrupt
        return whole(self, steps)

    monkeypatch.setattr(Carried, "go", interrupted)
    found = bench(["eager", "batched"], BenchPlan(members=(1, 5), seconds=0.0, dtypes=("float64",), tangents=(0, 1)), trainings=[line()])
    assert not found.is_complete
    assert [row.engine for row in found.rows] == ["eager", "batched"]
    assert json.loads(dumps(found.to_dict()))["complete"] is False


def test_out_of_time_is_said_and_patience_ends():
    late = bench(["eager"], BenchPlan(members=(1,), limit=-1.0, dtypes=("float64",), tangents=(0,)), trainings=[line()])
    assert (late.rows, [gap.reason.en for gap in late.gaps]) == ([], ["out of time."])
    patient = bench(["batched"], BenchPlan(members=(5, 10**6), seconds=1e-4, patience=0.5, dtypes=("float64",), tangents=(0,)), trainings=[line()])
    assert [row.case.members for row in patient.rows] == [5]
    assert patient.gaps[0].reason.en.startswith(f"{WINDOW} steps would take about ")


def test_by_default_all_engines_but_the_cluster(monkeypatch):
    asked = []
    monkeypatch.setattr(engine_bench, "_rows", lambda engine, name, *rest: asked.append(name) or iter(()))
    found = bench([], BenchPlan(members=(1,), dtypes=("float64",), tangents=(0,), slow=("compiled",)), trainings=[line()])
    assert asked[0] == "eager"
    assert {"batched", "fused", "processes"} <= set(asked)
    assert {gap.engine for gap in found.gaps} == {"compiled", "cluster"}


def test_an_unknown_engine_is_named():
    with pytest.raises(UnknownName, match="fused"):
        bench(["fusd"], TINY)


def test_members_differ_and_the_ends_are_unlike():
    job = job_of(iris_training(), BenchCase("iris", "float32", 0, 1024))
    assert len({(member.seed, member.key) for member in job.members}) > 16
    assert job.members[0] != job.members[-1]
    assert job.dtype == torch.float32


def test_the_first_vectors_are_the_same_for_every_engine():
    case = BenchCase("line", "float64", 1, 3)
    first, second = (Carried(engine_named("eager").open(job_of(line(), case)), case) for _ in range(2))
    assert torch.equal(first.go(WINDOW)[1], second.go(WINDOW)[1])


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="the time of other processes is read from /proc")
def test_the_time_of_children_counts():
    before = cpu_seconds()
    code = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        own = time.process_time()
        found = cpu_seconds()
        child.communicate(b"\n")
    assert found - before >= 0.4
    assert found - own >= 0.4
