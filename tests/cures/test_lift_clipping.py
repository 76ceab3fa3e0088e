"""The limit rises to where only outliers are cut."""

import numpy as np

from kazami.cures.lift_clipping import LiftClipping
from tests.cures.cases import finding, prescribed, trace
from tests.cures.examples import carried_example
from tests.cures.trainings import plain


def test_the_new_limit_lies_at_the_90th_percentile():
    norms = np.linspace(1, 100, 100)
    given = prescribed(
        LiftClipping(), finding("over_clipping", 0.02, "share of the gradient"), trace(numbers={"norm_before_clipping": norms, "clipping_limit": [1.0]})
    )
    assert np.percentile(norms, 90) <= given.parameters["max_norm"] <= 1.2 * np.percentile(norms, 90)
    assert "# was 1" in given.code


def test_unseen_norms_get_none():
    assert LiftClipping().prescribe(finding("over_clipping"), trace()) is None


def test_the_limit_is_lifted_where_there_is_one():
    assert carried_example(LiftClipping(), "modules").clip_grad_norm == 1.0
    assert LiftClipping().apply(plain("modules"), {"max_norm": 1.0}) is None
    assert LiftClipping().apply(plain("modules", clip_grad_norm=2.0), {"max_norm": 1.0}) is None
