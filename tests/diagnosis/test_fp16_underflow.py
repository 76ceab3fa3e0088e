import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.fp16_underflow import EXACT_RANK, LIMIT, Fp16Underflow
from tests.diagnosis.synthetic import assert_both_languages, falling, fire, stuck, synthetic_trace

RULE = Fp16Underflow()
HALF = {"half_precision": {"format": "float16", "layers": ["layer0", "layer1"], "weights": [], "step": 1}}
STORED = {"half_precision": {"format": "float16", "layers": ["layer0"], "weights": ["layer0"], "step": 1}}
ADAM = {"name": "Adam", "learning_rate": 0.001, "eps": 1e-8}


def shares(first):
    return [first, 0.1, 0.0, np.nan]


@pytest.mark.parametrize(("share", "fires"), [(LIMIT + 0.01, True), (LIMIT, False)])
def test_the_limit(share, fires):
    trace = synthetic_trace(stuck(), facts=HALF, underflow_share=shares(share), zeroed_share=shares(0.3))
    assert (RULE.examine(trace) is not None) is fires


def test_the_layer_that_loses_most_is_named_with_what_it_loses():
    found = fire(RULE, synthetic_trace(stuck(), facts=HALF, underflow_share=[0.6, 0.97, 0.0, np.nan], zeroed_share=[0.5, 0.9, 0.0, np.nan]))
    assert found.place == "layer1"
    assert [item.value for item in found.evidence] == [0.97, 0.9, 1.0]
    assert "without a gradient scaler" in found.sentence.en
    with_scaler = fire(RULE, synthetic_trace(stuck(), facts={**HALF, "scaler": {"scale": 4.0}}, underflow_share=shares(0.9), zeroed_share=shares(0.9)))
    assert "loss scale of 4" in with_scaler.sentence.en


def test_silent_with_good_progress_and_without_half_precision():
    assert RULE.examine(synthetic_trace(falling(), facts=HALF, underflow_share=shares(0.99), zeroed_share=shares(0.9))) is None
    assert RULE.examine(synthetic_trace(stuck(), underflow_share=shares(0.99), zeroed_share=shares(0.9))) is None


def test_updates_that_change_nothing():
    found = fire(RULE, synthetic_trace(stuck(), facts=STORED, lost_update_share=shares(0.8)))
    assert found.place == "layer0"
    assert "spacing of float16" in found.sentence.en
    assert RULE.examine(synthetic_trace(stuck(), facts=STORED, lost_update_share=shares(0.4))) is None


def divided(eps=1e-8, optimizer="Adam", **facts):
    given = {**STORED, "bad_update": {"place": "layer0", "step": 1}, **facts}
    return synthetic_trace(stuck(), facts=given, optimizer={"name": optimizer, "learning_rate": 0.001, "eps": eps})


def test_an_epsilon_that_float16_rounds_to_zero_is_exact_and_first():
    found = fire(RULE, divided())
    assert (found.rank, found.severity, found.step) == (EXACT_RANK, "error", 1)
    assert found.evidence[0].value == 1e-8
    assert examine(divided())[0].name == "fp16_underflow"
    assert np.float16(1e-8) == 0 == np.float16(2.0**-25)
    assert np.float16(2.0**-24) > 0


@pytest.mark.parametrize(
    "trace",
    [
        divided(eps=1e-4),
        divided(optimizer="SGD"),
        divided(half_precision=HALF["half_precision"]),
        divided(bad_gradient={"place": "layer0.weight", "step": 1, "singular": {}}),
        divided(half_precision={**STORED["half_precision"], "format": "bfloat16"}),
    ],
    ids=["large epsilon", "no division", "weights in float32", "a bad gradient before", "bfloat16"],
)
def test_other_bad_updates_are_not_its(trace):
    assert RULE.examine(trace) is None


def test_is_excluded_with_what_little_is_lost():
    sentence = RULE.exonerate(synthetic_trace(stuck(), facts=HALF, underflow_share=shares(0.02)))
    assert sentence is not None
    assert_both_languages(sentence.en, sentence.ja)
    assert RULE.exonerate(synthetic_trace(stuck(), facts=HALF, underflow_share=shares(0.4))) is None
    assert RULE.exonerate(synthetic_trace(stuck(), underflow_share=shares(0.02))) is None
