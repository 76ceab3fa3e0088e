"""Show backpropagation step by step on a small network, with live numbers."""

from itertools import pairwise
from typing import Any

import click

from ...errors import UsageError
from .._look import Command

MOST_UNITS, MOST_LAYERS = 64, 20


@click.command("backprop", cls=Command)
@click.argument("sizes", metavar="SIZES", default="3-4-2")
@click.option("--activation", default="tanh", show_default=True, help="Of the hidden layers: tanh, relu, sigmoid, silu, softplus, elu, leaky_relu or identity.")
@click.option("--loss", type=click.Choice(["mse", "cross_entropy"]), default="cross_entropy", show_default=True, help="The loss.")
@click.option("--examples", type=click.IntRange(1, 64), default=2, show_default=True, help="Examples in the batch.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds weights and data.")
@click.option("--json", is_flag=True, help="Print one JSON document instead, with formulas in LaTeX.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(sizes: str, activation: str, loss: str, examples: int, seed: int, json: bool, lang: str | None) -> None:
    """Show every step of the forward and backward pass of a network of SIZES, such as 3-4-2.

    Its gradients are held against torch's autograd and against central differences.
    """
    from ...derivatives.backprop_of_model import text_of
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    found, off_autograd, off_numeric = _computed(_sizes(sizes), activation, loss, examples, seed)
    if json:
        click.echo(dumps({"schema": 1, "sizes": sizes, **found.to_dict(), "off_autograd": off_autograd, "off_numeric": off_numeric}))
        return
    from ...reports.numerals import short

    click.echo(text_of(found, language))
    click.echo("")
    if language == "ja":
        click.echo(f"勾配の最大の差: torch の自動微分と {short(off_autograd)}、中心差分と {short(off_numeric)}。")
    else:
        click.echo(f"Largest difference of a gradient: {short(off_autograd)} from torch's autograd, {short(off_numeric)} from central differences.")


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split("-")]
    except ValueError:
        sizes = []
    if not 2 <= len(sizes) <= MOST_LAYERS or not 1 <= min(sizes) <= max(sizes) <= MOST_UNITS:
        raise UsageError(f"SIZES should be 2 to {MOST_LAYERS} numbers from 1 to {MOST_UNITS} with dashes, such as 3-4-2, and is {text!r}.")
    return sizes


def _computed(sizes: list[int], activation: str, loss: str, examples: int, seed: int) -> tuple[Any, float, float]:
    """Return the readable backprop, and its largest distances from autograd and from central differences."""
    import numpy as np

    from ...derivatives import backprop
    from ...derivatives.backprop_of_model import autograd_gradients, central_gradients

    draw = np.random.default_rng(seed)
    weights = [draw.normal(size=(n_in, n_out)) / np.sqrt(n_in) for n_in, n_out in pairwise(sizes)]
    biases = [0.1 * draw.normal(size=n_out) for n_out in sizes[1:]]
    activations = [*[activation] * (len(weights) - 1), "identity"]
    X = draw.normal(size=(examples, sizes[0]))
    Y = draw.integers(sizes[-1], size=examples) if loss == "cross_entropy" else draw.normal(size=(examples, sizes[-1]))
    found = backprop(weights, biases, activations, X, Y, loss)
    own = [*found.weight_gradients, *found.bias_gradients]
    others = [compute(weights, biases, activations, X, Y, loss) for compute in (autograd_gradients, central_gradients)]
    return found, *(max(float(np.abs(a - b).max()) for a, b in zip(own, other, strict=True)) for other in others)
