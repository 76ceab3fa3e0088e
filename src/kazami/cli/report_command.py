"""Write the report of a stored run as one HTML file."""

import json
import os
from typing import Any

import click

from ..watch.options import LANGUAGES
from ._look import Command

FORMATS = ("html", "text", "json")


@click.command("report", cls=Command)
@click.argument("run")
@click.option("-o", "--output", metavar="FILE", help="Where to write (default: report.html in the run directory; text and json go to stdout).")
@click.option("--format", "form", type=click.Choice(FORMATS), default="html", show_default=True, help="html, text for the terminal, or one JSON document.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG).")
def command(run: str, output: str | None, form: str, lang: str | None) -> None:
    """Examine the stored RUN with today's rules and write its report: one self-contained HTML file that opens from disk."""
    from ..watch.language import chosen_language
    from ..watch.stored import stored_report

    language = chosen_language(lang)
    stored = stored_report(run)
    text: Any
    if form == "html":
        place = output or f"{run.rstrip('/')}/report.html"
        click.echo(stored.write_html(place, language))
        return
    text = json.dumps(stored.document(language), ensure_ascii=False, allow_nan=False) if form == "json" else stored.text(language, width=min(_width(), 110))
    if output is None:
        click.echo(text)
        return
    with open(output, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    click.echo(os.fspath(output))


def _width() -> int:
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80
