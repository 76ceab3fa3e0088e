import pytest

from kazami import errors
from kazami.errors import CannotWatch, KazamiError, NewerFormat, RunNotFound, RunUnreadable, UnknownName, UsageError, closest, unknown_name

TREE = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, KazamiError)]


@pytest.mark.parametrize("error", TREE)
def test_every_error_is_drawn_in_the_tree_with_its_exit_code(error):
    lines = [line.split() for line in errors.__doc__.splitlines()]
    assert [str(error.exit_code)] == [line[line.index(error.__name__) + 1] for line in lines if error.__name__ in line]


@pytest.mark.parametrize(
    ("error", "code"), [(KazamiError, 1), (UsageError, 2), (UnknownName, 2), (CannotWatch, 2), (RunNotFound, 5), (RunUnreadable, 5), (NewerFormat, 5)]
)
def test_exit_codes_are_the_documented_ones(error, code):
    assert error("").exit_code == code


@pytest.mark.parametrize(("name", "match"), [("vanishing", "Vanished"), ("DEAD_UNIT", "dead_units"), ("teapot", None), ("", None)])
def test_closest(name, match):
    assert closest(name, iter(["dead_units", "Vanished"])) == match


def test_closest_of_nothing():
    assert closest("x", []) is None


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["dead_units"], 'There is no rule "dead_unit". Did you mean "dead_units"?'),
        (["b", "a"], 'There is no rule "dead_unit". There are: a, b.'),
        ([], 'There is no rule "dead_unit", and there are no others either.'),
    ],
)
def test_an_unknown_name_gets_advice(names, sentence):
    assert str(unknown_name("rule", "dead_unit", names)) == sentence
