"""Run experiments: expected and measured side by side, the finding in one sentence, a figure."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError
from ...watch.options import LANGUAGES
from .._document import write_document
from .._look import Command
from .._progress import progress_bar
from .._tables import show_table

if TYPE_CHECKING:
    from ...lab.experiments._base import AbstractExperiment
    from ...lab.outcome import Outcome
    from ...records import Check

NOT_PASSED, INTERRUPTED = 4, 130  # docs/exit-codes.md
HEADER = {"en": ("", "check", "expected", "measured"), "ja": ("", "検査項目", "期待値", "実測値")}
WORDS = {
    "en": {
        "figure": "figure",
        "passed": "{n} of {total} checks passed",
        "expected": "was expected by",
        "claim": "claim",
        "changed": "The setup is not the published one: its expectations need not hold.",
    },
    "ja": {
        "figure": "図",
        "passed": "{total} 項目中 {n} 項目が合格",
        "expected": "期待値の根拠",
        "claim": "主張",
        "changed": "公表された設定とは異なるため、期待値が成り立つとは限りません。",
    },
}
SIGNS = {"within": "", "at_least": "≥ ", "at_most": "≤ "}


@click.command("run", cls=Command)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@click.option("--quick", is_flag=True, help="The small version: seconds instead of minutes.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="All random numbers come from this seed.")
@click.option("--json", "json_place", metavar="FILE|-", help="Write the outcome as one JSON document; with - to stdout, and nothing else.")
@click.option("-o", "--output", metavar="FIGURE", help="Write the figure as .png, .svg or .pdf; with several experiments, each name is put before the ending.")
@click.option(
    "--set", "settings", metavar="FACTOR=VALUE", multiple=True, help="Another network, loss or decay than the published: hidden=20-20, activation=relu …"
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language (default: from LANG).")
def command(names: tuple[str, ...], quick: bool, seed: int, json_place: str | None, output: str | None, settings: tuple[str, ...], lang: str | None) -> int:
    """Run the experiments called NAME (see `kazami lab list`), or `all`.

    Exit code 0 if every check is within its tolerance, 4 if one is not, 130 after Ctrl-C: what was measured until then is shown.
    """
    from ...lab import all_experiments, experiment
    from ...lab.experiments._base import with_factors
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    _check_output(output)
    chosen = list(all_experiments()) if names == ("all",) else [experiment(name) for name in dict.fromkeys(names)]
    chosen = [with_factors(one, _factors(settings)) for one in chosen]
    if settings:
        click.echo(WORDS[language]["changed"], err=True)
    outcomes: list[Outcome] = []
    for one in chosen:
        outcomes.append(_run(one, quick, seed, language))
        if json_place != "-":
            _show(one, outcomes[-1], language)
        if output:
            place = _place(output, one.name if len(chosen) > 1 else None)
            _draw(outcomes[-1], place, language)
            click.echo(f"{WORDS[language]['figure']}: {place}", err=json_place == "-")
        if not outcomes[-1].is_complete:
            break
    if json_place:
        _write_json(outcomes, json_place, is_single=len(chosen) == 1)
    if not outcomes[-1].is_complete:
        return INTERRUPTED
    return 0 if all(outcome.passed for outcome in outcomes) else NOT_PASSED


def _factors(settings: tuple[str, ...]) -> dict[str, str]:
    for setting in settings:
        if "=" not in setting:
            raise UsageError(f"--set should be FACTOR=VALUE, for example activation=relu, and is {setting!r}.")
    return {name: value for name, _, value in (setting.partition("=") for setting in settings)}


def _run(one: "AbstractExperiment", quick: bool, seed: int, language: str) -> "Outcome":
    with progress_bar(one.title.in_language(language)) as progress:
        return one.run(quick=quick, seed=seed, progress=progress)


def _show(one: "AbstractExperiment", outcome: "Outcome", language: str) -> None:
    """Print claim, checks, tables and the finding."""
    words = WORDS[language]
    click.echo(f"{one.name}: {one.question.in_language(language)}")
    click.echo(f"{words['claim']}: {one.claim.in_language(language)} [{one.citation}]\n")
    if outcome.checks:
        show_table(HEADER[language], [_cells(check, language) for check in outcome.checks])
        n_passed = sum(check.passed for check in outcome.checks)
        click.echo(words["passed"].format(n=n_passed, total=len(outcome.checks)))
        for check in (check for check in outcome.checks if not check.passed and check.source):
            click.echo(f"✗ {check.name_in(language)} {words['expected']}: {check.source}")
        click.echo()
    for table in outcome.tables:
        rows = [[_shown(cell) for cell in row] for row in table.rows]
        show_table([name.in_language(language) for name in table.header], rows, title=table.title.in_language(language))
        click.echo()
    click.echo(outcome.sentence.in_language(language))


def _cells(check: "Check", language: str) -> tuple[str, str, str, str]:
    from ...reports.numerals import short

    unit = f" {check.unit}" if check.unit else ""
    tolerance = f" ± {short(check.tolerance)}" if check.tolerance else ""
    return (
        "✓" if check.passed else "✗",
        check.name_in(language),
        f"{SIGNS[check.kind]}{short(check.expected)}{tolerance}{unit}",
        f"{short(check.measured)}{unit}",
    )


def _shown(cell: Any) -> str:
    from ...reports.numerals import short

    if isinstance(cell, bool):
        return "✓" if cell else "✗"
    return cell if isinstance(cell, str) else short(cell)


def _check_output(output: str | None) -> None:
    """Complain before the long work, not after it."""
    from ...reports.figures import FORMATS

    if output is None:
        return
    if Path(output).suffix.lower() not in FORMATS:
        raise UsageError(f"A figure's file should end in {', '.join(FORMATS)}, and is called {output!r}.")
    if not Path(output).absolute().parent.is_dir():
        raise UsageError(f"The figure should be written to {output}, but there is no folder {Path(output).absolute().parent}.")


def _place(output: str, name: str | None) -> str:
    path = Path(output)
    return output if name is None else str(path.with_name(f"{path.stem}-{name}{path.suffix}"))


def _draw(outcome: "Outcome", place: str, language: str) -> None:
    from ...reports.figures import figure_language, save_figure

    save_figure(outcome.figure(figure_language(place, language)), place)


def _write_json(outcomes: "list[Outcome]", place: str, *, is_single: bool) -> None:
    documents = [outcome.to_dict() for outcome in outcomes]
    checks = [{"experiment": document["experiment"], **check} for document in documents for check in document["checks"]]
    data = documents[0] if is_single else {"schema": 1, "passed": all(outcome.passed for outcome in outcomes), "checks": checks, "experiments": documents}
    write_document(data, place, what="The outcome")
