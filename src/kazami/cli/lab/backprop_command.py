"""Show backpropagation step by step on a small network, with live numbers and on its graph."""

import copy
import re
from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from .._target import TargetCommand, _stdout_to_stderr, loaded, target_options

if TYPE_CHECKING:
    from ...derivatives import Backprop
    from ...watch.target import Target

MOST_UNITS, MOST_LAYERS = 64, 20
MOST_DIFFERENCES = 20_000  # weights that are shifted one by one, two passes each
DEFAULT_LOSS = "cross_entropy"


@click.command("backprop", cls=TargetCommand)
@target_options
@click.option("-o", "--output", metavar="FILE", help="Write a page that steps through the graph (.html), or the graph with all numbers (.svg, .png).")
@click.option("--activation", default="tanh", show_default=True, help="Of the hidden layers: tanh, relu, sigmoid, silu, softplus, elu, leaky_relu or identity.")
@click.option("--loss", type=click.Choice(["mse", "cross_entropy"]), help="The loss (default: the target's own, else cross_entropy).")
@click.option("--examples", type=click.IntRange(1, 64), default=2, show_default=True, help="Examples in the batch; of a target's first batch its first ones.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds what is drawn: weights and data, or a target's missing labels.")
@click.option("--json", is_flag=True, help="Print one JSON document instead, with formulas in LaTeX.")
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, **options: Any) -> None:
    """Show every step of the forward and backward pass of a network of sizes such as 3-4-2, or of the chain of nn.Linear and activations that TARGET gives.

    TARGET is a script or module:function; without one, the network is 3-4-2. The gradients are held against torch's autograd
    and, up to 20 000 weights, against central differences.
    """
    from ...derivatives.backprop_of_model import text_of
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    if options["output"]:
        from ...derivatives.backprop_files import checked_ending

        checked_ending(options["output"])  # before anything runs
    if not module and (not words or re.fullmatch(r"\d[\w-]*", words[0])):
        name, found = " ".join(words) or "3-4-2", _drawn(_sizes(" ".join(words) or "3-4-2"), options)
    else:
        target = loaded(words, module, input_shape)
        name, found = target.name, _of_target(target, language, options)
    if options["output"]:
        click.echo(found.write(options["output"], language), err=options["json"])
    off_autograd, off_numeric = _distances(found)
    if options["json"]:
        click.echo(dumps({"schema": 1, "sizes": name, **found.to_dict(), "off_autograd": off_autograd, "off_numeric": off_numeric}))
        return
    if not options["output"]:
        click.echo(text_of(found, language) + "\n")
    _show_distances(off_autograd, off_numeric, language)


def _sizes(text: str) -> list[int]:
    try:
        sizes = [int(part) for part in text.split("-")]
    except ValueError:
        sizes = []
    if not 2 <= len(sizes) <= MOST_LAYERS or not 1 <= min(sizes) <= max(sizes) <= MOST_UNITS:
        raise UsageError(f"SIZES should be 2 to {MOST_LAYERS} numbers from 1 to {MOST_UNITS} with dashes, such as 3-4-2, and is {text!r}.")
    return sizes


def _drawn(sizes: list[int], options: dict[str, Any]) -> "Backprop":
    """Return both passes through a network of ``sizes`` with drawn weights, on drawn data."""
    import numpy as np

    from ...derivatives import backprop

    loss, examples, draw = options["loss"] or DEFAULT_LOSS, options["examples"], np.random.default_rng(options["seed"])
    weights = [draw.normal(size=(n_in, n_out)) / np.sqrt(n_in) for n_in, n_out in pairwise(sizes)]
    biases = [0.1 * draw.normal(size=n_out) for n_out in sizes[1:]]
    activations = [*[options["activation"]] * (len(weights) - 1), "identity"]
    X = draw.normal(size=(examples, sizes[0]))
    Y = draw.integers(sizes[-1], size=examples) if loss == "cross_entropy" else draw.normal(size=(examples, sizes[-1]))
    return backprop(weights, biases, activations, X, Y, loss)


