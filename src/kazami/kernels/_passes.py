"""The passes over a group of samples: forward, loss, backward, each a loop over tiles that stay in registers."""

from collections.abc import Callable, Iterator

from ._activations import FORMS, AbstractForm
from ._functions import Functions
from ._plan import SMALL_BODY, Plan, tiled
from ._program import Builder, Place, Value
from ._scratch import Scratch
from .network import Layer, Network

Term = Callable[[Place, list[Value]], list[Value]]


class Group:
    """A group of samples: where its data begin, and how many there are."""

    def __init__(self, begin: Place, count: Place) -> None:
        """Remember it."""
        self.begin, self.count = begin, count


class Passes:
    """Writes the passes of one network.

    Args:
        builder: Of the program.
        network: What is trained.
        plan: The tiles.
        n_tangents: Whether values must be kept for tangents.
    """

    def __init__(self, builder: Builder, network: Network, plan: Plan, n_tangents: int) -> None:
        """Hand out the scratch memory."""
        self.b, self.network, self.plan = builder, network, plan
        self.f = Functions(builder)
        self.has_tangents = n_tangents > 0
        self.scratch = Scratch(network, plan.samples, n_tangents)
        self.zero = builder.constant(0.0)

    def form(self, index: int) -> AbstractForm:
        """Return how a layer's activation is computed."""
        return FORMS[self.network.layers[index].activation]

    def row(self, kind: str, layer: int, sample: Place, entry: Place) -> Place:
        """Return where an entry of one sample lies in scratch memory."""
        width = self.network.layers[layer].n_outputs
        return sample * width + entry + self.scratch(kind, layer)

    def entry(self, layer: int, group: Group, sample: Place, entry: Place) -> Value:
        """Return an entry of what a layer takes: of the data, or of the layer before."""
        if layer == 0:
            return self.b.load("inputs", (group.begin + sample) * self.network.n_inputs + entry)
        return self.b.load("scratch", self.row("value", layer - 1, sample, entry))

    def samples(self, group: Group, size: int) -> Iterator[Place]:
        """Yield where each tile of samples begins."""
        for tile, _ in self.b.rounds(self.b.tiles(group.count, size)):
            yield tile * size

    def product(self, first: list[Value], count: int, term: Term) -> list[Value]:
        """Return sums ``first + Σ term(round)``: ``term`` adds the round's products to the sums; written out where the body is small."""
        rounds = self.b.rounds(count, first, unroll=count * len(first) <= SMALL_BODY)
        for place, sums in rounds:
            rounds.go_on(term(place, sums))
        return rounds.last

    def forward(self, index: int, group: Group) -> None:
        """Write the forward pass of one layer."""
        layer, (weights, biases) = self.network.layers[index], self.network.first_rows[index]
        height, width = self.plan.forward_tile(layer.n_outputs)
        for sample in self.samples(group, width):
            for row, rows in tiled(self.b, layer.n_outputs, height):
                sums = self.weighted(index, group, (row, rows), (sample, width), weights)
                for number, total in enumerate(sums):
                    place, at = row + number // width, sample + number % width
                    self._activated(index, self._shifted(layer, total, place + biases), at, place)

    def weighted(self, index: int, group: Group, row: tuple[Place, int], sample: tuple[Place, int], weights: int) -> list[Value]:
        """Return ``W h`` for a tile of rows and samples."""
        n, (height, width) = self.network.layers[index].n_inputs, (row[1], sample[1])

        def term(column: Place, sums: list[Value]) -> list[Value]:
            values = [self.entry(index, group, sample[0] + s, column) for s in range(width)]
            factors = [self.b.load("state", (row[0] + r) * n + column + weights) for r in range(height)]
            return [self.b.fma(factors[i // width], values[i % width], total) for i, total in enumerate(sums)]

        return self.product([self.zero] * (height * width), n, term)

    def _shifted(self, layer: Layer, total: Value, bias: Place) -> Value:
        b, factor = self.b, layer.scale * layer.gain
        if not layer.bias:
            return total if factor == 1.0 else b.mul(total, b.constant(factor))
        shift = b.load("state", bias)
        if layer.gain != 1.0:
            shift = b.mul(shift, b.constant(layer.gain))
        return b.add(total, shift) if factor == 1.0 else b.fma(total, b.constant(factor), shift)

    def _activated(self, index: int, z: Value, sample: Place, entry: Place) -> None:
        value, slope, bend = self.form(index).forward(self.f, z, self.network.layers[index].slope)
        self.b.store("scratch", self.row("value", index, sample, entry), value)
        if slope is not None:
            self.b.store("scratch", self.row("slope", index, sample, entry), slope)
        if bend is not None and self.has_tangents:
            self.b.store("scratch", self.row("bend", index, sample, entry), bend)

    def slope(self, index: int, value: Value, sample: Place, entry: Place) -> Value | None:
        """Return the slope of a layer's activation; ``None`` if it is 1."""
        form = self.form(index)
        if form.keeps_slope:
            return self.b.load("scratch", self.row("slope", index, sample, entry))
        return form.slope(self.f, value, self.network.layers[index].slope)

    def losses(self, group: Group, total: Value) -> Value:
        """Write the loss of each sample and its derivative by the output; return ``total`` with the losses added."""
        rounds = self.b.rounds(group.count, [total])
        last = len(self.network.layers) - 1
        for sample, (so_far,) in rounds:
            outputs = [self.b.load("scratch", self.row("value", last, sample, Place(j))) for j in range(self.network.n_outputs)]
            targets = [self.b.load("targets", (group.begin + sample) * self.network.n_outputs + j) for j in range(self.network.n_outputs)]
            loss, raw = self._cross_entropy(outputs, targets, sample) if self.network.loss == "cross_entropy" else self._squares(outputs, targets)
            for j, error in enumerate(raw):
                self._put_error(last, error, outputs[j], sample, Place(j))
            rounds.go_on([self.b.add(so_far, loss)])
        return rounds.last[0]

    def _squares(self, outputs: list[Value], targets: list[Value]) -> tuple[Value, list[Value]]:
        errors = [self.b.sub(output, target) for output, target in zip(outputs, targets, strict=True)]
        loss = self.b.mul(errors[0], errors[0])
        for error in errors[1:]:
            loss = self.b.fma(error, error, loss)
        return loss, errors

    def _cross_entropy(self, outputs: list[Value], targets: list[Value], sample: Place) -> tuple[Value, list[Value]]:
        b, last = self.b, len(self.network.layers) - 1
        largest = outputs[0]
        for output in outputs[1:]:
            largest = b.at_least(output, largest)
        below = [b.sub(output, largest) for output in outputs]
        grown = [self.f.exp(difference) for difference in below]
        total, hit = grown[0], b.mul(targets[0], below[0])
        for target, difference, part in zip(targets[1:], below[1:], grown[1:], strict=True):
            total, hit = b.add(total, part), b.fma(target, difference, hit)
        inverse = b.div(b.constant(1.0), total)
        shares = [b.mul(part, inverse) for part in grown]
        if self.has_tangents:
            for j, share in enumerate(shares):
                b.store("scratch", self.row("share", last, sample, Place(j)), share)
        errors = [b.sub(share, target) for share, target in zip(shares, targets, strict=True)]
        return b.sub(self.f.log(total), hit), errors

    def _put_error(self, index: int, raw: Value, value: Value, sample: Place, entry: Place) -> None:
        if self.has_tangents:
            self.b.store("scratch", self.row("raw_error", index, sample, entry), raw)
        slope = self.slope(index, value, sample, entry)
        self.b.store("scratch", self.row("error", index, sample, entry), raw if slope is None else self.b.mul(raw, slope))

    def backward(self, index: int, group: Group) -> None:
        """Write the error of the layer before layer ``index``."""
        layer, weights = self.network.layers[index], self.network.first_rows[index][0]
        height, width = self.plan.forward_tile(layer.n_inputs)
        for sample in self.samples(group, width):
            for row, rows in tiled(self.b, layer.n_inputs, height):
                sums = self.returned(index, "error", "state", Place(weights), (row, rows), (sample, width), None)
                for number, total in enumerate(sums):
                    place, at = row + number // width, sample + number % width
                    value = self.b.load("scratch", self.row("value", index - 1, at, place))
                    self._put_error(index - 1, self.scaled(index, total), value, at, place)

    def scaled(self, index: int, total: Value) -> Value:
        """Return ``total`` times the layer's scale and gain."""
        factor = self.network.layers[index].scale * self.network.layers[index].gain
        return total if factor == 1.0 else self.b.mul(total, self.b.constant(factor))

    def returned(
        self, index: int, kind: str, buffer: str, weights: Place, row: tuple[Place, int], sample: tuple[Place, int], first: list[Value] | None
    ) -> list[Value]:  # fmt: skip
        """Return ``Wᵀ δ`` for a tile, added to ``first``; ``kind`` says which errors, ``buffer`` and ``weights`` which matrix."""
        n, (height, width) = self.network.layers[index], (row[1], sample[1])

        def term(column: Place, sums: list[Value]) -> list[Value]:
            errors = [self.b.load("scratch", self.row(kind, index, sample[0] + s, column)) for s in range(width)]
            factors = [self.b.load(buffer, column * n.n_inputs + row[0] + r + weights) for r in range(height)]
            return [self.b.fma(factors[i // width], errors[i % width], total) for i, total in enumerate(sums)]

        return self.product([self.zero] * (height * width) if first is None else first, n.n_outputs, term)

    def gradient(self, index: int, group: Group) -> None:
        """Add ``δ hᵀ`` of all samples of the group to a layer's gradient."""
        layer, (weights, biases) = self.network.layers[index], self.network.first_rows[index]
        base = self.scratch.gradient
        height, width = self.plan.gradient_tile(layer.n_outputs, layer.n_inputs)
        for row, rows in tiled(self.b, layer.n_outputs, height):
            for column, columns in tiled(self.b, layer.n_inputs, width):
                places = [(row + i // columns) * layer.n_inputs + column + (i % columns + base + weights) for i in range(rows * columns)]
                self._accumulate(places, group, index, (row, rows), (column, columns))
        if layer.bias:
            self.bias_gradient(index, "error", Place(base + biases), group)

    def _accumulate(self, places: list[Place], group: Group, index: int, row: tuple[Place, int], column: tuple[Place, int]) -> None:
        rounds = self.b.rounds(group.count, [self.b.load("scratch", place) for place in places])
        for sample, sums in rounds:
            errors = [self.b.load("scratch", self.row("error", index, sample, row[0] + r)) for r in range(row[1])]
            values = [self.entry(index, group, sample, column[0] + c) for c in range(column[1])]
            rounds.go_on([self.b.fma(errors[i // column[1]], values[i % column[1]], total) for i, total in enumerate(sums)])
        for place, total in zip(places, rounds.last, strict=True):
            self.b.store("scratch", place, total)

    def bias_gradient(self, index: int, kind: str, base: Place, group: Group) -> None:
        """Add the errors of all samples to the gradient of a layer's bias."""
        for row, rows in tiled(self.b, self.network.layers[index].n_outputs, self.plan.accumulators):
            rounds = self.b.rounds(group.count, [self.b.load("scratch", row + base + r) for r in range(rows)])
            for sample, sums in rounds:
                rounds.go_on([self.b.add(total, self.b.load("scratch", self.row(kind, index, sample, row + r))) for r, total in enumerate(sums)])
            for r, total in enumerate(rounds.last):
                self.b.store("scratch", row + base + r, total)
