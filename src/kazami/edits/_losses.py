"""Where a training takes its loss: which loss, of which output, against which target."""

import re
from dataclasses import dataclass

import libcst as cst

from ._places import Places, last_assignment, only
from ._source import Source, Uncertain, argument, dotted
from ._values import origin

KINDS = {
    "CrossEntropyLoss": "cross_entropy",
    "NLLLoss": "nll_loss",
    "BCELoss": "binary_cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "MSELoss": "mse_loss",
    "L1Loss": "l1_loss",
    "SmoothL1Loss": "smooth_l1_loss",
    "HuberLoss": "huber_loss",
    "KLDivLoss": "kl_div",
    "PoissonNLLLoss": "poisson_nll_loss",
    "MultiLabelSoftMarginLoss": "multilabel_soft_margin_loss",
}
_EVALUATES = re.compile(r"eval|valid|test|predict|infer|score|accuracy")


@dataclass(frozen=True, slots=True)
class Loss:
    """A call that takes a loss.

    Attributes:
        source: The file.
        call: The call.
        kind: Its name in ``torch.nn.functional``.
        made: The call that made its module, ``None`` for a function.
        made_source: The file of that call.
    """

    source: Source
    call: cst.Call
    kind: str
    made: cst.Call | None
    made_source: Source

    @property
    def output(self) -> cst.BaseExpression:
        """What is compared with the target."""
        return only([one for one in [argument(self.call, 0, "input")] if one is not None], "an output").value

    @property
    def target(self) -> cst.BaseExpression:
        """What it is compared with."""
        return only([one for one in [argument(self.call, 1, "target")] if one is not None], "a target").value


def losses(places: Places, *kinds: str) -> list[Loss]:
    """Return the calls that take the loss of the training, of some kinds or of all; evaluations are left out.

    Of several those count that stand before the backward in its function.
    """
    found = [loss for source, call in places.program.calls() if (loss := _loss(places, source, call)) is not None and (not kinds or loss.kind in kinds)]
    found = [loss for loss in found if not is_evaluation(loss.source, loss.call)]
    if len(found) > 1:
        source, backward = places.step.source, places.backward
        near = [one for one in found if one.source is source and source.function(one.call) is source.function(backward)]
        found = [one for one in near if source.comes_before(one.call, backward)] or found
    return found


def the_loss(places: Places, *kinds: str) -> Loss:
    """Return the one call that takes the loss."""
    return only(losses(places, *kinds), "a loss is taken")


def _loss(places: Places, source: Source, call: cst.Call) -> Loss | None:
    name = source.called(call)
    if name.startswith("torch.nn.functional.") and name.rpartition(".")[2] in KINDS.values():
        return Loss(source, call, name.rpartition(".")[2], None, source)
    if isinstance(call.func, cst.Call):
        kind = KINDS.get(source.called(call.func).removeprefix("torch.nn."))
        return Loss(source, call, kind, call.func, source) if kind else None
    end = origin(places.program, source, call.func) if dotted(call.func) and not name.startswith("torch") else None
    kind = KINDS.get(end.source.called(end.node).removeprefix("torch.nn.")) if end is not None else None
    return Loss(source, call, kind, end.node, end.source) if kind and end is not None and isinstance(end.node, cst.Call) else None


def is_evaluation(source: Source, node: cst.CSTNode) -> bool:
    """Return whether a node stands under ``no_grad``, or in a function that is named after an evaluation."""
    for one in source.around(node):
        if isinstance(one, cst.With) and any(re.search(r"no_grad|inference_mode", source.code(item.item)) for item in one.items):
            return True
        if isinstance(one, cst.FunctionDef):
            decorated = any(re.search(r"no_grad|inference_mode", source.code(item.decorator)) for item in one.decorators)
            return decorated or bool(_EVALUATES.search(one.name.value))
    return False


def written_before(source: Source, node: cst.BaseExpression) -> cst.BaseExpression:
    """Return what a plain name was assigned last before a node; any other expression is returned as it is."""
    assignment = last_assignment(source, dotted(node), node) if dotted(node) else None
    return assignment.value if assignment is not None else node


def change_kind(draft_names: tuple[str, str], loss: Loss) -> tuple[cst.CSTNode, Source, str]:
    """Return which name of a class or function is to be replaced for another loss, where it stands, and by what.

    Args:
        draft_names: The class of ``torch.nn`` and the function of ``torch.nn.functional``.
        loss: The call; a module that is used for other calls too is refused.
    """
    if loss.made is None:
        return loss.call.func, loss.source, f"F.{draft_names[1]}"
    if loss.made.args:
        raise Uncertain("a loss with settings of its own")
    return loss.made.func, loss.made_source, f"nn.{draft_names[0]}"
