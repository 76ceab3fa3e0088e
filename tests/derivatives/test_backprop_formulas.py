"""Formulas become MathML with the names of the picture."""

import re
from xml.etree import ElementTree

import pytest

from kazami.derivatives import backprop
from kazami.derivatives.backprop_formulas import formula_math
from kazami.derivatives.backpropagation import ACTIVATIONS, LOSSES
from tests.derivatives.test_backpropagation import network


def text(latex, language="en"):
    return re.sub("<[^>]*>", "", formula_math(latex, 2, language))


def test_names_are_those_of_the_picture():
    assert text(r"Z_{1} = A_{0} W_{1} + b_{1}") == "Z1=XW1+b1"
    assert text(r"Z_{2} = A_{1} W_{2} + b_{2}") == "Z2=H1W2+b2"
    assert text(r"C = \mathrm{mean} (A_{2} - Y)^2") == "C=mean(Y−T)2"
    assert text(r"C = \mathrm{mean} (A_{2} - Y)^2", "ja") == "C=平均(Y−T)2"


def test_indices_and_powers_stand_where_they_belong():
    assert "<msubsup><mi>W</mi><mrow><mn>2</mn></mrow><mi>T</mi></msubsup>" in formula_math(r"\delta_{1} = (\delta_{2} W_{2}^\top)", 2, "en")
    assert "<mfrac><mrow><mn>2</mn></mrow>" in formula_math(r"\tfrac{2}{\text{entries}}", 2, "en")


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_formula_is_understood_and_well_formed(activation, loss, language):
    for step in backprop(*network((2, 2, 2), activation, loss)).steps():
        ElementTree.fromstring(f"<p>{formula_math(step.formula, 2, language)}</p>")
        assert not set(text(step.formula, language)) & set("\\{}_^"), step.formula
