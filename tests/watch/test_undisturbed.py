"""The promise: with an observer attached a training ends bit for bit as it does without."""

import pytest
import torch

from kazami.patients import all_patients
from tests.watch.asserts import assert_does_not_disturb_training
from tests.watch.trainings import TRAININGS

PATIENTS = all_patients("calibration")


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", TRAININGS)
def test_no_training_is_disturbed(name):
    observer = assert_does_not_disturb_training(TRAININGS[name])
    assert observer.n_backwards > 0 or name == "torch_func"


@pytest.mark.parametrize("name", ["adam", "gru", "lstm", "lbfgs", "accumulation", "scaler_fused", "adversaries"])
def test_attaching_in_the_middle_does_not_disturb(name):
    assert_does_not_disturb_training(TRAININGS[name], attach_at=3)
