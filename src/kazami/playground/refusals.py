"""Refusals in both languages: what a session or a table should have been."""

from collections.abc import Iterable

from ..errors import UnknownName, UsageError, closest, unknown_name
from ..records.finding import Sentence


class Refused(UsageError):
    """What was asked for cannot be built, read or computed.

    Args:
        en: Why, in English.
        ja: Why, in Japanese.
    """

    def __init__(self, en: str, ja: str) -> None:
        super().__init__(en)
        self.say = Sentence(en, ja)


class UnknownWord(UnknownName):
    """There is no task, block, activation … of the name that was given.

    Args:
        en: What is not there, in English: ``"task"``.
        ja: The same in Japanese.
        name: The name that was given.
        known: The names there are.

    Example:
        >>> print(UnknownWord("task", "課題", "circle", ["circles", "xor"]).say.ja)
        課題「circle」はありません。「circles」ではありませんか？
    """

    def __init__(self, en: str, ja: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        match = closest(name, names)
        there = f"「{match}」ではありませんか？" if match is not None else f"使えるもの：{'、'.join(names)}。"
        said = str(unknown_name(en, name, names))
        super().__init__(said)
        self.say = Sentence(said, f"{ja}「{name}」はありません。{there}")
