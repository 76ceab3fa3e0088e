"""The derivative of the step along a deviation vector: the same passes once more, sharing activations and errors with the step itself."""

from ._activations import AbstractRatioForm
from ._passes import Group, Passes
from ._plan import tiled
from ._program import Place, Value


class Tangents:
    r"""Writes, for a deviation vector :math:`(V_\ell, v_\ell)`, what Pearlmutter's operator makes of the forward and the backward pass.

    .. math:: R z = V h + W\,R h + v, \qquad R h' = f'(z) R z, \qquad
              R\delta = f'(z)\,(V^T \delta' + W^T R\delta') + f''(z)\,Rz\,W^T\delta', \qquad R(\nabla W) = R\delta\,h^T + \delta\,(Rh)^T

    Args:
        passes: Of the step.
        dimension: Rows of the state of one deviation vector.
    """

    def __init__(self, passes: Passes, dimension: int) -> None:
        """Nothing is written yet."""
        self.p, self.b, self.network, self.dimension = passes, passes.b, passes.network, dimension

    def write(self, tangent: Place, group: Group) -> None:
        """Write all passes for one deviation vector over one group of samples."""
        vector = tangent * self.dimension + self.dimension
        gradient = tangent * self.network.n_parameters + self.p.scratch.tangent_gradients
        last = len(self.network.layers) - 1
        for index in range(last + 1):
            self._forward(index, group, vector)
        self._loss(group)
        for index in range(last, -1, -1):
            self._gradient(index, group, gradient)
            if index:
                self._backward(index, group, vector)

    def _forward(self, index: int, group: Group, vector: Place) -> None:
        b, p, layer = self.b, self.p, self.network.layers[index]
        weights, biases = self.network.first_rows[index]
        height, width = p.plan.forward_tile(layer.n_outputs)
        for sample in p.samples(group, width):
            for row, rows in tiled(b, layer.n_outputs, height):
                sums = self._turned(index, group, (row, rows), (sample, width), vector + weights, weights)
                for number, total in enumerate(sums):
                    self._moved(index, total, vector + biases, sample + number % width, row + number // width)

    def _moved(self, index: int, total: Value, biases: Place, sample: Place, entry: Place) -> None:
        """Put the tangent of one entry before and after its activation."""
        b, p, layer = self.b, self.p, self.network.layers[index]
        turned = p.scaled(index, total)
        if layer.bias:
            shift = b.load("state", biases + entry)
            turned = b.add(turned, shift) if layer.gain == 1.0 else b.fma(shift, b.constant(layer.gain), turned)
        if p.form(index).bends == "kept":
            bend = b.load("scratch", p.row("bend", index, sample, entry))
            b.store("scratch", p.row("bend_tangent", index, sample, entry), b.mul(bend, turned))
        slope = self._slope(index, sample, entry)
        b.store("scratch", p.row("value_tangent", index, sample, entry), turned if slope is None else b.mul(turned, slope))

    def _turned(self, index: int, group: Group, row: tuple[Place, int], sample: tuple[Place, int], vector: Place, weights: int) -> list[Value]:
        b, p, n = self.b, self.p, self.network.layers[index].n_inputs
        height, width = row[1], sample[1]

        def term(column: Place, sums: list[Value]) -> list[Value]:
            values = [p.entry(index, group, sample[0] + s, column) for s in range(width)]
            factors = [b.load("state", (row[0] + r) * n + column + vector) for r in range(height)]
            sums = [b.fma(factors[i // width], values[i % width], total) for i, total in enumerate(sums)]
            if index == 0:
                return sums
            moved = [b.load("scratch", p.row("value_tangent", index - 1, sample[0] + s, column)) for s in range(width)]
            held = [b.load("state", (row[0] + r) * n + column + weights) for r in range(height)]
            return [b.fma(held[i // width], moved[i % width], total) for i, total in enumerate(sums)]

        return p.product([p.zero] * (height * width), n, term)

    def _slope(self, index: int, sample: Place, entry: Place) -> Value | None:
        value = self.b.load("scratch", self.p.row("value", index, sample, entry))
        return self.p.slope(index, value, sample, entry)

    def _loss(self, group: Group) -> None:
        b, p, last = self.b, self.p, len(self.network.layers) - 1
        for sample, _ in b.rounds(group.count):
            places = [Place(j) for j in range(self.network.n_outputs)]
            turned = [b.load("scratch", p.row("value_tangent", last, sample, j)) for j in places]
            if self.network.loss == "cross_entropy":
                shares = [b.load("scratch", p.row("share", last, sample, j)) for j in places]
                mean = b.mul(shares[0], turned[0])
                for share, part in zip(shares[1:], turned[1:], strict=True):
                    mean = b.fma(share, part, mean)
                turned = [b.mul(share, b.sub(part, mean)) for share, part in zip(shares, turned, strict=True)]
            for j, raw in zip(places, turned, strict=True):
                self._put(last, raw, sample, j)

    def _put(self, index: int, raw: Value, sample: Place, entry: Place) -> None:
        """Put the tangent of an error: of the raw one times the slope, and of the slope."""
        b, p, bends = self.b, self.p, self.p.form(index).bends
        slope = self._slope(index, sample, entry)
        total = raw if slope is None else b.mul(raw, slope)
        if bends != "never":
            error = b.load("scratch", p.row("raw_error", index, sample, entry))
            total = b.fma(error, self._change_of_slope(index, sample, entry), total)
        b.store("scratch", p.row("error_tangent", index, sample, entry), total)

    def _change_of_slope(self, index: int, sample: Place, entry: Place) -> Value:
        b, p, form = self.b, self.p, self.p.form(index)
        if not isinstance(form, AbstractRatioForm):  # then it was kept
            return b.load("scratch", p.row("bend_tangent", index, sample, entry))
        value = b.load("scratch", p.row("value", index, sample, entry))
        slope = b.load("scratch", p.row("slope", index, sample, entry)) if form.keeps_slope else None
        return b.mul(form.ratio(p.f, value, slope), b.load("scratch", p.row("value_tangent", index, sample, entry)))

    def _backward(self, index: int, group: Group, vector: Place) -> None:
        p, layer, weights = self.p, self.network.layers[index], self.network.first_rows[index][0]
        height, width = p.plan.forward_tile(layer.n_inputs)
        for sample in p.samples(group, width):
            for row, rows in tiled(self.b, layer.n_inputs, height):
                tile = ((row, rows), (sample, width))
                sums = p.returned(index, "error", "state", vector + weights, *tile, None)
                sums = p.returned(index, "error_tangent", "state", Place(weights), *tile, sums)
                for number, total in enumerate(sums):
                    self._put(index - 1, p.scaled(index, total), sample + number % width, row + number // width)

    def _gradient(self, index: int, group: Group, base: Place) -> None:
        b, layer, (weights, biases) = self.b, self.network.layers[index], self.network.first_rows[index]
        height, width = self.p.plan.gradient_tile(layer.n_outputs, layer.n_inputs)
        for row, rows in tiled(b, layer.n_outputs, height):
            for column, columns in tiled(b, layer.n_inputs, width):
                places = [(row + i // columns) * layer.n_inputs + column + base + (i % columns + weights) for i in range(rows * columns)]
                self._accumulate(places, group, index, (row, rows), (column, columns))
        if layer.bias:
            self.p.bias_gradient(index, "error_tangent", base + biases, group)

    def _accumulate(self, places: list[Place], group: Group, index: int, row: tuple[Place, int], column: tuple[Place, int]) -> None:
        b, p, columns = self.b, self.p, column[1]
        rounds = b.rounds(group.count, [b.load("scratch", place) for place in places])
        for sample, sums in rounds:
            turned = [b.load("scratch", p.row("error_tangent", index, sample, row[0] + r)) for r in range(row[1])]
            values = [p.entry(index, group, sample, column[0] + c) for c in range(columns)]
            sums = [b.fma(turned[i // columns], values[i % columns], total) for i, total in enumerate(sums)]
            if index:
                errors = [b.load("scratch", p.row("error", index, sample, row[0] + r)) for r in range(row[1])]
                moved = [b.load("scratch", p.row("value_tangent", index - 1, sample, column[0] + c)) for c in range(columns)]
                sums = [b.fma(errors[i // columns], moved[i % columns], total) for i, total in enumerate(sums)]
            rounds.go_on(sums)
        for place, total in zip(places, rounds.last, strict=True):
            b.store("scratch", place, total)
