"""Draw the data-flow graph of a model, φ(X·W+b) by φ(X·W+b)."""

import os
import sys
from typing import TYPE_CHECKING

import click

from ..errors import CannotWrite, UsageError
from ._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ..nets.graph import Graph

FORMATS = ("svg", "png", "mermaid", "dot", "json")
ENDINGS = {".svg": "svg", ".png": "png", ".mmd": "mermaid", ".mermaid": "mermaid", ".dot": "dot", ".gv": "dot", ".json": "json"}


@click.command("graph", cls=TargetCommand)
@click.option("-o", "--output", metavar="FILE", help="Where to write (default: stdout; a PNG always needs a file).")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to write (default: by the ending of FILE, else svg).")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--open", "open_blocks", is_flag=True, help="Draw what is in every block.")
@click.option("--no-fold", "fold", flag_value=False, default=True, help="Draw equal parts one by one.")
@click.option("--run", metavar="DIR", help="Colour the layers by what this run recorded of them.")
@click.option("--colour", "--color", "series", metavar="NAME", default="layer_wind", show_default=True, help="Which recorded quantity, with --run.")
@target_options
def command(
    words: tuple[str, ...],
    module: str | None,
    input_shape: str | None,
    lang: str | None,
    output: str | None,
    form: str | None,
    as_json: bool,
    open_blocks: bool,
    fold: bool,
    run: str | None,
    series: str,
) -> None:
    """Draw the data-flow graph of TARGET, a script or module:function: quantities, operations, shapes, folded repeats.

    Options of kazami come before TARGET; what follows a script is the script's own.
    """
    from ..watch.language import chosen_language

    form = "json" if as_json else form or _format_of(output)
    if form == "png" and output is None:
        raise UsageError("A PNG needs a file: add -o net.png.")
    target = loaded(words, module, input_shape)
    language = chosen_language(lang)
    for sentence in target.said:
        click.echo(sentence.in_language(language), err=True)
    from ..nets.graph import graph

    found = graph(target.model, target.needed_example(), target.keywords)
    if run is not None:
        found = found.coloured_by(run, series=series)
    _write(found, form, output, language, open_blocks, fold)
    click.echo(found.summary(language), err=True)
    for note in found.notes:
        click.echo(f"  {note.in_language(language)}", err=True)


def _format_of(output: str | None) -> str:
    if output is None:
        return "svg"
    ending = os.path.splitext(output)[1].lower()
    if ending not in ENDINGS:
        raise UsageError(f"FILE should end in {', '.join(ENDINGS)}, and is called {output!r}; or say --format.")
    return ENDINGS[ending]


def _write(found: "Graph", form: str, output: str | None, language: str, open_blocks: bool, fold: bool) -> None:
    if form == "png":
        found.to_png(str(output), open_blocks=open_blocks, fold=fold, language=language)
        click.echo(output)
        return
    if form == "json":
        text = found.to_json(language=language) + "\n"
    else:
        text = {"svg": found.to_svg, "mermaid": found.to_mermaid, "dot": found.to_dot}[form](open_blocks=open_blocks, fold=fold, language=language)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        with open(output, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise CannotWrite(f"The graph cannot be written to {output} ({error.strerror or error}).") from None
    click.echo(output)
