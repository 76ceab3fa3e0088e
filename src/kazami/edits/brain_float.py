"""bfloat16 in the place of float16."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places
from ._settings import add_keyword
from ._source import Uncertain, argument

AUTOCASTS = ("torch.autocast", "torch.amp.autocast", "torch.cuda.amp.autocast", "torch.amp.autocast_mode.autocast")
HALVES = ("torch.float16", "torch.half")


class BrainFloat(AbstractEdit):
    """Writes ``torch.bfloat16`` for ``torch.float16``, ``bfloat16()`` for ``half()``, and the type into an ``autocast`` that names none."""

    name: ClassVar = "brain_float"
    writes: ClassVar = ("bfloat16",)
    how: ClassVar = "At every `torch.float16`, `torch.half` and `.half()`, and in each `autocast` on CUDA that names no type."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write it everywhere, so that no two kinds of numbers meet."""
        del change
        n_written = 0
        for source in places.program.sources:
            for node in source.all(cst.CSTNode):
                if isinstance(node, cst.Attribute) and source.meaning(node) in HALVES:
                    draft.replace(source, node, draft.rooted(source, "torch.bfloat16"))
                elif isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value == "half" and not node.args:
                    draft.replace(source, node.func.attr, "bfloat16")
                elif isinstance(node, cst.Call) and source.meaning(node.func) in AUTOCASTS and argument(node, 1, "dtype") is None:
                    self._type(draft, places, node, source.code(node))
                else:
                    continue
                n_written += 1
        if not n_written:
            raise Uncertain("no float16")

    def _type(self, draft: Draft, places: Places, call: cst.Call, text: str) -> None:
        source = next(one for one in places.program.sources if one.has(call))
        if "cpu" in text:
            return  # bfloat16 already
        kind = f"dtype={draft.rooted(source, 'torch.bfloat16')}"
        if call.args:
            add_keyword(draft, source, call, kind)
        else:
            end = source.span(call)[1] - 1
            draft.put(source, end, end, kind)
