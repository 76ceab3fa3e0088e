"""Refusals in both languages: what a request should have been, or what is not there."""

from ..errors import KazamiError, RunNotFound, UsageError
from ..records.finding import Sentence


class BadRequest(UsageError):
    """What was sent is not what the route takes.

    Args:
        en: Why, in English.
        ja: Why, in Japanese.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.say = Sentence(en, ja)


class NotHere(RunNotFound):
    """What was asked for is not there (any more).

    Args:
        en: What, in English.
        ja: What, in Japanese.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.say = Sentence(en, ja)


class Busy(KazamiError):
    """What is asked for would be too much at once.

    Args:
        en: Why, in English.
        ja: Why, in Japanese.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.say = Sentence(en, ja)
