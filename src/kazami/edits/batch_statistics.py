"""Statistics of batch normalisation, taken again before an evaluation."""

from typing import ClassVar

import libcst as cst

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._places import Places, is_bound, only
from ._source import Source, Uncertain, dotted


class BatchStatistics(AbstractEdit):
    """Inserts ``update_bn`` before ``model.eval()``, with the loader that the training runs over."""

    name: ClassVar = "batch_statistics"
    writes: ClassVar = ("batch_norm_statistics",)
    how: ClassVar = "Before the one `model.eval()`, where the loader of the training has a name."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the line."""
        del change
        step = places.step
        loop = only(step.source.loops(step.call)[:1], "a loop over batches")
        loader = iterated(step.source, loop)
        evals = [(source, call) for source, call in places.program.calls() if _is_eval(call)]
        source, call = only(evals, "the model is evaluated")
        model = dotted(call.func.value) if isinstance(call.func, cst.Attribute) else ""
        scope = source.function(call)
        is_seen = source is step.source and (scope is source.function(step.call) or (scope is not None and is_bound(source, loader, scope)))
        if not is_seen or not loader or not model:
            raise Uncertain("the loader is not seen where the model is evaluated")
        draft.before(source, call, f"{draft.rooted(source, 'torch.optim.swa_utils.update_bn')}({loader}, {model})")


def _is_eval(call: cst.Call) -> bool:
    return isinstance(call.func, cst.Attribute) and call.func.attr.value == "eval" and not call.args and dotted(call.func.value) != "self"


def iterated(source: Source, loop: cst.CSTNode) -> str:
    """Return the name of what a loop over batches runs over; empty where it has none."""
    node = loop.iter if isinstance(loop, cst.For) else None
    while isinstance(node, cst.Call) and node.args and dotted(node.func) in ("enumerate", "tqdm", "tqdm.tqdm"):
        node = node.args[0].value
    del source
    return dotted(node)
