"""What every route has in common: a path, a method, and one function from what was asked to a record."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from ..house import House
from ..reading import record_from

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page asked.

    Attributes:
        path: Parts of the path in braces, by name.
        query: Parameters behind the question mark.
        body: The JSON that was sent, ``None`` with GET.
    """

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any = None

    def body_as(self, kind: type[Body]) -> Body:
        """Return the body as a record.

        Raises:
            BadRequest: It is no such record; the sentence names the field.
        """
        return record_from(kind, self.body)


@dataclass(frozen=True, slots=True)
class Attachment:
    """An answer that is saved, not shown."""

    name: str
    content: bytes
    media_type: str


class AbstractRoute(ABC):
    """One thing that can be asked.

    Args:
        house: What the server has.
    """

    path: ClassVar[str]
    method: ClassVar[str] = "GET"

    def __init__(self, house: House) -> None:
        self.house = house

    @abstractmethod
    def answer(self, asked: Asked) -> object:
        """Return a record, an `Attachment`, or raise a `KazamiError`; called in a thread of its own."""
