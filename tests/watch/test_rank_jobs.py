"""Whole jobs of two ranks on gloo: one run directory, averaged gradients, the rank named, and no rank ever keeps another one waiting."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from kazami.storage import open_run
from kazami.watch.stored import stored_report
from tests.pages import PATIENCE, eventually, free_port

DDP = """
import json, os, pathlib, signal, sys, time, torch, torch.distributed as dist
from contextlib import nullcontext
from torch import nn
dist.init_process_group("gloo")
rank = dist.get_rank()
torch.manual_seed(0)
ddp = nn.parallel.DistributedDataParallel(nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)))
optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
generator = torch.Generator().manual_seed(100 + rank)
what = os.environ.get("WHAT", "")
norms = []
def batch(step):
    x = torch.randn(32, 4, generator=generator)
    y = (x[:, 0] > 0).long()
    if what == "nan" and rank == 1 and step == 4:
        x[3, 2] = float("nan")
    return x, y
for step in range(int(sys.argv[1])):
    optimizer.zero_grad()
    for part in range(2 if what == "accumulate" else 1):
        x, y = batch(step)
        with ddp.no_sync() if what == "accumulate" and part == 0 else nullcontext():
            nn.functional.cross_entropy(ddp(x), y).backward()
    norms.append(torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in ddp.parameters()])).item())
    optimizer.step()
    if what == "slow" and rank == 1:
        time.sleep(0.02)
    if what == "kill" and rank == 1 and step == 5:
        time.sleep(3)
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "raise" and rank == 1 and step == 5:
        raise ValueError("a mistake of the script")
until = time.monotonic() + 100
while what == "nan" and rank == 0 and time.monotonic() < until:  # rank 0 waits two seconds for the others to end, and a busy machine may need more
    time.sleep(0.05)
    if any(json.loads(one.read_text())["reason"] for one in pathlib.Path("runs").glob("*/run-r1.json")):
        break
with open(f"told-{rank}.json", "w") as file:
    json.dump({"weights": [p.detach().double().sum().item() for p in ddp.parameters()], "norms": norms}, file)
dist.destroy_process_group()
"""

FSDP2 = """
import json, os, sys, time, torch, torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
dist.init_process_group("gloo")
rank = dist.get_rank()
mesh = init_device_mesh("cpu", (2,))
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 17), nn.ReLU(), nn.Linear(17, 1))
for part in (model[0], model[2]):
    fully_shard(part, mesh=mesh)
fully_shard(model, mesh=mesh)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
generator = torch.Generator().manual_seed(100 + rank)
what = os.environ["WHAT"]
w = None
if what in ("all", "slow") or (what == "first" and rank == 0):
    import kazami
    w = kazami.watch(model, optimizer, every=1)
norms = []
for step in range(10):
    x = torch.randn(32, 4, generator=generator)
    optimizer.zero_grad()
    (model(x) - x[:, :1]).square().mean().backward()
    norms.append([model[at].weight.grad.full_tensor().norm().item() for at in (0, 2, 4)])
    optimizer.step()
    if what == "slow" and rank == 1:
        time.sleep(0.05)
sums = [p.full_tensor().double().sum().item() for p in model.parameters()]
told = {"weights": sums}
if w is not None:
    w.close()
    seen = w.trace["gradient_norm"].values.tolist() if w.trace.has("gradient_norm") else None
    told |= {"seen": seen, "true": norms, "names": [layer.name for layer in w.trace.layers]}
    told |= {"blind": list(w.trace.blind), "findings": [finding.name for finding in w.findings]}
with open(f"told-{what}-{rank}.json", "w") as file:
    json.dump(told, file)
dist.destroy_process_group()
"""

SPAWNED = """
import kazami, os, torch, torch.distributed as dist, torch.multiprocessing as mp
from torch import nn

def main(rank, port):
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    torch.manual_seed(0)
    ddp = nn.parallel.DistributedDataParallel(nn.Linear(4, 1))
    optimizer = torch.optim.SGD(ddp.parameters(), lr=0.1)
    with kazami.watch(ddp, optimizer, run="runs/spawned"):
        for _ in range(5):
            optimizer.zero_grad()
            ddp(torch.ones(8, 4)).square().mean().backward()
            optimizer.step()
    dist.destroy_process_group()

if __name__ == "__main__":
    import sys
    mp.spawn(main, (int(sys.argv[1]),), nprocs=2)
