"""Cure judged with fresh seeds, and the sample that is drawn the same each time."""

from types import SimpleNamespace

import pytest

from kazami.patients import all_patients, healing
from kazami.patients.healing import FRESH_SEEDS, heal, sample


@pytest.fixture(scope="module")
def patients():
    return all_patients("calibration")


def named(label):
    return next(patient for patient in all_patients("calibration") if patient.label == label)


def judged(monkeypatch, patient, *, cured):
    """Return what is said where ``cure`` gives the healed twin, or the training as it is."""
    given = patient.healed() if cured else patient.training()
    monkeypatch.setattr(
        healing, "cure", lambda training, budget: SimpleNamespace(cured=cured, training=given, changes=(SimpleNamespace(name="x"),), tried=(1, 2))
    )
    return heal(patient, 1.0)


def test_a_cured_patient_is_well_and_an_uncured_one_is_not(monkeypatch):
    patient = named("no_nonlinearity")
    good, bad = judged(monkeypatch, patient, cured=True), judged(monkeypatch, patient, cured=False)
    assert (good.is_well, good.is_changed, good.n_tried, len(good.scores)) == (True, True, 2, len(FRESH_SEEDS))
    assert (bad.is_well, bad.is_changed) == (False, False)
    assert not good.is_harmed


def test_a_sample_is_the_same_each_time_and_holds_a_third_as_many_healthy_ones(patients):
    chosen = sample(patients, 12)
    assert chosen == sample(patients, 12)
    assert [bool(one.label) for one in chosen].count(True) == 12
    assert [bool(one.label) for one in chosen].count(False) == 4
    assert chosen != sample(patients, 12, seed=1)
    assert sample(patients, None) == list(patients)
    assert len(sample(patients, 10**6)) == len(patients)
