"""What graph finds in models whose operations and wires are counted by hand."""

import random

import pytest
import torch
from torch import nn

import kazami
from kazami.errors import UsageError
from kazami.nets import graph

from .asking import block, folds, kinds, signs
from .zoo import ZOO, Branching, Checkpointed, EinsumHeads, GLUBlock, Lazy, LSTMHead, Masked, TiedAutoencoder, TwoTowers, Whitening, data, deep, mlp


def test_an_mlp_is_two_blocks_phi_of_x_w_plus_b():
    found = graph(mlp(), data(5, 3))
    assert found.captured_by == "torch.export"
    assert [one.formula for one in found.blocks] == ["φ(X·W + b)", "X·W + b"]
    assert signs(found) == {"·": 2, "+": 2, "relu": 1}
    # X and four parameters, five operations, Y; each product and each sum reads two, relu and Y one.
    assert len(found.nodes) == 1 + 4 + 5 + 1
    assert len(found.edges) == 2 * 2 + 2 * 2 + 1 + 1
    assert found.parameters == 3 * 4 + 4 + 4 * 2 + 2
    assert found.parameters_by_block == {"b0": 16, "b1": 10}
    assert [(one.name, one.shape) for one in found.edges if one.name] == [("H1", (5, 4))]


def test_edges_carry_shapes_and_dtypes_and_the_batch_is_n():
    found = graph(mlp().double(), data(5, 3).double())
    assert {edge.dtype for edge in found.edges} == {"float64"}
    assert found.inputs[0].dims == ("N", "3")
    assert found.outputs[0].dims == ("N", "2")
    assert found.outputs[0].shape == (5, 2)


@pytest.mark.parametrize(("example", "dims"), [(data(1, 3), ("N", "3")), (data(3), ("3",)), (data(2, 7, 3), ("N", "7", "3"))])
def test_the_batch_is_told_where_it_can_be(example, dims):
    assert graph(mlp(), example).inputs[0].dims == dims


def test_time_is_not_taken_for_the_batch():
    found = graph(nn.LSTM(3, 4), data(7, 2, 3))
    assert [node.dims for node in found.outputs] == [("7", "N", "4"), ("1", "N", "4"), ("1", "N", "4")]


def test_a_residual_addition_is_a_skip():
    found = graph(*ZOO["resnet"]())
    # Stem; in each of six blocks two convolutions, in two of them a projection: 1 + 12 + 2; each but the stem with a BatchNorm.
    assert signs(found)["∗"] == 15
    assert kinds(found)["norm"] == 14
    # The stem's bias, six residual additions, the head's bias; four of the six blocks pass their input by, two project it.
    assert signs(found)["+"] == 8
    assert sum(edge.kind == "skip" for edge in found.edges) == 4
    assert folds(found) == [2]


def test_concatenations_of_a_u_net_are_skips():
    found = graph(*ZOO["unet"]())
    assert signs(found) == {"∗": 6, "∗ᵀ": 2, "+": 8, "relu": 5, "max_pool2d": 2, "concat": 2}
    assert sum(edge.kind == "skip" for edge in found.edges) == 2
    assert block(found, "up1").formula == "X∗ᵀW + b"
    assert block(found, "down1.0").formula == "φ(X∗W + b)"


def test_a_dense_net_reads_everything_before_and_is_not_folded():
    found = graph(*ZOO["densenet"]())
    # Concatenations of 1, 2, 3, 4 and 5 parts; all parts but the newest pass by.
    assert sum(edge.kind == "skip" for edge in found.edges) == 1 + 2 + 3 + 4
    assert folds(found) == []


def test_an_lstm_uses_its_weights_at_every_step():
    found = graph(LSTMHead(), data(3, 20, 3))
    lstm = block(found, "lstm")
    assert (lstm.kind, lstm.label, lstm.uses) == ("recurrent", "LSTM", 20)
    assert lstm.parameters == 4 * 6 * (3 + 6) + 2 * 4 * 6


def test_a_loop_by_hand_uses_one_weight_twenty_times():
    found = graph(*ZOO["unrolled"]())
    weight = next(node for node in found.nodes if node.name == "inner.weight")
    assert weight.uses == 20
    assert sum(edge.source == weight.id for edge in found.edges) == 20
    (loop,) = found.repeats
    assert (loop.times, loop.shares_weights) == (20, True)


def test_an_encoder_is_folded_and_its_attention_is_a_block():
    found = graph(*ZOO["encoder"]())
    assert folds(found) == [3]
    assert kinds(found)["attention"] == 3 + 3  # the module with its projections, and the core inside
    assert block(found, "layers.0.linear1").activation == "relu"
    assert {edge.kind for edge in found.edges} == {"data", "weight", "skip"}