"""


class Job:
    """A script in a folder, and the ways to start it."""

    def __init__(self, folder, script):
        self.folder = folder
        (folder / "train.py").write_text(script)
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
        for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "KAZAMI_RUN"):
            self.environment.pop(name, None)

    def torchrun(self, *words, what="", is_outside=False, is_watched=True):
        """Run under torchrun, kazami inside or outside of it; return its exit code, stdout and stderr."""
        inner = ["-m", "kazami", "run", "train.py"] if is_watched and not is_outside else ["train.py"]
        outer = ["-m", "kazami", "run", "-m"] if is_outside else ["-m"]
        command = [sys.executable, *outer, "torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port()), *inner, *words]
        done = subprocess.run(command, cwd=self.folder, env={**self.environment, "WHAT": what}, capture_output=True, text=True, timeout=240)
        return done.returncode, done.stdout, done.stderr

    @property
    def run(self):
        (name,) = [name for name in os.listdir(self.folder / "runs") if not name.startswith(".")]
        return str(self.folder / "runs" / name)


def told_by(job, rank=0):
    """What a rank has written itself; files, since the lines of two ranks on one stdout may run into each other."""
    path = job.folder / f"told-{rank}.json"
    told = json.loads(path.read_text())
    path.unlink()
    return told


@pytest.fixture
def ddp(tmp_path):
    return Job(tmp_path, DDP)


def test_two_ranks_write_one_run(ddp):
    port = str(free_port())
    command = [sys.executable, "-m", "kazami", "run", "train.py", "6"]
    both = {**ddp.environment, "MASTER_PORT": port, "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "WHAT": "nan"}
    ranks = [subprocess.Popen(command, cwd=ddp.folder, env={**both, "RANK": str(n)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for n in (0, 1)]
    told = [one.communicate(timeout=PATIENCE) for one in ranks]
    assert [one.returncode for one in ranks] == [0, 0], told
    stored = open_run(ddp.run)
    assert stored.ranks() == [0, 1]
    totals = [stored.series(rank=rank)["total_gradient_norm"].values[:4] for rank in (0, 1)]
    assert totals[0] == pytest.approx(totals[1], rel=1e-6)
    assert totals[0] == pytest.approx(told_by(ddp)["norms"][:4], rel=1e-5)
    assert not np.array_equal(stored.series(rank=0)["loss"].values, stored.series(rank=1)["loss"].values)
    (bad,) = [finding for finding in stored.findings if finding.name == "nan_inf"]
    assert (bad.step, bad.is_primary) == (5, True)
    assert bad.sentence.en.startswith("Rank 1: ")
    assert "batch" in bad.place
    assert "Rank 1" in told[0][1]
    assert "kazami" not in told[1][1]
    assert "Rank 1" in (ddp.folder / ddp.run / "report.html").read_text()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("is_outside", [False, True])
@pytest.mark.parametrize("what", ["", "slow", "accumulate"])
def test_watching_changes_no_weight_and_records_the_averaged_gradient(ddp, what, is_outside):
    ddp.torchrun("12", what=what, is_watched=False)
    plain = [told_by(ddp, rank) for rank in (0, 1)]
    code, _, err = ddp.torchrun("12", what=what, is_outside=is_outside)
    assert code == 0, err
    assert [told_by(ddp, rank) for rank in (0, 1)] == plain
    stored = open_run(ddp.run)
    for rank in (0, 1):
        assert stored.series(rank=rank)["total_gradient_norm"].values == pytest.approx(plain[rank]["norms"], rel=1e-5)
    assert stored.heads()[1].reason == "finished"
    assert stored.info.environment["ranks"].startswith("2: loss")
    assert [name for name in os.listdir(ddp.folder / "runs") if name.startswith(".job")] == []
    assert [finding.name for finding in stored.findings if finding.severity != "info"] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["kill", "raise"])
def test_a_rank_that_dies_leaves_a_readable_run_that_says_so(ddp, what):
    code, _, _ = ddp.torchrun("40", what=what)
    assert code != 0
    stored = open_run(ddp.run)
    assert stored.ranks() == [0, 1]
    assert len(stored.series(rank=0)["loss"]) >= 6
    report = stored_report(ddp.run)
    assert os.path.isfile(os.path.join(ddp.run, "report.html"))
    if what == "kill":
        assert any(one.startswith("Rank 1 did not say how it ended: its last word is of step 6") for one in report.info.blind), report.info.blind
    else:
        assert stored.heads()[1].reason == "exception"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ctrl_c_leaves_a_readable_run_of_both_ranks(ddp):
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node",
        "2",
        "--master-port",
        str(free_port()),
        "-m",
        "kazami",
        "run",
        "train.py",
        "100000",
    ]
    job = subprocess.Popen(command, cwd=ddp.folder, env=ddp.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    eventually(lambda: {"-r1" in part.name for part in ddp.folder.glob("runs/*/metrics/*.parquet")}, lambda ranks: ranks == {False, True})
    os.killpg(job.pid, signal.SIGINT)
    job.communicate(timeout=PATIENCE)
    stored = open_run(ddp.run)
    assert stored.ranks() == [0, 1]
    assert {head.reason for head in stored.heads().values()} <= {"interrupted", "terminated", "exception"}
    assert os.path.isfile(os.path.join(ddp.run, "report.html"))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what", ["all", "slow", "first"])
def test_sharded_parameters_are_seen_whole_or_not_at_all_and_nobody_waits_for_ever(tmp_path, what):
    job = Job(tmp_path, FSDP2)
    job.torchrun(what="none", is_watched=False)
    code, _, err = job.torchrun(what=what, is_watched=False)
    assert code == 0, err
    for rank in (0, 1):
        plain, told = (json.loads((tmp_path / f"told-{one}-{rank}.json").read_text()) for one in ("none", what))
        assert told["weights"] == plain["weights"]
        assert ("seen" in told) is (what != "first" or rank == 0)
        if "seen" not in told:
            continue
        assert told["names"] == ["0", "2", "4"], told["blind"]
        assert not {"parameters_not_in_optimizer", "unregistered_parameters"} & set(told["findings"])
        assert any("do not answer" in sentence for sentence in told["blind"]) is (what == "first")
        if what != "first":
            assert np.array(told["seen"]) == pytest.approx(np.array(told["true"]), rel=1e-5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_spawned_ranks_that_watch_themselves_write_one_run(tmp_path):
    job = Job(tmp_path, SPAWNED)
    done = subprocess.run([sys.executable, "train.py", str(free_port())], cwd=tmp_path, env=job.environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    stored = open_run(job.run)
    assert stored.ranks() == [0, 1]
    assert {rank: head.steps for rank, head in stored.heads().items()} == {0: 5, 1: 5}
