"""Measure how many trainings a second each engine runs on this machine, and how near that is to what the machine can do."""

from typing import TYPE_CHECKING

import click

from ._document import must_have_folder, write_document
from ._look import Command
from ._progress import progress_bar
from ._tables import show_table

if TYPE_CHECKING:
    from ..lab.engine_bench import BenchGap, BenchResult, BenchRow

INTERRUPTED = 130  # docs/exit-codes.md
HEADER = {
    "en": ("engine", "precision", "members", "per CPU-second", "per second", "of the floor", "first steps, s"),
    "ja": ("エンジン", "精度", "本数", "CPU 1 秒あたり", "実時間 1 秒あたり", "理論上限比", "最初の数ステップ (秒)"),
}
WORDS = {
    "en": {
        "plain": "{title}: replica-steps",
        "tangents": "{title}, with {n} exact tangent and Gram–Schmidt every {every} steps: replica-steps",
        "ceilings": "Ceilings of one core, measured: {found}.",
        "fma": "{rate} G multiply–adds/s ({dtype})",
        "functions": "{rate} G {name}/s",
        "bytes": "{rate} GB/s in the nearest cache",
        "floor": "Floor: a step's multiply–adds and its tanh, exp and log at these rates, all else free. Replica-steps per CPU-second: {found}.",
        "tangent": " + {n} tangent",
        "no_floor": "No floor: {reason}",
        "checked": "Each row was first compared with the plain loop ({steps} steps of 2 members); largest relative difference {worst}.",
        "threads": "{n} threads.",
        "gaps": "Not measured:",
        "members": "members: {which}",
        "cut": "Interrupted: only what was measured until then is shown.",
    },
    "ja": {
        "plain": "{title}: レプリカ・ステップ数",
        "tangents": "{title}、厳密な接ベクトル {n} 本、{every} ステップごとにグラム・シュミット: レプリカ・ステップ数",
        "ceilings": "1 コアの上限（実測）: {found}",
        "fma": "積和 {rate} G/秒（{dtype}）",
        "functions": "{name} {rate} G/秒",
        "bytes": "一次キャッシュ {rate} GB/秒",
        "floor": "理論上限: 1 ステップの積和と tanh・exp・log だけをこの速さで計算した場合。CPU 1 秒あたりのレプリカ・ステップ数: {found}",
        "tangent": " + 接ベクトル {n} 本",
        "no_floor": "理論上限は求められません: {reason}",
        "checked": "各行は測定の前に通常のループと照合済みです（2 本、{steps} ステップ）。最大相対差 {worst}",
        "threads": "スレッド数 {n}",
        "gaps": "測定しなかったもの:",
        "members": "本数: {which}",
        "cut": "中断されました。それまでの測定結果だけを示します。",
    },
}


@click.command("bench", cls=Command)
@click.option("--engine", "engines", multiple=True, metavar="NAME", help="Only this engine; may be given several times (default: all but the cluster).")
@click.option("--quick", is_flag=True, help="At most half a minute: up to 1024 members, no engine that starts slowly.")
@click.option("--json", "json_place", metavar="FILE|-", help="Write one JSON document; with - to stdout, and nothing else.")
@click.option("--lang", type=click.Choice(["en", "ja"]), help="Language (default: from LANG).")
def command(engines: tuple[str, ...], quick: bool, json_place: str | None, lang: str | None) -> int:
    """Measure every engine on a small network and on a convolutional one, in float32 and float64, plain and with one tangent.

    A replica-step is one optimizer step of one member of an ensemble. Engines are compared with the plain PyTorch loop before they are timed; one that
    computes something else gets no number. Ctrl-C keeps the rows that are done (exit code 130).
    """
    from ..lab import engine_bench
    from ..watch.language import chosen_language

    language = chosen_language(lang)
    must_have_folder(json_place, what="The rows")
    with progress_bar("bench") as progress:
        found = engine_bench.bench(engines, engine_bench.QUICK if quick else engine_bench.FULL, progress=progress)
    if json_place != "-":
        _show(found, language)
    if json_place:
        write_document(found.to_dict(), json_place, what="The rows")
    return 0 if found.is_complete else INTERRUPTED


