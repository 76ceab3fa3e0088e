"""A rule of the example: weights that stick out of their layer."""

from typing import ClassVar

import numpy as np

from kazami.diagnosis import AbstractRule
from kazami.records import Evidence, Finding, Sentence, Trace


class OutlierWeights(AbstractRule):
    """Fires when the largest weight of a layer is more than ``LIMIT`` times the root mean square of its weights.

    Of n independent Gaussian weights the largest is about sqrt(2 ln n) standard deviations: 6.8 for ten billion.
    """

    LIMIT: ClassVar = 10.0
    id: ClassVar = "OUT101"  # letters of your own, so that no later rule of kazami's can have it
    name: ClassVar = "outlier_weights"
    title: ClassVar = Sentence("weights that stick out", "突出した重み")
    family: ClassVar = "initialisation"
    rank: ClassVar = 20

    def examine(self, trace: Trace) -> Finding | None:
        """Return a finding for the layer with the largest ratio."""
        if not trace.has("outlier_ratio"):
            return None
        newest = np.nan_to_num(trace["outlier_ratio"].values[-1], nan=0.0)
        worst = int(newest.argmax())
        if newest[worst] <= self.LIMIT:
            return None
        place, ratio = trace.layers[worst].name, float(newest[worst])
        return self.finding(
            confidence=0.9,
            place=place,
            evidence=[
                Evidence("largest weight over their root mean square", ratio, self.LIMIT, source="sqrt(2 ln n)", name_ja="最大の重みと二乗平均平方根の比")
            ],
            sentence=Sentence(f"A weight of `{place}` is {ratio:.3g} times the size of the others.", f"`{place}` の重みの一つが他の {ratio:.3g} 倍です。"),
        )
