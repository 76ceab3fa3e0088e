"""``kazami run`` and ``kazami check``: a script watched from its first line to its verdict."""

import dataclasses
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import KazamiError
from ..records import SEVERITIES, Finding, Launch, RunInfo, Trace
from ..reports import document, live_line, render_html, verdict_block
from ..reports import verdict as verdict_of
from ..reports.sarif import sarif
from ..sinks import chosen
from ..storage import open_run, trace_head
from .among_ranks import ended_together, newest_losses, with_other_ranks
from .arrival import when_imported
from .language import chosen_language, say
from .options import RunOptions
from .ranks import agreed_location, forget_agreement, is_first_rank, n_ranks
from .script import ScriptEnd, StopTraining, run_script
from .suppressing import Suppressing, working_directory
from .telling import Telling
from .writing import RunDirectory, newest_trace, now, weather, write_whole

if TYPE_CHECKING:
    from .observer import Observer
    from .player import Player

LIVE_SECONDS = 0.25
USAGE = 2  # with which argument parsers end
# that a script may not know
OPTIONS = ("--json", "--sarif", "--fail-on", "--run", "--max-steps", "--every", "--quiet", "--lang", "--ignore", "--dynamics", "--sink")


def run(target: str, arguments: list[str], *, as_module: bool, options: RunOptions, at_location: Callable[[str], None] | None = None) -> ScriptEnd:
    """Run a script as plain Python would, watched; write its run directory, its report and its verdict; return how it ended.

    Args:
        target: Path of the script, or the name of a module.
        arguments: The script's own arguments.
        as_module: Run as ``python -m target``.
        options: What the user asked for.
        at_location: Called with the run directory, once it is there and before the script begins.
    """
    session = Session(target, arguments, options)
    session.at_location = at_location
    return session.run(as_module=as_module)


