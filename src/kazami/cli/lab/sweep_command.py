"""Sweep any factors of a training against one another: one table, resumed after a kill, with maps of regimes."""

from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from ...records import Sentence
from .._document import must_have_folder, write_document
from .._look import Command
from .._progress import progress_bar
from .._tables import show_table

if TYPE_CHECKING:
    from ...maps import Training
    from ...sweeps.plan import Plan
    from ...sweeps.result import SweepResult
    from ...sweeps.sweep_file import SweepFile

INTERRUPTED = 130
MOST_HARVESTED = 1000  # batches of a script; a longer training goes through them again
WORDS = {
    "en": {
        "plan": ("members", "blocks", "members a block", "rows", "memory of a block", "memory of the table", "time on one core, roughly"),
        "best": "Best settings",
        "regimes": ("regime", "trainings", "share"),
        "table": "table: {directory} ({rows} rows of {members} trainings)",
        "nowhere": "The table was not kept: name a place with --directory.",
        "failed": "{count} of {members} trainings raised, first {factors}: {error}: {message}",
        "interrupted": "Interrupted: {done} of {members} are done. Go on with: kazami lab sweep {file} --directory {directory}",
        "lost": "Interrupted: {done} of {members} were done, and are not kept.",
        "all_failed": "Every training of the sweep raised; the first, {factors}: {error}: {message}",
    },
    "ja": {
        "plan": ("訓練の数", "ブロック", "ブロックあたりの訓練", "行", "ブロックのメモリ", "表のメモリ", "1 コアでのおよその時間"),
        "best": "最良の設定",
        "regimes": ("レジーム", "訓練の数", "割合"),
        "table": "表: {directory}（訓練 {members} 回、{rows} 行）",
        "nowhere": "表は保存されていません。--directory で場所を指定してください。",
        "failed": "{members} 回の訓練のうち {count} 回が例外で終わりました。最初は {factors}: {error}: {message}",
        "interrupted": "中断しました。{members} 回のうち {done} 回が完了しています。再開: kazami lab sweep {file} --directory {directory}",
        "lost": "中断しました。{members} 回のうち {done} 回が完了していましたが、--directory がないため残っていません。",
        "all_failed": "すべての訓練が例外で終わりました。最初は {factors}: {error}: {message}",
    },
}


