"""The examples for CI: they are YAML that says what such files must say, and their commands are run as they stand."""

import json
import os
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
EXAMPLES = ROOT / "examples" / "ci"
SCRIPT = """
    import sys
    import torch
    from torch import nn
    torch.manual_seed(0)
    x = torch.randn(64, 4)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=float(sys.argv[1]) if sys.argv[1:] else 1e3)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        optimizer.step()
"""


def read(name: str) -> dict[str, Any]:
    """Return an example."""
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Return an environment in which ``kazami`` is a command, as after ``pip install``."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "kazami"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m kazami "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "LANG": "C", "OMP_NUM_THREADS": "1", **more}


def test_the_action_is_a_composite_one_whose_commands_hold_no_expressions() -> None:
    action = read("action/action.yml")
    assert action["runs"]["using"] == "composite"
    steps = action["runs"]["steps"]
    assert all(("run" in step and step["shell"] == "bash") != ("uses" in step) for step in steps)
    assert not any("${{" in step.get("run", "") for step in steps)  # an input with a quote in it would be a command
    asked = {word for step in steps for word in (*step.get("env", {}).values(), *step.get("with", {}).values()) if "inputs." in word}
    assert {word.split("inputs.")[1].rstrip(" }") for word in asked} == set(action["inputs"])


def test_the_workflow_gives_the_action_only_what_it_takes() -> None:
    inputs = read("action/action.yml")["inputs"]
    workflow = read("workflow.yml")
    (given,) = (step["with"] for step in workflow["jobs"]["training"]["steps"] if step.get("uses", "").endswith("actions/kazami"))
    assert set(given) <= set(inputs)
    assert {name for name, one in inputs.items() if one.get("required")} <= set(given)
    assert workflow["permissions"]["security-events"] == "write"


@pytest.mark.slow
@pytest.mark.parametrize(("rate", "steps", "code"), [("0.1", "", 0), ("1e3", "20", 3)])
def test_the_actions_commands_do_what_they_say(rate, steps, code, tmp_path) -> None:
    (tmp_path / "my train.py").write_text(textwrap.dedent(SCRIPT))
    inputs = {"SCRIPT": "my train.py", "ARGUMENTS": rate, "STEPS": steps, "FAIL_ON": "warning", "SARIF": "kazami.sarif"}
    told = environment(tmp_path, RUNNER_TEMP=str(tmp_path), GITHUB_STEP_SUMMARY=str(tmp_path / "summary.md"), **inputs)
    commands = [step["run"] for step in read("action/action.yml")["runs"]["steps"] if "run" in step]
    codes = [subprocess.run(["bash", "-e", "-o", "pipefail", "-c", one], cwd=tmp_path, env=told, check=False).returncode for one in commands]
    assert codes == [code, 0]
    results = json.loads((tmp_path / "kazami.sarif").read_text())["runs"][0]["results"]
    assert any(one["level"] in ("warning", "error") for one in results) is (code == 3)
    assert (tmp_path / "summary.md").read_text().startswith("# ")


@pytest.mark.slow
def test_the_hooks_command_refuses_a_sick_training(tmp_path) -> None:
    (tmp_path / "train.py").write_text(textwrap.dedent(SCRIPT).replace("optimizer.zero_grad()", "optimizer.zero_grad(); x.fill_(float('nan'))"))
    (repository,) = read("pre-commit-config.yaml")["repos"]
    (hook,) = repository["hooks"]
    assert (repository["repo"], hook["language"], hook["pass_filenames"]) == ("local", "system", False)
    done = subprocess.run(shlex.split(hook["entry"]), cwd=tmp_path, env=environment(tmp_path), check=False)
    assert done.returncode == 3
    assert json.loads((tmp_path / "kazami.sarif").read_text())["version"] == "2.1.0"
