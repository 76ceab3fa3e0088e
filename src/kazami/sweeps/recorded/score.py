"""What the training's own evaluation says at the end."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ._base import AbstractRecord, Course


class Score(AbstractRecord):
    """``training.evaluate(model)`` after the last step, higher is better; what it raises makes the member fail."""

    name: ClassVar = "score"
    units: ClassVar = MappingProxyType({"score": ""})
    sentence: ClassVar = "What evaluate(model) returns after the last step."
    seconds: ClassVar = 2e-3

    def columns(self, course: Course) -> Mapping[str, NDArray[Any]]:
        """Return the scores."""
        from ...maps.training import untouched_randomness

        evaluate = course.training.evaluate
        if evaluate is None:  # refused beforehand
            return {"score": np.full(len(course.members), np.nan)}
        scores = []
        with untouched_randomness():
            for index in range(len(course.members)):
                model = course.fresh_model()
                course.ensemble.write_into(model, index)
                scores.append(float(evaluate(model)))
        return {"score": np.array(scores)}
