"""Draw the loss surface around a model, with the path of its training on it."""

from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from ...records import Sentence
from .._progress import progress_bar
from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...surfaces import Surface
    from ...watch.target import Target

INTERRUPTED = 130
STEPS = 200


@click.command("surface", cls=TargetCommand)
@click.option("--plane", type=click.Choice(["random", "pca", "hessian"]), default="pca", show_default=True, help="Which plane through the weights.")
@click.option("--resolution", type=click.IntRange(2, 1001), default=41, show_default=True, help="Points per side.")
@click.option("--extent", type=click.FloatRange(min=0.0, min_open=True), help="Half the width in units of the directions (default: what the plane suggests).")
@click.option("--steps", type=click.IntRange(2), default=STEPS, show_default=True, help="Optimizer steps of the training that are followed.")
@click.option("--kind", type=click.Choice(["contour", "3d"]), default="contour", show_default=True, help="The picture from above, or in 3-D.")
@click.option("--batch-norm", type=click.Choice(["running", "batch", "recalibrate"]), help="BatchNorm statistics (default: running; recalibrate for a script).")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of random directions.")
@click.option("-o", "--output", metavar="FILE", help="Write the picture (.png, .svg, .pdf) or the numbers (.json).")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@target_options
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, output: str | None, as_json: bool, **options: Any) -> int:
    """Compute the loss over a plane through the weights of TARGET, a script or module:function that returns a kazami.Training.

    The plane goes through the weights after the last of --steps; pca is the plane along which they moved most. The answer says what is to be seen
    and what the slice hides. Ctrl-C keeps the rows computed so far. Options that kazami does not know are the script's own.
    """
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    _refuse_ending(output)
    target = loaded(words, module, input_shape, steps=options["steps"], record_trajectory=True)
    for sentence in target.said:
        click.echo(sentence.in_language(language) if isinstance(sentence, Sentence) else sentence, err=True)
    found = _computed(target, **options)
    if output:
        found.save(output, kind=options["kind"], language=_drawn_in(language, output))
    if as_json:
        click.echo(dumps({"schema": 1, "target": target.name, "plane": options["plane"], **found.to_dict(), "figure": output}))
    else:
        _show(found, language, output)
    return 0 if found.is_complete else INTERRUPTED


def _computed(target: "Target", *, plane: str, resolution: int, extent: float | None, steps: int, batch_norm: str | None, seed: int, **_: Any) -> "Surface":
    import copy

    import torch

    from ...surfaces import recorded, surface
    from ...surfaces.recording import calibrated, evaluation_batches

    training = target.needed_training()
    path = target.trajectory
    mode = batch_norm
    if path is None or len(path) < 2:
        with progress_bar("training") as progress:
            progress(0, 1)
            model, path, _rows = recorded(training, steps=min(steps, training.steps))
    else:
        model = copy.deepcopy(target.model)
        torch.nn.utils.vector_to_parameters(path[-1].to(next(model.parameters()).dtype), model.parameters())
        if calibrated(model, evaluation_batches(training)):  # the script's own statistics were not recorded along its path
            mode = mode or "recalibrate"
    with progress_bar("surface") as progress:
        return surface(
            model,
            training.loss,
            evaluation_batches(training),
            plane,
            resolution=resolution,
            extent=extent,
            trajectory=path,
            batch_norm=mode or "running",
            seed=seed,
            progress=progress,
            keep_partial=True,
        )


def _show(found: "Surface", language: str, output: str | None) -> None:
    click.echo(found.finding.in_language(language).rstrip(".。") + ("。" if language == "ja" else "."))
    click.echo(found.hidden.in_language(language))
    if not found.is_complete:
        rows, all_rows = found.n_computed, len(found.b)
        click.echo(
            f"中断されました: {all_rows} 行中 {rows} 行を計算、残りは NaN です。"
            if language == "ja"
            else f"Interrupted: {rows} of {all_rows} rows computed, the rest is NaN."
        )
    for sentence in found.said:
        click.echo(sentence.in_language(language), err=True)
    if output:
        click.echo(output)
    else:
        click.echo("図を書き出すには -o surface.png を付けてください。" if language == "ja" else "Add -o surface.png for the picture.", err=True)


def _refuse_ending(output: str | None) -> None:
    """Say before the work, not after it, that a file cannot be written so."""
    if output and not output.lower().endswith((".png", ".svg", ".pdf", ".json")):
        raise UsageError(f"-o should end in .png, .svg, .pdf or .json, and is {output!r}.")


def _drawn_in(language: str, output: str) -> str:
    """Japanese only where there are letters for it."""
    from ...reports.figures import figure_language

    return figure_language(output, language)
