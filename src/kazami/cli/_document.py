"""One JSON document of a command: to standard output, or into a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from ..errors import CannotWrite

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class DataAndFigure(Protocol):
    """A result that can be kept as data and drawn."""

    def save(self, path: str) -> str:
        """Write everything into a file."""

    def figure(self, *, language: str = "en") -> "Figure":
        """Draw it."""


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


def write_data_and_figure(found: DataAndFigure, data: str | None, figure: str | None, language: str) -> None:
    """Write what was computed into the files asked for; where one cannot be written, the other one still is.

    Raises:
        CannotWrite: One of them cannot be written.
    """
    from ..reports.figures import figure_language, save_figure

    try:
        if data:
            found.save(data)
    finally:
        if figure:
            save_figure(found.figure(language=figure_language(figure, language)), figure)


def must_have_folder(place: str | None, *, what: str) -> None:
    """Refuse a place without a folder before long work begins.

    Raises:
        CannotWrite: The folder is not there.
    """
    if (folder := missing_folder(place)) is not None:
        raise CannotWrite(f"{what} should be written to {place}, but there is no folder {folder}.")


def missing_folder(place: str | None) -> Path | None:
    """Return the folder of a file that is to be written if it is not there; ``None`` for no file and for standard output."""
    folder = Path(place).absolute().parent if place and place != "-" else None
    return folder if folder is not None and not folder.is_dir() else None
