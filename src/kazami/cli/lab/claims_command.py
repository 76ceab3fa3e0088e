"""Judge what texts say about deep learning: each claim, its conditions, an experiment, the measured verdict."""

from typing import TYPE_CHECKING

import click

from .._look import Command
from .._progress import progress_bar
from .._tables import show_table

if TYPE_CHECKING:
    from ...lab.claims._base import Judged

INTERRUPTED = 130
HEADER = {"en": ("", "claim or condition", "measured", "holds if"), "ja": ("", "主張・条件", "実測値", "成り立つ条件")}
VERDICTS = {
    "en": {"holds": "holds", "holds_when": "holds when", "does_not_hold": "does not hold", "cut": "Interrupted: {n} of {total} claims were measured."},
    "ja": {"holds": "成り立つ", "holds_when": "条件つきで成り立つ", "does_not_hold": "成り立たない", "cut": "中断されました（{total} 件中 {n} 件を測定）。"},
}
SIGNS = {"within": "=", "at_least": "≥", "at_most": "≤"}


@click.command("claims", cls=Command)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(names: tuple[str, ...], as_json: bool, lang: str | None) -> int:
    """Measure the claims called NAME, or all of them: holds, holds when, or does not hold.

    Under every claim stand the conditions in which it was tried; ✓ means that it held there. A claim that does not hold is a finding, not an error: the exit
    code is 0 once all were measured, 130 after Ctrl-C with those measured so far.
    """
    from ...lab.claims import all_claims, judge
    from ...storage.strict_json import dumps
    from ...watch.language import chosen_language

    language = chosen_language(lang)
    with progress_bar("claims") as progress:
        found, is_complete = judge(names, progress=progress)
    if as_json:
        click.echo(dumps({"schema": 1, "complete": is_complete, "claims": [one.to_dict() for one in found]}))
    else:
        _show(found, language)
        if not is_complete:
            click.echo(VERDICTS[language]["cut"].format(n=len(found), total=len(names) or len(all_claims())), err=True)
    return 0 if is_complete else INTERRUPTED


def _show(found: "tuple[Judged, ...]", language: str) -> None:
    from ...reports.numerals import short

    for one in found:
        rows = [
            ("✓" if check.passed else "✗", check.name_in(language), short(check.measured), f"{SIGNS[check.kind]} {short(check.expected)}  ({check.source})")
            for check in one.cases
        ]
        title = f"{one.claim.text.in_language(language)}  → {VERDICTS[language][one.verdict]}  [{one.claim.name}, {one.claim.row}]"
        show_table(HEADER[language], rows, title=title)
        click.echo()
