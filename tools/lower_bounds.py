"""Runs a part of the tests on the oldest versions that pyproject.toml allows: ``python tools/lower_bounds.py [MORE ARGUMENTS FOR PYTEST]``.

The lowest versions of what kazami itself asks for (uv's ``lowest-direct``; what these ask for in turn is as new as it may be) go into ``.venv-lower``. This
needs uv, from the PATH or as a package of the Python that runs this.

torch is the exception: few package indexes hold all its builds, and a build for GPUs is gigabytes. It stays at the version of ``constraints/torch.txt``,
unless ``KAZAMI_LOWER_TORCH`` names another (``2.8.0``, its lower bound); which one it was is said.
"""

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import dev

VENV = dev.ROOT / ".venv-lower"
CORE = [
    "tests/records",
    "tests/reports",
    "tests/storage",
    "tests/signals",
    "tests/sinks",
    "tests/maps",
    "tests/nets",
    "tests/comparison",
    "tests/derivatives",
    "tests/curvature",
    "tests/dynamics",
    "tests/trainability",
    "tests/sweeps",
    "tests/cures",
    "tests/edits",
    "tests/diagnosis/test_conformance.py",
    "tests/watch/test_telling.py",
    "tests/test_registry.py",
    "tests/test_doors.py",
]
TOOLS = ["pytest", "pytest-timeout", "pytest-xdist"]
WARNINGS = ["-W", "default::DeprecationWarning"]  # what an old package says of a new one beside it is no mistake of ours


def main(arguments: list[str]) -> int:
    """Make the environment, say what is in it, run the tests."""
    uv = [shutil.which("uv")] if shutil.which("uv") else [sys.executable, "-m", "uv"] if find_spec("uv") else None
    if uv is None:
        return dev.fail("the lowest versions are resolved by uv, which is not here. Try: python -m pip install uv")
    python = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if subprocess.run([*uv, "venv", "--quiet", "--allow-existing", "--python", sys.executable, VENV], check=False).returncode:
        return dev.fail("making .venv-lower failed (its own words are above)")
    named = os.environ.get("KAZAMI_LOWER_TORCH")
    torch = f"torch=={named}" if named else pinned_torch()
    print(f"dev: all lower bounds but torch's; the tests run on {torch}", file=sys.stderr)
    if install(uv, python, ["--resolution", "lowest-direct", "--override", override(torch), "--editable", ".[tables]"]) or install(uv, python, [*TOOLS, torch]):
        return dev.fail("installing the lowest versions failed (its own words are above)")
    subprocess.run([*uv, "pip", "list", "--python", python], env=dev.environment(), check=False)
    tests = arguments or [*CORE, "-q", "-n", "2"]
    return subprocess.run([python, "-m", "pytest", *WARNINGS, *tests], cwd=dev.ROOT, env={"OMP_NUM_THREADS": "1", **os.environ}, check=False).returncode


def pinned_torch() -> str:
    """Return the requirement of the torch that development and CI use."""
    return next(line.strip() for line in dev.CONSTRAINTS.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))


def override(torch: str) -> Path:
    """Write the one requirement that is not at its lower bound into a file for uv."""
    place = VENV / "override.txt"
    place.write_text(torch + "\n", encoding="utf-8")
    return place


def install(uv: list[str], python: Path, requirements: list[str | Path]) -> int:
    """Install into the environment; return the exit code."""
    return subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *requirements], cwd=dev.ROOT, env=dev.environment(), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
