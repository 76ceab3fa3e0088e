"""Measure the sharpness of a training: the largest eigenvalues of its Hessian against its optimizer's threshold."""

from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from .._target import TargetCommand, _stdout_to_stderr, loaded, target_options

if TYPE_CHECKING:
    from ...curvature.density import SpectralDensity
    from ...curvature.training_curvature import TrainingCurvature
    from ...records.estimate import Estimate
    from ...watch.target import Target

SCRIPT_BATCHES = 8  # of a script: as many of its first steps are run, whose batches stand for its data
WORDS = {
    "en": {
        "header": ("", "eigenvalue", "error at most", "of the threshold"),
        "row": ("λ{number}", "threshold"),
        "trace": "trace of the Hessian {value} ± {error}; flat directions {flat} ± {flat_error} of {n}; below zero {negative}",
        "note": "note:",
        "warning": "careful:",
    },
    "ja": {
        "header": ("", "固有値", "誤差（上限）", "安定限界に対する比"),
        "row": ("λ{number}", "安定限界"),
        "trace": "ヘッセ行列のトレース {value} ± {error}、平坦な方向 {n} のうち {flat} ± {flat_error}、負の固有値 {negative}",
        "note": "条件:",
        "warning": "注意:",
    },
}


@click.command("sharpness", cls=TargetCommand)
@target_options
@click.option("-k", "count", type=click.IntRange(1), default=1, show_default=True, help="How many eigenvalues.")
@click.option("--which", type=click.Choice(["largest", "smallest", "magnitude"]), default="largest", show_default=True, help="Which end of the spectrum.")
@click.option("--after", type=click.IntRange(0), default=0, show_default=True, help="Optimizer steps to take first.")
@click.option("--mode", type=click.Choice(["train", "eval"]), help="Mode of all modules (default: as the model is): BatchNorm by its batch, or running.")
@click.option("--tolerance", type=click.FloatRange(min=0.0, min_open=True), default=1e-4, show_default=True, help="Relative error of an eigenvalue.")
@click.option("--density", "figure", metavar="FIGURE", help="Also find trace, flat directions and spectral density, drawn as .png, .svg or .pdf.")
@click.option("--probes", type=click.IntRange(2), default=6, show_default=True, help="Random vectors for trace and density.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, figure: str | None, as_json: bool, **options: Any) -> None:
    """Measure the largest eigenvalues of the Hessian of TARGET's loss, a script or module:function that returns a kazami.Training.

    The mean is over all its batches (of a script, those of its first steps), at the initial weights or --after so many steps. Above the threshold the
    optimizer's step grows: 2/η for plain descent; for Adam the Hessian is the preconditioned one. Options that kazami does not know are the script's own.
    """
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    if figure and not figure.lower().endswith((".png", ".svg", ".pdf")):
        raise UsageError(f"--density should end in .png, .svg or .pdf, and is {figure!r}.")
    target = loaded(words, module, input_shape, steps=max(SCRIPT_BATCHES, options["after"]))
    found, curvature = _measured(target, options)
    wide = _wide(curvature, found, figure, language, options["probes"]) if figure else None
    if as_json:
        more = {} if wide is None else {"density": wide[0].to_dict(), "flat_directions": wide[1].to_dict(), "trace": wide[2].to_dict()}
        click.echo(dumps({"schema": 1, "target": target.name, "sharpness": found.to_dict(), **more, "figure": figure}))
        return
    _show(target, found, wide, language)
    if figure:
        click.echo(figure)


def _measured(target: "Target", options: dict[str, Any]) -> "tuple[Estimate, TrainingCurvature]":
    from ...curvature.initial_sharpness import sharpness
    from ...curvature.training_curvature import TrainingCurvature

    training = target.needed_training()
    with _stdout_to_stderr():
        curvature = TrainingCurvature.of(training, after=options["after"], mode=options["mode"])
        return sharpness(curvature, options["count"], which=options["which"], tolerance=options["tolerance"]), curvature


def _wide(curvature: "TrainingCurvature", found: "Estimate", place: str, language: str, probes: int) -> "tuple[SpectralDensity, Estimate, Estimate]":
    """Return density, flat directions and trace, and write the figure."""
    from ...curvature.density_figure import density_figure
    from ...curvature.flatness import flat_directions
    from ...reports.figures import figure_language, save_figure

    with _stdout_to_stderr():
        density = curvature.density(probes=probes, products=curvature.stability_products())
        flat = flat_directions(curvature, density=density)
        trace = curvature.trace(products=max(10 * probes, density.n_products if density.is_whole else 0))
    save_figure(density_figure(density, found, flat, language=figure_language(place, language)), place)
    return density, flat, trace


def _show(target: "Target", found: "Estimate", wide: "tuple[SpectralDensity, Estimate, Estimate] | None", language: str) -> None:
    from ...reports.numerals import short
    from .._tables import show_table

    said, limit = WORDS[language], float(found.threshold)
    for sentence in target.said:
        click.echo(sentence.in_language(language), err=True)
    name, threshold = said["row"]
    rows = [
        (name.format(number=number + 1), short(float(value)), short(float(error)), short(float(value) / limit))
        for number, (value, error) in enumerate(zip(found.value, found.uncertainty, strict=True))
    ]
    optimizer = found.details["optimizer"]
    show_table(said["header"], [*rows, (f"{threshold} ({optimizer})", short(limit), "", "")])
    if wide is not None:
        _, flat, trace = wide
        numbers = {"value": trace.value, "error": trace.uncertainty, "flat": flat.value, "flat_error": flat.uncertainty, "negative": flat.details["negative"]}
        line = str(said["trace"]).format(n=flat.details["parameters"], **{key: short(float(number)) for key, number in numbers.items()})
        click.echo(line)
    conditions = [*found.conditions, *(wide[1].conditions if wide else ())]
    for kind, remarks in (("note", conditions), ("warning", [*found.warnings, *(wide[1].warnings if wide else ())])):
        for remark in remarks:
            click.echo(f"{said[kind]} {remark.in_language(language)}", err=kind == "note")
