"""The two commands a newcomer needs, and a few more, with nothing but Python's standard library: ``python tools/dev.py TASK [MORE ARGUMENTS]``.

run       set up, then take the tour: five panels computed on real data, and a page of them (kazami-tour.html)
test      set up with the test group, then format, lint, types, stairs and tests; stops at the first that fails
test-all  the same with the slow tests
test-integrations  test the adapters against the real frameworks, in an environment of their own (.venv-integrations)
check     the same without the tests
format    put the code into the one format, and mend what the linter can mend
docs      build the pages of docs/ in both languages (docs/_build/html/index.html); a warning is an error
score     print how well diagnosis and cure do on the patients they were not calibrated on (half an hour; begun again it goes on)

Setting up makes ``.venv`` (by uv where it is on the PATH, else by venv and pip), and is skipped while nothing it depends on has changed.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PROJECT = ROOT / "pyproject.toml"
CONSTRAINTS = ROOT / "constraints" / "torch.txt"
OLDEST_PYTHON = (3, 11)

CHECKS = (
    ("format", ["ruff", "format", "--check", "--quiet", "."]),
    ("lint", ["ruff", "check", "--quiet", "."]),
    ("types", ["mypy"]),
    ("stairs", ["lint-imports", "--no-logo"]),
)
TASKS = {
    "run": ("run", [("tour", ["kazami", "tour"])]),
    "test": ("test", [*CHECKS, ("tests", ["pytest", "-n", "2", "-q"])]),
    "test-all": ("test", [*CHECKS, ("tests", ["pytest", "-n", "2", "-q", "-m", ""])]),
    "test-integrations": ("integrations", [("tests", ["pytest", "-n", "2", "-q", "-m", "", "tests/integrations"])]),
    "check": ("test", list(CHECKS)),
    "format": ("test", [("lint", ["ruff", "check", "--fix", "--quiet", "."]), ("format", ["ruff", "format", "--quiet", "."])]),
    "docs": ("docs", [("docs", ["tools.handbook"])]),
    "score": ("run", [("score", ["kazami.patients.score", "--cure"])]),
}

NO_GPU_PACKAGES_BESIDE_CPU_TORCH = """
import importlib.metadata as metadata
names = {(distribution.metadata["Name"] or "").lower() for distribution in metadata.distributions()}
strangers = sorted(name for name in names if name.startswith("nvidia-") or name == "torchvision")
if metadata.version("torch").endswith("+cpu") and strangers:
    raise SystemExit("dev: these do not belong beside a CPU build of torch: " + ", ".join(strangers))
