"""Short questions to a graph, so that tests read like the truths they check."""

from collections import Counter


def signs(graph):
    """Return how often each operation's sign occurs."""
    return Counter(node.label for node in graph.operations)


def block(graph, name):
    """Return the one block of this name that is no repeat."""
    (found,) = [one for one in graph.blocks if one.name == name and one.kind != "repeat"]
    return found


def kinds(graph):
    """Return how many blocks of each kind there are."""
    return Counter(one.kind for one in graph.blocks)


def folds(graph):
    """Return how often each repeat repeats."""
    return [one.times for one in graph.repeats]
