import numpy as np
import pytest

from kazami.records import Series
from kazami.reports.view import view
from tests.reports import runs


def view_of(run):
    return view(run.info, run.trace, run.findings)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("storm", "The loss is no longer finite from step 83 on"),
        ("one_step", "The loss at the only recorded step is 2.31"),
        ("blind", "No loss was seen."),
    ],
)
def test_the_title_of_the_loss_states_what_is_measured(name, title):
    assert view_of(runs.ALL[name]()).loss.title.en == title


def test_the_table_has_a_row_a_layer_with_what_was_recorded():
    rows = view_of(runs.vanishing()).layers
    assert [row.name for row in rows] == [f"fc{n}" for n in range(1, 13)]
    assert rows[0].letter == "C"
    assert rows[0].weight_norm.shown == "7.9"
    assert rows[0].dead_share is None


def test_a_lost_gradient_does_not_show_its_last_finite_norm():
    rows = view_of(runs.storm()).layers
    assert {row.gradient_norm.shown for row in rows} == {"NaN / ∞"}
    assert {row.letter for row in rows} == {"N"}


def test_a_loss_that_is_nan_from_the_start_has_a_title():
    run = runs.healthy()
    trace = run.trace.replaced(series={"loss": Series(np.arange(1, 4), np.full(3, np.nan))})
    assert view(run.info, trace, ()).loss.title.en == "The loss is no longer finite from step 1 on"


def test_the_loss_on_held_out_data_is_shown_where_the_script_computed_one():
    run = runs.vanishing()
    held_out = Series(np.array([10, 20, 30]), np.array([2.0, 1.5, 1.75]))
    shown = view(run.info, run.trace.replaced(series={**run.trace.series, "validation_loss": held_out}), ()).loss.validation
    assert list(shown.steps) == [10, 20, 30]
    assert list(shown.values) == [2.0, 1.5, 1.75]
    assert shown.say.en == "on held-out data it is lowest at step 20 (1.5), and 1.75 at the end"
    assert list(view_of(run).loss.validation.steps) == []
