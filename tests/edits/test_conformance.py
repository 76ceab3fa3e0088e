"""What every edit declares is true, and the documentation says the same."""

import re
from pathlib import Path

import pytest

from kazami.cures import all_cures
from kazami.edits import all_edits

PAGE = Path(__file__).parents[2] / "docs" / "edits.md"


@pytest.mark.parametrize("edit", all_edits(), ids=lambda edit: edit.name)
def test_an_edit_writes_cures_that_exist(edit):
    assert edit.writes
    assert set(edit.writes) <= {cure.name for cure in all_cures()}
    assert edit.how.endswith(".")


def test_no_cure_is_written_by_two_edits():
    written = [name for edit in all_edits() if not edit.is_last_resort for name in edit.writes]
    assert len(written) == len(set(written))


def table() -> str:
    """Return the rows of the page's table: where each cure is written."""
    how = {name: edit.how for edit in all_edits() for name in edit.writes}
    return "".join(f"| `{cure.name}` | {how.get(cure.name, 'Lines only.')} |\n" for cure in all_cures())


def test_the_page_lists_every_cure_with_the_place_of_its_edit():
    rows = "".join(re.findall(r"^\| `\w+` \| .* \|\n", PAGE.read_text(encoding="utf-8"), re.M))
    assert rows == table(), "write the table anew: python -m tests.edits.test_conformance"


if __name__ == "__main__":
    head, line, _ = PAGE.read_text(encoding="utf-8").partition("|---|---|\n")
    PAGE.write_text(head + line + table(), encoding="utf-8")
