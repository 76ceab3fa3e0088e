"""The search for the smallest change that makes a training work, and its proof."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from ..errors import UsageError
from ..records import Finding, Prescription, Proof, Sentence, Tried
from .candidates import LOWERS, RAISES, candidates_for, distance_of_rate, fallbacks, moves_the_scale, size_of, with_rate
from .cause import named_by_trials
from .proving import Pairs, pairs_of, stands_still
from .subject import AbstractSubject
from .trial import Trial

Progress = Callable[[str, float, float], None]  # what is tried, seconds spent, seconds of the budget
ROUNDS = 3
RAISE = 3.0  # the steps in which learning rates are searched; the width of the range that works is seldom narrower
ENOUGH = 0.75  # a smaller change is preferred if it brings this share of what the best one brings …
CLOSE = 0.1  # … and comes this near to the best one's score: where the unchanged training runs away, any share is next to all


class OutOfBudget(Exception):
    """The next trial does not fit into what is left."""


@dataclass(slots=True)
class Candidate:
    """Changes that help.

    Attributes:
        changes: The changes.
        subject: What has them.
        trial: Its trial with the first seed.
    """

    changes: tuple[Prescription, ...]
    subject: AbstractSubject
    trial: Trial


@dataclass(slots=True)
class Search:
    """One search for one subject.

    Attributes:
        subject: What is to be cured.
        n_seeds: Seeds of the proof.
        budget: Seconds for all trials.
        progress: Told before each trial.
        only: Try nothing but the prescriptions of this name, each as it is prescribed; empty for the whole search.
    """

    subject: AbstractSubject
    n_seeds: int
    budget: float
    progress: Progress | None
    only: str = ""
    started: float = field(default_factory=time.perf_counter)
    tried: list[Tried] = field(default_factory=list)
    before: list[Trial] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    has_helped: bool = False
    longest: float = 0.0
    known: set[str] = field(default_factory=set)
    proofs: list[tuple[Candidate, Pairs]] = field(default_factory=list)
    until: float = math.inf
    last: Trial | None = None  # of a change

    # -- the course of it

    def begin_with(self, first: Trial) -> None:
        """Take a trial of the unchanged training with its own seed as the diagnosis."""
        self.before.append(first)
        self.findings = first.findings

    def proof(self, until: float = math.inf) -> Proof:
        """Diagnose, try, prove; begin no trial when ``until`` seconds are spent, though the budget were larger."""
        self.until = until
        if not self.before:
            self.begin_with(self.run(self.subject, seed=self.seeds[0], watched=True, what="diagnosis"))
        try:
            return self._searched(self.before[0])
        except OutOfBudget:
            return self.concluded()
        finally:
            self.until = math.inf

    def concluded(self, *, interrupted: bool = False) -> Proof:
        """Return the best proof that there is by now; what is proved stays proved though the budget is spent, or Ctrl-C was pressed."""
        gains = [(candidate, pairs) for candidate, pairs in self.proofs if pairs.is_gain]
        for candidate, pairs in gains:
            if not serious(pairs.after[0].findings):
                return self._proved(candidate, pairs)
        if relaxed := [(candidate, pairs) for candidate, pairs in gains if self._works(pairs.after[0])]:  # with something left to say of it
            return self._proved(*max(relaxed, key=lambda proof: proof[1].mean_after))
        return self.unproved(interrupted=interrupted)

    def proof_of(self, changes: tuple[Prescription, ...]) -> Proof | None:
        """Return the proof of changes that were found elsewhere, ``None`` where they cannot be carried out here or prove nothing."""
        candidate = self._one(changes, self.before[0])
        if candidate is None:  # tried before, or of no help
            return None
        if self._is_proved(candidate) or (self.proofs[-1][1].is_gain and self._works(self.proofs[-1][1].after[0])):
            return self._proved(*self._ablated(candidate, self.proofs[-1][1]))
        return None

    def _searched(self, first: Trial) -> Proof:
        if self.only:
            return self._searched_for_one(first)
        if not serious(first.findings):
            return self.nothing_to_cure()
        kept: tuple[Prescription, ...] = ()
        findings = first.findings
        for _ in range(ROUNDS):
            self.has_helped = False  # nothing waits for its proof
            helpful = self._screened(kept, findings, first)
            for candidate in helpful:
                if self._is_proved(candidate):
                    return self._proved(*self._ablated(candidate, self.proofs[-1][1]))
            if not helpful:
                break
            best = max(helpful, key=score_of)  # what is left is cured on top of it
            kept, findings = best.changes, best.trial.findings
        return self.concluded()

    def _searched_for_one(self, first: Trial) -> Proof:
        """Try the prescriptions of the one name that was asked for, and prove the first that helps; nothing else is tried."""
        for changes in self._asked_for(first.findings):
            candidate = self._one(changes, first)
            if candidate is not None and self._is_proved(candidate):
                return self._proved(candidate, self.proofs[-1][1])
        return self.concluded()

    def require_asked_for(self) -> None:
        """Refuse a name that no finding prescribes.

        Raises:
            UsageError: There is none.
        """
        self._asked_for(self.findings)

    def _asked_for(self, findings: Sequence[Finding]) -> list[tuple[Prescription, ...]]:
        prescribed = candidates_for(findings)
        wanted = [changes for changes in prescribed if changes[0].name == self.only]
        if not wanted:
            names = ", ".join(dict.fromkeys(changes[0].name for changes in prescribed)) or "nothing"
            raise UsageError(f"No finding of this training prescribes {self.only!r}; prescribed here: {names}.")
        return wanted

    def _is_proved(self, candidate: Candidate) -> bool:
        pairs = self._pairs(candidate)
        self.proofs.append((candidate, pairs))
        left = serious(pairs.after[0].findings)
        if pairs.is_gain and not left:
            return True
        if not pairs.is_gain:
            self._add_to(
                candidate, Sentence("not better with every seed than the unchanged one with any", "すべてのシードで元の学習を上回ったわけではありません")
            )
        else:
            self._add_to(candidate, Sentence(f"{left[0].name} is still there", f"{left[0].name} が残っています"))
        return False

    def _add_to(self, candidate: Candidate, why: Sentence) -> None:
        """Say of a candidate why its proof failed."""
        for number, one in enumerate(self.tried):
            if one.changes == candidate.changes:
                self.tried[number] = replace(one, helped=False, why=Sentence(f"{one.why.en[:-1]}; {why.en}.", f"{one.why.ja}{why.ja}。"))

    def _has_the_cause(self, trial: Trial) -> bool:
        cause = next((finding.name for finding in self.findings if finding.is_primary), "")
        return cause in {finding.name for finding in serious(trial.findings)}

    def _works(self, trial: Trial) -> bool:
        return not self._has_the_cause(trial) and not stands_still(trial)

    @property
    def seeds(self) -> list[int]:
        """The seeds of the proof; the training's own is the first."""
        return [self.subject.seed + number for number in range(self.n_seeds)]

    def run(self, subject: AbstractSubject, *, seed: int, watched: bool = False, what: str = "") -> Trial:
        """Run one trial if the budget allows it."""
        began = time.perf_counter()
        spent = began - self.started
        if spent > (self.budget if self.has_helped else min(self.budget, self.until)):  # what helps is proved before anything else is begun
            raise OutOfBudget
        if self.progress is not None:
            self.progress(what, spent, self.budget)
        trial = subject.trial(seed=seed, watched=watched)
        self.longest = max(self.longest, time.perf_counter() - began)  # with what it takes to set up
        return trial

    # -- screening

    def _screened(self, kept: tuple[Prescription, ...], findings: Sequence[Finding], first: Trial) -> list[Candidate]:
        """Return the candidates that help, in the order in which they are to be proved."""
        lists = [candidates_for(serious(findings) or findings)]
        if not kept:
            lists.append(fallbacks(self.subject.learning_rate))
        for changes in lists:
            names = {change.name for change in kept}
            tried = [self._tried(kept + own, first) for own in changes if not names & {change.name for change in own}]
            helpful = [candidate for candidate in tried if candidate is not None]
            if helpful:
                return self._ordered(helpful, first)
        return []

    def _tried(self, changes: tuple[Prescription, ...], first: Trial) -> Candidate | None:
        """Try a change, with other learning rates too where it moves the scale or is one; return what helps enough with the least change of the rate."""
        plain = self._one(changes, first)
        found = [plain] if plain is not None else []
        if plain is None and (not moves_the_scale(changes) or self.subject.changed(changes) is None):
            return None
        for direction in (RAISE, 1 / RAISE):
            if moves_the_scale(changes) or changes[-1].name == (RAISES if direction > 1 else LOWERS):
                found += self._climbed(changes, direction, max(found, key=score_of, default=None), first)
        best = max(map(score_of, found), default=-math.inf)
        enough = [candidate for candidate in found if is_enough(score_of(candidate), best, first.score)]
        return min(enough, key=lambda candidate: distance_of_rate(candidate.changes), default=None)

    def _climbed(self, changes: tuple[Prescription, ...], direction: float, best: Candidate | None, first: Trial) -> list[Candidate]:
        """Go on in one direction of the learning rate as long as that helps; one step that does not help is forgiven while nothing has helped yet."""
        found: list[Candidate] = []
        factor, patience = direction, 2 if best is None else 1
        while patience:
            candidate = self._one(with_rate(self.subject.learning_rate, changes, factor), first)
            if candidate is not None and (best is None or score_of(candidate) > score_of(best)):
                best = candidate
                found.append(candidate)
            else:
                patience -= 1
            factor *= direction
        return found

    def _one(self, changes: tuple[Prescription, ...], first: Trial, *, is_control: bool = False) -> Candidate | None:
        name = repr([(change.name, change.parameters) for change in changes])
        if name in self.known or (self._must_prove_now() and not is_control):
            return None
        self.known.add(name)
        changed = self.subject.changed(changes)
        if changed is None:
            self._note(changes, None, None, Sentence("Cannot be carried out here: write it by hand.", "ここでは自動で適用できません。手で書き換えてください。"))
            return None
        trial = self.last = self.run(changed, seed=self.seeds[0], watched=True, what=" + ".join(change.name for change in changes))
        helps = trial.score is not None and (first.score is None or trial.score > first.score)
        gain = None if trial.score is None or first.score is None else trial.score - first.score
        self._note(changes, trial, gain, _became(trial, gain), helped=helps)
        self.has_helped |= helps
        return Candidate(changes, changed, trial) if helps else None

    def _must_prove_now(self) -> bool:
        """Return whether something helps already, and what is left of the budget is needed for its proof."""
        n_trials = self.n_seeds - len(self.before) + self.n_seeds - 1
        return self.has_helped and time.perf_counter() - self.started + n_trials * self.longest > min(self.budget, self.until)

    def _note(self, changes: tuple[Prescription, ...], trial: Trial | None, gain: float | None, why: Sentence, *, helped: bool = False) -> None:
        steps, score = (len(trial.losses), trial.score) if trial is not None else (0, None)
        self.tried.append(Tried(changes, steps, score, gain, why, helped))

    def _ordered(self, helpful: list[Candidate], first: Trial) -> list[Candidate]:
        """Return those that bring most of what the best one brings, the least change first; what leaves the cause as it is counts only where all do."""
        without_cause = [candidate for candidate in helpful if not self._has_the_cause(candidate.trial)] or helpful
        best = max(score_of(candidate) for candidate in without_cause)
        near = [candidate for candidate in without_cause if is_enough(score_of(candidate), best, first.score)]
        return sorted(near, key=lambda candidate: size_of(candidate.changes))

    # -- proof

    def _pairs(self, candidate: Candidate) -> Pairs:
        for seed in self.seeds[len(self.before) :]:
            self.before.append(self.run(self.subject, seed=seed, what="placebo"))
        return pairs_of(candidate.subject, self.seeds, self.before, run=self._run_for_proof, first=candidate.trial)

    def _run_for_proof(self, subject: AbstractSubject, *, seed: int, watched: bool = False) -> Trial:
        return self.run(subject, seed=seed, watched=watched, what="proof")

    def _ablated(self, candidate: Candidate, pairs: Pairs) -> tuple[Candidate, Pairs]:
        """Drop every change without which the proof still holds and most of the gain stays."""
        for change in candidate.changes[:-1] if len(candidate.changes) > 1 else ():
            fewer = tuple(one for one in candidate.changes if one is not change)
            less = self.subject.changed(fewer)
            if less is None:
                continue
            trial = self.run(less, seed=self.seeds[0], watched=True, what="ablation")
            without = Candidate(fewer, less, trial)
            if trial.score is None or serious(trial.findings):
                continue
            other = self._pairs(without)
            if other.is_gain and is_enough(other.mean_after, pairs.mean_after, _mean(self.before)):
                candidate, pairs = without, other
        return candidate, pairs

    # -- what it gives

    def _proved(self, candidate: Candidate, pairs: Pairs) -> Proof:
        names = " + ".join(change.name for change in candidate.changes)
        en = f"Cured and proved: {names}; with each of {self.n_seeds} seeds the score is above that of the unchanged training with any of them."
        ja = f"治療を証明しました：{names}。{self.n_seeds} 個のどのシードでも、元の学習のどのシードよりスコアが高くなります。"
        self._try_the_reflex(candidate)
        first, best = self.before[0].score, score_of(candidate)
        findings, cause = named_by_trials(
            self.findings, self.tried, candidate.changes, helps=lambda one: one.score is not None and is_enough(one.score, best, first)
        )
        tried = [replace(one, helped=one.helped and one.changes == candidate.changes) for one in self.tried]
        return replace(
            self._base(Sentence(en, ja)),
            cured=True,
            changes=candidate.changes,
            table=pairs.rows,
            tried=tuple(tried),
            findings=tuple(findings),
            not_the_cause=findings[0].not_the_cause if findings else (),
            cause=cause,
            losses_after=tuple(tuple(trial.losses) for trial in pairs.after),
            training=candidate.subject.training,
            trace_after=pairs.after[0].trace,
        )

    def _try_the_reflex(self, candidate: Candidate) -> None:
        """Try a tenth of the learning rate as well, what people try first, if no rate was tried and the budget allows it: it may not be the cause."""
        changes_tried = [*(one.changes for one in self.tried), candidate.changes]
        has_tried = bool(self.only) or any(change.name in (LOWERS, RAISES) for changes in changes_tried for change in changes)
        if not has_tried and time.perf_counter() - self.started + 2 * self.longest < min(self.budget, self.until):
            for changes in fallbacks(self.subject.learning_rate)[:1]:
                with suppress(OutOfBudget):
                    self._one(changes, self.before[0], is_control=True)

    def nothing_to_cure(self) -> Proof:
        """Return what is said of a training that is well."""
        return replace(
            self._base(Sentence("Nothing to cure: the diagnosis finds nothing wrong.", "治療は不要です。診断で異常は見つかりませんでした。")),
            nothing_to_cure=True,
        )

    def unproved(self, *, interrupted: bool = False) -> Proof:
        """Return what is known where no cure was proved."""
        if self.only and not interrupted:
            return self._one_unproved()
        n = len(self.tried)
        how = "was interrupted" if interrupted else "found no change that could be proved"
        ja = "中断されました" if interrupted else "証明できる変更は見つかりませんでした"
        return self._base(Sentence(f"Not cured: the search {how}; {n} changes were tried.", f"治療できませんでした：{ja}（{n} 通りを試しました）。"))

    def _one_unproved(self) -> Proof:
        """Return what became of the one prescription that was to be tried, with its own course beside the unchanged one."""
        says = Sentence(f"Not proved: {self.only} was tried alone, and nothing else.", f"証明できませんでした：{self.only} だけを試しました。")
        base = self._base(says)
        return base if self.last is None else replace(base, losses_after=(tuple(self.last.losses),), trace_after=self.last.trace)

    def _base(self, verdict: Sentence) -> Proof:
        return Proof(
            verdict=verdict,
            cured=False,
            placebo=tuple(trial.score for trial in self.before if trial.score is not None),
            measure=self.subject.measure,
            tried=tuple(self.tried),
            findings=tuple(self.findings),
            losses_before=tuple(tuple(trial.losses) for trial in self.before),
            seconds=time.perf_counter() - self.started,
            training=self.subject.training,
            trace_before=self.before[0].trace if self.before else None,
        )


