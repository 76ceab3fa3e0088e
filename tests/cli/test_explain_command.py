"""``kazami nets explain``: text, page and document from the command line."""

import json

import pytest
from click.testing import CliRunner

from kazami.cli.nets.explain_command import command
from kazami.errors import UsageError


def run(*words: str):
    """Run the command as ``main`` does."""
    return CliRunner().invoke(command, list(words), catch_exceptions=True, standalone_mode=False)


def test_the_text_goes_to_stdout():
    done = run("3-4-2", "--lang", "en", "--activation", "tanh")
    assert done.exception is None
    assert done.stdout.startswith("From one neuron to the network 3-4-2")
    assert "Y = φ(φ(X·W₁ + b₁)·W₂ + b₂)" in done.stdout


def test_japanese():
    assert run("1-1", "--lang", "ja").stdout.startswith("ニューロン 1 個からネットワーク 1-1 まで")


def test_one_document_and_nothing_else(tmp_path):
    page = tmp_path / "page.html"
    done = run("3-4-2", "--json", "--html", str(page))
    assert json.loads(done.stdout)["schema"] == 1
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run("3-4-2", "--html", str(page)).stdout.strip() == str(page)


@pytest.mark.parametrize("words", [("3",), ("3-4-2", "--activation", "relo"), ("0-1",)])
def test_mistakes_are_usage_errors(words):
    assert isinstance(run(*words).exception, UsageError)
