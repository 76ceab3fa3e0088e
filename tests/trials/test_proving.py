"""What counts as a proof: complete separation of the seeds, whatever the scores look like."""

import pytest

from kazami.trials.proving import Pairs
from kazami.trials.trial import Trial


def pairs(before, after):
    return Pairs((0, 1, 2), tuple(Trial([], score) for score in before), tuple(Trial([], score) for score in after))


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ((0.1, 0.2, 0.3), (0.5, 0.6, 0.4), True),
        ((0.1, 0.2, 0.45), (0.5, 0.6, 0.4), False),  # one seed alone does what the change does
        ((None, None, None), (0.1, 0.1, 0.1), True),
        ((None, 0.9, None), (0.8, 0.8, 0.8), False),
        ((-1e30, -1e10, 0.1), (0.5, 0.6, 0.4), True),  # a run-away seed makes no spread
        ((0.1, 0.2, 0.3), (0.5, 0.6, None), False),
        ((0.1, 0.2, 0.3), (0.5, 0.6), False),  # stopped early
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), False),
    ],
)
def test_when_it_counts(before, after, counts):
    assert pairs(before, after).is_gain is counts


def test_changing_nothing_is_accepted_once_in_twenty():
    # All 20 ways to deal six different scores to the two sides.
    from itertools import combinations

    scores = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
    accepted = [after for after in combinations(scores, 3) if pairs([score for score in scores if score not in after], after).is_gain]
    assert accepted == [(4.0, 5.0, 6.0)]
