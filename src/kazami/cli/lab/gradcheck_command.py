"""Check a model's gradients against numerical differentiation, and count what each takes."""

import re
from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from .._progress import progress_bar
from .._target import TargetCommand, _stdout_to_stderr, loaded, target_options

if TYPE_CHECKING:
    from ...derivatives.gradcheck_result import GradCheck
    from ...derivatives.numeric_result import NumericComparison
    from ...watch.target import Target

FOUND = 3  # docs/exit-codes.md
MOST_ROWS = 40
WORDS = {
    "en": {
        "more": "… and {n} more that are right",
        "forms": "no loss is known: the model's output, weighted with random numbers, stands for it",
        "checked": "checked in {dtype} with {n} forward passes in {time}",
        "cost": "numerical differentiation against backprop, counted",
        "mark": "~ extrapolated from the passes that were run",
        "million": "A million weights:",
    },
    "ja": {
        "more": "… ほか {n} 個は一致",
        "forms": "損失が不明のため、モデルの出力に乱数の重みを掛けた和を損失とします",
        "checked": "{dtype}、順伝播 {n} 回、{time}",
        "cost": "数値微分と誤差逆伝播の比較（回数は実測）",
        "mark": "~ は実行した分からの外挿",
        "million": "重みが 100 万個の場合:",
    },
}


@click.command("gradcheck", cls=TargetCommand)
@target_options
@click.option("--inputs", is_flag=True, help="Check the gradients by the floating inputs too.")
@click.option("--second", is_flag=True, help="Check second derivatives (double backward) instead.")
@click.option("--tolerance", type=float, default=1e-6, show_default=True, help="Relative differences below this are never called wrong.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seeds the random directions and what the forward pass draws.")
@click.option(
    "--budget", default="30s", show_default=True, metavar="TIME", help="About how long to work, such as 30s or 2min; beyond it parameters are tested in groups."
)
@click.option("--million", is_flag=True, help="Measure a network of a million weights as well.")
@click.option("-o", "--output", metavar="FIGURE", help="Write the comparison of passes and seconds as .png, .svg or .pdf.")
@click.option("--json", is_flag=True, help="Print one JSON document instead.")
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, **options: Any) -> int:
    """Check the gradients of the model of TARGET, a script or module:function, on its first batch, and count what numerical differentiation and backprop take.

    Exit code 3 if a gradient is wrong, missing or not finite.
    """
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language, seconds = chosen_language(lang), budget_seconds(options["budget"])
    target = loaded(words, module, input_shape)
    found, cost, million = _measured(target, seconds, language, options)
    if options["output"] and cost is not None:
        from ...reports.figures import save_figure

        save_figure(cost.figure(language), options["output"])
    if options["json"]:
        parts = {"numeric": None if cost is None else cost.to_dict(), "million_weights": None if million is None else million.to_dict()}
        click.echo(dumps({"schema": 1, "target": target.name, "gradcheck": found.to_dict(), **parts}))
    else:
        _show(target, found, cost, million, language)
    return 0 if found.ok else FOUND


def budget_seconds(text: str) -> float:
    """Return the seconds that a text such as ``30``, ``30s``, ``500ms`` or ``2min`` means.

    Raises:
        UsageError: It is none of these.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|sec|m|min|h)?\s*", text)
    seconds = float(match[1]) * {"ms": 1e-3, "m": 60.0, "min": 60.0, "h": 3600.0}.get(match[2] or "s", 1.0) if match else 0.0
    if seconds <= 0:
        raise UsageError(f"--budget should be a time such as 30s or 2min, and is {text!r}.")
    return seconds


def _measured(
    target: "Target", seconds: float, language: str, options: dict[str, Any]
) -> "tuple[GradCheck, NumericComparison | None, NumericComparison | None]":
    """Check, then compare; two thirds of the time go to the check. What the model prints goes to stderr."""
    from ...derivatives import compare_with_numeric, gradcheck, million_weights

    model, loss, batch, keywords = _parts(target)
    with _stdout_to_stderr(), progress_bar("gradcheck") as progress:
        chosen = {name: options[name] for name in ("inputs", "second", "tolerance", "seed")}
        found = gradcheck(model, loss, batch, keywords=keywords, budget_s=seconds * 2 / 3, progress=progress, **chosen)
        cost = None
        if "backward" not in found.faults and "loss" not in found.faults and found.table:
            cost = compare_with_numeric(model, loss, batch, keywords=keywords, budget_s=min(10.0, seconds / 3), seed=options["seed"])
        return found, cost, million_weights() if options["million"] else None


def _parts(target: "Target") -> tuple[Any, Any, Any, dict[str, Any]]:
    """Return model, loss, batch and keywords: those of the training; without one, the model's output weighted with random numbers is the loss."""
    if target.training is not None:
        training = target.training
        return training.start().model, training.loss, next(iter(training.endless_batches())), {}
    from ...derivatives.culprit import weighted_sum

    return target.model, weighted_sum, (target.needed_example(), None), target.keywords


def _show(target: "Target", found: "GradCheck", cost: "NumericComparison | None", million: "NumericComparison | None", language: str) -> None:
    from ...derivatives.numeric_result import duration, grouped
    from .._tables import show_table

    said = WORDS[language]
    for sentence in [*target.said, *found.notes]:
        click.echo(sentence.in_language(language), err=True)
    if target.training is None:
        click.echo(said["forms"], err=True)
    click.echo(found.verdict.in_language(language))
    for hint in [*found.hints, *([found.complex_step] if found.complex_step else [])]:
        click.echo(f"  {hint.in_language(language)}")
    click.echo("")
    header, rows = found.rows(language)
    is_long = len(rows) > MOST_ROWS
    shown = [row for row, made in zip(rows, found.table, strict=True) if not is_long or made.status != "right"][: 2 * MOST_ROWS]
    if shown:
        show_table(header, shown)
    if len(rows) > len(shown):
        click.echo(said["more"].format(n=len(rows) - len(shown)))
    click.echo(said["checked"].format(dtype=found.dtype, n=grouped(found.n_evaluations), time=duration(found.seconds, language)))
    if cost is not None:
        click.echo("")
        show_table(*cost.rows(language), title=said["cost"])
        if any(method.is_extrapolated for method in cost.methods):
            click.echo(said["mark"])
        click.echo(cost.sentence.in_language(language))
    if million is not None:
        click.echo(f"{said['million']} {million.sentence.in_language(language)}")
