"""Nothing in the repository names a place on somebody's machine or the host of a package registry."""

import re
from pathlib import Path

import pytest

from tests.house.tree import shown, tracked_files

# Written in pieces, so that this file does not accuse itself.
PLACES = re.compile(r"(?<![\w.~$}<>/-])/(?:" + "|".join(["home", "root", "Users", "work", "opt"]) + r")/\w|\b[A-Z]:\\+" + r"Users\b")
HOSTS = re.compile(
    r"\b(?:" + "|".join(["pypi", "files.python" + "hosted", "test.pypi"]) + r")\.org\b|registry\." + r"npmjs|download\.py" + r"torch|deb\.deb" + r"ian", re.I
)


def foreign_places(file: Path) -> list[str]:
    """Complain about each line of ``file`` that holds a machine's path or a registry's host; binary files are passed over."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
    return [f"{shown(file)}:{number} {line.strip()[:120]}" for number, line in enumerate(lines, 1) if PLACES.search(line) or HOSTS.search(line)]


def test_no_tracked_file_names_a_machine_or_a_registry():
    files = [file for file in tracked_files() if file.name != "LICENSE"]
    assert files
    assert [complaint for file in files for complaint in foreign_places(file)] == []


@pytest.mark.parametrize(
    ("line", "n_complaints"),
    [
        ("path = '/" + "home/ann/data'", 1),
        ("open(/" + "root/x)", 1),
        (r"C:\\" + r"Users\ann", 1),
        ("--index-url https://" + "pypi" + ".org/simple", 1),
        ("#!/usr/bin/env bash", 0),
        ("https://example.com/" + "work/page", 0),
        ("docs/" + "home/page.md", 0),
    ],
)
def test_such_lines_are_seen(tmp_path, line, n_complaints):
    file = tmp_path / "file.txt"
    file.write_text(line + "\n")
    assert len(foreign_places(file)) == n_complaints


def test_binary_files_are_passed_over(tmp_path):
    file = tmp_path / "picture.png"
    file.write_bytes(b"\x89PNG\xff\xfe")
    assert foreign_places(file) == []
