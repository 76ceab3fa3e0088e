"""Find out whether a deep network is secretly linear, and the one matrix it equals."""

from typing import TYPE_CHECKING

import click

from .._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ...nets.inside.collapse import CollapseReport

MOST_SHOWN = 12


@click.command("collapse", cls=TargetCommand)
@target_options
@click.option("--train", is_flag=True, help="Examine the network as in training: dropout draws, batch statistics.")
@click.option("--tolerance", type=float, help="Largest relative violation that counts as rounding (default: 4e-10).")
@click.option("-o", "--output", metavar="FILE.npz", help="Write the matrix and the bias (W, b; row form y = xW + b).")
@click.option("--json", is_flag=True, help="Print one JSON document instead.")
def command(
    words: tuple[str, ...],
    module: str | None,
    input_shape: str | None,
    lang: str | None,
    train: bool,
    tolerance: float | None,
    output: str | None,
    json: bool,
) -> None:
    """Tell whether the model of TARGET, a script or module:function, is affine in its input, which layers bend, and else which one matrix it equals."""
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    target = loaded(words, module, input_shape)
    from ...nets.inside.collapse import collapse_report
    from ...nets.inside.nonlinearity import nonlinearity

    report = collapse_report(target.model, target.needed_example(), target.keywords, tolerance=tolerance, mode="train" if train else "eval")
    written = _written(report, output)
    bends = nonlinearity(target.model, target.needed_example(), target.keywords)
    if json:
        click.echo(dumps({"schema": 1, "target": target.name, **report.to_dict(language), "nonlinearity": bends.to_dict(), "written": written}))
        return
    click.echo(report.why.in_language(language))
    if not report.is_affine:
        click.echo(bends.said[0].in_language(language))
    for note in report.notes:
        click.echo(note.in_language(language), err=True)
    _show_layers(report, {layer.name: layer.share for layer in bends.layers}, language)
    _show_matrix(report, language)
    if written:
        click.echo(written)


def _written(report: "CollapseReport", output: str | None) -> str | None:
    """Write the matrix, and return the path."""
    if output is None:
        return None
    from ...errors import CannotWrite, UsageError

    if report.matrix is None or report.bias is None:
        raise UsageError(f"There is no matrix to write to {output}: {report.why.en}")
    import numpy as np

    path = output if output.endswith(".npz") else f"{output}.npz"
    try:
        np.savez(path, W=report.matrix.numpy(), b=report.bias.numpy())
    except OSError as error:
        raise CannotWrite(f"The matrix cannot be written to {path} ({error.strerror or error}).") from None
    return path


def _show_layers(report: "CollapseReport", shares: dict[str, float], language: str) -> None:
    from ...reports.numerals import short
    from .._tables import show_table

    japanese = language == "ja"
    words = ("はい", "いいえ", "不明") if japanese else ("yes", "no", "not examined")
    english = ("layer", "kind", "in → out", "affine", "on the data", "violation", "variance beyond affine")
    header = ("層", "種類", "入力 → 出力", "アフィン", "データ上で", "違反の大きさ", "アフィンを超える分散") if japanese else english
    rows = []
    for layer in report.layers:
        answers = [words[2] if answer is None else words[0] if answer else words[1] for answer in (layer.is_affine, layer.affine_on_data)]
        times = f" × {layer.n_calls}" if layer.n_calls > 1 else ""
        rows.append(
            (layer.name, f"{layer.kind}{times}", f"{layer.n_inputs} → {layer.n_outputs}", *answers, short(layer.residual), short(shares.get(layer.name)))
        )
    if rows:
        click.echo("")
        show_table(header, rows)


def _show_matrix(report: "CollapseReport", language: str) -> None:
    if report.matrix is None or report.bias is None or max(report.matrix.shape) > MOST_SHOWN:
        return
    from ...reports.numerals import short
    from .._tables import show_table

    click.echo("")
    title = "y = xW + b（行形式、誤差 {e}）" if language == "ja" else "y = xW + b (row form, error on fresh inputs {e})"
    header = ["", *(f"y{j + 1}" for j in range(report.matrix.shape[1]))]
    rows = [[f"x{i + 1}", *map(short, row)] for i, row in enumerate(report.matrix.tolist())]
    show_table(header, [*rows, ["b", *map(short, report.bias.tolist())]], title=title.format(e=short(report.verified)))
