"""Formulas in MathML."""

import xml.etree.ElementTree as ElementTree

from kazami.tour.formulas import math, matrix, name, number, shaped, sign


def test_a_formula_is_well_formed_and_holds_its_numbers():
    text = math(name("φ"), sign("("), shaped(matrix([[1.0, -0.5], [2.0, 3.25]]), (2, 2)), sign("+", "<"), name("b", "1"), number(-1e-7), sign(")"))
    tree = ElementTree.fromstring(text)
    assert [cell.text for cell in tree.iter("mn")] == ["1", "−0.5", "2", "3.25", "1", "−1e−7"]
    assert len(list(tree.iter("mtr"))) == 2
    assert [shape.text for shape in tree.iter("mtext")] == ["2×2"]


def test_a_row_is_a_matrix_of_one_row():
    assert matrix([1.0, 2.0]).count("<mtr>") == 1
