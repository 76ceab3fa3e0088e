"""Trainings by real frameworks in processes of their own: without kazami, with `kazami run`, and with the adapter."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
EXPECTED = {"healthy": None, "vanishing": "vanishing_gradient", "high": "lr_too_high", "dead": "dead_units", "frozen": "frozen_parameters"}
CASES = tuple(EXPECTED)


class Ended(NamedTuple):
    """How a process ended: the last line of its standard output that is JSON, and what it wrote."""

    told: dict[str, Any]
    out: str
    err: str


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skip, with the reason, where a framework is not installed; none is imported here."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}: make test-integrations")


def python(*arguments: Any, cwd: Path, code: int = 0) -> Ended:
    """Run Python, and expect it to end with ``code``."""
    settings = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "KERAS_BACKEND": "torch", "TRANSFORMERS_VERBOSITY": "error"}
    done = subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, env={**os.environ, **settings}, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr[-4000:]
    told = [line.partition("RESULT ")[2] for line in done.stdout.splitlines() if "RESULT " in line]
    return Ended(json.loads(told[-1]) if told else {}, done.stdout, done.stderr)


def program(text: str, cwd: Path, code: int = 0) -> Ended:
    """Run a program given as text; what it tells is ``print("RESULT", json.dumps(...))``."""
    head = "import json, sys, torch\nfrom torch import nn\nbackward = torch.autograd.backward\n"
    (cwd / "program.py").write_text(head + text, encoding="utf-8")
    return python(cwd / "program.py", cwd=cwd, code=code)


def assert_run_and_adapter_agree(framework: str, case: str, tmp_path: Path) -> None:
    """The unmodified script under `kazami run` and the script with the adapter give the same findings, and both the weights of the script alone."""
    script = SCRIPTS / f"{framework}_digits.py"
    plain = python(script, case, cwd=tmp_path)
    run = python("-m", "kazami", "run", "--run", tmp_path / "run", "--json", tmp_path / "run.json", script, case, cwd=tmp_path)
    adapter = python(script, case, "--callback", cwd=tmp_path)
    document = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    names = [finding["name"] for finding in document["findings"]]
    assert names == adapter.told["findings"]
    assert document["steps"] == adapter.told["steps"] > 100
    assert names[:1] == ([EXPECTED[case]] if EXPECTED[case] else [])
    assert plain.told["weights"] == run.told["weights"] == adapter.told["weights"]
    for watched in (run, adapter):
        assert _warnings(watched.err) == _warnings(plain.err)


def _warnings(text: str) -> list[str]:
    return [line for line in text.splitlines() if "Warning" in line or "Traceback" in line]
