"""The scoring half of the patients: each is whole, starts and gives the same batches again; every label is proved in the slow run."""

import math
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import torch

from kazami.patients import all_patients
from kazami.patients._base import Patient
from kazami.patients.proof import prove

PATIENTS = all_patients("scoring")
LABELS = frozenset(
    [
        "vanishing_gradient",
        "exploding_gradient",
        "nan_inf",
        "dead_units",
        "saturated",
        "bad_init_scale",
        "symmetric_units",
        "no_nonlinearity",
        "double_softmax",
        "log_of_softmax",
        "output_activation",
        "target_broadcast",
        "frozen_parameters",
        "unregistered_parameters",
        "lr_too_high",
        "lr_too_low",
        "input_scaling",
        "target_scaling",
        "no_zero_grad",
        "over_clipping",
        "over_decay",
        "dead_schedule",
        "over_regularised",
        "oscillating_loss",
        "loss_spike",
        "slow_convergence",
        "train_eval_mismatch",
        "overfitting",
        "fp16_underflow",
        "fp16_overflow",
        "trivial_solution",
        "loss_term_imbalance",
        "growing_targets",
        "player_rotation",
        "saturated_but_moving",
        "nonfinite_weights",
    ]
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


each_patient = pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.name)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a is b or torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def test_there_are_enough_of_each_kind() -> None:
    labels = Counter(patient.label for patient in PATIENTS)
    assert len(PATIENTS) >= 240
    assert 0.35 <= labels[None] / len(PATIENTS) <= 0.45
    assert min(labels.values()) >= 3
    assert 2 * sum(patient.near_boundary for patient in PATIENTS) >= labels[None]
    assert set(labels) - {None} == LABELS


def test_no_name_is_used_in_both_halves() -> None:
    names = [patient.name for patient in all_patients()]
    assert len(names) == len(set(names))


@each_patient
def test_a_patient_is_whole(patient: Patient) -> None:
    assert patient.name.isidentifier()
    assert patient.name.islower()
    assert (patient.healed is None) is (patient.label is None)
    assert patient.also_true <= LABELS - {patient.label}
    assert not patient.near_boundary or patient.label is None
    assert patient.task in ("classification", "regression")
    assert math.isfinite(patient.good)
    assert patient.label is not None or not patient.also_true
    assert 60 <= patient.training().steps <= 600


@each_patient
def test_a_patient_takes_two_steps_like_its_healed_twin(patient: Patient) -> None:
    for make in (patient.training, patient.healed or patient.training):
        run = make().run(steps=2)
        assert len(run.losses) == 2
        assert run.score is not None
        assert math.isfinite(run.score)


@each_patient
def test_a_patient_gives_the_same_batches_and_steps_again(patient: Patient) -> None:
    training = patient.training()
    for first, second in zip(islice(training.batches(), 3), islice(training.batches(), 3), strict=True):
        assert same(first, second)
    assert same(*(torch.tensor(training.run(steps=3).losses) for _ in range(2)))


@pytest.mark.slow
@each_patient
def test_the_label_is_proved_by_its_intervention(patient: Patient) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        proof = prove(patient)
    assert proof.is_proved, proof
    assert proof.seconds <= 5
