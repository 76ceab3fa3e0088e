"""Lines about the new model, directly behind it: initialisation, and modules that are put into it."""

from typing import ClassVar

from ..records.finding import Prescription
from ._base import AbstractEdit
from ._behind_model import write_behind_model
from ._draft import Draft
from ._places import Places


class InitialWeights(AbstractEdit):
    """Inserts the prescription's lines behind the statement that makes the model, or before the one that makes the optimizer.

    Limits:
        Only lines that speak of the model alone, by the names of its layers.
    """

    name: ClassVar = "initial_weights"
    writes: ClassVar = (
        "init_by_activation",
        "random_init",
        "rescale_init",
        "residual_scale",
        "smaller_head",
        "orthogonal_recurrent",
        "forget_bias",
        "input_batch_norm",
        "add_dropout",
    )
    how: ClassVar = "Behind the statement that makes the model; before the optimizer where the model comes from elsewhere."

    def write(self, draft: Draft, places: Places, change: Prescription) -> None:
        """Insert the lines."""
        write_behind_model(draft, places, change.code)
