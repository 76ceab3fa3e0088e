"""A learning rate that the script's text does not hold, changed behind the line that makes the optimizer."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._draft import Draft
from ._numbers import close, tidy
from ._places import Places
from ._settings import top_setting, value_of
from ._source import Uncertain


class OverriddenRate(AbstractEdit):
    """Multiplies the learning rate of every parameter group, where the number itself was given on the command line or computed."""

    name: ClassVar = "overridden_rate"
    writes: ClassVar = ("lower_learning_rate", "raise_learning_rate")
    how: ClassVar = "Behind the optimizer's call, where the number itself stands nowhere in the script."
    is_last_resort: ClassVar = True

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the two lines."""
        old, new = change.parameters.get("from"), float(change.parameters["learning_rate"])
        if not isinstance(old, int | float) or not old > 0 or close(old, new):
            raise Uncertain("the old learning rate is not known")
        source, statement = places.optimizer_statement()
        name, setting = places.optimizer.name, top_setting(places, places.optimizer, "lr")
        written = value_of(places, setting, old) if setting is not None else None
        if source.loops(statement):
            raise Uncertain("several optimizers are made")
        if (written is not None and not close(written, old)) or f"in {name}.param_groups" in source.text:
            raise Uncertain("the rate is changed elsewhere")
        draft.after(source, statement, f'for group in {name}.param_groups:\n    group["lr"] *= {tidy(float(f"{new / old:.3g}"))}  # {old:g} -> {new:g}')
