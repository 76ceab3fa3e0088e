"""The promise: with an observer attached a training ends bit for bit as it does without."""

import numpy as np
import pytest
import torch

from kazami.patients import all_patients
from tests.watch import unusual_trainings
from tests.watch.asserts import assert_does_not_disturb_training
from tests.watch.trainings import TRAININGS

PATIENTS = all_patients("calibration")
assert unusual_trainings.__doc__  # importing it adds its trainings to the others


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


@pytest.mark.parametrize("name", ["adam", "lstm", "transformer"])
def test_curvature_and_probes_were_part_of_it(name):
    observer = assert_does_not_disturb_training(TRAININGS[name])
    (trace,) = observer.traces()
    assert trace.has("output_gradient_rms")
    assert trace.has("sharpness") or "curvature" in observer.blind


@pytest.mark.parametrize("name", TRAININGS)
def test_following_every_step_does_not_disturb(name):
    assert_does_not_disturb_training(TRAININGS[name], steps=8, is_dynamics=True)


@pytest.mark.parametrize("name", ["sgd", "adam", "lstm", "transformer"])
def test_growth_was_part_of_it(name):
    observer = assert_does_not_disturb_training(TRAININGS[name], steps=45, is_dynamics=True)
    (trace,) = observer.traces()
    assert trace.has("local_exponent"), observer.blind
    assert np.isfinite(trace["local_exponent"].values).all()


def test_a_sparse_observer_does_not_disturb_either():
    assert_does_not_disturb_training(TRAININGS["adam"], steps=40, every=7)


def of_patient(patient):
    """Return the start of a patient's training, its own loop included."""

    def start():
        training = patient.training()
        state = training.start()
        scheduler = training.scheduler(state.optimizer) if training.scheduler else None
        batches = training.endless_batches()

        def step(number):
            loss = training.step(state.model, state.optimizer, next(batches))
            if scheduler is not None:
                scheduler.step()
            return float(loss)

        return [state.model, state.optimizer], step

    return start


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.name)
def test_no_patient_is_disturbed(patient):
    assert_does_not_disturb_training(of_patient(patient), steps=3)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.name)
def test_no_whole_patient_is_disturbed(patient):
    steps = patient.training().steps
    assert_does_not_disturb_training(of_patient(patient), steps=steps, every=None)
