"""Measure known truths of training dynamics on this machine, and print pass or fail with the numbers."""

from typing import TYPE_CHECKING

import click

from ._document import must_have_folder, write_document
from ._look import Command
from ._progress import progress_bar
from ._tables import show_table

if TYPE_CHECKING:
    from ..lab.verification import Verification
    from ..records import Check

NOT_PASSED, INTERRUPTED = 4, 130  # docs/exit-codes.md
HEADER = {"en": ("", "truth", "expected", "tolerance", "measured"), "ja": ("", "真値", "期待値", "許容差", "実測値")}
WORDS = {
    "en": {"passed": "{n} of {total} passed", "cut": "Interrupted: only what was measured until then is shown.", "source": "expected by"},
    "ja": {"passed": "{total} 項目中 {n} 項目が合格", "cut": "中断されました。それまでの測定結果だけを示します。", "source": "期待値の根拠"},
}
SIGNS = {"within": "", "at_least": "≥ ", "at_most": "≤ "}


@click.command("verify", cls=Command)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--quick", is_flag=True, help="Leave out what takes more than a moment.")
@click.option("--json", "json_place", metavar="FILE|-", help="Write the checks as one JSON document; with - to stdout, and nothing else.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(names: tuple[str, ...], quick: bool, json_place: str | None, lang: str | None) -> int:
    """Measure known truths with the estimators that you use too, and compare them with what is expected.

    NAME is a group: depth, descent, exponents, series, thresholds, training; all of them by default. Exit code 0 if everything is within its tolerance, 4
    if something is not, 130 after Ctrl-C: what was measured until then is shown.
    """
    from ..lab.verification import truths, verify
    from ..watch.language import chosen_language

    language = chosen_language(lang)
    must_have_folder(json_place, what="The checks")
    with progress_bar("verify") as progress:
        found = verify(names, quick=quick, progress=progress)
    if json_place != "-":
        for name, checks in found.groups:
            show_table(HEADER[language], [_cells(check, language) for check in checks], title=f"{name}: {truths(name).title.in_language(language)}")
            click.echo()
        _say(found, language)
    if json_place:
        write_document(found.to_dict(), json_place, what="The checks")
    if not found.is_complete:
        return INTERRUPTED
    return 0 if found.passed else NOT_PASSED


def _say(found: "Verification", language: str) -> None:
    words = WORDS[language]
    for check in (check for check in found.checks if not check.passed and check.source):
        click.echo(f"✗ {check.name_in(language)} {words['source']}: {check.source}")
    click.echo(words["passed"].format(n=sum(check.passed for check in found.checks), total=len(found.checks)))
    if not found.is_complete:
        click.echo(words["cut"], err=True)


def _cells(check: "Check", language: str) -> tuple[str, str, str, str, str]:
    from ..reports.numerals import short

    expected = f"{SIGNS[check.kind]}{short(check.expected)}"
    return "✓" if check.passed else "✗", check.name_in(language), expected, short(check.tolerance), short(check.measured)
