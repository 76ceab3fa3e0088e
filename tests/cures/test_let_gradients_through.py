"""The cut-off layer is named; parameters outside the optimizer come first."""

from kazami.cures.let_gradients_through import LetGradientsThrough
from tests.cures.cases import finding, prescribed, trace


def test_it_names_the_layer_that_gets_no_gradient():
    given = prescribed(LetGradientsThrough(), finding("frozen_parameters"), trace(facts={"never_given_a_gradient": ["encoder.0.weight", "encoder.0.bias"]}))
    assert "model.encoder[0](x)" in given.code
    assert "`encoder.0`" in given.sentence.ja


def test_parameters_outside_the_optimizer_come_first():
    facts = {"never_given_a_gradient": ["0.weight"], "not_in_optimizer": ["4.weight"]}
    assert LetGradientsThrough().prescribe(finding("frozen_parameters"), trace(facts=facts)) is None