def _of_target(target: "Target", language: str, options: dict[str, Any]) -> "Backprop":
    """Return both passes through the user's model, on the first examples of its first batch; labels that are not known are drawn."""
    import torch

    from ...derivatives import backprop_of

    for sentence in target.said:
        click.echo(sentence.in_language(language), err=True)
    n, loss = options["examples"], options["loss"]
    with _stdout_to_stderr():
        if target.training is not None:
            inputs, labels = next(iter(target.training.endless_batches()))
            inputs = inputs[0] if isinstance(inputs, tuple) and len(inputs) == 1 else inputs
            if isinstance(inputs, torch.Tensor) and isinstance(labels, torch.Tensor):
                model = target.training.start().model
                return backprop_of(model, loss or _own_loss(target, model, inputs, labels), (inputs[:n], labels[:n]))
        example = target.needed_example()
        if len(example) != 1 or not isinstance(example[0], torch.Tensor):
            raise UsageError(f"The readable backprop needs a model with one tensor as its input, and {target.name} takes {len(example)} arguments.")
        return _with_drawn_labels(target.model, example[0][:n], loss or DEFAULT_LOSS, language, options["seed"])


def _own_loss(target: "Target", model: Any, inputs: Any, labels: Any) -> Any:
    """Return the training's own loss; what a script computed itself is told by its values."""
    import torch

    from ...derivatives.backprop_of_model import LOSS_NAMES, loss_by_values

    own: Any = getattr(target.training, "loss", None)
    if any(own is known for known in LOSS_NAMES):
        return own
    with torch.no_grad():
        output = copy.deepcopy(model).eval()(inputs)
    found = loss_by_values(own, output, labels)
    if found is None:
        raise UsageError(f"The loss of {target.name} is neither mse nor cross_entropy, as its values tell. Say with --loss which of them to show instead.")
    return found


def _with_drawn_labels(model: Any, inputs: Any, loss: str, language: str, seed: int) -> "Backprop":
    import torch

    from ...derivatives import backprop_of

    with torch.no_grad():
        shape = copy.deepcopy(model).eval()(inputs).shape
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(shape[-1], (len(inputs),), generator=generator) if loss == "cross_entropy" else torch.randn(shape, generator=generator)
    said = {"en": f"No loss is known: {loss}, with random targets.", "ja": f"損失が不明のため、{loss} と乱数の正解を使います。"}
    click.echo(said[language], err=True)
    return backprop_of(model, loss, (inputs, labels))


def _distances(found: "Backprop") -> tuple[float, float | None]:
    """Return the largest distances of the gradients from autograd's, and from central differences; these only where they are soon done."""
    import numpy as np

    from ...derivatives.backprop_of_model import autograd_gradients, central_gradients

    own = [*found.weight_gradients, *found.bias_gradients]
    is_small = sum(part.size for part in own) <= MOST_DIFFERENCES

    def off(compute: Callable[..., list[Any]]) -> float:
        theirs = compute(found.weights, found.biases, found.activations, found.inputs[0], found.target, found.loss_name)
        return max(float(np.abs(a - b).max()) for a, b in zip(own, theirs, strict=True))

    return off(autograd_gradients), off(central_gradients) if is_small else None


def _show_distances(off_autograd: float, off_numeric: float | None, language: str) -> None:
    from ...reports.numerals import short

    if language == "ja":
        numeric = "" if off_numeric is None else f"、中心差分と {short(off_numeric)}"
        click.echo(f"勾配の最大の差: torch の自動微分と {short(off_autograd)}{numeric}。")
    else:
        numeric = "" if off_numeric is None else f", {short(off_numeric)} from central differences"
        click.echo(f"Largest difference of a gradient: {short(off_autograd)} from torch's autograd{numeric}.")
