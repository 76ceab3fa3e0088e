"""Look inside a network: what each layer knows, what it is worth, and how much residual blocks add."""

from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from .._progress import progress_bar
from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...watch.target import Target

MOST_BATCHES = 32


@click.command("inside", cls=TargetCommand)
@target_options
@click.option("--train", is_flag=True, help="Train first; else the network is looked at as it starts. Also freezes each layer in turn, and compares.")
@click.option("--figure", "figure_file", metavar="FILE", help="Write a picture of the first layer's weights (.png, .svg, .pdf).")
@click.option("--json", is_flag=True, help="Print one JSON document instead.")
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, train: bool, figure_file: str | None, json: bool) -> None:
    """Look inside the model of TARGET, a script or module:function: a probe on every layer, every layer replaced by the identity, ‖f(x)‖/‖x‖ per block."""
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    target = loaded(words, module, input_shape, steps=MOST_BATCHES)
    document, tables, said = _looked(target, train, language)
    if figure_file is not None:
        from ...nets.inside.first_layer import first_layer_figure
        from ...reports.figures import figure_language, save_figure

        document["figure"] = save_figure(first_layer_figure(target.model, language=figure_language(figure_file, language)), figure_file)
    if json:
        click.echo(dumps({"schema": 1, "target": target.name, **document}))
        return
    from .._tables import show_table

    for sentence in said:
        click.echo(sentence)
    for title, header, rows in tables:
        if rows:
            click.echo("")
            show_table(header, rows, title=title)
    if figure_file is not None:
        click.echo(document["figure"])


def _looked(target: "Target", train: bool, language: str) -> tuple[dict[str, Any], list[Any], list[str]]:
    """Return everything that was found as data, as tables and as sentences."""
    from ...nets.inside.ablation import identity_ablation
    from ...nets.inside.residual_ratios import residual_ratios
    from .inside_tables import ablation_table, frozen_table, probe_table, residual_table

    example = target.needed_example()
    model = target.needed_training().run().model if train else target.model
    document: dict[str, Any] = {"trained": train}
    tables, said = [], []
    probes, why_not = _probes(target, model)
    if probes is not None:
        tables.append(probe_table(probes, language, document))
        said += [sentence.in_language(language) for sentence in probes.said]
    else:
        said.append(f"層のプローブは行いませんでした（{why_not}）。" if language == "ja" else f"No probes of the layers: {why_not}.")
    evaluate, unit = _evaluate(target)
    with progress_bar("layers") as progress:
        ablation = identity_ablation(model, example, evaluate, target.keywords, progress=progress)
    tables.append(ablation_table(ablation, unit, language, document))
    tables.append(residual_table(residual_ratios(model, example, target.keywords), language, document))
    if train:
        from ...nets.inside.freezing import freeze_layers

        with progress_bar("trainings") as progress:
            tables.append(frozen_table(freeze_layers(target.needed_training(), progress=progress), language, document))
    return document, tables, said


def _evaluate(target: "Target") -> tuple[Any, str]:
    """Return what judges a model, higher is better, and its name: the training's own score, else its loss on the first batch with the sign turned."""
    training = target.training
    if training is None or training.evaluate is not None:
        return (training.evaluate if training is not None else None), "score"
    inputs, answers = next(iter(training.batches()))
    return (lambda model: -float(training.loss(model(inputs), answers))), "minus loss"


def _probes(target: "Target", model: Any) -> tuple[Any, str]:
    """Return the probes, or why there are none."""
    from ...errors import UsageError
    from ...nets.inside.probes import probe_layers

    if target.training is None:
        return None, target.why_no_training
    batches = [((x,) if isinstance(x, tuple) else x, y) for x, y in islice(target.training.batches(), MOST_BATCHES) if y is not None]
    try:
        return probe_layers(model, batches), ""
    except (UsageError, ValueError, TypeError) as error:  # answers that no linear reader can give
        return None, str(error).rstrip(".")
