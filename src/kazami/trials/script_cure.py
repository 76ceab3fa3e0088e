"""``kazami cure train.py``: finds the smallest change of a script that makes it train, writes it into the source, and proves it by running that.

The script runs only in mirrors of its working directory (`replays`). Candidates are tried as edits of its source; what cannot be written there is tried on a
training harvested from the script's first steps, and given as lines to add.
"""

import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec

from ..edits import Script, diff_bytes, edited, lines_to_add, read_script, unified_diff
from ..errors import KazamiError, UsageError
from ..records import Proof, Sentence
from .replayed import LEAST_STEPS, Replay
from .replays import Replays
from .script_subject import BEYOND_TRAINING, EXPLAINED, VALIDATION, ScriptFacts, ScriptSubject, trial_of
from .search import OutOfBudget, Progress, Search, serious

FIRST_SHARE = 1 / 8  # of the budget that the first replay may take
TRIALS = 16  # so many should fit into the budget; their steps are cut so that they do, but not below `LEAST_STEPS`
IN_MEMORY = 0.6  # of what is left goes to the search in memory, the rest to its proof on the script


@dataclass(frozen=True, slots=True)
class ScriptCure:
    """What became of a script.

    Attributes:
        proof: What was tried and proved.
        diff: Unified diff of the user's files, to be read; empty where nothing could be written into them.
        patch: The same as bytes, each file's lines in its own encoding.
        lines: What to write by hand, and where.
        said: What else the user should know.
        before: The user's files.
        after: The same with the proved changes.
        steps: Optimizer steps of each trial.
    """

    proof: Proof
    diff: str
    patch: bytes
    lines: str
    said: tuple[Sentence, ...]
    before: Script
    after: Script
    steps: int


def cure_script(
    target: str,
    arguments: Sequence[str] = (),
    *,
    as_module: bool = False,
    budget: float = 120.0,
    seeds: int = 3,
    steps: int | None = None,
    may_write: bool = False,
    only: str = "",
    progress: Progress | None = None,
) -> ScriptCure:
    """Find the smallest change of a script that makes it train, and prove it on the script itself.

    Args:
        target: Path of the script, or name of a module.
        arguments: The script's own.
        as_module: Run as ``python -m target``.
        budget: Seconds for everything.
        seeds: Seeds of the proof, at least 3.
        steps: Optimizer steps of each trial; by default as many as the script takes, or reaches in an eighth of the budget.
        may_write: Let trials write outside of the mirror of the working directory.
        only: Name of one prescription of the findings: that alone is tried, exactly as it is prescribed.
        progress: Called before each trial.

    Returns:
        The proof with its diff. Ctrl-C returns what is known so far.

    Raises:
        UsageError: The script takes no optimizer step, or writes where a trial may not, or no finding prescribes ``only``.

    Limits:
        Trials see the first steps only: what goes wrong later is not seen unless ``steps`` and ``budget`` reach so far. Random streams of a trial are not
        those of the script run alone: they are set anew at each step, so that both arms meet the same batches. Processes that the script starts are not
        confined.
    """
    path = _path_of(target) if as_module else target
    script = read_script(os.path.abspath(path))
    with Replays(target, tuple(arguments), as_module, may_write=may_write) as replays:
        course = _Course(replays, script, budget, max(seeds, 3), progress, only)
        return course.run(steps)


