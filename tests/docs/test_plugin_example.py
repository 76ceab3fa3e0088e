"""The example of a package that adds to kazami: installed into a folder of its own, found, used by the command line, and its own tests pass."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.house.tree import ROOT

EXAMPLE = ROOT / "examples" / "plugin"
SCRIPT = """
    import torch
    from torch import nn
    torch.manual_seed(0)
    x = torch.randn(64, 8)
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
    with torch.no_grad():
        model[0].weight[3, 5] = 20.0
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(20):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        optimizer.step()
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """Install it with pip into a folder, and return an environment in which it is found."""
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check", "--target", str(target), str(EXAMPLE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode and "hatchling" in done.stderr:
        pytest.skip("no package index is in reach for hatchling, with which the example is built")
    assert done.returncode == 0, done.stderr
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(target), os.environ.get("PYTHONPATH", "")]), "LANG": "C", "OMP_NUM_THREADS": "1"}


def test_its_own_tests_pass(installed, tmp_path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), "-p", "no:cacheprovider", "-c", os.devnull, str(EXAMPLE / "tests")]
    done = subprocess.run(command, cwd=tmp_path, env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_line_uses_rule_cure_observable_and_sink(installed, tmp_path) -> None:
    (tmp_path / "train.py").write_text(textwrap.dedent(SCRIPT))
    command = [sys.executable, "-m", "kazami", "run", "--json", "found.json", "--sarif", "found.sarif", "--run", "here", "--sink", "csv:losses.csv", "train.py"]
    done = subprocess.run(command, cwd=tmp_path, env=installed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (found,) = (one for one in json.loads((tmp_path / "found.json").read_text())["findings"] if one["name"] == "outlier_weights")
    assert (found["id"], [one["name"] for one in found["prescriptions"]]) == ("OUT101", ["clamp_weights"])
    assert any(one["ruleId"] == "OUT101" for one in json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"])
    lines = (tmp_path / "losses.csv").read_text().splitlines()
    assert lines[0] == "step,loss"
    assert len(lines) == 21
    series = subprocess.run(
        [sys.executable, "-c", "import kazami; print('outlier_ratio/000' in kazami.open_run('here').table()['series'].to_pylist())"],
        cwd=tmp_path,
        env=installed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert series.stdout.strip() == "True"


def test_a_wheel_of_it_names_four_entry_points() -> None:
    import tomllib

    offered = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]["entry-points"]
    assert set(offered) == {"kazami.watch.observables", "kazami.diagnosis", "kazami.cures", "kazami.sinks"}
    files = {value.partition(":")[0].partition(".")[2] for group in offered.values() for value in group.values()}
    assert files == {file.stem for file in Path(EXAMPLE / "src" / "kazami_outliers").glob("*.py")} - {"__init__"}
