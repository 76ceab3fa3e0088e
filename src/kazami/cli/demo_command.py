"""Watch a real training fail, and see what kazami says of it."""

from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from ..watch.options import LANGUAGES, RunOptions
from ._look import Command


@click.command("demo", cls=Command)
@click.option("--run", metavar="DIR", help="The run directory (default: runs/<date>-demo-<n>).")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the verdict (default: from LANG).")
def command(run: str | None, lang: str | None) -> object:
    """Train a 12-layer sigmoid network on handwritten digits, watched while it fails, with verdict and report; less than a minute."""
    spec = find_spec("kazami.patients.demo")
    session: Any = import_module("kazami.watch.session")
    click.echo("A 12-layer sigmoid network learns handwritten digits, watched by `kazami run`:", err=True)
    ending = session.run(str(spec.origin if spec else ""), [], as_module=False, options=RunOptions(run=run, lang=lang))
    from ..watch.script import end_process

    return partial(end_process, ending)
