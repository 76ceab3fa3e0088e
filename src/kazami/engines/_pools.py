"""Where work is carried out: here, in processes of this machine, or on a cluster, behind one small interface."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os import cpu_count, sched_getaffinity
from traceback import format_exception
from types import TracebackType
from typing import Any, ClassVar, Self, TypeVar

from ..errors import UsageError, closest

Item = TypeVar("Item")
Result = TypeVar("Result")

ATTEMPTS = 3  # with one item: a worker may be killed by anyone, but an item that kills three workers will kill the fourth


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of an item that gave no result; the others go on.

    Attributes:
        kind: Name of the exception's class, ``"WorkerLost"`` where the worker died.
        message: The exception's words.
        traceback: As Python prints it; empty where the worker died.
        is_lost: Whether the worker died, again and again, rather than the function raised.
    """

    kind: str
    message: str
    traceback: str = ""
    is_lost: bool = False

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return the record of an exception."""
        return cls(type(error).__name__, str(error), "".join(format_exception(error)))


class AbstractPool(ABC):
    """Workers that apply one function to many items. Used as ``with pool(...) as workers:``, or closed by hand.

    Class attributes:
        name: What users call it.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many items are worked on at a time."""

    @abstractmethod
    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result | Failure]]:
        """Yield ``(index, result)`` as items finish, in whatever order; a `Failure` in place of the result where ``function`` raised.

        ``function`` and ``items`` may be closures. Items are drawn from the iterable when a worker is free. What a worker had when it died is given to
        another one. Leaving the loop early, an exception in it or Ctrl-C stops the workers.
        """

    @abstractmethod
    def close(self) -> None:
        """Stop the workers; closing twice does no harm."""

    def __enter__(self) -> Self:
        """Return the pool itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the pool."""
        self.close()


class Here(AbstractPool):
    """This very process, one item after another: the reference for the others."""

    name: ClassVar = "here"

    @property
    def workers(self) -> int:
        """One."""
        return 1

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[int, Result | Failure]]:
        """Yield each item's result in order."""
        for index, item in enumerate(items):
            yield index, _applied(function, item)

    def close(self) -> None:
        """Do nothing."""


def pool(name: str = "here", *, workers: int | None = None, address: str | None = None, threads: int | None = None) -> AbstractPool:
    """Return a pool.

    Args:
        name: ``"here"``, ``"processes"`` of this machine (a script needs no ``if __name__ == "__main__":``), or ``"cluster"`` (Dask).
        workers: How many; of processes as many as this process may use cores by default.
        address: Of the cluster: ``"tcp://host:port"`` of a Dask scheduler, or ``"local:2"`` for two workers started here.
        threads: Of each worker, for numerical libraries; the cores divided by the workers by default.

    Raises:
        UsageError: The cluster cannot be reached, or its library is not installed.
        UnknownName: There is no such pool.

    Example:
        >>> with pool("here") as workers:
        ...     dict(workers.map(lambda number: 1 / number, [1, 2]))
        {0: 1.0, 1: 0.5}
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers should be at least 1, but it is {workers}.")
    if name == "here":
        return Here()
    if name == "processes":
        from ._spawned import Processes

        wanted = cores() if workers is None else workers
        return Processes(wanted, max(1, cores() // wanted) if threads is None else threads)
    if name == "cluster":
        from ._dask import Cluster

        return Cluster(f"local:{workers or cores()}" if address is None else address, threads)
    known = ("here", "processes", "cluster")
    match = closest(name, known)
    raise UsageError(f'There is no pool "{name}". ' + (f'Did you mean "{match}"?' if match else f"There are: {', '.join(known)}."))


def cores() -> int:
    """Return how many cores this process may use."""
    try:
        return len(sched_getaffinity(0))
    except AttributeError:  # not on every system
        return cpu_count() or 1


def _applied(function: Callable[[Item], Result], item: Item) -> Result | Failure:
    try:
        return function(item)
    except Exception as error:  # whatever it is, the others go on
        return Failure.of(error)


def parcel(thing: Any) -> bytes:
    """Return ``thing`` pickled so that a fresh Python can open it: functions and classes that it could not import go along by value."""
    from io import BytesIO

    from ._parcels import Packer

    into = BytesIO()
    Packer(into).dump(thing)
    return into.getvalue()
