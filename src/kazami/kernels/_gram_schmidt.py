"""Modified Gram–Schmidt in every lane by itself."""

from ._program import Builder, Place, Value

PARTS = 4  # partial sums, so that one addition need not wait for the one before


def orthonormalise(builder: Builder, n_vectors: int, dimension: int, first_row: int, norms: Place) -> None:
    """Write: make ``n_vectors`` columns of ``dimension`` rows each orthonormal, one after another, and store the length each had left.

    A column of length 0 stays as it is.
    """
    b = builder
    for later, _ in b.rounds(n_vectors, unroll=n_vectors == 1):
        column = later * dimension + first_row
        for earlier, _ in b.rounds(later):
            against = earlier * dimension + first_row
            share = b.negative(_dot(b, column, against, dimension))
            for row, _ in b.rounds(dimension):
                b.store("state", column + row, b.fma(share, b.load("state", against + row), b.load("state", column + row)))
        length = b.sqrt(_dot(b, column, column, dimension))
        b.store("norms", norms + later, length)
        zero, one = b.constant(0.0), b.constant(1.0)
        inverse = b.select(b.less(zero, length), b.div(one, length), one)
        for row, _ in b.rounds(dimension):
            b.store("state", column + row, b.mul(inverse, b.load("state", column + row)))


def _dot(b: Builder, first: Place, second: Place, dimension: int) -> Value:
    full, rest = divmod(dimension, PARTS)
    rounds = b.rounds(full, [b.constant(0.0)] * PARTS)
    for tile, sums in rounds:
        rounds.go_on([_more(b, total, first, second, tile * PARTS + part) for part, total in enumerate(sums)])
    sums = list(rounds.last)
    for part in range(rest):
        sums[part] = _more(b, sums[part], first, second, Place(full * PARTS + part))
    return b.add(b.add(sums[0], sums[1]), b.add(sums[2], sums[3]))


def _more(b: Builder, total: Value, first: Place, second: Place, row: Place) -> Value:
    return b.fma(b.load("state", first + row), b.load("state", second + row), total)
