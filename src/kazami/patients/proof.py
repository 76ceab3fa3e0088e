"""Proves the labels by intervention: an ill patient fails, and the same training with that one cause changed works.

Run ``python -m kazami.patients.proof`` for the table of all patients; ``--split``, ``--name`` and ``--json`` choose and keep.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from ..errors import unknown_name
from ..maps import Training
from . import SPLITS, all_patients
from ._base import Patient


@dataclass(frozen=True, slots=True, kw_only=True)
class PatientProof:
    """What several seeds said about one patient's label.

    Attributes:
        name: The patient's name.
        label: Its label, ``None`` for healthy.
        good: The score that counts as working.
        scores: The patient's own score for each seed.
        healed_scores: The healed twin's score for each seed; empty for a healthy patient.
        seconds: Mean wall time of one training of the patient itself.
    """

    name: str
    label: str | None
    good: float
    scores: tuple[float, ...]
    healed_scores: tuple[float, ...]
    seconds: float

    @property
    def is_proved(self) -> bool:
        """Whether, for every seed, ill < good <= healed; for a healthy patient whether every seed reaches ``good``."""
        if self.label is None:
            return all(score >= self.good for score in self.scores)
        return all(not score >= self.good for score in self.scores) and all(score >= self.good for score in self.healed_scores)


def prove(patient: Patient, seeds: Sequence[int] = (0, 1, 2)) -> PatientProof:
    r"""Train a patient, and its healed twin, once per seed, and compare the scores with :attr:`Patient.good`.

    The label is proved when :math:`s_\text{ill} < s_\text{good} \le s_\text{healed}` for every seed.

    Args:
        patient: Any patient.
        seeds: Added to the training's own seed; the batches stay the same.

    Limits:
        The data and the order of the batches are not varied, only the initialisation and whatever else draws from torch's generator.
    """
    started = time.perf_counter()
    scores = _scores(patient.training, seeds)
    seconds = (time.perf_counter() - started) / len(seeds)
    healed = () if patient.healed is None else _scores(patient.healed, seeds)
    return PatientProof(name=patient.name, label=patient.label, good=patient.good, scores=scores, healed_scores=healed, seconds=seconds)


def _scores(make: Callable[[], Training], seeds: Sequence[int]) -> tuple[float, ...]:
    return tuple(_score(make(), seed) for seed in seeds)


def _score(training: Training, seed: int) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about some illnesses (a broadcast target); that is the patients' business
        score = training.replaced(seed=training.seed + seed).run().score
    return float("nan") if score is None else score


def table(proofs: Iterable[PatientProof]) -> str:
    """Return the proofs as text, one line per patient, and a last line with the counts."""
    proofs = list(proofs)
    lines = [f"{'patient':<46}{'label':<25}{'good':>6}  {'own scores':<24} {'healed':<24}{'s':>5}"]
    lines += [_line(proof) for proof in proofs]
    proved = sum(proof.is_proved for proof in proofs)
    healthy = sum(proof.label is None for proof in proofs)
    return "\n".join([*lines, f"{len(proofs)} patients ({healthy} healthy), {proved} proved"])


def _line(proof: PatientProof) -> str:
    own, healed = (" ".join(f"{score:.3g}" for score in scores) for scores in (proof.scores, proof.healed_scores))
    label = proof.label or "healthy"
    return f"{proof.name:<46}{label:<25}{proof.good:>6.2f}  {own:<24} {healed:<24}{proof.seconds:>5.1f}  {'proved' if proof.is_proved else 'NOT PROVED'}"


def _chosen(split: str | None, names: Sequence[str]) -> tuple[Patient, ...]:
    patients = {patient.name: patient for name in ((split,) if split else SPLITS) for patient in all_patients(name)}
    for name in names:
        if name not in patients:
            raise unknown_name("patient", name, patients)
    return tuple(patients[name] for name in names or patients)


def main(arguments: Sequence[str] | None = None) -> int:
    """Prove patients, print the table, and return 0 if every label is proved, else 1."""
    parser = argparse.ArgumentParser(prog="python -m kazami.patients.proof", description="Prove the patients' labels by intervention.")
    parser.add_argument("--split", choices=SPLITS, help="only this split")
    parser.add_argument("--name", action="append", default=[], help="only this patient; may be given more than once")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the proofs to this file")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (default: 3)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    proofs = []
    chosen = _chosen(options.split, options.name)
    for number, patient in enumerate(chosen, start=1):
        proofs.append(prove(patient, tuple(range(options.seeds))))
        sys.stderr.write(f"{number}/{len(chosen)} {_line(proofs[-1])}\n")
    sys.stdout.write(table(proofs) + "\n")
    if options.json is not None:
        document = {"schema": 1, "proofs": [{**asdict(proof), "is_proved": proof.is_proved} for proof in proofs]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return 0 if all(proof.is_proved for proof in proofs) else 1


if __name__ == "__main__":
    sys.exit(main())
