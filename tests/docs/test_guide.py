"""The guide to plug-ins: what a reader copies out of a block keeps the house's laws and stands alone; that it works is seen in test_snippets."""

import subprocess
import sys

import pytest

from tests.docs.test_snippets import blocks
from tests.house.test_public_names import unannotated, undescribed
from tests.house.tree import PLUGIN_ROOMS

LONGEST = 160
RUFF = (sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F")
EXAMPLES = {
    block.split("\n")[0].split(",")[0].removeprefix("# src/kazami/"): block for language, block in blocks("docs/contributing.md") if language == "python"
}


@pytest.mark.parametrize("place", EXAMPLES)
def test_an_example_copied_out_stands_alone_and_keeps_the_laws(place, tmp_path):
    source = EXAMPLES[place].split("\n# tests/")[0]
    file = tmp_path / "copied.py"
    file.write_text(source, encoding="utf-8")
    exec(compile(source, place, "exec"), {"__name__": "copied"})  # a name that only another block imports is an error here
    assert undescribed(file) + unannotated(file) == []
    found = subprocess.run([*RUFF, str(file)], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
    assert [line for line in source.splitlines() if len(line) > LONGEST] == []


def test_every_room_of_plugins_has_its_example():
    assert {place.rpartition("/")[0] for place in EXAMPLES} == set(PLUGIN_ROOMS)