@pytest.mark.parametrize(("name", "depth"), [("gpt", 6), ("gpt_by_hand", 4)])
def test_a_gpt_is_one_block_many_times_with_a_tied_head(name, depth):
    model, example = ZOO[name]()
    found = graph(model, example)
    assert folds(found) == [depth]
    assert kinds(found)["attention"] == depth
    assert found.parameters == sum(one.numel() for one in model.parameters())
    tied = next(node for node in found.nodes if node.name == "tokens.weight, head.weight")
    assert tied.uses == 2
    assert {one.name for one in found.blocks if tied.id in one.shared_nodes} == {"tokens", "head"}
    assert sum(edge.kind == "skip" for edge in found.edges) == 2 * depth


def test_a_branch_is_marked_and_the_path_of_the_example_drawn():
    torch.manual_seed(0)
    model = Branching()
    found = graph(model, data(3, 3))
    assert found.captured_by == "run"
    assert found.has_other_paths
    (decision,) = [node for node in found.nodes if node.kind == "decision"]
    taken = decision.label.removeprefix("if → ")
    assert {one.name for one in found.blocks} == {"first", {"True": "yes", "False": "no"}[taken]}
    assert "zoo" not in decision.name
    assert decision.name.startswith("Branching.forward, line ") or decision.name.startswith("forward, line ")
    said = [note.en for note in found.notes]
    assert [line.split(" could")[0] for line in said[:2]] == ["torch.export", "torch.fx"]
    assert any("others may exist" in line for line in said)
    assert any("2 parameters (10 elements) were not used" in line for line in said)


def test_a_transposed_weight_is_one_weight_used_twice():
    found = graph(TiedAutoencoder(), data(3, 8))
    assert [one.formula for one in found.blocks] == ["φ(X·W + b)", "X·Wᵀ + b"]
    assert next(node for node in found.nodes if node.name == "weight").uses == 2
    assert found.parameters == 4 * 8 + 4 + 8


def test_several_inputs_keywords_and_a_dictionary_are_named():
    found = graph(TwoTowers(), (data(3, 3), data(3, 5)), {"scale": torch.tensor(2.0)})
    assert [node.name for node in found.inputs] == ["user", "item", "scale"]
    assert [node.label for node in found.outputs] == ["score", "user"]
    assert signs(found)["×"] == 1


def test_an_input_in_a_structure_is_named_by_its_path():
    class Nested(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)

        def forward(self, batch, flag):
            return {"a": {"b": self.layer(batch["x"])}, "c": batch["y"][0] if flag else None}

    found = graph(Nested(), None, {"batch": {"x": data(4, 3), "y": [data(4, 1)]}, "flag": True})
    assert [node.name for node in found.inputs] == ["batch.x", "batch.y.0"]
    assert [node.name for node in found.outputs] == ["a.b", "c"]


def test_checkpoints_leave_no_trace_in_the_graph():
    assert [one.formula for one in graph(Checkpointed(), data(3, 3)).blocks] == ["φ(X·W + b)", "X·W + b"]


def test_an_einsum_with_a_weight_is_a_layer():
    (layer,) = graph(EinsumHeads(), data(5, 2, 3)).blocks
    assert layer.formula == "φ(einsum(nhi,hio→nho) + b)"
    assert layer.activation == "tanh"


def test_a_gate_multiplies_two_branches():
    found = graph(GLUBlock(), data(5, 4))
    assert signs(found) == {"·": 3, "+": 4, "silu": 1, "×": 1}
    assert sum(edge.kind == "skip" for edge in found.edges) == 1


def test_lazy_layers_are_made_on_a_copy():
    model = Lazy()
    assert graph(model, data(5, 3)).parameters == 3 * 4 + 4 + 4 * 2 + 2
    assert nn.parameter.is_lazy(model.first.weight)


def test_a_buffer_that_the_model_changes_is_a_quantity():
    found = graph(Whitening(), data(3, 3))
    assert [node.name for node in found.nodes if node.kind == "buffer"] == ["mean"]


