"""Another class of optimizer."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import tidy
from ._places import Places
from ._program import starred
from ._settings import add_keyword, group_settings, position_of, put_number, top_setting
from ._source import Uncertain, argument

KEPT = ("params", "lr", "weight_decay")


class OptimizerClass(AbstractEdit):
    """Writes another class of ``torch.optim`` with its own learning rate; settings that it does not take are left out, weight decay stays."""

    name: ClassVar = "optimizer_class"
    writes: ClassVar = ("adaptive_optimizer",)
    how: ClassVar = "At the one call that makes the optimizer; not where parameter groups have rates of their own."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Write the class and the rate."""
        optimizer, rate = places.optimizer, float(change.parameters["learning_rate"])
        source, call = optimizer.source, optimizer.call
        if starred(call) or any(one is not None for one in group_settings(places, optimizer, "lr")):
            raise Uncertain("settings in a dictionary or in groups")
        draft.replace(source, call.func, draft.rooted(source, f"torch.optim.{change.parameters['optimizer']}"))
        given = {key: argument(call, position_of(optimizer, key), key) for key in KEPT if key != "params"}
        kept = [argument(call, 0, "params"), *given.values()]
        for one in call.args:
            if not any(one is other for other in kept):
                draft.drop_argument(source, call, one)
        decay = given["weight_decay"]
        if decay is not None and decay.keyword is None:
            draft.put(source, source.span(decay.value)[0], source.span(decay.value)[0], "weight_decay=")
        top = top_setting(places, optimizer, "lr")
        if top is None:
            add_keyword(draft, source, call, f"lr={tidy(rate)}")
            return
        put_number(draft, places, top, rate, None)
