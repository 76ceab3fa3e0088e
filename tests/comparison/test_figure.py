"""The figure: its title states the finding, and it can be drawn whatever was found."""

import numpy as np
import pytest

from kazami.comparison import compare, comparison_figure
from kazami.reports.figures import save_figure
from tests.comparison.runs import orbit, stored

START = np.random.default_rng(0).uniform(0.1, 0.9, (2, 30))


def pair(change):
    rows = orbit(lambda x: 4 * x * (1 - x), START, 80)
    return compare(stored(rows), stored(orbit(lambda x: 4 * x * (1 - x), START + change, 80)))


@pytest.mark.parametrize("change", [0.0, 1e-12, 0.01])
@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_title_is_the_finding(change, language, tmp_path):
    found = pair(change)
    figure = comparison_figure(found, language=language)
    assert figure.axes[0].get_title(loc="left").replace("\n", "").replace(" ", "") == found.sentence.in_language(language).replace(" ", "")
    place = save_figure(figure, str(tmp_path / "figure.svg"))
    assert (tmp_path / "figure.svg").stat().st_size > 5000
    assert place.endswith("figure.svg")


def test_the_fit_is_drawn_on_the_curve():
    found = pair(1e-12)
    lines = {line.get_label(): line for line in comparison_figure(found).axes[0].get_lines()}
    (fit,) = [line for label, line in lines.items() if "exponential" in str(label)]
    steps, values = fit.get_data()
    assert np.log(values[1] / values[0]) == pytest.approx(found.growth.rate * (steps[1] - steps[0]))
    inside = (found.distances.steps >= steps[0]) & (found.distances.steps <= steps[1])
    drawn = np.log(values[0]) + found.growth.rate * (found.distances.steps[inside] - steps[0])
    assert np.abs(drawn - np.log(found.distances.relative[inside])).mean() < 1.0
