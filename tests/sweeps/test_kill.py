"""Killed in the middle: what is finished stays, and the same sweep again gives the table of an undisturbed one."""

import os
import signal
import subprocess
import sys
import time

import pytest

from kazami.sweeps import read_sweep

PATIENCE = 250  # seconds: a loaded machine starts Python slowly
SCRIPT = """
import pathlib, sys, time
import torch
from torch import nn
import kazami
torch.set_num_threads(1)
torch.manual_seed(0)
X, Y = torch.randn(8, 2), torch.randn(8, 1)
PARTS, HANGS_AT = pathlib.Path(sys.argv[1], "parts"), int(sys.argv[2])

class Net(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 1))
    def forward(self, x):
        while len(list(PARTS.glob("block-*.parquet"))) >= HANGS_AT:
            time.sleep(0.02)
        return self.inner(x)

def loss(output, target):
    return ((output - target) ** 2).mean()

t = kazami.Training(model=lambda width=2: Net(width), optimizer=lambda m: torch.optim.SGD(m.parameters(), 0.1), loss=loss,
                    batches=lambda: [(X, Y)], steps=20)
found = kazami.Sweep(t, width=range(2, 10), learning_rate=[0.1, 0.2]).run(record=["loss"], directory=sys.argv[1])
sys.exit(0 if found.is_complete else 130)
"""


def started(script, place, hangs_at=99):
    """Start the sweep in a Python of its own, which goes no further once so many parts are there."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen([sys.executable, str(script), str(place), str(hangs_at)], env=environment, stderr=subprocess.PIPE, text=True)


def parts(place):
    """Return the names of the parts that are there."""
    return sorted(path.name for path in place.glob("parts/block-*.parquet"))


def ended(script, place, count, sent):
    """Start the sweep, send it a signal once ``count`` parts are there, and return the exit code."""
    process = started(script, place, count)
    limit = time.monotonic() + PATIENCE
    while len(parts(place)) < count and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.01)
    process.send_signal(sent)
    process.communicate(timeout=PATIENCE)
    return process.returncode


@pytest.mark.slow
def test_a_killed_sweep_loses_its_running_block_at_most_and_an_interrupted_one_nothing(tmp_path):
    script, place = tmp_path / "sweep.py", tmp_path / "s"
    script.write_text(SCRIPT)
    undisturbed = started(script, tmp_path / "whole")
    assert ended(script, place, 2, signal.SIGKILL) == -signal.SIGKILL
    kept = parts(place)
    assert len(kept) == 2
    times = {name: (place / "parts" / name).stat().st_mtime_ns for name in kept}
    assert ended(script, place, 3, signal.SIGINT) == 130
    assert len(parts(place)) == 3
    process = started(script, place)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert times == {name: (place / "parts" / name).stat().st_mtime_ns for name in kept}
    undisturbed.communicate(timeout=PATIENCE)
    one, other = read_sweep(place).table, read_sweep(tmp_path / "whole").table
    assert one.num_rows == 16 * 20
    assert one.equals(other)