@click.command("sweep", cls=Command)
@click.argument("file", metavar="SWEEP.TOML", type=click.Path())
@click.option("--cluster", metavar="ADDRESS", help="A Dask scheduler (tcp://host:port), or local:2 for two workers started here.")
@click.option("--workers", type=click.IntRange(1), help="Processes on this machine.")
@click.option("--engine", metavar="NAME", help="Engine (default: the quickest that can).")
@click.option("--directory", metavar="DIR", type=click.Path(), help="Where the table is kept; a sweep begun there goes on (default: beside the file).")
@click.option("--figure", metavar="FIGURE", help="Write a map over the first two factors (a curve if there is one) as .png, .svg or .pdf.")
@click.option("-x", "x", metavar="FACTOR", help="Horizontal axis of the figure.")
@click.option("-y", "y", metavar="FACTOR", help="Vertical axis of the figure.")
@click.option("--show", "record", metavar="COLUMN", help="What the figure shows (default: regimes, exponent, score or loss).")
@click.option("--dry-run", is_flag=True, help="Show the plan only: members, blocks, memory, time.")
@click.option("--json", "json_to", metavar="FILE|-", help="Write one JSON document; with - to stdout, instead of the tables.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(file: str, dry_run: bool, json_to: str | None, lang: str | None, **options: Any) -> int:
    """Run the sweep that SWEEP.TOML describes, or go on with it.

    Each finished block of trainings is kept at once: after a kill, or Ctrl-C, the same command goes on. The file names a script or a function that returns a
    kazami.Training, and the factors:

    \b
    [training]
    script = "train.py"                    # or factory = "module:function"
    steps = 2000
    record = ["final_loss", "max_lyapunov", "regime"]
    [factors]
    learning_rate = {log = [1e-2, 3, 64]}
    seed = {range = 8}
    """
    from ...sweeps.sweep import Sweep
    from ...sweeps.sweep_file import read_sweep_file
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    _refuse_ending(options["figure"])
    for place in (options["figure"], json_to):
        must_have_folder(place, what="The sweep")
    told = read_sweep_file(file)
    asked = {**told.engine, **{name: options[name] for name in ("cluster", "workers", "engine") if options[name] is not None}}
    sweep = Sweep(_training(told, language), *told.groups)
    plan_options = {name: value for name, value in asked.items() if name != "cluster"}
    plan = sweep.plan(told.steps, told.record, every=told.every, **plan_options)
    if dry_run:
        if not _answer({"schema": 1, "sweep": file, "plan": plan.to_dict()}, json_to):
            _show_plan(plan, language)
        return 0
    directory = options["directory"] or told.directory or told.path.with_suffix("")
    if json_to != "-":
        _show_plan(plan, language, to_stderr=True)
    with progress_bar(told.path.stem) as progress:
        found = sweep.run(told.steps, told.record, every=told.every, directory=directory, progress=progress, **asked)
    figure = _figure(found, options, language)
    if not _answer({"schema": 1, "sweep": file, **found.to_dict(), "plan": plan.to_dict(), "figure": figure}, json_to):
        _show(found, language)
        click.echo(
            figure or ("図を書き出すには --figure map.png を付けてください。" if language == "ja" else "Add --figure map.png for a picture."), err=not figure
        )
    return _ending(found, file, language)


def _training(told: "SweepFile", language: str) -> "Training":
    """Return the training that the file names: of a script as many first batches are kept as it has steps."""
    import os
    import sys

    from .._target import loaded

    if told.factory is not None:
        folder = str(told.path.parent.resolve())
        if folder not in sys.path:
            sys.path.insert(0, folder)  # where the file is, not only where the command runs
        target = loaded((told.factory,), None, None)
    else:
        script = os.path.relpath(str(told.script))
        target = loaded((script, *told.arguments), None, None, steps=min(told.steps or MOST_HARVESTED, MOST_HARVESTED))
    seeds = _seeds(told) if told.script is not None else []
    for sentence in target.said:
        click.echo(sentence.in_language(language) if isinstance(sentence, Sentence) else sentence, err=True)
    training = target.needed_training()
    if not seeds:
        return training
    from ._script_seeds import with_seeds

    return with_seeds(training, script, told.arguments, seeds)


def _seeds(told: "SweepFile") -> list[int]:
    """Return the seeds that the file varies: for each of them the script is run up to its first step."""
    from ...sweeps.choices import Zipped, values_of

    given = [group.values if isinstance(group, Zipped) else group for group in told.groups]
    found = next((group["seed"] for group in given if "seed" in group), ())
    return [int(seed) for seed in values_of("seed", found) if isinstance(seed, int)] if found != () else []


def _show_plan(plan: "Plan", language: str, *, to_stderr: bool = False) -> None:
    from ...curvature.memory import gibibytes

    numbers = plan.to_dict()
    values = (
        f"{numbers['members']:,}", str(numbers["blocks"]), str(numbers["members_per_block"]), f"{numbers['rows']:,}", gibibytes(numbers["block_bytes"]),
        gibibytes(numbers["table_bytes"]), _time(numbers["seconds"]),
    )  # fmt: skip
    pairs = list(zip(WORDS[language]["plan"], values, strict=True))
    if to_stderr:
        click.echo(", ".join(f"{name}: {value}" for name, value in pairs), err=True)
    else:
        show_table(("", ""), pairs)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _show(found: "SweepResult", language: str) -> None:
    from ...reports.numerals import short

    words = WORDS[language]
    if any(name in found.recorded for name in ("score", "final_loss", "loss")):
        columns = [*found.factors, *(name for name in found.recorded if not name.endswith(("_error", "_letter", "_threshold")))]
        rows = [[short(value) if isinstance(value := row[name], float) else str(value) for name in columns] for row in found.best()]
        show_table(columns, rows, title=str(words["best"]))
    regimes = found.regimes()
    if regimes:
        total = sum(regimes.values())
        show_table(words["regimes"], [(label, str(count), f"{count / total:.0%}") for label, count in regimes.items()])
    click.echo(found.engine, err=True)
    if found.directory is not None:
        click.echo(str(words["table"]).format(directory=found.directory, rows=found.table.num_rows, members=found.members))
    else:
        click.echo(words["nowhere"], err=True)


def _ending(found: "SweepResult", file: str, language: str) -> int:
    words: Any = WORDS[language]
    if found.failures:
        first = found.failures[0]
        said = {
            "factors": ", ".join(f"{name} = {value}" for name, value in first.factors.items()),
            "error": first.error, "message": (first.message.splitlines() or [""])[0], "count": len(found.failures), "members": found.members,
        }  # fmt: skip
        if len(found.failures) == found.members:
            raise UsageError(words["all_failed"].format(**said))
        click.echo(words["failed"].format(**said), err=True)
    if found.is_complete:
        return 0
    done = len(set(found.rows.tolist())) + len(found.failures)
    key = "interrupted" if found.directory else "lost"
    click.echo(words[key].format(done=done, members=found.members, file=file, directory=found.directory), err=True)
    return INTERRUPTED


def _figure(found: "SweepResult", options: dict[str, Any], language: str) -> str | None:
    if not options["figure"]:
        return None
    from ...reports.figures import figure_language, save_figure

    spoken = figure_language(options["figure"], language)
    varied = [name for name in found.factors if len(set(map(str, found.values[name]))) > 1 and name != "seed"]
    options_of_curve = options["x"], options["record"]
    is_map = options["y"] is not None or (len(varied) > 1 and found.table.num_rows > 0)
    drawn = found.map(options["x"], options["y"], options["record"], language=spoken) if is_map else found.curve(*options_of_curve, language=spoken)
    return save_figure(drawn, options["figure"])


def _answer(document: dict[str, Any], json_to: str | None) -> bool:
    """Write the document where it is wanted; return whether stdout is taken by it."""
    if json_to is not None:
        write_document(document, json_to, what="The sweep")
    return json_to == "-"


def _refuse_ending(figure: str | None) -> None:
    """Say before the work, not after it, that a file cannot be written so."""
    if figure and not figure.lower().endswith((".png", ".svg", ".pdf")):
        raise UsageError(f"--figure should end in .png, .svg or .pdf, and is {figure!r}.")
