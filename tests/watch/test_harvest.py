"""A script becomes a training that reproduces the script's own losses, whatever way the script is written in."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from kazami.errors import UsageError
from kazami.watch.target import from_object, load_target

SCRIPTS = Path(__file__).parent / "harvested"
STEPS = 12

# All in one process: what one harvest leaves behind would show in the next. Python floats survive JSON.
HARVEST = """
import json, sys, torch
from pathlib import Path
from kazami.errors import UsageError
from kazami.watch.target import load_target
found = {}
for path in sys.argv[1:]:
    original = torch.nn.Module.__call__
    try:
        target = load_target(path, steps=12, record_trajectory=True)
    except UsageError as error:
        found[Path(path).stem] = {"error": str(error)}
        continue
    one = {"kind": type(target.model).__name__, "example": [list(t.shape) for t in target.example], "why": target.why_no_training, "losses": target.losses}
    one["said"] = [sentence.en for sentence in target.said]
    one["is_clean"] = torch.nn.Module.__call__ is original and torch._C._len_torch_function_stack() == 0
    if target.training is not None:
        run = target.training.run(steps=len(target.losses))
        start = torch.cat([p.detach().flatten() for p in target.training.start().model.parameters()])
        end = torch.cat([p.detach().flatten() for p in run.model.parameters()])
        one["replayed"] = run.losses
        one["names"] = [name for name, _ in run.model.named_parameters()]
        one["n_batches"] = len(list(target.training.batches()))
        one["target"] = type(next(iter(target.training.batches()))[1]).__name__
        one["start_gap"] = float((start - target.trajectory[0]).abs().max())
        one["end_gap"] = float((end - target.trajectory[-1]).abs().max())
        one["zero_grad"] = target.training.zero_grad
        target.model(*target.example, **target.keywords)
    found[Path(path).stem] = one
