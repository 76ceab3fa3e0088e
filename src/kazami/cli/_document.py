"""One JSON document of a command: to standard output, or into a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from ..errors import CannotWrite


def write_document(data: Mapping[str, Any], place: str, *, what: str) -> None:
    """Write strict JSON to ``place``, ``"-"`` for standard output.

    Args:
        data: The document.
        place: Path of a file, or ``"-"``.
        what: What it is, for the error: ``"The checks"``.

    Raises:
        CannotWrite: The file cannot be written.
    """
    from ..files import whole_file
    from ..storage.strict_json import dumps

    text = dumps(data)
    if place == "-":
        click.echo(text)
        return
    try:
        with whole_file(place) as half:
            half.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise CannotWrite(f"{what} cannot be written to {place} ({error.strerror or error}).") from None


def must_have_folder(place: str | None, *, what: str) -> None:
    """Refuse a place without a folder before long work begins.

    Raises:
        CannotWrite: The folder is not there.
    """
    if place and place != "-" and not Path(place).absolute().parent.is_dir():
        raise CannotWrite(f"{what} should be written to {place}, but there is no folder {Path(place).absolute().parent}.")
