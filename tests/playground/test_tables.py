"""A user's own CSV."""

import numpy as np
import pytest

from kazami.errors import UsageError
from kazami.playground import Session, Spec, read_csv

ROWS = "\n".join(f"{i},{i * i % 7},{'cat' if i % 3 else 'dog'}" for i in range(30))


def test_words_are_classes_and_inputs_are_standardised():
    table = read_csv("a,b,kind\n" + ROWS)
    assert (table.classes, table.columns, table.target) == (("cat", "dog"), ("a", "b"), "kind")
    np.testing.assert_allclose(table.inputs.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(table.inputs.std(axis=0), 1.0, rtol=1e-12)


def test_numbers_are_targets_and_gaps_are_left_out():
    table = read_csv("a,b,y\n" + "\n".join(f"{i},{i + 1},{i / 7}" for i in range(30)) + "\n1,,2\n3,nan,2\n")
    assert table.classes == ()
    assert table.n_dropped == 2
    assert table.targets.shape == (30, 1)


def test_a_session_learns_from_it():
    session = Session(Spec(task="table", samples=20, optimizer="adam", learning_rate=0.05), read_csv("a,b,kind\n" + ROWS))
    session.train(50)
    frame = session.frame()
    assert frame.losses[-1] < frame.losses[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "eight rows"),
        ("a,b\n" + "1,2\n" * 8 + "1,2,3\n", "Line 10"),
        ("a,b\n" + "x,2\n" * 9, "should hold numbers"),
        ("a,b\n" + "1,2\n" * 2100, "2000 rows"),
        ("a," * 70 + "b\n" + ("1," * 70 + "2\n") * 9, "64 inputs"),
        ("a,b\n" + "1,cat\n" * 9, "2 to 20 classes"),
        ('a,b\n1,"2\n' * 5, "CSV"),
        ("a,b\n" + "1,2\n" * 600_000, "MB"),
        ("", "eight rows"),
        ("a,b\n" + "1e308,1\n-1e308,2\n" * 9, "too large"),
        ("a,b\n" + "1,1.5e308\n2,-1.5e308\n3,2.5\n" * 9, "too large"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(text, said):
    with pytest.raises(UsageError, match=said):
        read_csv(text)


def test_without_a_table_there_is_no_session():
    with pytest.raises(UsageError, match="no table"):
        Session(Spec(task="table"))
