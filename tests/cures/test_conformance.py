"""Every cure: known findings, both languages, Python that runs, nothing changed, sorted; every finding: at least one cure."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from kazami.cures import AbstractCure, all_cures, prescriptions_for
from kazami.diagnosis import all_rules
from kazami.records import Finding, Prescription, Trace
from tests.cures.cases import CASES
from tests.cures.examples import EXAMPLES
from tests.cures.strangers import STRANGERS
from tests.cures.trainings import STYLES, carried_out, own_step, plain

# Findings of the catalogue whose rules come later, under the names that are settled for them.
LATER = {
    "oscillating_loss", "loss_spike", "slow_convergence", "train_eval_mismatch", "overfitting", "nonfinite_weights", "fp16_underflow", "fp16_overflow",
    "trivial_solution", "loss_term_imbalance", "growing_targets", "player_rotation", "saturated_but_moving", "chaos", "edge_of_stability", "over_regularised",
}  # fmt: skip
# Chaos and the edge of stability are remarks and need no cure; what a trivial solution asks for (another loss, other data) is not to be told from the run.
# What the batches bring is mended where they are made, and the sentence says how.
UNTREATED = {"batch_wiring", "no_progress", "chaos", "edge_of_stability", "trivial_solution"}
KNOWN = {rule.name for rule in all_rules()} | LATER
TREATED = {name for cure in all_cures() for name in cure.treats}
NEEDS_A_GPU = {"bfloat16", "gradient_scaler", "fp32_island"}


def label(case: Any) -> str:
    """Return a readable name for a parameter."""
    return case.name if isinstance(case, AbstractCure | Finding) else ""


def is_japanese(text: str) -> bool:
    """Return whether a text holds hiragana or katakana."""
    return any("\u3040" <= letter <= "\u30ff" for letter in text)


class Network(nn.Sequential):
    """A sequence with a normalisation and a second head that take no part."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run the numbered layers."""
        for name, layer in self.named_children():
            x = layer(x) if name.isdecimal() else x
        return x


def model_for(trace: Trace) -> nn.Module:
    """Return a small model that has the layers of a trace under their names."""
    if any(layer.kind == "recurrent" for layer in trace.layers):
        rnn = nn.LSTM(5, 16) if trace.layers[1].shape[0] == 64 else nn.RNN(5, 16)
        return nn.ModuleDict({"rnn": rnn, "head": nn.Linear(16, 1)})
    steps: list[nn.Module] = []
    for layer in trace.layers:
        if layer.kind == "linear":
            steps += [nn.Linear(layer.fan_in, layer.fan_out), nn.ReLU()]
    model = Network(*steps[:-1])
    model.bn, model.head = nn.BatchNorm1d(32), nn.Linear(4, 1)
    return model


def names_in_scope(trace: Trace) -> dict[str, Any]:
    """Return what a user's training script has at hand."""
    model = model_for(trace)
    torch.manual_seed(0)
    x, target = torch.randn(6, 8), torch.randint(4, (6,))
    logits = torch.randn(6, 4, requires_grad=True)
    output = logits.sigmoid()
    if trace.loss_kind == "mse":
        output = torch.randn(6, 1, requires_grad=True)
        target = torch.randn(6) if "target_broadcast" in trace.facts else torch.randn(6, 1)
    if any("activation_before_logits_loss" in name for name in trace.facts):
        target = torch.rand(6, 4)
    optimizer = torch.optim.SGD(next(iter(model.children())).parameters(), lr=0.1)
    hidden = trace.layers[0].shape[0] if "never_given_a_gradient" not in trace.facts else 8
    return {
        "torch": torch, "nn": nn, "F": F, "model": model, "optimizer": optimizer, "scheduler": torch.optim.lr_scheduler.ConstantLR(optimizer),
        "x": torch.randn(6, 8 if hidden == 8 else 32), "a": torch.rand(6), "b": torch.rand(6), "p": 0.5, "inputs": x, "train_inputs": x, "train_loader": [x],
        "target": target, "logits": logits, "output": output, "scores": torch.randn(2, 3), "mask": torch.ones(2, 3, dtype=torch.bool),
        "self": SimpleNamespace(layers=[nn.Linear(2, 2)]), "validation_loss": 0.0, "best": 1.0,
        "loss": logits.sum(), "term_1": output.sum(), "term_2": output.square().sum(), "slow": model_for(trace),
    }  # fmt: skip


def given(cure: AbstractCure) -> list[tuple[Finding, Trace, Prescription]]:
    """Return all that a cure prescribes for the cases made by hand."""
    answers = [(finding, trace, cure.prescribe(finding, trace)) for finding, trace in CASES if finding.name in cure.treats]
    return [(finding, trace, answer) for finding, trace, answer in answers if answer is not None]


@pytest.mark.parametrize("cure", all_cures(), ids=label)
def test_every_cure_treats_known_findings_and_prescribes_something(cure):
    assert set(cure.treats) <= KNOWN
    assert given(cure), "no case calls for this cure"


@pytest.mark.parametrize("cure", all_cures(), ids=label)
def test_every_cure_speaks_both_languages_and_says_where_it_comes_from(cure):
    sentences = [cure.changes, cure.side_effects, *(answer.sentence for *_, answer in given(cure))]
    assert all(one.en.endswith(".") and not is_japanese(one.en) and is_japanese(one.ja) for one in sentences)
    assert not any("nan" in one.en.replace("NaN", "").split() for one in sentences)
    assert cure.reference
    assert 0 <= cure.order <= 6


