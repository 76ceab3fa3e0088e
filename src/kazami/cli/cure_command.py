"""Find the smallest change that makes a training work, and prove it by training anew."""

import json
from typing import TYPE_CHECKING, Any

import click

from ._progress import progress_line
from ._tables import show_table
from ._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ..records import Proof

NOT_PROVED = 4


class Seconds(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A time such as ``90``, ``90s`` or ``2m``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        text = str(value).strip()
        unit = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:])
        try:
            seconds = float(text[:-1]) * unit if unit is not None else float(text)
        except ValueError:
            seconds = -1.0
        if not seconds > 0:
            self.fail(f"should be a time such as 90s or 2m, and is {value!r}", param, ctx)
        return seconds


@click.command("cure", cls=TargetCommand)
@target_options
@click.option("--budget", type=Seconds(), default="120s", show_default=True, help="Time for all trials together.")
@click.option("--seeds", type=click.IntRange(min=3), default=3, show_default=True, help="Seeds of the proof.")
@click.option("--steps", type=click.IntRange(min=2), default=400, show_default=True, help="Optimizer steps of a script that are taken and tried.")
@click.option("--json", "as_json", is_flag=True, help="Print the proof as one JSON document instead.")
def command(words: tuple[str, ...], module: str | None, input_shape: str | None, lang: str | None, budget: float, seeds: int, steps: int, as_json: bool) -> int:
    """Diagnose the training of TARGET (a script, or module:function), try what helps, and prove the smallest change that makes it work.

    A script runs for its first steps only; what it needs to start again is taken from it, and the trials run in memory on that. Exit code 0: proved, or nothing
    to cure; 4: tried and not proved.
    """
    from ..trials import cure
    from ..watch.language import chosen_language

    language = chosen_language(lang)
    target = loaded(words, module, input_shape, steps=steps)
    for sentence in target.said:
        click.echo(f"kazami: {sentence.in_language(language)}", err=True)
    with progress_line() as show:
        proof = cure(target.needed_training(), budget=budget, seeds=seeds, progress=lambda what, spent, whole: show(f"{spent:3.0f} of {whole:.0f} s  {what}"))
    if as_json:
        code = "\n".join(change.code for change in proof.changes)
        document = {"schema": 1, "cured": proof.cured, "changes": [change.name for change in proof.changes], "lines_to_add": code, "proof": proof.to_dict()}
        click.echo(json.dumps(_finite(document), ensure_ascii=False, allow_nan=False))
    else:
        _tell(proof, language)
    return 0 if proof.cured or proof.nothing_to_cure else NOT_PROVED


def _tell(proof: "Proof", language: str) -> None:
    from ..reports.numerals import short

    click.echo(proof.verdict.in_language(language))
    for change in proof.changes:
        click.echo(f"\n{change.sentence.in_language(language)}\n" + "\n".join("    " + line for line in change.code.splitlines()))
    if proof.table:
        click.echo()
        header = ("seed", f"{proof.measure} before", "after") if language == "en" else ("シード", f"変更前（{proof.measure}）", "変更後")
        show_table(header, [(str(row.seed), short(row.before), short(row.after)) for row in proof.table])
    others = [one for one in proof.tried if one.changes != proof.changes]
    if others:
        click.echo()
        columns = ("also tried", "what became of it") if language == "en" else ("ほかに試した変更", "結果")
        show_table(columns, [(one.name, one.why.in_language(language)) for one in others])


def _finite(value: Any) -> Any:
    """Return plain data in which numbers that JSON does not know are ``null``."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and value - value != 0 else value
