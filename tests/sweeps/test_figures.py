"""Maps and curves: what stands in their cells, their titles, and what is refused."""

import pyarrow as pa
import pytest

from kazami.errors import UnknownName, UsageError
from kazami.records.regime import LETTERS
from kazami.reports.figures import save_figure
from kazami.sweeps import Sweep, SweepResult
from kazami.sweeps.axes import scale_of
from kazami.sweeps.map_figure import COLOURS

from .trainings import linear

RATES, MOMENTA, SEEDS = [0.01, 0.1, 1.0], [0.0, 0.9], [0, 1, 2]
LABELS = {letter: label for label, letter in LETTERS.items()}


def made(letters, confidence=0.9):
    """Return a sweep's result whose members have these letters, by (rate, momentum, seed)."""
    import numpy as np

    keys = [(rate, momentum, seed) for rate in RATES for momentum in MOMENTA for seed in SEEDS]
    chosen = [letters(*key) for key in keys]
    columns = dict(zip(("learning_rate", "momentum", "seed"), (tuple(column) for column in zip(*keys, strict=True)), strict=True))
    table = pa.table(
        {
            **{name: list(values) for name, values in columns.items()},
            "step": [9] * len(keys),
            "regime": [LABELS[letter] for letter in chosen],
            "regime_letter": chosen,
            "regime_confidence": [confidence] * len(keys),
            "final_loss": [rate * (1 + momentum) for rate, momentum, _ in keys],
            "max_lyapunov": [rate - 0.5 for rate, _, _ in keys],
        }
    )
    return SweepResult(table, tuple(columns), "made", (), len(keys), values=columns, rows=np.arange(len(keys)))


def letters_of(figure):
    """Return the letters that stand in the cells."""
    return [text.get_text() for text in figure.axes[0].texts]


def hatched(figure):
    """Return how many cells are hatched."""
    return sum(patch.get_hatch() is not None for patch in figure.axes[0].patches)


def test_a_cell_has_the_letter_of_most_of_its_members_and_is_hatched_where_they_differ():
    found = made(lambda rate, momentum, seed: "X" if rate == 1.0 else "CPQ"[seed] if rate == 0.1 else "C")
    figure = found.map("learning_rate", "momentum")
    assert letters_of(figure) == ["C", "C", "X", "C", "C", "X"]
    assert hatched(figure) == 2
    assert figure.axes[0].get_title(loc="left") == "convergent 67%, chaos 33%; chaos first at learning rate 1"


def test_the_hatching_of_two_thirds_agreement_is_spared():
    assert hatched(made(lambda rate, momentum, seed: "X" if seed else "C").map()) == 0
    assert hatched(made(lambda rate, momentum, seed: "X", confidence=0.3).map()) == 6
    assert hatched(made(lambda rate, momentum, seed: "?").map()) == 6


def test_every_letter_has_a_colour_of_its_own():
    assert set(COLOURS) == set(LETTERS.values())
    assert len(set(COLOURS.values())) == len(COLOURS)


def test_the_colours_are_those_of_the_letters():
    found = made(lambda rate, momentum, seed: "X" if rate == 1.0 else "C")
    mesh = found.map("learning_rate", "momentum").axes[0].collections[0]
    mesh.update_scalarmappable()
    from matplotlib.colors import to_rgba

    assert [tuple(colour) for colour in mesh.get_facecolors()[:3]] == [to_rgba(COLOURS[letter]) for letter in "CCX"]


def test_a_number_has_its_extreme_in_the_title():
    title = made(lambda *key: "C").map("learning_rate", "momentum", "final_loss").axes[0].get_title(loc="left")
    assert title == "The final loss is lowest, 0.01, at learning rate 0.01, momentum 0"


def test_a_curve_says_where_the_exponent_passes_zero_and_has_a_band():
    figure = made(lambda *key: "C").curve(record="max_lyapunov")
    assert figure.axes[0].get_title(loc="left") == "Differences grow from learning rate 1 on"
    assert figure.axes[0].get_xscale() == "log"
    assert len(figure.axes[0].collections) == 1


def test_pictures_speak_japanese():
    found = made(lambda rate, momentum, seed: "X" if rate == 1.0 else "C")
    assert found.map(language="ja").axes[0].get_title(loc="left") == "収束 67%、カオス 33%；カオスは学習率 1から"
    assert found.curve(language="ja").axes[0].get_xlabel() == "学習率"


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_pictures_are_written(tmp_path, ending):
    found = made(lambda *key: "C")
    for number, figure in enumerate((found.map(), found.map(record="max_lyapunov"), found.curve(record="final_loss"))):
        assert (tmp_path / f"{number}.{ending}").write_bytes(b"") == 0
        save_figure(figure, str(tmp_path / f"{number}.{ending}"))
        assert (tmp_path / f"{number}.{ending}").stat().st_size > 1000


def test_text_takes_whole_places():
    found = Sweep(linear(), optimizer=["SGD", "Adam"], seed=[0, 1]).run(record="final_loss")
    labels = [tick.get_text() for tick in found.map("optimizer", "seed").axes[0].get_xticklabels()]
    assert labels == ["SGD", "Adam"]


def test_even_numbers_are_linear_and_uneven_ones_have_places():
    assert [scale_of(values) for values in ([1, 2, 3], [1, 10, 100], [0.0, 0.5, 0.9, 0.99], [3, 3.1])] == ["linear", "log", "names", "names"]


@pytest.mark.parametrize(
    ("draw", "kind", "said"),
    [
        (lambda found: found.map("learning_rat"), UnknownName, "learning_rate"),
        (lambda found: found.map("seed", "seed"), UsageError, "two different factors"),
        (lambda found: found.map(record="los"), UnknownName, "final_loss"),
        (lambda found: found.curve(record="regime"), UnknownName, "number that was recorded"),
    ],
)
def test_pictures_that_cannot_be_are_refused(draw, kind, said):
    with pytest.raises(kind, match=said):
        draw(made(lambda *key: "C"))


def test_one_factor_makes_no_map():
    with pytest.raises(UsageError, match="one more factor"):
        Sweep(linear(), learning_rate=[0.1, 0.2]).run(record="final_loss").map()
