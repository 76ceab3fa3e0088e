"""``kazami cure`` from the command line: the diff alone on stdout, the rest on stderr, a run directory, documented exit codes."""

import json
import os
import subprocess
import sys

import pytest

from tests.trials.test_script_cure import TOO_FAST, written

FACTORY = """
    import torch
    from torch import nn
    import kazami

    def make():
        x = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
        y = x.sum(1, keepdim=True)
        return kazami.Training(model=lambda: nn.Linear(4, 1), optimizer=lambda m: torch.optim.SGD(m.parameters(), 3.0),
                               loss=nn.functional.mse_loss, batches=lambda: [(x, y)], steps=40)
"""


def cure(folder, *arguments):
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "kazami", "cure", *arguments]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=280, check=False)


@pytest.fixture(scope="module")
def cured(tmp_path_factory):
    """A script that was cured with its change applied."""
    folder = tmp_path_factory.mktemp("cured")
    written(folder, TOO_FAST)
    before = (folder / "train.py").read_text()
    return folder, before, cure(folder, "train.py", "--budget", "250s", "--apply", "--run", "runs/one")


def test_the_diff_alone_goes_to_stdout(cured):
    folder, _, ended = cured
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == (folder / "runs" / "one" / "cure.diff").read_text()
    assert ended.stdout.startswith("--- a/train.py\n+++ b/train.py\n")


def test_applied_it_changes_the_script_and_keeps_the_old_one(cured):
    folder, before, ended = cured
    assert (folder / "train.py").read_text() != before
    assert (folder / "train.py.orig").read_text() == before
    assert "train.py.orig" in ended.stderr


def test_the_run_directory_keeps_proof_and_report(cured):
    folder, _, ended = cured
    place = folder / "runs" / "one"
    proof = json.loads((place / "proof.json").read_text())
    assert proof["cured"] is True
    assert proof["on"] == "script"
    assert len(proof["table"]) == 3
    assert "<html" in (place / "report.html").read_text()
    assert "runs/one/report.html" in ended.stderr


def test_a_healthy_script_leaves_nothing_to_cure(tmp_path):
    written(tmp_path, TOO_FAST.replace("lr=3.0", "lr=0.1"))
    ended = cure(tmp_path, "train.py", "--budget", "250s", "--json", "-")
    assert ended.returncode == 0, ended.stderr
    document = json.loads(ended.stdout)
    assert {"schema", "cured", "changes", "diff", "lines_to_add", "proof"} <= set(document)
    assert document["schema"] == 1
    assert document["cured"] is False
    assert document["proof"]["nothing_to_cure"] is True


def test_a_factory_is_cured_in_memory(tmp_path):
    written(tmp_path, FACTORY, "factory.py")
    ended = cure(tmp_path, "factory:make", "--budget", "250s", "--json", "proof.json", "--run", "runs/two")
    assert ended.returncode == 0, ended.stderr
    document = json.loads((tmp_path / "proof.json").read_text())
    assert document["cured"] is True
    assert document["changes"] == ["lower_learning_rate"]
    assert "lr" in document["lines_to_add"]
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("nowhere.py",), "nowhere.py"), (("--budget", "soon", "train.py"), "90s"), ((), "Name a script"), (("-m", "no_such_module"), "no_such_module")],
)
def test_bad_input_is_one_sentence_and_code_2(tmp_path, arguments, told):
    ended = cure(tmp_path, *arguments)
    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
