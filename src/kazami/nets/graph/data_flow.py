"""Graph: the data flow of a model, and its pictures."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...records.finding import Sentence
from ...records.trace import Trace
from . import words
from .colouring import Colouring
from .records import Block, Edge, Node, as_data


@dataclass(frozen=True, slots=True)
class Graph:
    """The data flow of one call of a model.

    Attributes:
        model: Name of the model's class.
        nodes: Quantities and operations, in the order of execution, then the outputs.
        edges: What goes from where to where, with shapes and dtypes.
        blocks: What people think of as one thing, the outer before the inner.
        parameters: Elements of all parameters of the model, tied ones once.
        captured_by: ``"torch.export"``, ``"torch.fx"`` or ``"run"``.
        notes: What has to be known to read it, in both languages: why another way of capturing failed, whether other paths may exist.
        colouring: Values drawn as colours, ``None`` without.
    """

    model: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    blocks: tuple[Block, ...]
    parameters: int
    captured_by: str
    notes: tuple[Sentence, ...] = ()
    colouring: Colouring | None = None

    @property
    def inputs(self) -> tuple[Node, ...]:
        """The model's inputs."""
        return tuple(node for node in self.nodes if node.kind == "input")

    @property
    def outputs(self) -> tuple[Node, ...]:
        """The model's outputs."""
        return tuple(node for node in self.nodes if node.kind == "output")

    @property
    def operations(self) -> tuple[Node, ...]:
        """The operations alone."""
        return tuple(node for node in self.nodes if node.kind == "operation")

    @property
    def repeats(self) -> tuple[Block, ...]:
        """The blocks that stand for equal parts one after the other."""
        return tuple(block for block in self.blocks if block.kind == "repeat")

    @property
    def parameters_by_block(self) -> dict[str, int]:
        """Elements of the parameters used in each block, by the block's id; a tied one counts in each block that uses it."""
        return {block.id: block.parameters for block in self.blocks if block.parameters}

    @property
    def has_other_paths(self) -> bool:
        """Whether the model read values of its data, so that other inputs may take other paths."""
        return any(node.kind == "decision" for node in self.nodes) or words.RANDOM_PATH in self.notes

    def coloured(self, values: Mapping[str, float], *, label: str = "", scale: str | None = None) -> "Graph":
        """Return the graph with its blocks coloured by a number per layer.

        Args:
            values: Number by name of the layer (``"encoder.0"``), of its parameter or of its module; NaN and infinity get a colour of their own.
            label: What the numbers are, for the legend.
            scale: ``"linear"``, ``"log"`` or ``"wind"``; by default log where all numbers are positive and more than a hundredfold apart.

        Raises:
            UsageError: There is no number, or the scale does not suit them.
        """
        return replace(self, colouring=Colouring.of(values, label, scale))

    def coloured_by(self, run: "str | Trace", *, series: str = "layer_wind") -> "Graph":
        """Return the graph coloured by the newest values of a stored run, or of a trace.

        Args:
            run: A run directory, or a trace.
            series: Name of a quantity recorded for every layer.

        Raises:
            RunNotFound: There is no run at this place.
            UnknownName: The run has no such quantity for each layer.
            UsageError: None of its layers is in this graph.
        """
        from .run_colours import values_of_run

        values, label = values_of_run(run, series, self.nodes, self.blocks)
        return self.coloured(values, label=label, scale="wind" if series == "layer_wind" else None)

    def summary(self, language: str = "en") -> str:
        """Return one line that says how it was captured and how large it is."""
        repeats = ", ".join(f"{block.name} {block.label}".strip() for block in self.repeats if not block.parent)
        return words.SUMMARY.in_language(language).format(
            way=words.WAYS[self.captured_by].in_language(language),
            parameters=f"{self.parameters:,}",
            operations=len(self.operations),
            blocks=sum(block.kind not in ("reshape", "repeat") for block in self.blocks),
            folded=words.FOLDED.in_language(language).format(repeats=repeats) if repeats else "",
        )

    def to_svg(self, *, open_blocks: bool = False, fold: bool = True, language: str = "en") -> str:
        """Return the picture as one SVG element; a block shows what is in it when it is chosen (click, or Tab and look).

        Args:
            open_blocks: Draw what is in every block.
            fold: Draw equal parts once, with how often they come.
            language: ``"en"`` or ``"ja"``.
        """
        from .drawing import drawn_svg

        return drawn_svg(self, open_blocks=open_blocks, fold=fold, language=language)

    def to_png(self, path: str, *, open_blocks: bool = False, fold: bool = True, language: str = "en") -> str:
        """Write the picture as a PNG file and return its path; the arguments are those of `to_svg`.

        Raises:
            CannotWrite: The place cannot be written.

        Limits:
            At most 32 000 pixels a side: a graph of more than about 200 boxes in a row comes in smaller letters. SVG has no such limit.
        """
        from .drawing import draw_png

        draw_png(self, path, open_blocks=open_blocks, fold=fold, language=language)
        return path

    def to_mermaid(self, *, open_blocks: bool = False, fold: bool = True, language: str = "en") -> str:
        """Return the picture as a Mermaid flow chart, for pages that render them."""
        from .texts import mermaid

        return mermaid(self, open_blocks=open_blocks, fold=fold, language=language)

    def to_dot(self, *, open_blocks: bool = False, fold: bool = True, language: str = "en") -> str:
        """Return the picture as a Graphviz source."""
        from .texts import dot

        return dot(self, open_blocks=open_blocks, fold=fold, language=language)

    def to_json(self, *, language: str = "en") -> str:
        """Return all nodes, edges and blocks as one JSON document, with ``"schema": 1``."""
        return json.dumps(self.to_dict(language=language), ensure_ascii=False, allow_nan=False)

    def to_dict(self, *, language: str = "en") -> dict[str, Any]:
        """Return what `to_json` writes, as plain data."""
        return {
            "schema": 1,
            "model": self.model,
            "captured_by": self.captured_by,
            "parameters": self.parameters,
            "parameters_by_block": self.parameters_by_block,
            "has_other_paths": self.has_other_paths,
            "notes": [note.in_language(language) for note in self.notes],
            "inputs": [node.id for node in self.inputs],
            "outputs": [node.id for node in self.outputs],
            "nodes": [as_data(node) for node in self.nodes],
            "edges": [as_data(edge) for edge in self.edges],
            "blocks": [as_data(block) for block in self.blocks],
        }

    def _repr_svg_(self) -> str:
        """Show the picture in a notebook."""
        return self.to_svg()