def _show(found: "BenchResult", language: str) -> None:
    from ..lab.bench_trainings import bench_trainings
    from ..lab.engine_bench import WINDOW
    from ..reports.numerals import short

    words = WORDS[language]
    titles = {each.name: each.title.in_language(language) for each in bench_trainings()}
    for name, n_tangents in dict.fromkeys((row.case.training, row.case.n_tangents) for row in found.rows):
        rows = [row for row in found.rows if (row.case.training, row.case.n_tangents) == (name, n_tangents)]
        title = words["tangents" if n_tangents else "plain"].format(title=titles.get(name, name), n=n_tangents, every=WINDOW)
        show_table(HEADER[language], [_cells(row) for row in rows], title=title)
        click.echo()
    for line in _floor_lines(found, words):
        click.echo(line)
    if found.rows:
        click.echo(words["checked"].format(steps=WINDOW, worst=short(max(row.difference for row in found.rows))))
    click.echo(words["threads"].format(n=found.threads))
    for line in _gap_lines(found.gaps, words, language):
        click.echo(line)
    if not found.is_complete:
        click.echo(words["cut"], err=True)


def _cells(row: "BenchRow") -> tuple[str, ...]:
    from ..reports.numerals import short

    share = "–" if row.fraction is None else f"{100 * row.fraction:.2g} %"
    per_cpu = "–" if row.per_cpu_second is None else _whole(row.per_cpu_second)
    return row.engine, row.case.dtype, str(row.case.members), per_cpu, _whole(row.per_wall_second), share, short(row.start_seconds)


def _whole(rate: float) -> str:
    """Return a rate to three digits, without powers of ten, so that rows can be compared at a glance.

    >>> _whole(852307.0), _whole(48514.0), _whole(3.14159)
    ('852 000', '48 500', '3.14')
    """
    if rate < 100.0:
        return f"{rate:.3g}"
    return f"{float(f'{rate:.3g}'):,.0f}".replace(",", " ")


def _floor_lines(found: "BenchResult", words: dict[str, str]) -> list[str]:
    from ..kernels import why_not
    from ..reports.numerals import short

    if not found.ceilings:
        reason = why_not()
        return [] if reason is None else [words["no_floor"].format(reason=reason)]
    lines = []
    for dtype, limit in found.ceilings.items():
        parts = [words["fma"].format(rate=short(limit.fma / 1e9), dtype=dtype)]
        parts += [words["functions"].format(name=name, rate=short(rate / 1e9)) for name, rate in limit.functions.items()]
        parts.append(words["bytes"].format(rate=short(limit.bytes / 1e9)))
        lines.append(words["ceilings"].format(found=", ".join(parts)))
    floors = [f"{name}, {dtype}{words['tangent'].format(n=k) if k else ''} {_whole(rate)}" for (name, dtype, k), rate in found.floors.items()]
    return [*lines, words["floor"].format(found="; ".join(floors))]


def _gap_lines(gaps: list["BenchGap"], words: dict[str, str], language: str) -> list[str]:
    """Return one line for each engine and reason, with the trainings and numbers of members that it holds for."""
    grouped: dict[tuple[str, str], list[BenchGap]] = {}
    for gap in gaps:
        grouped.setdefault((gap.engine, gap.reason.in_language(language)), []).append(gap)
    lines = []
    for (engine, reason), those in grouped.items():
        cases = [gap.case for gap in those if gap.case is not None]
        which = ", ".join(dict.fromkeys(case.training for case in cases))
        members = ", ".join(str(count) for count in sorted({case.members for case in cases}))
        where = f" ({which}; {str(words['members']).format(which=members)})" if cases else ""
        lines.append(f"  {engine}{where}: {reason}")
    return [words["gaps"], *lines] if lines else []
