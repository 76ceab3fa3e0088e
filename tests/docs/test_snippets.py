"""The pages that people copy from: their Python runs, their commands exist, their links lead somewhere, and both READMEs hold the same blocks."""

import os
import re
import shlex
import subprocess
import sys

import click
import pytest

from kazami.cli import kazami
from kazami.storage import open_run
from tests.house.tree import ROOT

SECONDS = 120  # far more than a page needs; a page that hangs should fail here
PAGES = ("README.md", *(f"docs/{file.name}" for file in sorted((ROOT / "docs").glob("*.md")) if file.name != "LOG.md"))
NAMES = "run|check|compare|cure|report|demo|tour|graph|completion|nets|lab|bench|verify|app"
LINKED = ("README.md", "README.ja.md", "CONTRIBUTING.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the fenced blocks of a page as (language, content)."""
    return BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))


def commands(page: str) -> list[list[str]]:
    """Return the words of every line that calls kazami, from ``kazami`` on and without comments."""
    lines = [line for language, block in blocks(page) if not language for line in block.splitlines()]
    called = [re.search(rf"(?:^|\s)kazami ({NAMES})\b.*", line) for line in lines if not line.startswith((" ", "A "))]
    return [shlex.split(match[0].partition("|")[0].partition("2>")[0], comments=True) for match in called if match]


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


@pytest.mark.parametrize("page", [page for page in PAGES if python_of(page)])
def test_the_python_of_a_page_runs(page, tmp_path):
    code = python_of(page)
    (tmp_path / "page.py").write_text(code, encoding="utf-8")
    if "runs/demo" in code:
        healthy = watched("healthy", "runs/demo", str(tmp_path))  # which is well, as the README says
        assert healthy.returncode == 0, healthy.stderr
    ended = python(["page.py"], str(tmp_path))
    assert ended.returncode == 0, ended.stderr


def test_both_readmes_hold_the_same_blocks():
    assert blocks("README.md")
    assert blocks("README.md") == blocks("README.ja.md")


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_of_a_page_exist(page):
    for words in commands(page):
        command = kazami.get_command(click.Context(kazami), words[1])
        if isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words[2])
        known = {name for option in command.params for name in option.opts} | {"--epochs"}  # the script's own
        assert {word for word in words if word.startswith("-") and word != "-"} <= known, words


@pytest.mark.parametrize("page", LINKED)
def test_the_links_of_a_page_lead_somewhere(page):
    places = [link for link in LINK.findall((ROOT / page).read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in places if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize(("script", "name"), [("stuck", "target_broadcast"), ("turns_nan", "nan_inf")])
def test_an_example_fails_as_the_readme_says(script, name, tmp_path):
    ended = watched(script, "run", str(tmp_path))
    assert ended.returncode == 3, ended.stderr
    (primary,) = [finding for finding in open_run(str(tmp_path / "run")).findings if finding.is_primary]
    assert primary.name == name
