"""The document of ``kazami graph``."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from ...nets.graph.records import ALWAYS, Block, Edge, Node
from ...records.json_schema import Shown
from ._base import AbstractDocument

FULL = Shown(always=ALWAYS)


@dataclass(frozen=True, slots=True)
class GraphDocument(AbstractDocument):
    """The data-flow graph of a model; of nodes, edges and blocks, keys whose value is empty or 0 are left out.

    Attributes:
        schema: Version of the document's form.
        model: Name of the model's class.
        captured_by: ``"torch.export"``, ``"torch.fx"`` or ``"run"``.
        parameters: Elements of all parameters, tied ones once.
        parameters_by_block: Elements of the parameters used in each block, by its id.
        has_other_paths: Whether other inputs may take other paths.
        notes: What has to be known to read it, in the language asked for.
        inputs: Ids of the input nodes.
        outputs: Ids of the output nodes.
        nodes: Quantities and operations, in the order of execution.
        edges: What goes from where to where.
        blocks: What people think of as one thing, the outer before the inner.
    """

    document: ClassVar = "graph"
    commands: ClassVar = ("kazami graph --json",)

    schema: Literal[1]
    model: str
    captured_by: str
    parameters: int
    parameters_by_block: dict[str, int]
    has_other_paths: bool
    notes: list[str]
    inputs: list[str]
    outputs: list[str]
    nodes: list[Annotated[Node, FULL]]
    edges: list[Annotated[Edge, FULL]]
    blocks: list[Annotated[Block, FULL]]