@dataclass(slots=True)
class _Course:
    """The course of one cure of one script."""

    replays: Replays
    script: Script
    budget: float
    n_seeds: int
    progress: Progress | None
    only: str = ""
    began: float = 0.0

    def run(self, steps: int | None) -> ScriptCure:
        """Look at the script, search, prove, write."""
        self.began = time.perf_counter()
        self._tell("diagnosis")
        replay: Replay = self.replays.run(steps=steps, seconds=max(self.budget * FIRST_SHARE, 5.0))
        _refuse_what_cannot_be_tried(replay, self.replays.target)
        n_steps = len(replay.losses) if steps is not None else self._affordable_steps(replay)
        del replay.losses[n_steps:]
        subject = self._subject(replay)
        first = trial_of(replay, subject.facts, 0)
        search = Search(subject, self.n_seeds, self.budget, self.progress, self.only, started=self.began)
        search.begin_with(first)
        try:
            proof = self._found(search, n_steps, _seconds_for(replay, n_steps))
        except (OutOfBudget, KeyboardInterrupt) as reason:
            proof = search.concluded(interrupted=isinstance(reason, KeyboardInterrupt))
        return self._written(proof if proof.on == "harvest" else replace(proof, on="script"), _said(replay), n_steps)

    def _affordable_steps(self, replay: Replay) -> int:
        """Return how many steps a trial may take, so that enough of them fit into the budget."""
        n = len(replay.losses)
        if replay.seconds <= self.budget / TRIALS or n < 2:
            return n
        per_step = (replay.seconds - replay.first_step_at) / (n - 1)
        return min(n, max(LEAST_STEPS, int((self.budget / TRIALS - replay.first_step_at) / max(per_step, 1e-9))))

    def _subject(self, replay: Replay) -> ScriptSubject:
        names = {finding.name for finding in serious(replay.findings)[:1]}
        by_validation = bool(names & set(BEYOND_TRAINING)) and replay.trace.has("validation_loss")
        rate = replay.trace.optimizer.get("learning_rate")
        facts = ScriptFacts(
            steps=len(replay.losses),
            seconds=max(2 * replay.seconds, 5.0),
            learning_rate=float(rate) if isinstance(rate, int | float) else math.nan,
            measure=VALIDATION if by_validation else EXPLAINED,
            first_losses={0: replay.losses[0]},
        )
        return ScriptSubject(self.replays, self.script, self.script, facts)

    def _found(self, search: Search, steps: int, seconds: float) -> Proof:
        """Search on the script where that is affordable, else in memory first; then the other way."""
        if self.only:
            search.require_asked_for()
        elif not serious(search.findings):
            return search.nothing_to_cure()
        proof: Proof | None = None
        is_affordable = seconds * TRIALS < 2 * self.budget
        if is_affordable:
            proof = search.proof(self.budget * (1 - IN_MEMORY / 2))
            if proof.cured or (self.only and search.last is not None):
                return proof
        by_memory = self._in_memory(search, steps)
        if by_memory is not None:
            return by_memory
        return proof if proof is not None else search.proof()

    def _in_memory(self, search: Search, steps: int) -> Proof | None:
        """Search on a harvested training; prove on the script what can be written into it; ``None`` where that gives nothing."""
        left = self.budget - (time.perf_counter() - self.began)
        if left <= 0:
            return None
        self._tell("search in memory")
        try:
            found = self.replays.run("search", steps=steps, seconds=IN_MEMORY * left, n_seeds=self.n_seeds, only=self.only)
        except KazamiError:
            return None
        if not isinstance(found, Proof) or not found.cured:
            return None
        can_be_written = not edited(self.script, found.changes)[1]
        return search.proof_of(found.changes) if can_be_written else replace(found, on="harvest", findings=tuple(search.findings))

    def _written(self, proof: Proof, said: list[Sentence], steps: int) -> ScriptCure:
        after, left = edited(self.script, proof.changes) if proof.cured else (self.script, ())
        diff, patch = unified_diff(self.script, after, root=self.replays.directory), diff_bytes(self.script, after, root=self.replays.directory)
        lines = lines_to_add(self.script, left) if left else ""
        if proof.cured and proof.on == "harvest":
            said.append(
                Sentence(
                    "The change was proved on a training made of the script's first steps, whose seeds share weights and batches; "
                    "it could not be written into the script, so it was not tried there.",
                    "この変更は、スクリプトの最初の数ステップから作った学習（シードが違っても重みとバッチは同じ）で証明したものです。"
                    "スクリプトに書き込めなかったため、スクリプト自体では試していません。",
                )
            )
        return ScriptCure(proof, diff, patch, lines, tuple(said), self.script, after, steps)

    def _tell(self, what: str) -> None:
        if self.progress is not None:
            self.progress(what, time.perf_counter() - self.began, self.budget)


def _refuse_what_cannot_be_tried(replay: Replay, target: str) -> None:
    if replay.refused and replay.error:
        raise UsageError(
            f"{target} writes to {replay.refused[0]}, outside of its working directory, and kazami does not let a trial do that. "
            "Give it another place, or allow it with --allow-writes."
        )
    if not replay.losses:
        why = f" It ended with {replay.error}." if replay.error else ""
        raise UsageError(f"{target} took no optimizer step that could be watched, so there is nothing to cure.{why}")


def _seconds_for(replay: Replay, n_steps: int) -> float:
    """Return how long a replay of so many steps takes, by the first one."""
    n = max(replay.trace.step, 2)
    return replay.first_step_at + (replay.seconds - replay.first_step_at) * n_steps / n


def _said(replay: Replay) -> list[Sentence]:
    places = ", ".join(replay.refused[:3])
    refused = Sentence(f"In the trials these writes were refused: {places}.", f"試行中、次の場所への書き込みは拒否しました：{places}。")
    return [refused] if replay.refused else []


def _path_of(module: str) -> str:
    """Return the file that ``python -m module`` runs, looked for from the working directory."""
    inside = module.replace(".", os.sep)
    for path in (f"{inside}.py", os.path.join(inside, "__main__.py")):
        if os.path.exists(path):
            return path
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise UsageError(f"There is no module {module!r} in the working directory or on the Python path.")
    return spec.origin