Path("found.json").write_text(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What each script gave."""
    place = tmp_path_factory.mktemp("harvest")
    scripts = sorted(str(path) for path in SCRIPTS.glob("*.py"))
    done = subprocess.run(
        [sys.executable, "-c", HARVEST, *scripts], cwd=place, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    assert done.returncode == 0, done.stderr
    return json.loads((place / "found.json").read_text())


WHOLE = (
    "minibatches_with_dropout",
    "bare_tensors",
    "variational_autoencoder",
    "recurrent_with_head",
    "loss_inside_the_model",
    "accumulation_compiled",
    "closure",
    "autoencoder",
    "forward_called_directly",
    "embedding_by_hand",
    "never_zeroed",
    "target_network",
    "average_as_teacher",
    "gradient_penalty",
    "actor_critic",
    "evaluated_with_gradients",
    "weights_lent",
    "own_weights_and_forward",
)


@pytest.mark.parametrize("name", WHOLE)
def test_all_losses_and_weights_come_again(found, name):
    one = found[name]
    assert one["replayed"] == pytest.approx(one["losses"], rel=1e-4, abs=1e-6), one["why"]
    assert one["start_gap"] == 0
    assert one["end_gap"] < 1e-4
    assert one["is_clean"]


def test_a_plain_script_gives_its_own_model_and_targets(found):
    one = found["minibatches_with_dropout"]
    assert (one["kind"], one["names"], one["target"]) == ("Sequential", ["0.weight", "0.bias", "3.weight", "3.bias"], "Tensor")
    assert one["n_batches"] == STEPS


def test_a_full_batch_is_kept_once(found):
    assert found["autoencoder"]["n_batches"] == 1
    assert found["bare_tensors"]["n_batches"] == 1


def test_bare_tensors_keep_the_names_the_script_gave_them(found):
    assert found["bare_tensors"]["names"] == ["W1", "b1", "W2"]


def test_modules_that_the_script_joins_become_one_model(found):
    one = found["recurrent_with_head"]
    assert one["kind"] == "Recorded"
    assert one["example"] == [[16, 12, 3]]
    assert any("looked at as one model" in sentence for sentence in one["said"])


def test_a_forgotten_zero_grad_is_found(found):
    assert found["never_zeroed"]["zero_grad"] is False
    assert found["autoencoder"]["zero_grad"] is False
    assert found["minibatches_with_dropout"]["zero_grad"] is True


def test_of_two_players_only_the_first_is_taken_and_that_is_said(found):
    one = found["two_players"]
    assert any("only the first one" in sentence for sentence in one["said"])
    assert one["replayed"][0] == pytest.approx(one["losses"][0], rel=1e-4)


def test_what_is_not_trained_is_no_part_of_the_model(found):
    assert found["target_network"]["names"] == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert found["average_as_teacher"]["names"] == ["0.weight", "0.bias", "3.weight", "3.bias"]
    assert found["gradient_penalty"]["names"] == ["net.0.weight", "net.0.bias", "net.2.weight", "net.2.bias"]


@pytest.mark.parametrize(
    ("name", "count", "why"), [("gradients_by_hand", 2, "changes gradients between"), ("unfrozen_later", 5, "which parameters are trained")]
)
def test_what_the_replay_leaves_out_is_said(found, name, count, why):
    one = found[name]
    assert any(f"{count} of 10 losses checked" in sentence for sentence in one["said"]), one["said"]
    assert any(f"From step {count + 1} on" in sentence and why in sentence for sentence in one["said"]), one["said"]


def test_losses_that_run_away_come_again_up_to_infinity_and_beyond(found):
    one = found["diverges"]
    assert math.inf in one["losses"]
    assert math.isnan(one["losses"][-1])
    assert any("10 of 10 losses checked" in sentence for sentence in one["said"]), one["said"]
    assert not any("the script changes" in sentence for sentence in one["said"])


def test_steps_by_hand_end_and_are_told(found):
    one = found["steps_by_hand"]
    assert (one["kind"], one["example"], one["why"]) == ("Linear", [[8, 5]], "its weights are changed by hand, not by an optimizer of torch")


def test_a_training_in_a_thread_is_refused_with_the_reason(found):
    assert "in a thread of its own" in found["in_a_thread"]["error"]


def test_mixed_precision_is_replayed_without_it(found):
    one = found["mixed_precision"]
    assert one["replayed"] == pytest.approx(one["losses"], rel=0.05)


def test_a_script_that_does_not_train_gives_its_model(found):
    one = found["no_training"]
    assert (one["kind"], one["example"], one["why"]) == ("Sequential", [[2, 6]], "no optimizer step was seen")


def test_a_script_that_fails_before_it_calls_a_model_is_refused(found):
    assert "RuntimeError: boom" in found["fails"]["error"]
    assert "module:function" in found["fails"]["error"]


def test_objects_that_can_be_looked_at():
    model = torch.nn.Linear(3, 2)
    assert from_object("a:b", model).example == ()
    assert from_object("a:b", model, [4, 3]).example[0].shape == (4, 3)
    assert from_object("a:b", (model, torch.zeros(1, 3))).example[0].shape == (1, 3)
    assert list(from_object("a:b", (model, {"input": torch.zeros(1, 3)})).keywords) == ["input"]
    both = from_object("a:b", (model, torch.zeros(1, 3), {"mask": None}))
    assert (len(both.example), both.keywords) == (1, {"mask": None})


def test_what_cannot_be_looked_at_is_refused_in_one_sentence():
    with pytest.raises(UsageError, match=r"a:b should return .*\(model, example, keywords\) or a kazami\.Training, and returned int"):
        from_object("a:b", 3)
    with pytest.raises(UsageError, match="no module 'nowhere'"):
        load_target("nowhere:f")
    with pytest.raises(UsageError, match="has no 'f'"):
        load_target("json:f")
    with pytest.raises(UsageError, match="--input"):
        from_object("a:b", torch.nn.Linear(3, 2)).needed_example()
    with pytest.raises(UsageError, match="gives no training"):
        from_object("a:b", torch.nn.Linear(3, 2)).needed_training()


def test_what_a_factory_raises_is_told_as_the_factory_s(tmp_path, monkeypatch):
    (tmp_path / "broken_factories.py").write_text("def boom():\n    raise ValueError('no data')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UsageError, match="broken_factories:boom was called without arguments, and raised ValueError: no data"):
        load_target("broken_factories:boom")
