"""The data-flow graph φ(X·W+b) of any PyTorch module: captured, grouped into blocks, folded, coloured and drawn."""

from typing import TYPE_CHECKING

from ...doors import lazy_door, make_callable

if TYPE_CHECKING:
    from .capturing import graph as graph
    from .data_flow import Graph as Graph
    from .records import Block as Block
    from .records import Edge as Edge
    from .records import Node as Node

__all__ = ["Block", "Edge", "Graph", "Node", "graph"]

if not TYPE_CHECKING:
    __getattr__ = lazy_door(__name__, {"Block": ".records", "Edge": ".records", "Graph": ".data_flow", "Node": ".records", "graph": ".capturing"})

make_callable(__name__)
