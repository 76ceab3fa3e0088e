import numpy as np
import pytest

from kazami.diagnosis import examine
from kazami.diagnosis.batch_wiring import AS_BY_CHANCE, LEAST_BEGINS, LEAST_REPEATS, BatchWiring
from kazami.records import Series
from tests.diagnosis.synthetic import FACTS, falling, fire, stuck, synthetic_trace

RULE = BatchWiring()
N = 40


def only(*names, **changed):
    return {name: {**FACTS[name], **changed} if isinstance(FACTS[name], dict) else FACTS[name] for name in names}


@pytest.mark.parametrize("losses", [None, stuck(), falling()], ids=["no losses", "stuck", "falling"])
def test_one_sequence_of_a_batch_is_an_exact_fact(losses):
    found = fire(RULE, synthetic_trace(losses, facts=only("one_sequence")))
    assert (found.severity, found.evidence[0].value, found.evidence[0].limit) == ("error", 1.0, 20.0)
    assert "20 sequences of 64 time steps" in found.sentence.en
    assert "batch_first" in found.sentence.ja


def marked(inputs, targets=None, **changed):
    facts = {**only("restarted_loader", **changed), "batch_rows": 32}
    trace = synthetic_trace(falling(N), facts=facts)
    marks = {"batch_inputs": inputs, **({} if targets is None else {"batch_targets": targets})}
    return trace.replaced(series={**trace.series, **{name: Series(np.arange(1, len(row) + 1), np.asarray(row, float)) for name, row in marks.items()}})


def test_the_same_batch_at_every_step_is_told_though_its_loss_falls():
    found = fire(RULE, marked(np.full(N, 7), np.full(N, 8)))
    assert "39 of its 40 batches never come" in found.sentence.en
    assert found.step == 1


@pytest.mark.parametrize(
    "trace",
    [
        marked(np.arange(N), np.full(N, 8)),
        marked(np.full(N, 7), np.arange(N)),
        marked(np.full(N, 7), times=LEAST_BEGINS - 1),
        marked(np.full(LEAST_BEGINS - 1, 7)),
        marked(np.full(N, 7), size=64),
        marked([]),
    ],
    ids=["other inputs", "other targets", "seldom begun", "few records", "another loader", "no marks"],
)
def test_a_loader_that_is_begun_anew_may_give_other_batches(trace):
    assert RULE.examine(trace) is None


def test_the_whole_data_at_every_step_is_no_fault():
    trace = marked(np.full(N, 7), np.full(N, 8))
    assert RULE.examine(trace.replaced(facts={"batch_rows": 32})) is None


@pytest.mark.parametrize(
    ("changed", "repeated", "losses", "fires"),
    [
        (0.9, 256, stuck(), True),
        (0.9, LEAST_REPEATS - 1, stuck(), False),
        (0.9, 256, falling(), False),
        (0.9 * AS_BY_CHANCE - 0.01, 256, stuck(), False),
        (0.02, 256, stuck(), False),
    ],
)
def test_classes_that_have_come_apart_from_their_samples(changed, repeated, losses, fires):
    trace = synthetic_trace(losses, facts=only("torn_targets", changed=changed, repeated=repeated))
    assert (RULE.examine(trace) is not None) is fires


def test_it_is_the_cause_beside_a_network_that_gives_one_answer():
    found = examine(synthetic_trace(stuck(150), facts=only("torn_targets"), output_variation=0.01))
    assert [one.name for one in found if one.severity != "info"] == ["batch_wiring"]


@pytest.mark.parametrize(("single", "losses", "fires"), [(60, stuck(), True), (32, stuck(), False), (60, falling(), False)])
def test_data_that_come_sorted(single, losses, fires):
    found = RULE.examine(synthetic_trace(losses, facts=only("sorted_batches", single=single)))
    assert (found is not None) is fires
    assert found is None or found.sentence.en.startswith("The data come sorted: 60 of 64 batches")
