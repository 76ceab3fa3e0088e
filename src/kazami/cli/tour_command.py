"""The whole idea on one screen and in one page: five panels, computed now."""

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from ..watch.options import LANGUAGES
from ._look import Command, is_plain

if TYPE_CHECKING:
    from ..tour.taking import Tour

DEFAULT_PAGE = "kazami-tour.html"
NARROWEST, WIDEST = 60, 120


@click.command("tour", cls=Command)
@click.option("-o", "--output", metavar="FILE", default=DEFAULT_PAGE, show_default=True, help="Where to write the page.")
@click.option("--open-browser", "opens", is_flag=True, help="Open the page in the browser when it is written.")
@click.option("--json", "json_place", metavar="FILE", help="Write all numbers as one JSON document; - for stdout, and nothing else there.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG). The page holds both.")
def command(output: str, opens: bool, json_place: str | None, lang: str | None) -> int:
    """Take the tour: calm and storm, the identity, from one neuron to a deep network, descent, two trainings almost the same; less than a minute.

    Each panel is shown as soon as it is computed. Ctrl-C ends the tour and keeps what is finished, page included. Exit code 1 says that a panel failed.
    """
    from ..tour.taking import document
    from ..watch.language import chosen_language

    language = chosen_language(lang)
    _must_be_writable(output)
    is_quiet = json_place == "-"
    tour = _taken(language, is_quiet)
    _write_page(tour, output, language)
    if not is_quiet:
        from ..tour.screen import last_lines

        click.echo("\n".join(last_lines(tour.stops, output, language, is_interrupted=tour.is_interrupted, colour=not is_plain())))
    if json_place is not None:
        _write_json(document(tour, output), json_place)
    if opens and not tour.is_interrupted:
        click.launch(output)
    return tour.exit_code


def _must_be_writable(place: str) -> None:
    """Refuse a place for the page before a minute of work, not after it."""
    from ..errors import CannotWrite

    try:
        with open(place, "a", encoding="utf-8"):
            pass
    except OSError as error:
        raise CannotWrite(f"The page {place} cannot be written ({error.strerror or error}). Name another place with -o.") from None


def _taken(language: str, is_quiet: bool) -> "Tour":
    """Compute the panels, show each as soon as it is there, and keep what is finished when interrupted."""
    click.echo({"en": "kazami tour: importing torch …", "ja": "kazami tour：torch を読み込んでいます…"}[language], err=True)
    from ..tour.screen import head_line, stop_lines
    from ..tour.taking import Tour, all_panels, take

    tour, colour = Tour(), not is_plain()
    if not is_quiet:
        click.echo(head_line(language, colour=colour))
    progress = _Progress(language)
    try:
        for stop in take(all_panels(), progress.tell):
            tour.stops.append(stop)
            progress.clear()
            if not is_quiet:
                click.echo("\n" + "\n".join(stop_lines(stop, language, _width(), colour=colour)))
    except KeyboardInterrupt:
        progress.clear()
        tour.is_interrupted = True
    if not is_quiet:
        click.echo()
    return tour


class _Progress:
    """One line on stderr that is rewritten on a terminal; in a pipe a line a panel."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._panel = 0
        self._is_terminal = sys.stderr.isatty()

    def tell(self, panel: Any, sentence: Any) -> None:
        """Say what is being computed."""
        name, what = panel.topic.in_language(self.language), sentence.in_language(self.language)
        if self._is_terminal:
            click.echo(f"\r\x1b[2K{panel.number}/5 {name}: {what} …", nl=False, err=True)
        elif panel.number != self._panel:
            click.echo(f"{panel.number}/5 {name} …", err=True)
        self._panel = panel.number

    def clear(self) -> None:
        """Take the line away."""
        if self._is_terminal:
            click.echo("\r\x1b[2K", nl=False, err=True)


def _write_page(tour: "Tour", place: str, language: str) -> None:
    from ..tour.page import render_page

    with open(place, "w", encoding="utf-8") as file:
        file.write(render_page(tour, language=language))


def _write_json(document: dict[str, Any], place: str) -> None:
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    if place == "-":
        click.echo(text)
        return
    with open(place, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def _width() -> int:
    try:
        import os

        columns = os.get_terminal_size().columns or 100
    except OSError:
        columns = 100
    return min(max(columns, NARROWEST), WIDEST)
