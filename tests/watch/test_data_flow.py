"""Which layers feed which: skip connections, branches, tied weights, recurrences and two players, as the picture of a run draws them."""

import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch.data_flow import FlowReader
from kazami.watch.graph import LiveGraph
from kazami.watch.layers import read_layers
from kazami.watch.names import Names
from tests.watch.seeing import of_model, trained, watched


def edges(trace):
    """Return the edges of a trace's data flow by names, and check that every node hangs together."""
    flow = trace.facts["data_flow"]

    def name(place):
        what = flow["nodes"][place]
        if what[0] == "layer":
            return trace.layers[what[1]].name + (f"#{what[2]}" if what[2] else "")
        return what[1] if len(what) > 1 else what[0]

    assert {place for edge in flow["edges"] for place in edge} == set(range(len(flow["nodes"])))
    return [(name(source), name(target)) for source, target in flow["edges"]]


class Residual(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.first = nn.Linear(4, 8)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(blocks))
        self.last = nn.Linear(8, 3)

    def forward(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = x + torch.relu(block(x))
        return self.last(x)


def cross_entropy(z):
    return F.cross_entropy(z, torch.zeros(len(z), dtype=torch.long))


def test_a_chain_is_a_chain_with_the_shapes_that_flow():
    trace = of_model(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)), cross_entropy, torch.randn(6, 4))
    assert edges(trace) == [("input", "0"), ("0", "2"), ("2", "loss")]
    assert [node[3] for node in trace.facts["data_flow"]["nodes"] if node[0] == "layer"] == [[5], [3]]


def test_a_skip_connection_is_an_edge_past_its_block():
    found = edges(of_model(Residual(2), cross_entropy, torch.randn(6, 4)))
    assert found == [
        ("input", "first"),
        ("first", "blocks.0"),
        ("first", "+"),
        ("blocks.0", "+"),
        ("+", "blocks.1"),
        ("+", "+"),
        ("blocks.1", "+"),
        ("+", "last"),
        ("last", "loss"),
    ]


def test_a_transformer_has_its_attention_its_norms_and_a_tied_weight_in_two_places():
    embedding, block = nn.Embedding(7, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
    words = torch.randint(7, (3, 5), generator=torch.Generator().manual_seed(0))
    model = nn.ModuleList([embedding, block])
    trace = trained(lambda: F.cross_entropy((block(embedding(words)) @ embedding.weight.T).flatten(0, 1), words.flatten()), model.parameters(), [model])
    found = edges(trace)
    assert ("input", "0") in found
    assert ("0#1", "loss") in found
    assert found.count(("0", "+")) == 1
    assert {target for source, target in found if source == "1.norm1"} == {"1.linear1", "+"}
    rows = [node[1] for node in trace.facts["data_flow"]["nodes"] if node[0] == "layer"]
    assert len(rows) == len(set(rows)) + 1  # one weight, two nodes, one row of the map


def test_branches_meet_where_they_are_concatenated():
    left, right, out = nn.Linear(4, 3), nn.Linear(4, 5), nn.Linear(8, 3)
    model = nn.ModuleList([left, right, out])
    x = torch.randn(6, 4)
    trace = trained(lambda: cross_entropy(out(torch.cat([left(x), torch.relu(right(x))], 1))), model.parameters(), [model])
    assert edges(trace) == [("input", "0"), ("input", "1"), ("0", "concat"), ("1", "concat"), ("concat", "2"), ("2", "loss")]


def test_a_long_recurrence_is_one_loop_and_not_a_node_a_time_step():
    cell, out = nn.LSTMCell(3, 4), nn.Linear(4, 1)

    def loss():
        h = c = torch.zeros(5, 4)
        for _ in range(40):
            h, c = cell(torch.ones(5, 3), (h, c))
        return out(h).mean()

    model = nn.ModuleList([cell, out])
    trace = trained(loss, model.parameters(), [model])
    assert len(trace.facts["data_flow"]["nodes"]) < 12
    assert any(target == "1" for _, target in edges(trace))


def test_of_two_players_each_sees_the_other_where_the_graph_goes_through_it():
    torch.manual_seed(0)
    maker, judge = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)), nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    of_maker, of_judge = (torch.optim.SGD(one.parameters(), 0.01) for one in (maker, judge))

    def step():
        fake = maker(torch.randn(8, 2))
        of_judge.zero_grad()
        (judge(fake.detach()).mean() - judge(torch.randn(8, 2)).mean()).backward()
        of_judge.step()
        of_maker.zero_grad()
        (-judge(fake).mean()).backward()
        of_maker.step()

    first, second = watched(step, 2, [maker, judge])
    for trace in (first, second):
        kinds = [node[0] for node in trace.facts["data_flow"]["nodes"]]
        assert kinds.count("other") == 2  # the layers of the other one, by name
        assert all(node[1] < len(trace.layers) for node in trace.facts["data_flow"]["nodes"] if node[0] == "layer")
    assert sum(source == "−" or target == "−" for source, target in edges(first)) >= 2


def test_a_shape_is_looked_at_once_and_a_deep_one_keeps_a_graph_of_its_size():
    model, reader = Residual(40), FlowReader()
    for _ in range(2):
        graph = LiveGraph([cross_entropy(model(torch.randn(2, 4)))])
        reader.read(graph, read_layers(graph, Names([model])))
    (shape,) = reader._shapes.values()
    assert len(shape.nodes) == 42 + 40 + 1
    assert len(shape.edges) == 1 + 3 * 40 + 2


def test_a_graph_without_weights_gives_none():
    free = torch.ones(3, requires_grad=True)
    trace = trained(lambda: (free**2).sum(), [free])
    assert "data_flow" not in trace.facts
