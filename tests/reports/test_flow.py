"""The graph of a run: what the watcher stored, drawn; an older run as a chain that says so."""

import pytest

from kazami.records import Layer, Trace
from kazami.reports.flow import IN_ORDER, flow_of
from kazami.storage import trace_from_head, trace_head

LAYERS = (
    Layer("first", "linear", (8, 4), 4, 8, "relu"),
    Layer("block", "conv", (8, 8, 3, 3), 8, 8, is_residual=True),
    Layer("last", "linear", (3, 8), 8, 3, is_output=True),
)
SEEN = {
    "nodes": [["input"], ["layer", 0, 0, [8]], ["layer", 1, 0, [8, 6, 6]], ["join", "+", [8]], ["layer", 2, 1, [3]], ["other", "judge.0", 0, [1]], ["loss"]],
    "edges": [[0, 1], [1, 2], [1, 3], [2, 3], [3, 4], [4, 5], [5, 6]],
}


def flow(facts):
    return flow_of(trace_from_head(trace_head(Trace(step=1, layers=LAYERS, facts=facts))))


def test_the_stored_graph_is_drawn_with_rows_of_the_map_and_shapes_on_the_edges():
    found = flow({"data_flow": SEEN})
    assert found.why_not is None
    assert [(node.kind, node.layer) for node in found.nodes] == [
        ("quantity", -1),
        ("operation", 0),
        ("operation", 1),
        ("join", -1),
        ("operation", 2),
        ("operation", -1),
        ("quantity", -1),
    ]
    assert [node.label for node in found.nodes] == ["X", "first\nrelu(X·W + b)", "block\nX ∗ W + b", "+", "last (2)\nX·W + b", "judge.0", "L"]
    assert [edge.label for edge in found.edges] == ["", "8", "8", "8×6×6", "", "3", "1"]


@pytest.mark.parametrize(
    "data", [None, {}, 7, {"nodes": [["layer", 99, 0, []]], "edges": []}, {"nodes": [["what"]], "edges": []}, {"nodes": [["input"]], "edges": [[0, 5]]}]
)
def test_without_one_or_with_a_strange_one_the_layers_stand_in_their_order_and_it_says_so(data):
    found = flow({} if data is None else {"data_flow": data})
    assert found.why_not == IN_ORDER
    assert [edge.target for edge in found.edges] == ["l0", "l1", "l2", "loss"]
    assert found.nodes[2].label.endswith(" + X")


def test_without_layers_there_is_none():
    assert flow_of(Trace(step=0)).nodes == []
