"""Replays: the same script gives the same losses, other seeds give others, batches are paired, nothing of the user's is written."""

import os
import signal
import textwrap

import numpy as np
import pytest

from kazami.errors import KazamiError
from kazami.trials.replays import Replays

SCRIPT = """
    import random, sys
    import numpy as np
    import torch
    from torch import nn

    torch.manual_seed(3)
    x = torch.randn(64, 4)
    y = x @ torch.ones(4, 1)
    model = nn.Linear(4, 1)
    {extra}
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for step in range(20):
        rows = torch.randint(0, 64, (8,))
        noise = float(np.random.rand()) + random.random()
        loss = nn.functional.mse_loss(model(x[rows]), y[rows]) + 0 * noise
        print(step, rows.tolist(), noise)
        {inner}
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


def written(folder, extra="", inner="", name="train.py", script=SCRIPT):
    path = folder / name
    path.write_text(textwrap.dedent(script.format(extra=extra, inner=inner)))
    return path


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One server for all tests here; its target and directory are changed from test to test."""
    folder = tmp_path_factory.mktemp("work")
    written(folder)
    with Replays("train.py", directory=str(folder)) as replays:
        yield replays, folder


def test_the_same_offset_gives_the_same_losses_and_another_gives_others(served):
    replays, _ = served
    first, again, other = replays.run(), replays.run(), replays.run(offset=1)
    assert len(first.losses) == 20
    assert first.reason == "finished"
    assert first.losses == again.losses
    assert not np.allclose(first.losses, other.losses)
    assert first.trace.step == 20


def test_it_is_stopped_after_so_many_steps(served):
    replays, _ = served
    stopped = replays.run(steps=5)
    assert len(stopped.losses) == 5
    assert stopped.reason == "stopped"
    assert stopped.losses == replays.run().losses[:5]


def test_a_change_that_draws_random_numbers_meets_the_same_batches(served, tmp_path):
    replays, folder = served
    more = written(tmp_path, extra="_ = torch.randn(1000), np.random.rand(7), random.random()", inner="_ = torch.randn(3)").read_text()
    changed = replays.run(files={str(folder / "train.py"): more})
    assert changed.losses == replays.run().losses


def test_an_unseeded_script_is_seeded(served):
    replays, folder = served
    text = (folder / "train.py").read_text().replace("torch.manual_seed(3)", "rng = np.random.default_rng()")
    runs = [replays.run(files={str(folder / "train.py"): text}) for _ in range(2)]
    assert runs[0].losses == runs[1].losses


@pytest.mark.parametrize(
    "draw",
    [
        "torch.randn(3, generator=torch.Generator().manual_seed(5)).tolist()",
        "np.random.default_rng(5).random(3).tolist()",
        "np.random.RandomState(5).rand(3).tolist()",
    ],
)
def test_generators_of_their_own_are_shifted_too(served, draw):
    replays, folder = served
    text = (folder / "train.py").read_text().replace("rows = torch.randint(0, 64, (8,))", f"rows = torch.arange(8); x = x + {draw}[0]")
    runs = [replays.run(files={str(folder / "train.py"): text}, offset=offset, steps=3).losses for offset in (0, 0, 1)]
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


def test_files_are_written_in_the_mirror_alone(served):
    replays, folder = served
    text = (folder / "train.py").read_text() + 'open("out.txt", "w").write("done"); torch.save(model, "model.pt"); print(open("out.txt").read())\n'
    done = replays.run(files={str(folder / "train.py"): text})
    assert done.reason == "finished", done.error
    assert sorted(os.listdir(folder)) == ["train.py"]


@pytest.mark.parametrize("write", ["open(path, 'w').write('x')", "torch.save(model, path)", "os.mkdir(path)", "np.save(path, x)", "os.remove(other)"])
def test_a_write_elsewhere_is_refused_and_named(served, tmp_path, write):
    replays, folder = served
    place, other = tmp_path / "elsewhere.bin", tmp_path / "other.txt"
    other.write_text("mine")
    text = (folder / "train.py").read_text() + f"import os\npath, other = {str(place)!r}, {str(other)!r}\n{write}\n"
    done = replays.run(files={str(folder / "train.py"): text})
    assert not place.exists()
    assert other.read_text() == "mine"
    assert "WriteRefused" in done.error
    assert any(str(tmp_path) in refused for refused in done.refused)


def test_an_exception_is_told(served):
    replays, folder = served
    text = (folder / "train.py").read_text().replace("print(step", "1 / (step - 3); print(step")
    failed = replays.run(files={str(folder / "train.py"): text})
    assert failed.error == "ZeroDivisionError: division by zero"
    assert len(failed.losses) == 3


def test_a_process_that_dies_is_told_and_the_next_one_lives(served):
    replays, folder = served
    text = (folder / "train.py").read_text().replace("print(step", "import os, signal; os.kill(os.getpid(), signal.SIGKILL); print(step")
    with pytest.raises(KazamiError, match=f"signal {int(signal.SIGKILL)}"):
        replays.run(files={str(folder / "train.py"): text})
    assert len(replays.run(steps=2).losses) == 2


def test_a_script_that_takes_too_long_is_stopped_at_a_step(served):
    replays, folder = served
    text = (folder / "train.py").read_text().replace("print(step", "import time; time.sleep(0.5); print(step")
    slow = replays.run(files={str(folder / "train.py"): text}, seconds=0.3)
    assert slow.reason == "stopped"
    assert 1 < len(slow.losses) < 10  # four times its seconds, since it has not made the least number of steps


def test_a_script_outside_of_the_working_directory_is_mirrored_too(served, tmp_path):
    replays, _ = served
    before = replays.run().losses
    home = tmp_path / "home"
    home.mkdir()
    written(home)
    outside = Replays(os.path.join("..", "home", "train.py"), directory=str(tmp_path / "work"), _server=replays._server)
    (tmp_path / "work").mkdir()
    assert outside.run().losses == before


def test_modules_beside_the_script_are_found_and_those_of_the_working_directory_only_by_a_module(tmp_path):
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", extra="import sibling")
    (tmp_path / "inner" / "sibling.py").write_text("")
    (tmp_path / "pickle.py").write_text("raise SystemExit('the standard library is what kazami imports')")
    with Replays("inner/train.py", directory=str(tmp_path)) as replays:
        assert len(replays.run().losses) == 20
    written(tmp_path / "inner", extra="import outer")
    (tmp_path / "outer.py").write_text("")
    with Replays("inner/train.py", directory=str(tmp_path)) as replays:
        assert replays.run().error == "ModuleNotFoundError: No module named 'outer'"


def test_a_search_in_memory_gives_a_proof(served):
    replays, _ = served
    found = replays.run("search", steps=10, seconds=20)
    assert found.nothing_to_cure
