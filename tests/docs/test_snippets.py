"""The pages that people copy from: their Python runs, their commands exist, their links lead somewhere, and both READMEs hold the same blocks."""

import os
import re
import shlex
import subprocess
import sys

import click
import pytest
from tools.handbook import building

from kazami.cli import kazami
from kazami.storage import open_run
from tests.docs.forks import Forks
from tests.house.tree import ROOT

SECONDS = 240  # far more than an example needs; one that hangs should fail here
PAGES = ("README.md", *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")) if file.name != "LOG.md"))
JAPANESE = tuple(sorted(str(file.relative_to(ROOT)) for file in (ROOT / "docs" / "ja").rglob("*.md")))
SLOW = (
    "docs/edits.md",
    "docs/experiments.md",
    "docs/lyapunov.md",
    "docs/onset.md",
    "docs/regimes.md",
    "docs/trainability.md",
    "docs/surfaces.md",
    "docs/sweeps.md",
    "docs/tour.md",
)
NAMES = "|".join(kazami.list_commands(click.Context(kazami)))
LINKED = ("README.md", "README.ja.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")), *JAPANESE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page as (language, content)."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def commands(page: str) -> list[list[str]]:
    """Return the words of every line that calls kazami, from ``kazami`` on and without comments."""
    lines = [line for language, block in blocks(page) if language in ("", "console") for line in block.splitlines() if not language or line.startswith("$ ")]
    called = [re.search(rf"(?:^|\s)kazami ({NAMES})\b.*", line) for line in lines if not line.startswith((" ", "A "))]
    words = [shlex.split(re.split(r"\||2?>|;", match[0])[0], comments=True) for match in called if match]
    return [line[: line.index("--")] if "--" in line else line for line in words]  # what follows is another program's


def python(arguments: list[str], place: str) -> subprocess.CompletedProcess[str]:
    """Run Python in ``place`` with one thread, and return how it ended."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run([sys.executable, *arguments], cwd=place, env=settings, capture_output=True, text=True, encoding="utf-8", timeout=SECONDS, check=False)


def watched(script: str, run: str, place: str) -> subprocess.CompletedProcess[str]:
    """Run one of the examples as CI would; 3 says that something was found."""
    return python(["-m", "kazami", "run", "--quiet", "--fail-on", "warning", "--run", run, str(ROOT / "examples" / f"{script}.py")], place)


def python_of(page: str) -> str:
    """Return the Python of a page as one script."""
    return "\n".join(block for language, block in blocks(page) if language == "python")


def pages_with_python():
    return [pytest.param(page, marks=pytest.mark.slow if page in SLOW else ()) for page in PAGES if python_of(page)]


@pytest.fixture(scope="module")
def forks():
    found = Forks()
    yield found
    found.close()


@pytest.mark.parametrize("page", pages_with_python())
def test_the_python_of_a_page_runs(page, tmp_path, forks):
    code = python_of(page)
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    if "runs/demo" in code:
        healthy = watched("healthy", "runs/demo", str(tmp_path))  # which is well, as the README says
        assert healthy.returncode == 0, healthy.stderr
    exit_code, said = forks.run(tmp_path)
    assert exit_code == 0, said


def test_both_readmes_hold_the_same_blocks():
    assert blocks("README.md")
    assert blocks("README.md") == blocks("README.ja.md")


@pytest.mark.parametrize("page", [page for page in (*PAGES, *JAPANESE) if commands(page)])
def test_the_commands_of_a_page_exist(page):
    """Each is read by click itself, which knows where a script's own arguments begin; an unknown command or option is an error."""
    for words in commands(page):
        group, rest = kazami, words[1:]
        while isinstance(group, click.Group):
            group, rest = group.get_command(click.Context(group), rest[0]), rest[1:]
        group.make_context(" ".join(words), list(rest))


@pytest.mark.parametrize("page", LINKED)
def test_the_links_of_a_page_lead_somewhere(page):
    places = [link for link in LINK.findall((ROOT / page).read_text(encoding="utf-8")) if "://" not in link]
    there = [(ROOT / page).parent, (ROOT / page.replace("docs/ja/", "docs/")).parent]  # what is not in Japanese leads to the English page
    generated = {ROOT / "docs" / name for name in building.GENERATED}
    assert [link for link in places if not any((folder / link).exists() or folder / link in generated for folder in there)] == []


@pytest.mark.parametrize(("script", "name"), [("stuck", "target_broadcast"), ("turns_nan", "nan_inf")])
def test_an_example_fails_as_the_readme_says(script, name, tmp_path):
    ended = watched(script, "run", str(tmp_path))
    assert ended.returncode == 3, ended.stderr
    (primary,) = [finding for finding in open_run(str(tmp_path / "run")).findings if finding.is_primary]
    assert primary.name == name
