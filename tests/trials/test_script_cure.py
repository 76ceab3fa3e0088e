"""A script is cured by a change of its source that was run before it is shown; the user's files stay as they are."""

import os
import subprocess
import sys
import textwrap

import pytest

from kazami.errors import UsageError
from kazami.records import Series, Trace
from kazami.trials.keeping import applied, finite
from kazami.trials.script_cure import cure_script
from kazami.trials.script_subject import EXPLAINED, VALIDATION, score_of_losses

BUDGET = 250  # seconds, far more than is needed: of less, a busy machine could use up what a trial may take
TOO_FAST = """
    import torch
    from torch import nn

    torch.manual_seed(0)
    x = torch.randn(64, 4)
    y = x @ torch.ones(4, 1)
    net = nn.Linear(4, 1)
    sgd = torch.optim.SGD(net.parameters(), lr=3.0)  # far too fast
    for step in range(40):
        loss = nn.functional.mse_loss(net(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
    with open("weights.txt", "w") as file:
        file.write(str(net.weight.tolist()))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder, text, name="train.py"):
    (folder / name).write_text(textwrap.dedent(text).lstrip())
    return name


def test_a_script_is_cured_by_a_diff_that_was_run(folder):
    name = written(folder, TOO_FAST)
    before = (folder / name).read_text()
    found = cure_script(name, budget=BUDGET)
    assert found.proof.cured, found.proof.verdict.en
    assert found.proof.on == "script"
    assert found.steps == 40
    assert [line for line in found.diff.splitlines() if line.startswith("-") and not line.startswith("---")] == [
        "-sgd = torch.optim.SGD(net.parameters(), lr=3.0)  # far too fast"
    ]
    assert (folder / name).read_text() == before
    assert os.listdir(folder) == [name]
    (folder / "cure.diff").write_text(found.diff)
    subprocess.run(["git", "apply", "cure.diff"], cwd=folder, check=True)
    assert (folder / name).read_text() == found.after.files[str(folder / name)]
    ended = subprocess.run([sys.executable, name], cwd=folder, check=False, capture_output=True)
    assert ended.returncode == 0
    weights = [number for row in eval((folder / "weights.txt").read_text()) for number in row]
    assert weights == pytest.approx([1.0] * 4, abs=0.1)


def test_a_healthy_script_is_left_alone(folder):
    name = written(folder, TOO_FAST.replace("lr=3.0", "lr=0.1"))
    found = cure_script(name, budget=BUDGET)
    assert found.proof.nothing_to_cure
    assert found.diff == found.lines == ""


def test_a_script_that_does_not_train_is_refused_with_its_reason(folder):
    name = written(folder, "import torch\nraise ValueError('no data')\n")
    with pytest.raises(UsageError, match=r"took no optimizer step.*ValueError: no data"):
        cure_script(name, budget=20)


def test_a_script_that_must_write_elsewhere_is_refused_with_the_place(folder, tmp_path_factory):
    place = tmp_path_factory.mktemp("elsewhere") / "log.txt"
    name = written(folder, TOO_FAST.replace("torch.manual_seed(0)", f"open({str(place)!r}, 'w')"))
    with pytest.raises(UsageError, match=r"log\.txt, outside of its working directory"):
        cure_script(name, budget=20)
    assert not place.exists()


def test_ctrl_c_gives_what_is_known(folder):
    name = written(folder, TOO_FAST)

    def interrupt(what, spent, whole):
        if what not in ("diagnosis", "lower_learning_rate"):
            raise KeyboardInterrupt

    found = cure_script(name, budget=BUDGET, progress=interrupt)
    assert not found.proof.cured
    assert "interrupted" in found.proof.verdict.en
    assert [one.name for one in found.proof.tried][:1] == ["lower_learning_rate"]


def test_applied_keeps_a_backup_and_never_overwrites_one(tmp_path):
    path = tmp_path / "train.py"
    path.write_text("lr = 3\n")
    (tmp_path / "train.py.orig").write_text("older")
    done = applied({str(path): "lr = 3\n"}, {str(path): "lr = 1\n"})
    assert done == [(str(path), str(path) + ".orig2")]
    assert path.read_text() == "lr = 1\n"
    assert (tmp_path / "train.py.orig").read_text() == "older"
    assert (tmp_path / "train.py.orig2").read_text() == "lr = 3\n"


def test_a_file_that_has_changed_meanwhile_is_left_alone(tmp_path):
    path = tmp_path / "train.py"
    path.write_text("lr = 4\n")
    with pytest.raises(UsageError, match="has changed since"):
        applied({str(path): "lr = 3\n"}, {str(path): "lr = 1\n"})
    assert path.read_text() == "lr = 4\n"


def trace(**facts):
    return Trace(step=10, **facts)


def test_the_score_is_what_is_explained_of_the_trivial_loss():
    losses = [4.0] * 9 + [1.0]
    assert score_of_losses(losses, trace(trivial_loss=2.0), EXPLAINED, 4.0) == pytest.approx(0.5)
    assert score_of_losses(losses, trace(), EXPLAINED, 4.0) == pytest.approx(0.75)
    assert score_of_losses([4.0, float("nan")], trace(), EXPLAINED, 4.0) is None
    assert score_of_losses([], trace(), EXPLAINED, 4.0) is None


def test_the_score_of_what_over_fits_is_its_newest_validation_loss():
    import numpy as np

    seen = {"validation_loss": Series(np.array([5, 10]), np.array([1.0, 3.0]))}
    assert score_of_losses([0.1], trace(series=seen), VALIDATION, 4.0) == -3.0
    assert score_of_losses([0.1], trace(), VALIDATION, 4.0) is None


def test_numbers_that_json_does_not_know_become_null():
    assert finite({"a": [1.0, float("nan")], "b": (float("inf"), "x")}) == {"a": [1.0, None], "b": [None, "x"]}
