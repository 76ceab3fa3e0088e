"""Explain a network from one neuron up: the formula with live numbers, both drawings."""

import json as json_format

import click

from ...watch.options import LANGUAGES
from .._look import Command


@click.command("explain", cls=Command)
@click.argument("sizes")
@click.option("--activation", default="sigmoid", show_default=True, help="Name of the activation φ; see kazami nets activations.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="For the weights and the input.")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG).")
@click.option("--html", metavar="FILE", help="Write a page with both drawings as SVG, and say where.")
@click.option("--json", is_flag=True, help="Print one JSON document instead.")
def command(sizes: str, activation: str, seed: int, lang: str | None, html: str | None, json: bool) -> None:
    """Explain the network SIZES, such as 3-4-2: one neuron, a layer, all layers; column and row form; neurons and wires beside the data-flow graph."""
    from ...nets import explain
    from ...watch.language import chosen_language

    shown = explain(sizes, chosen_language(lang), activation=activation, seed=seed)
    if html is not None:
        written = shown.write_html(html)
        click.echo(written, err=json)
    if json:
        click.echo(json_format.dumps(shown.to_dict(), ensure_ascii=False, allow_nan=False))
    elif html is None:
        click.echo(shown.to_text())