class Session:
    """One watched run of one script."""

    def __init__(self, target: str, arguments: Sequence[str], options: RunOptions) -> None:
        self.options = options
        self.language = chosen_language(options.lang)
        self.observer: Observer | None = None
        self.target = target
        self.arguments = list(arguments)
        self.stderr: TextIO = sys.stderr
        self.stdout: TextIO = sys.stdout
        self._command = shlex.join([target, *arguments])
        self._directory: RunDirectory | None = None
        self._drawn_at = 0.0
        self._is_drawn = False
        self._exit_code: int | None = None
        self._findings: list[Finding] = []
        self._suppressing = Suppressing()
        self._base = ""
        self._as_module = False
        self.at_location: Callable[[str], None] | None = None
        self._pid = os.getpid()
        self._telling: Telling | None = None

    def run(self, *, as_module: bool) -> ScriptEnd:
        """Run the script to its end."""
        self._as_module = as_module
        with _Redirected("-" in (self.options.json, self.options.sarif), self):
            end = run_script(self.target, self.arguments, as_module=as_module, before=self._before, after=self._after)
        if self._exit_code is not None:
            end = dataclasses.replace(end, exit_code=self._exit_code)
        return end

    # -- before, during, after

    def _before(self) -> None:
        name = os.environ.get("KAZAMI_RUN") if self.options.run is None else self.options.run
        stem = os.path.splitext(os.path.basename(self.target))[0] or "script"
        try:
            location = name or agreed_location(stem)
        except OSError as error:
            location = ""
            self._complain(say("cannot_write", self.language, where="runs", why=error.strerror or str(error)))
        if location:
            launch = Launch(self.target, tuple(self.arguments), self._as_module)
            self._directory = RunDirectory(location, self._command, launch=launch, is_strict=False)
            self._directory.counting = self._counting
            for sentence in self._directory.trouble:
                self._complain(sentence)
            if self.at_location is not None and self._directory.writer is not None and self._is_first_rank():
                self.at_location(location)
        if self.options.sinks and self._is_first_rank():
            self._telling = Telling(chosen(self.options.sinks, location), lambda sentence: self._complain(sentence.in_language(self.language)))
        self._base = working_directory()
        when_imported("torch", self._torch_arrived)

    def _torch_arrived(self) -> None:
        """Attach; a mistake of ours here must not fail the user's import."""
        try:
            self._read_script()
            from .observer import Observer
            from .sampling import Sampling

            self.observer = Observer(
                sampling=Sampling(every=self.options.stride, is_shared=n_ranks() > 1), on_step=self._step_ended, is_dynamics=self.options.dynamics
            )
            if self._directory is not None:
                self._directory.follow(self.observer)
            self.observer.attach()
        except Exception as error:
            self.observer = None
            self._complain(say("cannot_attach", self.language, why=f"{type(error).__name__}: {error}"))

    def _step_ended(self, player: "Player", step: int, is_sampled: bool) -> None:
        del is_sampled
        observer = self.observer
        if observer is None or os.getpid() != self._pid:
            return
        if self._directory is not None:
            looked = self._directory.step_ended(observer, player, step)
            self._findings = looked if looked is not None else self._findings
        if self._telling is not None and player is observer.players[0]:
            self._telling.step(player, step, self._findings)
        self._draw(player, step)
        limit = 1 if self.options.check else self.options.max_steps
        if limit is not None and step >= limit:
            raise StopTraining

    def _after(self, end: ScriptEnd) -> None:
        self._clear_line()
        if self.observer is None:
            self._conclude(Trace(step=0), [], end)
            return
        self.observer.detach()
        if self._directory is not None:
            self._directory.unfollow()
            self._findings = self._directory.look(self.observer, self.observer.clock - 1, at_once=True) or []
        else:
            from .watching import findings_of

            self._findings = self._counting(findings_of(self.observer))
        self._conclude(newest_trace(self.observer), self._findings, end)

    def _read_script(self) -> None:
        """Read what the script's comments ask for; only when it runs does Python know the file of a module or a package."""
        self._suppressing = Suppressing.of_main(self.options.ignore, self._base)
        if self._directory is not None and self._directory.writer is not None:
            self._directory.writer.update(**self._suppressing.head())
        for warning in self._suppressing.warnings:
            self._complain(warning.in_language(self.language))

    def _counting(self, findings: list[Finding]) -> list[Finding]:
        if not self._suppressing.script.file:
            self._read_script()
        players = self.observer.players if self.observer is not None else []
        return self._suppressing.counting(findings, str(players[0].optimizer_settings.get("name", "")) if players else "")

    def _with_other_ranks(self, info: RunInfo, trace: Trace, findings: list[Finding]) -> tuple[RunInfo, list[Finding]]:
        """Wait for the ranks that end with this one, and take in what they met."""
        if self._directory is None or self._directory.writer is None:
            return info, findings
        forget_agreement()
        self._directory.writer.flush()
        try:
            stored = open_run(self._directory.location)
            heads = ended_together(stored, n_ranks()) if info.reason == "finished" else stored.heads()
        except KazamiError:
            return info, findings
        losses = newest_losses(stored, {**heads, 0: info})
        info, findings = with_other_ranks(info, findings, heads, losses, is_first_to_end=info.reason != "finished")
        info = dataclasses.replace(info, verdict={})
        sentence = verdict_of(info, findings, trace.facts.get("checks", ()))
        return dataclasses.replace(info, wind=weather(findings)["wind"] if trace.step else {}, verdict={"en": sentence.en, "ja": sentence.ja}), findings

    def _conclude(self, trace: Trace, findings: list[Finding], end: ScriptEnd) -> None:
        info = self._info(trace, findings, end)
        if n_ranks() > 1 and self._is_first_rank():
            info, findings = self._with_other_ranks(info, trace, findings)
        levels = [SEVERITIES.index(finding.severity) for finding in findings]
        is_over = self.options.fail_on and any(level >= SEVERITIES.index(self.options.fail_on) for level in levels)
        if is_over and end.exit_code == 0 and self._is_first_rank():  # one rank that fails has its launcher end the others
            self._exit_code = 3
        report = self._write(info, trace, findings)
        if not self.options.quiet and self._is_first_rank():
            self._show(info, trace, findings, report)
        if self.options.json is not None and self._is_first_rank():
            self._write_document(self.options.json, self._document(info, findings, report, trace))
        if self.options.sarif is not None and self._is_first_rank():
            self._write_document(self.options.sarif, sarif(info, findings, language=self.language, exit_code=self._exit_code))
        if self._telling is not None:
            self._telling.end(trace.step, findings, report, is_hurried=end.reason == "terminated")

    def _info(self, trace: Trace, findings: list[Finding], end: ScriptEnd) -> RunInfo:
        base = self._directory.info if self._directory is not None else RunInfo(id="", command=self._command)
        blind = list(self.observer.blind.values()) if self.observer is not None else []
        if trace.step == 0:
            blind.append(self._why_no_steps())
        info = dataclasses.replace(
            base,
            steps=trace.step,
            reason=end.reason,
            exit_code=end.exit_code,
            blind=blind,
            findings=[f.to_dict() for f in findings],
            wind=weather(findings)["wind"] if trace.step else {},  # what was not seen is no breeze
            seeds=seeds(),
            trace=trace_head(trace) if trace.step else {},
            ended=now(),
        )
        info = self._suppressing.marked(info)
        sentence = verdict_of(info, findings, trace.facts.get("checks", ()))
        return dataclasses.replace(info, verdict={"en": sentence.en, "ja": sentence.ja})

    def _why_no_steps(self) -> str:
        if self.observer is None:
            return say("no_torch", self.language)
        if "kazami" in self.observer.blind:
            return self.observer.blind["kazami"]
        if self.observer.n_backwards:
            return say("no_optimizer", self.language, n=self.observer.n_backwards)
        return say("no_backward", self.language)

    def _write(self, info: RunInfo, trace: Trace, findings: list[Finding]) -> str | None:
        directory = self._directory
        if directory is None or directory.writer is None:
            return None
        directory.writer.close(
            environment=info.environment,
            ended=info.ended,
            reason=info.reason,
            exit_code=info.exit_code,
            steps=info.steps,
            verdict=info.verdict,
            wind=info.wind,
            blind=info.blind,
            findings=info.findings,
            seeds=info.seeds,
            trace=trace_head(trace),
            suppressed=info.suppressed,
        )
        for sentence in directory.writer.problems:
            self._complain(sentence)
        if not self._is_first_rank():
            return None
        try:
            return write_whole(f"{directory.location.rstrip('/')}/report.html", render_html(info, trace, findings, language=self.language))
        except OSError as error:
            self._complain(say("cannot_write", self.language, where=directory.location, why=error.strerror or str(error)))
            return None

    def _document(self, info: RunInfo, findings: list[Finding], report: str | None, trace: Trace) -> dict[str, Any]:
        data = document(info, findings, report, trace=trace, language=self.language)
        if self._directory is not None:
            data["run"] = self._directory.location if self._directory.writer is not None else None
        return data

    def _write_document(self, place: str, data: dict[str, Any]) -> None:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        try:
            if place == "-":
                self.stdout.write(text + "\n")
                self.stdout.flush()
            else:
                with open(place, "w", encoding="utf-8") as file:
                    file.write(text + "\n")
        except OSError as error:
            self._complain(say("cannot_write", self.language, where=place, why=error.strerror or str(error)))

    # -- what the user sees

    def _is_first_rank(self) -> bool:
        return is_first_rank()

    def _show(self, info: RunInfo, trace: Trace, findings: list[Finding], report: str | None) -> None:
        if trace.step == 0 and info.reason not in ("finished", "exit", "stopped"):
            return  # the script failed before it trained: plain Python's own words are enough
        if trace.step == 0:
            self._complain(info.blind[-1])
            ours = [word for word in self.arguments if word.partition("=")[0] in OPTIONS]
            if ours and info.reason == "exit" and info.exit_code == USAGE:
                self._complain(say("options_behind", self.language, option=ours[0], target=self.target))
            return
        if info.reason in ("exception", "terminated"):  # the script's own words stand above; ours are one line
            first = next((finding for finding in findings if finding.is_primary), None)
            what = first.sentence.in_language(self.language) if first is not None else say("steps_seen", self.language, n=trace.step)
            self._complain(f"{what} → {report}" if report else what)
            return
        with suppress(OSError, ValueError):
            width = min(terminal_width(self.stderr), 110)
            self.stderr.write(verdict_block(info, findings, language=self.language, colour=has_colour(self.stderr), width=width, report=report) + "\n")
            self.stderr.flush()

    def _draw(self, player: "Player", step: int) -> None:
        if self.options.quiet or (moment := time.monotonic()) - self._drawn_at < LIVE_SECONDS:
            return
        self._drawn_at = moment
        if not self._is_first_rank() or not self.stderr.isatty():
            return
        row = player.row(step)
        from ..records import wind_of

        first = next((finding for finding in self._findings if finding.is_primary), None)
        width = terminal_width(self.stderr)
        wind, loss = wind_of(first.wind if first else 0.0), row.get("loss", float("nan"))
        line = live_line(step, loss, wind, worst_layer(player, row), stability=player.stability(), width=width - 1, language=self.language)
        with suppress(OSError, ValueError):
            self.stderr.write(f"\r\x1b[2K{line}")
            self.stderr.flush()
            self._is_drawn = True

    def _clear_line(self) -> None:
        if self._is_drawn:
            with suppress(OSError, ValueError):
                self.stderr.write("\r\x1b[2K")
                self.stderr.flush()

    def _complain(self, sentence: str) -> None:
        with suppress(OSError, ValueError):
            self.stderr.write(f"kazami: {sentence}\n")
            self.stderr.flush()


