"""Call ``kazami nets …`` in this process."""

import json

import pytest

from kazami import cli

FACTORIES = "tests.cli.nets.factories"


def ask(capsys, *words):
    """Run ``kazami nets`` with ``words``, and return the exit code, stdout and stderr."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(["nets", *words])
    shown = capsys.readouterr()
    return leaving.value.code or 0, shown.out, shown.err


def document(capsys, *words):
    """Return the one JSON document that a command prints."""
    code, out, _ = ask(capsys, *words)
    assert code == 0
    return json.loads(out)
