"""What every experiment keeps to; runs on each by itself."""

import random
import re

import numpy as np
import pytest
import torch

from kazami.lab import all_experiments, experiment
from kazami.records import Sentence
from kazami.reports.figures import drawing, save_figure
from kazami.storage.strict_json import dumps, loads

EXPERIMENTS = all_experiments()
LONG = ("adam-edge", "danovski-2024", "edge-of-stability", "onset-of-chaos")  # even one condition of these takes many seconds
every_experiment = pytest.mark.parametrize("one", EXPERIMENTS, ids=lambda one: one.name)


def stop_after(count):
    """Return a progress that behaves like Ctrl-C once ``count`` conditions are measured."""

    def progress(done, total):
        if done == count:
            raise KeyboardInterrupt

    return progress


def global_state():
    """Return all that an experiment could disturb, as text."""
    return repr((torch.get_num_threads(), torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate(), torch.get_default_dtype()))


def without_seconds(outcome):
    """Return an outcome's document without the numbers that no seed repeats."""
    document = outcome.to_dict()
    for table, found in zip(document["tables"], outcome.tables, strict=True):
        table["rows"] = [[cell for place, cell in enumerate(row) if place not in found.timed] for row in table["rows"]]
    if experiment(outcome.experiment).is_timed:
        del document["sentence"]
    return dumps(document)


def assert_drawn(outcome, tmp_path):
    """Every axes has a title and labels in both languages, and the figure can be written."""
    for language in ("en", "ja"):
        figure = outcome.figure(language)
        for axes in figure.axes:
            assert axes.get_title(loc="left") or axes.get_title()
            assert axes.get_xlabel()
            assert axes.get_ylabel()
        assert save_figure(figure, str(tmp_path / f"{language}.svg"))
    with drawing():
        outcome.figure().savefig(tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 5000


def test_there_are_the_experiments_of_the_mission():
    asked = {"degradation", "identity-shortcut", "depth-calm-and-storm", "residual-scaling", "clipping", "numeric-vs-backprop", "identity-task"}
    assert asked <= {one.name for one in EXPERIMENTS}


@every_experiment
def test_everything_is_declared_in_both_languages(one):
    assert re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", one.name)
    for text in (one.title, one.question, one.claim):
        assert isinstance(text, Sentence)
        assert text.en
        assert re.search("[ぁ-んァ-ン一-龯]", text.ja)
    assert one.citation
    quick, full = one.seconds
    assert 0 < quick <= 20 < 600
    assert quick <= full


@every_experiment
def test_conditions_are_paired_over_the_seeds_and_depend_on_the_seed_alone(one):
    quick, again, other = (one.conditions(quick=True, seed=seed) for seed in (0, 0, 1))
    assert repr(quick) == repr(again)
    assert not {row["seed"] for row in quick} & {row["seed"] for row in other}
    seeds = [row["seed"] for row in quick]
    assert seeds == sorted(seeds)  # outermost: an early end leaves whole comparisons
    counts = {seeds.count(seed) for seed in seeds}
    assert len(counts) == 1


@pytest.mark.parametrize("one", [pytest.param(one, marks=pytest.mark.slow if one.name in LONG else ()) for one in EXPERIMENTS], ids=lambda one: one.name)
def test_an_interrupted_run_keeps_what_was_measured(one, tmp_path):
    before = global_state()
    outcome, again = (one.run(quick=True, seed=0, progress=stop_after(1)) for _ in range(2))
    assert global_state() == before
    assert not outcome.is_complete
    assert not outcome.passed
    assert outcome.tables
    assert "1" in outcome.sentence.en
    assert "中断" in outcome.sentence.ja
    assert without_seconds(outcome) == without_seconds(again)
    assert repr(loads(dumps(outcome.to_dict()))) == repr(outcome.to_dict())
    assert_drawn(outcome, tmp_path)


@every_experiment
def test_ctrl_c_before_anything_was_measured_is_passed_on(one):
    before = global_state()
    with pytest.raises(KeyboardInterrupt):
        one.run(quick=True, progress=stop_after(0))
    assert global_state() == before


@pytest.mark.slow
@every_experiment
def test_the_quick_run_passes_and_is_reproducible(one, tmp_path):
    before, steps = global_state(), []
    outcome = one.run(quick=True, seed=0, progress=lambda done, total: steps.append((done, total)))
    assert global_state() == before
    assert [check for check in outcome.checks if not check.passed] == []
    assert outcome.passed
    assert outcome.checks
    assert all(check.source and check.name_ja for check in outcome.checks)
    assert len({check.name for check in outcome.checks}) == len(outcome.checks)
    total = len(one.conditions(quick=True, seed=0))
    assert steps == [(done, total) for done in range(total + 1)]
    assert re.search(r"\d", outcome.sentence.en)
    assert re.search(r"\d", outcome.sentence.ja)
    assert repr(loads(dumps(outcome.to_dict()))) == repr(outcome.to_dict())
    if one.seconds[0] < 10:  # for the others the first condition, above, has to do
        assert without_seconds(one.run(quick=True, seed=0)) == without_seconds(outcome)
    assert_drawn(outcome, tmp_path)