class _Redirected:
    """With ``--json -`` or ``--sarif -`` the document alone goes to stdout: the script's own stdout (and that of its children) goes to stderr."""

    def __init__(self, is_wanted: bool, session: Session) -> None:
        self._is_wanted = is_wanted
        self._session = session

    def __enter__(self) -> None:
        if self._is_wanted:
            sys.stdout.flush()
            self._session.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
            os.dup2(2, 1)

    def __exit__(self, *details: object) -> None:
        if self._is_wanted:
            self._session.stdout.close()


def worst_layer(player: "Player", row: dict[str, float]) -> str:
    """Return the layer whose wind lies farthest from a breeze, empty where all are healthy."""
    winds = {int(name.split("/")[1]): value for name, value in row.items() if name.startswith("layer_wind/")}
    far = {column: abs(value + 1.0) for column, value in winds.items() if value == value and abs(value + 1.0) > 2.0}
    return player.layers[max(far, key=lambda column: far[column])].name if far else ""


def seeds() -> dict[str, int]:
    """Return torch's seed, if torch was imported."""
    torch = sys.modules.get("torch")
    try:
        return {"torch": int(torch.initial_seed())} if torch is not None else {}
    except (AttributeError, RuntimeError):
        return {}


def terminal_width(stream: TextIO) -> int:
    """Return the width of the terminal behind a stream, 80 where there is none."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError, AttributeError):
        return 80


def has_colour(stream: TextIO) -> bool:
    """Return whether colours are wanted on a stream."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