@pytest.mark.parametrize("cure", all_cures(), ids=label)
def test_every_prescription_is_python_of_a_readable_length(cure):
    for *_, answer in given(cure):
        compile(answer.code, cure.name, "exec")
        assert "nan," not in answer.code.replace("nan=", "")
        assert max(len(line) for line in answer.code.splitlines()) <= 120


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # lines of a loop, run without the loop
@pytest.mark.parametrize("cure", [cure for cure in all_cures() if cure.name not in NEEDS_A_GPU], ids=label)
def test_every_prescription_runs_in_a_script_with_these_names(cure, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for _, trace, answer in given(cure):
        scope = names_in_scope(trace)
        state = set(scope["model"].state_dict())
        for p in scope["model"].parameters():
            p.grad = torch.ones_like(p)
        scope["x"] = scope["x"].abs() if "log" in answer.code else scope["x"]
        with torch.no_grad() if "init" in answer.code else torch.enable_grad():
            exec(compile(answer.code, cure.name, "exec"), scope)
        assert cure.name in ("gated_recurrent", "layer_norm") or state <= set(scope["model"].state_dict()), "a cure keeps parameter names"


@pytest.mark.parametrize(("finding", "trace"), CASES, ids=label)
def test_every_case_gets_at_most_four_prescriptions_the_least_change_first(finding, trace):
    answers = prescriptions_for(finding, trace)
    assert 1 <= len(answers) <= 4
    assert [answer.order for answer in answers] == sorted(answer.order for answer in answers)
    assert prescriptions_for(finding, trace) == answers


def test_every_finding_of_the_catalogue_has_a_cure():
    assert KNOWN - TREATED == UNTREATED
    assert {finding.name for finding, _ in CASES} == TREATED


def test_a_finding_that_nothing_is_known_of_does_not_break_anything():
    for name in KNOWN:
        finding = Finding(id="KZ000", name=name, severity="error", confidence=0.5, step=0, place="", sentence=CASES[0][0].sentence)
        for answer in prescriptions_for(finding, Trace(step=0)):
            compile(answer.code, name, "exec")


@pytest.mark.filterwarnings("ignore:Using a target size", "ignore:Detected call of `lr_scheduler.step")  # what ails the trainings, and a skipped first step
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("cure", all_cures(), ids=label)
def test_every_cure_is_carried_out_and_leaves_the_rest_as_it_is(cure, style):
    before, parameters = EXAMPLES[cure.name](style)
    carried_out(cure, before, **parameters)


# A second time these find nothing left to change, or change nothing more: the training is the one that the first time gave.
SETTLED = {
    "add_decay", "add_to_optimizer", "clean_data", "clip_gradients", "drop_output_activation", "lift_clipping", "lower_decay", "lower_dropout",
    "lower_learning_rate", "lower_momentum", "matching_loss", "raise_learning_rate", "register_modules", "unfreeze", "zero_grad", "gated_recurrent",
    "let_gradients_through", "forget_bias", "bfloat16", "log_softmax", "safe_operation", "layer_norm", "fill_data", "skip_bad_step", "schedule_floor",
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", sorted(SETTLED))
def test_a_cure_that_settles_something_changes_nothing_the_second_time(name, style):
    cure = next(cure for cure in all_cures() if cure.name == name)
    before, parameters = EXAMPLES[name](style)
    if name == "gated_recurrent" and style == "functions":
        pytest.skip("a second gate behind the first is another change")
    once = cure.apply(before, parameters)
    twice = cure.apply(once, parameters)
    assert twice is None or repr(twice.run().losses) == repr(once.run().losses)


STRANGE = {
    "layers": ["nowhere"], "layer": "nowhere", "replaces": "nowhere.weight_hh_l0", "parameters": ["nowhere.weight"], "containers": {"nowhere": "ModuleList"},
    "init": [], "widths": [6],
}  # fmt: skip
BY_NAME = {
    "change_activation", "forget_bias", "gated_recurrent", "init_by_activation", "input_batch_norm", "insert_activation", "let_gradients_through",
    "norm_layers", "orthogonal_recurrent", "random_init", "register_modules", "rescale_init", "residual", "residual_scale", "smaller_head", "unfreeze",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_model_without_such_names_is_left_alone(name):
    cure = next(cure for cure in all_cures() if cure.name == name)
    _, parameters = EXAMPLES[name]("modules")
    strange = {key: STRANGE.get(key, value) for key, value in parameters.items()}
    strange["init"] = ["nn.init.zeros_({weight})"] if name == "init_by_activation" else parameters.get("init")
    assert cure.apply(plain("modules"), strange) is None


@pytest.mark.parametrize("cure", all_cures(), ids=label)
def test_a_step_of_the_users_own_is_changed_around_or_not_at_all(cure):
    before, parameters = EXAMPLES[cure.name]("functions")
    own = before.replaced(train_step=own_step, loss=F.mse_loss, steps=2)
    if next(iter(own.batches()))[1].dtype == torch.long:
        pytest.skip("a step for classes")
    after = cure.apply(own, parameters)
    if after is not None and cure.name not in ("skip_bad_step", "match_shapes"):
        assert len(after.run().losses) == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of torch, about what is strange in them
@pytest.mark.parametrize("stranger", sorted(STRANGERS))
@pytest.mark.parametrize("cure", all_cures(), ids=label)
def test_a_strangers_training_is_changed_or_left(cure, stranger):
    for style in STYLES:
        _, parameters = EXAMPLES[cure.name](style)
        after = cure.apply(STRANGERS[stranger], parameters)
        assert torch.is_grad_enabled()
        assert torch._C._len_torch_function_stack() == 0
        if after is not None and stranger != "a model that fails":
            assert len(after.run().losses) == 2