@pytest.mark.parametrize("depth", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_equal_layers_are_one_folded_block(depth):
    found = graph(deep(depth), data(5, 4))
    assert folds(found) == [depth]
    assert len(found.operations) == 3 * depth


@pytest.mark.parametrize("way", ["torch.export", "torch.fx", "run"])
@pytest.mark.parametrize("name", ["mlp", "resnet", "unet", "densenet", "tied", "glu"])
def test_every_way_of_capturing_finds_the_same(name, way):
    torch.manual_seed(0)
    model, example = ZOO[name]()
    expected, found = graph(model, example), graph(model, example, way=way)
    assert found.captured_by == way
    assert [(one.kind, one.formula, one.parameters, one.times) for one in found.blocks if one.kind in ("layer", "norm", "repeat")] == [
        (one.kind, one.formula, one.parameters, one.times) for one in expected.blocks if one.kind in ("layer", "norm", "repeat")
    ]
    assert sum(edge.kind == "skip" for edge in found.edges) == sum(edge.kind == "skip" for edge in expected.edges)
    assert [node.dims for node in found.outputs] == [node.dims for node in expected.outputs]


@pytest.mark.parametrize("name", sorted(set(ZOO) - {"deep", "stack", "gpt", "gpt_by_hand", "lazy"}))
def test_the_caller_is_not_disturbed(name):
    torch.manual_seed(0)
    model, example = ZOO[name]()
    inputs = [one.clone() for one in (example if isinstance(example, tuple) else (example,))]
    kept = {key: value.clone() for key, value in model.state_dict().items()}
    first = next(model.parameters())
    first.grad = torch.ones_like(first)
    state, python_state = torch.get_rng_state(), random.getstate()
    graph(model, example)
    assert torch.equal(torch.get_rng_state(), state)
    assert random.getstate() == python_state
    assert model.training
    assert torch.equal(first.grad, torch.ones_like(first))
    assert all(torch.equal(value, kept[key]) for key, value in model.state_dict().items())
    assert all(torch.equal(one, two) for one, two in zip(inputs, example if isinstance(example, tuple) else (example,), strict=True))
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())


def test_a_model_that_cannot_be_copied_is_put_back():
    class Stubborn(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.norm, self.calls, self.last = nn.Linear(3, 3), nn.BatchNorm1d(3), 0, None

        def __deepcopy__(self, memo):
            raise TypeError("no copies")

        def forward(self, x):
            self.calls += 1
            self.last = self.norm(self.layer(x))
            return self.last

    model = Stubborn()
    graph(model, data(4, 3))
    assert model.calls == 0
    assert model.last is None
    assert torch.equal(model.norm.running_mean, torch.zeros(3))
    assert int(model.norm.num_batches_tracked) == 0


def test_random_choices_in_python_are_said():
    class Dice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(x) if random.random() < 2 else x

    assert graph(Dice(), data(3, 3)).has_other_paths


def test_what_leaves_torch_is_marked():
    class Outside(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            h = self.layer(x)
            return h + torch.from_numpy(h.detach().numpy() * 2)

    found = graph(Outside(), data(3, 3))
    assert [node.label for node in found.nodes if node.kind == "decision"] == ["value read"]


def test_loops_that_no_exporter_follows_are_run():
    assert graph(Masked(), data(3, 3)).captured_by == "run"


def test_a_branch_inside_the_graph_is_one_operation_with_its_parameters():
    class Conditional(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return torch.cond(x.sum() > 0, lambda x: self.layer(x), lambda x: x * 2, (x,))

    found = graph(Conditional(), data(3, 3))
    assert [node.op for node in found.operations] == ["sum", "gt", "cond"]
    assert next(one for one in found.blocks if one.label == "cond").parameters == 12


def test_what_changes_a_part_changes_the_whole():
    class Writer(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            y = torch.zeros(len(x), 6)
            y[:, :3] = self.layer(x)
            y[:, 3:] = x
            return y

    for way in ("torch.export", "run"):
        found = graph(Writer(), data(4, 3), way=way)
        reached = {found.outputs[0].id}
        for edge in reversed(found.edges):
            reached |= {edge.source} if edge.target in reached else set()
        assert {node.id for node in found.nodes if node.kind in ("input", "parameter")} <= reached


def test_the_wrong_example_is_the_users_error():
    with pytest.raises(UsageError, match="The model fails on this example: RuntimeError: mat1 and mat2"):
        graph(mlp(), data(5, 7))
    with pytest.raises(UsageError, match="holds no tensor"):
        graph(mlp(), None)
    with pytest.raises(UsageError, match=r"way should be one of torch\.export, torch\.fx, run"):
        graph(mlp(), data(5, 3), way="magic")


def test_the_room_is_a_function_too():
    assert callable(kazami.nets.graph)
    assert kazami.nets.graph.Graph is type(graph(mlp(), data(5, 3)))


class Routed(nn.Module):
    """Two experts, each for the rows that its gate picks."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.first, self.second = nn.Linear(3, 2), nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Send each row to one expert."""
        chosen, made = self.gate(x).argmax(-1), torch.zeros_like(x)
        for number, expert in enumerate((self.first, self.second)):
            rows = torch.where(chosen == number)[0]
            if rows.numel():
                made[rows] = torch.tanh(expert(x[rows]))
        return made


def test_sizes_that_values_decide_are_not_said_to_follow_the_batch():
    found = graph(Routed(), data(12, 3))
    dims = {size for node in found.nodes for size in node.dims}
    assert "N" in dims
    assert not any(size.startswith("N") and size != "N" for size in dims)
    assert "?" in dims
    assert any("depend on the values" in note.en for note in found.notes)