"""


def main(arguments):
    """Set up what the task needs, then run its commands one after the other; return the first exit code that is not 0."""
    if sys.version_info < OLDEST_PYTHON:
        return fail("kazami needs Python {}.{} or newer, and this is {}.{}. Try: make PYTHON=python3.13 run".format(*OLDEST_PYTHON, *sys.version_info[:2]))
    if not arguments or arguments[0] not in TASKS:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else fail("name one task of: " + ", ".join(TASKS))
    group, commands = TASKS[arguments[0]]
    if group == "integrations":  # frameworks bring many packages, which must not decide what the rest is tested with
        global VENV
        VENV = VENV.with_name(f"{VENV.name}-integrations")
    try:
        set_up(group)
        build_pages()
    except SetUpError as error:
        return fail(str(error))
    last_name = commands[-1][0]
    for name, command in commands:
        code = run_module(command + (arguments[1:] if name == last_name else []))
        if code:
            return code if name == "tour" else fail(f"{name} failed", code)
    return 0


class SetUpError(Exception):
    """The environment could not be made; the message is one line that says what to do."""


def set_up(group):
    """Make ``.venv`` hold torch, kazami (editable) and what the group names: the tools of the checks (``test``), those of the pages (``docs``)."""
    stamps = {name: VENV / f"kazami-{name}.stamp" for name in ("run", "docs", "test", "integrations")}
    enough = {stamps[group], stamps["test"]}  # what is set up for the tests will also run, and build the pages
    if venv_python().exists() and any(stamp.is_file() and stamp.read_text() == fingerprint() for stamp in enough):
        return
    print(f"dev: setting up {VENV.name} for '{group}' (the first time takes a minute or two)", file=sys.stderr, flush=True)
    install = installer()
    # Torch goes first and alone: in one resolution with the rest another build of it may win.
    install(["torch"], "torch")
    install(["--editable", ".", *(["--group", group] if group != "run" else [])], "kazami and what it needs")
    if subprocess.run([venv_python(), "-c", NO_GPU_PACKAGES_BESIDE_CPU_TORCH], check=False).returncode:
        raise SetUpError(f"setting up went wrong: delete {VENV.name} and try again")
    stamps[group].write_text(fingerprint())


def build_pages():
    """Build the pages of the app and the report if their sources are newer; installing kazami has built them for the first time."""
    if subprocess.run([venv_python(), ROOT / "hatch_build.py"], cwd=ROOT, env=environment(), check=False).returncode:
        raise SetUpError("the pages could not be built (why stands above)")


def fingerprint():
    """Return a hash of all that decides what belongs into ``.venv``."""
    what = [PROJECT.read_bytes(), CONSTRAINTS.read_bytes(), str(ROOT).encode(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(what)).hexdigest()


def installer():
    """Make ``.venv`` if need be; return a function that installs a list of requirements into it, under the constraints."""
    uv = shutil.which("uv")
    if uv:
        make_venv([uv, "venv", "--quiet", "--allow-existing", VENV])
        command = [uv, "pip", "install", "--python", venv_python()]
    else:
        make_venv([sys.executable, "-m", "venv", "--clear", VENV], needs_pip=True)
        command = [venv_python(), "-m", "pip", "install"]

    def install(requirements, what, constraints=("--constraint", CONSTRAINTS)):
        if subprocess.run([*command, "--quiet", *constraints, *requirements], cwd=ROOT, env=environment(), check=False).returncode:
            raise SetUpError(f"installing {what} failed (its own words are above). Is there a network, or a package index in reach?")

    if not uv:
        install(["pip>=25.1"], "pip", constraints=())  # the first that knows dependency groups
    return install


def make_venv(command, needs_pip=False):
    """Run ``command`` unless ``.venv`` already has a working Python, and pip where it is needed."""
    probe = "import pip" if needs_pip else "import sys"
    if venv_python().exists() and not subprocess.run([venv_python(), "-c", probe], stderr=subprocess.DEVNULL, check=False).returncode:
        return
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode or not venv_python().exists():
        raise SetUpError("making .venv failed (its own words are above). Debian and Ubuntu need the package python3-venv; uv on the PATH does as well")


def environment():
    """Return the environment for installing: uv is told what pip is told, because it does not read pip's settings. What uv was told itself goes first."""
    told = {
        "UV_FIND_LINKS": ",".join(os.environ.get("PIP_FIND_LINKS", "").split()),  # pip separates by blanks, uv by commas
        "UV_DEFAULT_INDEX": os.environ.get("PIP_INDEX_URL"),
        "UV_INDEX": os.environ.get("PIP_EXTRA_INDEX_URL"),
        "SSL_CERT_FILE": os.environ.get("PIP_CERT"),
    }
    return {**{name: value for name, value in told.items() if value}, **os.environ}


def run_module(command):
    """Run a tool of ``.venv`` in the repository and return its exit code."""
    name, *arguments = command
    settings = {"OMP_NUM_THREADS": "1", **os.environ} if name == "pytest" else dict(os.environ)  # two workers, two cores
    if name == "lint-imports":  # the only tool that has no `python -m`
        start = ["-c", "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"]
    else:
        start = ["-m", name]
    return subprocess.run([venv_python(), *start, *arguments], cwd=ROOT, env=settings, check=False).returncode


def venv_python():
    """Return the path of ``.venv``'s Python, which Windows keeps elsewhere."""
    return VENV / "Scripts" / "python.exe" if os.name == "nt" else VENV / "bin" / "python"


def fail(sentence, code=1):
    """Print one line on stderr and return ``code``."""
    print("dev: " + sentence, file=sys.stderr)
    return code


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
