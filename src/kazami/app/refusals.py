"""Refusals in both languages: what a request should have been, or what is not there."""

from abc import ABC

from ..errors import KazamiError, RunNotFound, UsageError
from ..records.finding import Sentence


class AbstractRefusal(KazamiError, ABC):
    """What is said to the page in its own language; the classes below differ in the answer that HTTP gives.

    Args:
        en: Why, in English.
        ja: Why, in Japanese.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.say = Sentence(en, ja)


class BadRequest(AbstractRefusal, UsageError):
    """What was sent is not what the route takes."""


class NotHere(AbstractRefusal, RunNotFound):
    """What was asked for is not there (any more)."""


class Busy(AbstractRefusal):
    """What is asked for would be too much at once."""
