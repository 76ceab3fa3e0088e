"""The order of the whole suite, and what its random numbers begin with."""

import sys
import zlib

import pytest


def pytest_collection_modifyitems(items):
    """Begin with the watching: it looks for modules among all objects of the process, which are millions once the other rooms' tests have run there."""
    items.sort(key=lambda item: "tests/watch/" not in item.nodeid)


def pytest_collectstart(collector):
    """Give the random numbers that a file draws as it is imported a beginning of their own: they must not change with the files before it."""
    if isinstance(collector, pytest.Module):
        _seed(collector.nodeid)


@pytest.fixture(autouse=True)
def _own_random_numbers(request):
    """Give the same to each test: they must not change with the tests that ran before it in the same process."""
    _seed(request.node.nodeid)


def _seed(name: str) -> None:
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(zlib.crc32(name.encode()))
