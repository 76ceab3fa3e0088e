"""Options are validated where they are made, in the words of the command line."""

import pytest

from kazami.errors import UsageError
from kazami.watch.options import RunOptions


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"max_steps": 0}, "--max-steps should be 1 or more, and is 0"),
        ({"every": -1}, "--every should be 1 or more, and is -1"),
        ({"fail_on": "info"}, "--fail-on should be warning or error, and is 'info'"),
        ({"lang": "de"}, "--lang should be en or ja, and is 'de'"),
        ({"run": ""}, "--run should name a place, and is empty"),
        ({"json": ""}, "--json should name a place, and is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(values, said):
    with pytest.raises(UsageError, match=f"^{said}$"):
        RunOptions(**values)


def test_nothing_has_to_be_asked_for():
    assert RunOptions() == RunOptions(None, None, None, None, None, False, None, False)


def test_one_document_alone_may_have_stdout():
    assert RunOptions(json="-", sarif="findings.sarif").sarif == "findings.sarif"
    with pytest.raises(UsageError, match="--sarif -"):
        RunOptions(json="-", sarif="-")
    with pytest.raises(UsageError, match="--sarif should name a place"):
        RunOptions(sarif="")


def test_what_is_ignored_has_to_be_a_finding():
    assert RunOptions(ignore="KZ104, lr_too_high").ignore == "KZ104, lr_too_high"
    with pytest.raises(UsageError, match="Did you mean dead_units"):
        RunOptions(ignore="dead_unit")
