"""No rule says anything of a healthy training of the calibration half, however close to a boundary it runs."""

import pytest
import torch

from kazami.patients import all_patients
from kazami.patients.reading import read

HEALTHY = [patient for patient in all_patients("calibration") if patient.label is None]


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_there_are_healthy_patients_and_half_of_them_are_near_a_boundary():
    assert len(HEALTHY) >= 12
    assert 2 * sum(patient.near_boundary for patient in HEALTHY) >= len(HEALTHY)


@pytest.mark.slow
@pytest.mark.parametrize("patient", HEALTHY, ids=lambda patient: patient.name)
def test_every_rule_is_silent(patient):
    reading = read(patient)
    assert reading.whole == ()
    assert reading.early == ()
