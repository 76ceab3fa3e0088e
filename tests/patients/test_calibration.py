"""The calibration half of the patients: each is whole and starts; a few labels are proved at once, all of them in the slow run."""

import math
import subprocess
import sys
import warnings

import pytest
import torch

from kazami.errors import UsageError
from kazami.patients import all_patients, data
from kazami.patients._base import Patient
from kazami.patients.proof import PatientProof, main, prove, table

PATIENTS = all_patients("calibration")
FINDINGS = frozenset(
    {
        "vanishing_gradient",
        "exploding_gradient",
        "nan_inf",
        "dead_units",
        "saturated",
        "bad_init_scale",
        "symmetric_units",
        "no_nonlinearity",
        "output_activation",
        "double_softmax",
        "log_of_softmax",
        "target_broadcast",
        "frozen_parameters",
        "unregistered_parameters",
        "lr_too_high",
        "lr_too_low",
        "input_scaling",
        "target_scaling",
        "no_zero_grad",
        "oscillating_loss",
        "over_clipping",
        "over_decay",
        "dead_schedule",
        "over_regularised",
        "train_eval_mismatch",
        "fp16_underflow",
        "fp16_overflow",
        "trivial_solution",
        "batch_wiring",
        "loss_term_imbalance",
        "growing_targets",
        "player_rotation",
        "saturated_but_moving",
        "loss_spike",
        "slow_convergence",
        "overfitting",
    }
)
QUICK = (
    "plain_relu_tower",
    "flat_targets_for_a_column",
    "weights_from_rand",
    "layers_in_a_list",
    "sparse_relu",
    "scaler_skips",
    "iris_with_adagrad",
)  # drawn by lot


@pytest.fixture(autouse=True)
def one_thread_and_no_warnings():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns about some of the illnesses
        yield
    torch.set_num_threads(threads)


def by_name(name: str) -> Patient:
    return next(patient for patient in PATIENTS if patient.name == name)


def test_there_are_enough_of_each_kind():
    healthy = [patient for patient in PATIENTS if patient.label is None]
    assert len(PATIENTS) >= 36
    assert len(healthy) >= 16
    assert sum(patient.near_boundary for patient in healthy) >= 8
    assert {patient.label for patient in PATIENTS} - {None} == FINDINGS


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.name)
def test_a_patient_is_whole(patient):
    is_ill = patient.label is not None
    assert patient.name.isidentifier()
    assert patient.name == patient.name.lower()
    assert is_ill == (patient.healed is not None)
    assert not is_ill or not patient.near_boundary
    assert patient.also_true <= FINDINGS - {patient.label}
    assert is_ill or not patient.also_true
    assert 60 <= patient.training().steps <= 600
    assert patient.training().evaluate is not None


@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.name)
def test_a_patient_and_its_healed_twin_take_two_steps_and_begin_the_same_way_each_time(patient):
    for make in filter(None, (patient.training, patient.healed)):
        first, again = (make().run(steps=2) for _ in range(2))
        assert len(first.losses) == 2
        assert first.losses == pytest.approx(again.losses, rel=0, abs=0, nan_ok=True)
        assert all(torch.equal(a, b) for a, b in zip(floats(first.model), floats(again.model), strict=True))


def floats(model):
    return [value.nan_to_num() for value in model.state_dict().values()]


@pytest.mark.parametrize("name", QUICK)
def test_the_intervention_proves_the_label(name):
    assert prove(by_name(name), seeds=(0,)).is_proved


@pytest.mark.slow
@pytest.mark.parametrize("patient", PATIENTS, ids=lambda patient: patient.name)
def test_the_intervention_proves_the_label_for_three_seeds(patient):
    proof = prove(patient)
    assert proof.is_proved, proof
    assert proof.seconds < 5


@pytest.mark.parametrize(
    ("label", "own", "healed", "is_proved"),
    [
        ("nan_inf", (0.1, math.nan), (0.9, 0.8), True),
        ("nan_inf", (0.1, 0.8), (0.9, 0.9), False),
        ("nan_inf", (0.1, 0.1), (0.9, math.nan), False),
        (None, (0.8, 0.9), (), True),
        (None, (0.8, math.nan), (), False),
    ],
)
def test_a_proof_needs_every_seed(label, own, healed, is_proved):
    proof = PatientProof(name="somebody", label=label, good=0.8, scores=own, healed_scores=healed, seconds=0.1)
    assert proof.is_proved is is_proved
    assert ("NOT PROVED" in table([proof])) is not is_proved


def test_the_command_line_proves_one_patient_and_keeps_the_numbers(tmp_path, capsys):
    file = tmp_path / "proofs.json"
    assert main(["--name", "logistic_regression_on_cells", "--seeds", "1", "--json", str(file)]) == 0
    assert "logistic_regression_on_cells" in capsys.readouterr().out
    assert '"is_proved": true' in file.read_text(encoding="utf-8")


def test_an_unknown_split_is_refused():
    with pytest.raises(UsageError, match="calibration"):
        all_patients("holdout")


def test_the_room_opens_without_torch():
    code = "import sys, kazami.patients; sys.exit('torch' in sys.modules or 'sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_minibatches_are_the_same_at_every_call_and_differ_between_epochs():
    d = data.iris()
    make = data.minibatches(d.x, d.y, 50, seed=1, epochs=2)
    first, again = ([x for x, _ in make()] for _ in range(2))
    assert len(first) == 4
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[2])


def test_scores_of_outputs_that_are_not_finite_are_never_good():
    d = data.sines()
    broken = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(broken.weight, math.nan)
    assert data.r2(d.x, d.y)(broken) == -math.inf
    assert data.accuracy(d.x, (d.y > 0).long())(broken) == 0.0
