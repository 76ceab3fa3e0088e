"""List the experiments: what each asks, and how long it takes."""

import json

import click

from ...watch.options import LANGUAGES
from .._look import Command
from .._tables import show_table

HEADER = {"en": ("name", "question", "seconds (quick, full)"), "ja": ("名前", "問い", "秒（quick・full）")}


@click.command("list", cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG).")
def command(as_json: bool, lang: str | None) -> None:
    """List the experiments that `kazami lab run NAME` runs: what each asks, and about how many seconds its quick and its full version take."""
    from ...lab import all_experiments
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    found = all_experiments()
    if not as_json:
        show_table(HEADER[language], [(one.name, one.question.in_language(language), "{:g}, {:g}".format(*one.seconds)) for one in found])
        return
    texts = ("title", "question", "claim")
    described = [
        {"name": one.name, **{text: getattr(one, text).in_language(language) for text in texts}, "citation": one.citation, "seconds": list(one.seconds)}
        for one in found
    ]
    click.echo(json.dumps({"schema": 1, "experiments": described}, ensure_ascii=False))
