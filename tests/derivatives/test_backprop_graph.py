"""The graph of the walk holds every quantity once, and its edges are those of the chain rule."""

import numpy as np
import pytest

from kazami.derivatives import backprop
from kazami.derivatives.backprop_graph import GIVEN, graph_of
from tests.derivatives.test_backpropagation import network


@pytest.fixture
def found():
    return backprop(*network((3, 4, 5, 2), "tanh", "cross_entropy"))


def test_every_step_has_its_circle_with_its_numbers(found):
    nodes = {node.id: node for node in graph_of(found).nodes}
    for place, step in enumerate(found.steps()):
        assert nodes[step.name].step == place
        np.testing.assert_array_equal(nodes[step.name].value, step.value)
    given = {name for name, node in nodes.items() if node.step == GIVEN}
    assert given == {"T", *(f"{letter}_{layer}" for letter in "Wb" for layer in (1, 2, 3))}


def test_what_flows_into_a_step_was_there_before(found):
    walk = graph_of(found)
    steps = {node.id: node.step for node in walk.nodes}
    assert len(steps) == len(walk.nodes)
    for edge in walk.edges:
        assert steps[edge.start] <= edge.step == steps[edge.end]


def test_the_backward_pass_needs_what_the_chain_rule_says(found):
    walk = graph_of(found)
    quantities = {node.id for node in walk.nodes if node.value is not None}

    def needed(name):
        """Return the quantities that reach ``name`` through operations alone."""
        starts = [edge.start for edge in walk.edges if edge.end == name]
        return set().union(*({start} if start in quantities else needed(start) for start in starts)) if starts else set()

    assert needed("Z_2") == {"A_1", "W_2", "b_2"}
    assert needed("C") == {"A_3", "T"}
    assert needed("delta_3") == {"Z_3", "A_3", "T", "C"}
    assert needed("delta_1") == {"delta_2", "W_2", "Z_1"}
    assert needed("dW_2") == {"A_1", "delta_2"}
    assert needed("db_1") == {"delta_1"}
