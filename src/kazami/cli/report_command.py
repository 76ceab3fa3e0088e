"""Write the report of a stored run as one HTML file, or as text, JSON, SARIF or Markdown."""

import json
import os
from typing import TYPE_CHECKING

import click

from ..errors import CannotWrite
from ..watch.options import LANGUAGES
from ._look import Command

if TYPE_CHECKING:
    from ..watch.stored import StoredReport

FORMATS = ("html", "text", "json", "sarif", "md")
HELP = "html; text as in the terminal; json: one document; sarif: a SARIF 2.1.0 log; md: one sheet of Markdown."


@click.command("report", cls=Command)
@click.argument("run")
@click.option("-o", "--output", metavar="FILE", help="Where to write (default: report.html in the run directory; other formats go to stdout).")
@click.option("--format", "form", type=click.Choice(FORMATS), default="html", show_default=True, help=HELP)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG).")
def command(run: str, output: str | None, form: str, lang: str | None) -> None:
    """Examine the stored RUN with today's rules and write its report: one self-contained HTML file that opens from disk."""
    from ..watch.language import chosen_language
    from ..watch.stored import stored_report

    language = chosen_language(lang)
    stored = stored_report(run)
    if form == "html":
        place = output or f"{run.rstrip('/')}/report.html"
        click.echo(stored.write_html(place, language))
        return
    text = _text(stored, form, language).rstrip("\n")
    if output is None:
        click.echo(text)
        return
    try:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    except OSError as error:
        raise CannotWrite(f"The report {output} cannot be written ({error.strerror or error}).") from None
    click.echo(os.fspath(output))


def _text(stored: "StoredReport", form: str, language: str) -> str:
    if form == "md":
        return stored.markdown(language)
    if form == "text":
        return stored.text(language, width=min(_width(), 110))
    data = stored.document(language) if form == "json" else stored.sarif(language)
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _width() -> int:
    try:
        return os.get_terminal_size().columns or 80
    except OSError:
        return 80
