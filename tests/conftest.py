"""The order of the whole suite."""


def pytest_collection_modifyitems(items):
    """Begin with the watching: it looks for modules among all objects of the process, which are millions once the other rooms' tests have run there."""
    items.sort(key=lambda item: "tests/watch/" not in item.nodeid)