def is_enough(score: float, best: float, start: float | None) -> bool:
    """Return whether a score is most of what the best one brings over the unchanged training, and near to it."""
    lost = CLOSE * abs(best) if start is None else min((1 - ENOUGH) * (best - start), CLOSE * abs(best))
    return score >= best - lost


def score_of(candidate: Candidate) -> float:
    """Return the score of a candidate's trial, minus infinity where it has none."""
    return -math.inf if candidate.trial.score is None else candidate.trial.score


def serious(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings that are more than remarks."""
    return [finding for finding in findings if finding.severity != "info"]


def _mean(trials: Sequence[Trial]) -> float:
    scores = [trial.score for trial in trials if trial.score is not None]
    return sum(scores) / len(scores) if scores else 0.0


def _became(trial: Trial, gain: float | None) -> Sentence:
    if trial.error:
        return Sentence(f"Failed: {trial.error}.", f"失敗しました：{trial.error}。")
    if trial.score is None:
        return Sentence("Ended in numbers that are not finite.", "有限でない数値に終わりました。")
    if gain is None:
        return Sentence(
            f"Trains: score {trial.score:.3g}; the unchanged training ends in no score.",
            f"学習できます：スコア {trial.score:.3g}。元の学習ではスコアが得られません。",
        )
    word, wort = ("gains", "上がりました") if gain > 0 else ("gains nothing", "上がりませんでした")
    return Sentence(f"Score {trial.score:.3g}, {word} ({gain:+.3g}).", f"スコア {trial.score:.3g}（{gain:+.3g}）：{wort}。")
