"""The picture shows every activation, on the same axes, and says what is to be seen."""

import numpy as np
import pytest

from kazami.nets import activation, all_activations
from kazami.nets.catalogue.figure import catalogue_figure
from kazami.reports.figures import inline_svg


def test_one_panel_per_activation_on_the_same_axes():
    chosen = [activation(name) for name in ("sigmoid", "relu", "step", "softmax", "glu", "gelu", "maxout")]
    figure = catalogue_figure(chosen)
    panels = [panel for panel in figure.axes if panel.get_visible()]
    assert len(panels) == len(chosen)
    assert len({(panel.get_xlim(), panel.get_ylim()) for panel in panels}) == 1
    assert panels[0].get_title(loc="left") == "Sigmoid"


def test_curves_are_the_function_and_its_slope_and_lift_the_pen_at_a_jump():
    figure = catalogue_figure([activation("step")])
    function, slope = figure.axes[0].get_lines()[-2:]
    values = np.asarray(function.get_ydata())
    assert set(values[np.isfinite(values)]) == {0.0, 1.0}
    assert np.isnan(values).any()
    assert not np.nan_to_num(np.asarray(slope.get_ydata())).any()


def test_title_states_what_was_computed():
    assert "largest slope 0.25, range (0, 1)" in catalogue_figure([activation("sigmoid")]).get_suptitle()
    assert catalogue_figure([activation("sigmoid"), activation("relu"), activation("identity")]).get_suptitle().startswith("2 of 3 activations")


@pytest.mark.slow
def test_the_whole_catalogue_can_be_put_into_a_page():
    svg = inline_svg(catalogue_figure(all_activations()), "all activations")
    assert svg.startswith("<svg")
    assert "SwiGLU" in svg
