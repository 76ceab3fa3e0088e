"""The cause by intervention: the finding whose cure helps goes in front; what was tried without success is excluded, with the trial that shows it."""

from kazami.records import Finding, Prescription, Sentence, Tried
from kazami.trials.cause import named_by_trials

NOTHING = Sentence("", "")


def change(name, **parameters):
    return Prescription(name=name, parameters=parameters, code="", sentence=NOTHING)


def finding(name, *cures, is_primary=False):
    prescriptions = tuple(change(cure) for cure in cures)
    about = {"severity": "warning", "confidence": 0.6, "step": 1, "place": "", "sentence": NOTHING}
    return Finding(id="KZ1", family="signal", name=name, is_primary=is_primary, prescriptions=prescriptions, **about)


def tried(change, score):
    return Tried((change,), 20, score, None if score is None else score - 0.1, NOTHING)


def helps(one):
    return one.score is not None and one.score > 0.8


def test_the_finding_whose_cure_helps_becomes_the_cause():
    found = [finding("dead_units", "change_activation", is_primary=True), finding("bad_init_scale", "rescale_init")]
    trials = [tried(change("change_activation"), 0.1), tried(change("rescale_init"), 0.9)]
    named, told = named_by_trials(found, trials, [change("rescale_init")], helps)
    assert [one.name for one in named] == ["bad_init_scale", "dead_units"]
    assert [one.is_primary for one in named] == [True, False]
    assert told.en == "Tried 2 changes; only rescale_init helped."
    assert "not dead_units: with change_activation alone" in named[0].not_the_cause[0].en


def test_a_cause_whose_own_cure_helps_as_well_is_not_excluded():
    found = [finding("dead_units", "change_activation", is_primary=True), finding("bad_init_scale", "rescale_init")]
    trials = [tried(change("change_activation"), 0.9), tried(change("rescale_init"), 0.9)]
    named, told = named_by_trials(found, trials, [change("change_activation")], helps)
    assert named[0].not_the_cause == ()
    assert "so did rescale_init" in told.en


def test_the_learning_rate_is_excluded_where_other_rates_were_tried():
    trials = [
        tried(change("zero_grad"), 0.9),
        tried(change("lower_learning_rate", learning_rate=0.01), 0.1),
        tried(change("raise_learning_rate", learning_rate=1.0), None),
    ]
    named, _ = named_by_trials([finding("no_zero_grad", "zero_grad", is_primary=True)], trials, [change("zero_grad")], helps)
    assert named[0].not_the_cause[-1].en == "not the learning rate: with 0.01, 1 the score changes by +0 only"


def test_what_could_not_be_carried_out_excludes_nothing():
    found = [finding("no_zero_grad", "zero_grad", is_primary=True), finding("dead_units", "norm_layers")]
    trials = [tried(change("zero_grad"), 0.9), Tried((change("norm_layers"),), 0, None, None, NOTHING)]
    named, told = named_by_trials(found, trials, [change("zero_grad")], helps)
    assert named[0].not_the_cause == ()
    assert told.en == "Tried zero_grad, and it helped."


def test_a_change_that_no_finding_asked_for_leaves_the_order():
    found = [finding("no_progress", is_primary=True)]
    named, _ = named_by_trials(found, [tried(change("lower_learning_rate", learning_rate=0.1), 0.9)], [change("lower_learning_rate", learning_rate=0.1)], helps)
    assert [one.name for one in named] == ["no_progress"]
    assert named[0].confidence == 0.6
