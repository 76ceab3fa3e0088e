"""The data-flow graph of a run, as far as its directory tells it."""

from ..records.finding import Sentence
from ..records.trace import Layer, Trace
from .view_data import Flow, GraphEdge, GraphNode

NO_LAYERS = Sentence(
    "No graph: no layer was seen. Layers become visible when a torch.nn module is trained with a torch.optim optimizer.",
    "グラフはありません。層が観測されていません。torch.nn のモジュールを torch.optim で学習すると層が見えるようになります。",
)
IN_ORDER = Sentence(
    "Layers in the order of their first use. A run directory holds no graph, so branches are not drawn: kazami graph SCRIPT draws them.",
    "層を最初に使われた順に並べています。実行ディレクトリにはグラフがないため分岐は描きません（kazami graph SCRIPT で描けます）。",
)


def flow_of(trace: Trace) -> Flow:
    """Return the graph of a run: φ(X·W + b) after φ(X·W + b), in the order of first use."""
    if not trace.layers:
        return Flow([], [], NO_LAYERS)
    nodes, edges = [GraphNode("x", "X", "quantity")], []
    before = "x"
    for row, layer in enumerate(trace.layers):
        name = f"l{row}"
        nodes.append(GraphNode(name, f"{layer.name}\n{_formula(layer)}", "operation", row))
        edges.append(GraphEdge(before, name, _flowing(layer)))
        before = name
    nodes.append(GraphNode("loss", "L", "quantity"))
    edges.append(GraphEdge(before, "loss", str(trace.layers[-1].fan_out)))
    return Flow(nodes, edges, IN_ORDER)


def _formula(layer: Layer) -> str:
    sign = {"linear": "X·W + b", "conv": "X ∗ W + b", "embedding": "W[X]", "norm": "norm(X)", "recurrent": "X·W + H·U + b"}.get(layer.kind, layer.kind)
    applied = sign if layer.activation in ("identity", "") else f"{layer.activation}({sign})"
    return f"{applied} + X" if layer.is_residual else applied


def _flowing(layer: Layer) -> str:
    return str(layer.fan_in) if layer.fan_in else ""
