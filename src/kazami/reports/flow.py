"""The data-flow graph of a run: which layers feed which, as the run directory tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..records.finding import Sentence
from ..records.trace import Layer, Trace
from .view_data import Flow, GraphEdge, GraphNode

NO_LAYERS = Sentence(
    "No graph: no layer was seen. Layers become visible when a torch.nn module is trained with a torch.optim optimizer.",
    "グラフはありません。層が観測されていません。torch.nn のモジュールを torch.optim で学習すると層が見えるようになります。",
)
IN_ORDER = Sentence(
    "Layers in the order of their first use. This run directory holds no graph (an older kazami wrote it, or checkpointing or compilation hid the graph), "
    "so branches are not drawn: kazami graph SCRIPT draws them.",
    "層を最初に使われた順に並べています。この実行ディレクトリにはグラフがないため（古い kazami の記録か、チェックポインティングやコンパイルで見えないため）、"
    "分岐は描きません。kazami graph SCRIPT で描けます。",
)
_SIGNS = {"linear": "X·W + b", "conv": "X ∗ W + b", "embedding": "W[X]", "norm": "norm(X)", "recurrent": "X·W + H·U + b"}


def flow_of(trace: Trace) -> Flow:
    """Return the graph of a run; where its directory holds none, φ(X·W + b) after φ(X·W + b), in the order of first use, and says so."""
    if not trace.layers:
        return Flow([], [], NO_LAYERS)
    try:
        seen = _seen(trace.facts.get("data_flow"), trace.layers)
    except (TypeError, ValueError, LookupError, AttributeError):  # of another version, or not ours
        seen = None
    return seen if seen is not None else _in_order(trace.layers)


def _seen(data: Any, layers: Sequence[Layer]) -> Flow | None:
    """Return the graph that the watcher stored as plain data, ``None`` where there is none."""
    if not isinstance(data, Mapping):
        return None
    nodes = [_node(f"n{place}", entry, layers) for place, entry in enumerate(data["nodes"])]
    edges = [GraphEdge(nodes[source].id, nodes[target].id, _shape(data["nodes"][source])) for source, target in data["edges"]]
    return Flow(nodes, edges) if any(node.layer >= 0 for node in nodes) else None


def _node(name: str, entry: Sequence[Any], layers: Sequence[Layer]) -> GraphNode:
    what = entry[0]
    if what == "layer":
        layer = layers[int(entry[1])]
        return GraphNode(name, f"{_used(layer.name, int(entry[2]))}\n{_formula(layer)}", "operation", int(entry[1]))
    if what == "other":
        return GraphNode(name, _used(str(entry[1]), int(entry[2])), "operation")
    if what == "join":
        return GraphNode(name, str(entry[1]), "join")
    return GraphNode(name, {"input": "X", "loss": "L"}[what], "quantity")


def _used(name: str, use: int) -> str:
    return f"{name} ({use + 1})" if use else name


def _shape(entry: Sequence[Any]) -> str:
    """Return the shape of what flows out of a layer, without the batch."""
    return "×".join(str(int(n)) for n in entry[3]) if entry[0] in ("layer", "other") else ""


def _in_order(layers: Sequence[Layer]) -> Flow:
    nodes, edges = [GraphNode("x", "X", "quantity")], []
    before = "x"
    for row, layer in enumerate(layers):
        name = f"l{row}"
        nodes.append(GraphNode(name, f"{layer.name}\n{_formula(layer)}{' + X' if layer.is_residual else ''}", "operation", row))
        edges.append(GraphEdge(before, name, str(layer.fan_in) if layer.fan_in else ""))
        before = name
    nodes.append(GraphNode("loss", "L", "quantity"))
    edges.append(GraphEdge(before, "loss", str(layers[-1].fan_out)))
    return Flow(nodes, edges, IN_ORDER)


def _formula(layer: Layer) -> str:
    sign = _SIGNS.get(layer.kind, layer.kind)
    return sign if layer.activation in ("identity", "") else f"{layer.activation}({sign})"
