"""Find the smallest change that makes a training work, and prove it by training anew."""

import json
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

import click

from ._progress import progress_line
from ._target import TargetCommand, loaded, target_options

if TYPE_CHECKING:
    from ..records import Launch, Proof, Sentence
    from ..trials.script_cure import ScriptCure

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
        if not 0 < seconds < float("inf"):
            self.fail(f"should be a time such as 90s or 2m, and is {value!r}", param, ctx)
        return seconds


@click.command("cure", cls=TargetCommand)
@target_options
@click.option("--budget", type=Seconds(), default="120s", show_default=True, help="Time for all trials together.")
@click.option("--seeds", type=click.IntRange(min=3), default=3, show_default=True, help="Seeds of the proof.")
@click.option("--steps", type=click.IntRange(min=2), help="Optimizer steps of each trial (default: all, or what fits into an eighth of the budget).")
@click.option("--only", metavar="NAME", default="", help="Try this one prescription of the findings alone, such as lower_learning_rate, and nothing else.")
@click.option("--apply", "is_applied", is_flag=True, help="Write the proved change into the script; the old file stays beside it as SCRIPT.orig.")
@click.option("--allow-writes", is_flag=True, help="Let the trials write outside of the mirror of the working directory.")
@click.option("--run", "location", metavar="DIR", help="The run directory for proof and report (default: runs/<date>-<script>-cure-<n>).")
@click.option("--json", "json_file", metavar="FILE|-", help="Write proof, diff and lines as one JSON document.")
def command(
    words: tuple[str, ...],
    module: str | None,
    input_shape: str | None,
    lang: str | None,
    budget: float,
    seeds: int,
    steps: int | None,
    only: str,
    is_applied: bool,
    allow_writes: bool,
    location: str | None,
    json_file: str | None,
) -> int:
    """Diagnose the training of TARGET (a script, or module:function), try what helps, and prove the smallest change that makes it work.

    A script is replayed from its first step in mirrors of the working directory, with each candidate change written into its source; your files are touched
    only with --apply. The change is printed as a diff on stdout, all else on stderr. Exit code 0: proved, or nothing to cure; 4: tried and not proved.
    """
    from ..records import Launch
    from ..watch.language import chosen_language

    language = chosen_language(lang)
    if not module and not words:
        raise click.UsageError("Name a script, or module:function.", click.get_current_context())
    name = module or words[0]
    is_factory = not module and ":" in name and not os.path.exists(name)
    with progress_line() as show:
        asked = {"budget": budget, "seeds": seeds, "only": only, "progress": lambda what, spent, whole: show(f"{spent:3.0f} / {whole:.0f} s  {what}")}
        found = (
            _of_factory(words, input_shape, asked) if is_factory else _of_script(name, words[0 if module else 1 :], bool(module), steps, allow_writes, asked)
        )
    launch = None if is_factory else Launch(name, words[0 if module else 1 :], bool(module))
    return _conclude(found, name, launch, is_applied=is_applied, location=location, json_file=json_file, language=language)


def _of_script(name: str, arguments: tuple[str, ...], as_module: bool, steps: int | None, may_write: bool, asked: dict[str, Any]) -> "ScriptCure":
    from ..errors import UsageError
    from ..trials.script_cure import cure_script

    if not as_module and not os.path.isfile(name):
        raise UsageError(f"There is no script {name!r}. Name a script, a module with -m, or module:function.")
    return cure_script(name, arguments, as_module=as_module, steps=steps, may_write=may_write, **asked)


def _of_factory(words: tuple[str, ...], input_shape: str | None, asked: dict[str, Any]) -> "ScriptCure":
    from ..edits import Script
    from ..trials import cure
    from ..trials.script_cure import ScriptCure

    target = loaded(words, None, input_shape)
    proof = cure(target.needed_training(), **asked)
    nothing = Script(main="", files={})
    lines = "\n".join(change.code for change in proof.changes)
    return ScriptCure(proof, "", b"", lines, tuple(target.said), nothing, nothing, 0)


def _conclude(found: "ScriptCure", name: str, launch: "Launch | None", *, is_applied: bool, location: str | None, json_file: str | None, language: str) -> int:
    from ..trials.keeping import applied, kept

    proof = found.proof
    stem = os.path.splitext(os.path.basename(name.split(":")[0]))[0]
    asked = shlex.join(["kazami", *sys.argv[1:]])
    place = kept(proof, asked, stem=stem, location=location, diff=found.diff, patch=found.patch, lines=found.lines, language=language, launch=launch)
    written = applied(found.before.files, found.after.files) if is_applied and proof.cured else []
    if json_file is not None:
        _write_json(found, place, json_file)
    _tell(proof, found, language)
    if json_file != "-" and found.patch:
        click.echo(found.patch, nl=False)
    for path, backup in written:
        _say({"en": f"Changed {path}; as it was: {backup}", "ja": f"{path} を変更しました。元のファイル：{backup}"}[language])
    if is_applied and not written:
        _say({"en": "Nothing was written into your files.", "ja": "ファイルには何も書き込んでいません。"}[language])
    _say(f"→ {place}/report.html")
    return 0 if proof.cured or proof.nothing_to_cure else NOT_PROVED


def _write_json(found: "ScriptCure", place: str, json_file: str) -> None:
    from ..trials.keeping import finite

    proof = found.proof
    names = [change.name for change in proof.changes]
    document = {
        "schema": 1,
        "cured": proof.cured,
        "changes": names,
        "diff": found.diff,
        "lines_to_add": found.lines,
        "proof": proof.to_dict(),
        "run": place,
        "report": f"{place}/report.html",
    }
    text = json.dumps(finite(document), ensure_ascii=False, allow_nan=False) + "\n"
    with click.open_file(json_file, "w", encoding="utf-8") as file:
        file.write(text)


def _tell(proof: "Proof", found: "ScriptCure", language: str) -> None:
    from ..reports.proof_text import proof_block
    from ..watch.session import has_colour, terminal_width

    for sentence in found.said:
        _say(_in(sentence, language))
    click.echo(proof_block(proof, language=language, colour=has_colour(sys.stderr), width=min(terminal_width(sys.stderr), 110)), err=True)
    if found.lines:
        _say({"en": "To write by hand:", "ja": "手で書き加える行："}[language])
        click.echo("\n".join("    " + line for line in found.lines.splitlines()), err=True)


def _in(sentence: "Sentence", language: str) -> str:
    return sentence.in_language(language)


def _say(text: str) -> None:
    click.echo(f"kazami: {text}", err=True)
