"""Scores diagnosis and cure on patients: ``python -m kazami.patients.score``; the diagnosis on the first fifth of the steps and on all of them.

What is done is kept in a file beside the temporary ones: begun again it goes on where it stopped, unless the code has changed.
"""

import argparse
import json
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import SPLITS, Split, all_patients
from ._base import Patient
from .healing import Healing, heal, sample
from .ledger import Ledger, code_of_package, default_place
from .reading import SHARE, Reading, read
from .tally import Line, of_healings, of_readings, table

Job = tuple[str, str]  # what is done, and to which patient
DIAGNOSIS = "diagnosis"


def main(arguments: Sequence[str] | None = None) -> int:
    """Score, print the tables, and return 0, 1 where a patient could not be scored, 130 after Ctrl-C; single results are printed only with ``--detail``."""
    chosen = _options(arguments)
    split: Split = chosen.split
    patients = [patient for patient in all_patients(split) if chosen.name in patient.name]
    ledger = Ledger(chosen.progress or default_place(), code_of_package())
    jobs: list[Job] = [(DIAGNOSIS, patient.name) for patient in patients] if not chosen.only_cure else []
    cure = f"cure within {chosen.budget:g} s"
    if chosen.cure or chosen.only_cure:
        jobs += [(cure, patient.name) for patient in sample(patients, chosen.sample or None)]
    is_interrupted = False
    try:
        for kind, name, result in _done(jobs, split, ledger, chosen.workers, chosen.budget):
            if chosen.detail:
                print(f"\r{_in_words(kind, name, result)}", flush=True)
    except KeyboardInterrupt:
        is_interrupted = True
    print(file=sys.stderr)
    results = {job: ledger.get(*job) for job in jobs}
    failed = [name for (_, name), result in results.items() if result is not None and "error" in result]
    good = {job: result for job, result in results.items() if result is not None and "error" not in result}
    readings = [_reading(result) for (kind, _), result in good.items() if kind == DIAGNOSIS]
    healings = [_healing(result) for (kind, _), result in good.items() if kind != DIAGNOSIS]
    lines = {"diagnosis": of_readings(readings) if readings else [], "cure": of_healings(healings) if healings else []}
    _write(chosen.json, _document(split, patients, lines, failed, list(good.values()) if chosen.detail else []))
    if chosen.json != "-":
        _print(split, patients, lines, len(readings), len(healings), chosen.budget, len(failed), is_interrupted)
    return 130 if is_interrupted else 1 if failed else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m kazami.patients.score", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--split", choices=SPLITS, default="scoring", help="which patients (default: scoring)")
    parser.add_argument("--name", default="", help="only patients whose name contains this")
    parser.add_argument("--cure", action="store_true", help="let cure treat a sample of them as well")
    parser.add_argument("--only-cure", action="store_true", help="the same without the diagnosis")
    parser.add_argument("--sample", type=int, default=30, metavar="N", help="so many ill patients, and a third as many healthy ones (default: 30; 0: all)")
    parser.add_argument("--budget", type=float, default=60.0, metavar="SECONDS", help="for the trials of one patient (default: 60)")
    parser.add_argument("--workers", type=int, default=min(2, os.cpu_count() or 1), metavar="N", help="processes (default: 2)")
    parser.add_argument("--progress", type=Path, metavar="FILE", help="where to keep what is done (default: among the temporary files)")
    parser.add_argument("--detail", action="store_true", help="print every patient, and put it into the JSON document")
    parser.add_argument("--json", metavar="FILE|-", help="write the tables as one JSON document; with - nothing else goes to stdout")
    return parser.parse_args(arguments)


def _done(jobs: Sequence[Job], split: Split, ledger: Ledger, workers: int, budget: float) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Do what is not done yet, in processes of one thread each, and yield each result."""
    waiting = [job for job in jobs if ledger.get(*job) is None]
    print(f"{len(jobs)} to score, {len(jobs) - len(waiting)} of them done before ({ledger.place})", file=sys.stderr)
    pool = ProcessPoolExecutor(max(1, min(workers, len(waiting) or 1)), mp_context=multiprocessing.get_context("spawn"), initializer=_one_thread)
    futures: dict[Future[dict[str, Any]], Job] = {}
    try:
        futures = {pool.submit(work, kind, name, split, budget): (kind, name) for kind, name in waiting}
        for n, future in enumerate(as_completed(futures), start=1):
            kind, name = futures[future]
            result = future.result()
            ledger.add(kind, name, result)
            print(f"\r{n}/{len(waiting)}", end="", file=sys.stderr, flush=True)
            yield kind, name, result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


def work(kind: str, name: str, split: Split, budget: float) -> dict[str, Any]:
    """Score one patient, in whatever process this is; a mistake of ours is a result too."""
    patient = next(patient for patient in all_patients(split) if patient.name == name)
    try:
        return asdict(read(patient) if kind == DIAGNOSIS else heal(patient, budget))
    except Exception as mistake:
        return {"error": f"{type(mistake).__name__}: {mistake}"}


def _reading(result: dict[str, Any]) -> Reading:
    return Reading(**_with_tuples(result))


def _healing(result: dict[str, Any]) -> Healing:
    return Healing(**_with_tuples(result))


def _with_tuples(result: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in result.items()}


def _in_words(kind: str, name: str, result: dict[str, Any]) -> str:
    if "error" in result:
        return f"ERR {name:44} {result['error']}"
    if kind != DIAGNOSIS:
        one = _healing(result)
        is_good = one.is_well if one.label else not one.is_harmed
        return f"{'ok ' if is_good else 'BAD'} {name:44} {one.label or 'healthy':24} {' + '.join(one.changes) or '-':40} {one.seconds:5.1f} s"
    last = _reading(result)
    is_good = bool(last.whole) == bool(last.label) and (not last.whole or last.whole[0] in last.true)
    said = f"early {','.join(last.early) or '-':40} whole {','.join(last.whole) or '-'}"
    return f"{'ok ' if is_good else 'BAD'} {name:44} {last.label or 'healthy':24} {said}"


def _document(split: Split, patients: Sequence[Patient], lines: dict[str, list[Line]], failed: Sequence[str], results: list[dict[str, Any]]) -> dict[str, Any]:
    n_ill = sum(patient.label is not None for patient in patients)
    tables = {name: [line.to_dict() for line in found] for name, found in lines.items()}
    head = {"schema": 1, "split": split, "ill": n_ill, "healthy": len(patients) - n_ill, "failed": len(failed)}
    return {**head, **tables, **({"results": results} if results else {})}


def _write(place: str | None, document: dict[str, Any]) -> None:
    if place is None:
        return
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    if place == "-":
        sys.stdout.write(text)
    else:
        Path(place).write_text(text, encoding="utf-8")


def _print(
    split: Split, patients: Sequence[Patient], lines: dict[str, list[Line]], n_read: int, n_healed: int, budget: float, n_failed: int, is_interrupted: bool
) -> None:
    n_ill = sum(patient.label is not None for patient in patients)
    print(f"{split}: {len(patients)} patients, {n_ill} ill and {len(patients) - n_ill} healthy{'; interrupted' if is_interrupted else ''}")
    if lines["diagnosis"]:
        print(f"diagnosis of {n_read}")
        print(table(lines["diagnosis"], {"early": f"first {SHARE:.0%} of the steps", "whole": "all steps"}))
    if lines["cure"]:
        print(f"cure of {n_healed}, within {budget:g} s each, judged with fresh seeds")
        print(table(lines["cure"], {"cure": ""}))
    if n_failed:
        print(f"{n_failed} could not be scored")


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
