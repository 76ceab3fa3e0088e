"""The optimizer's step, row by row, with its derivative for the tangents beside it."""

from dataclasses import dataclass

from ._program import Builder, Place, Value
from ._scratch import Scratch
from .network import Descent, Network

TABLE = ("gradient_scale", "loss_scale", "damped")  # of each step, before the groups' factors of the learning rate


@dataclass(frozen=True, slots=True)
class Segment:
    """Parameters that follow each other and have the same group and the same factor before their gradient."""

    begin: int
    count: int
    group: int
    factor: float


def segments(network: Network) -> list[Segment]:
    """Return all parameters as segments, neighbours of the same kind together."""
    found: list[Segment] = []
    for layer, (weights, biases) in zip(network.layers, network.first_rows, strict=True):
        parts = [Segment(weights, layer.n_weights, layer.group[0], layer.scale * layer.gain)]
        if layer.bias:
            parts.append(Segment(biases, layer.n_outputs, layer.group[1], layer.gain))
        for part in parts:
            if found and (found[-1].group, found[-1].factor) == (part.group, part.factor):
                found[-1] = Segment(found[-1].begin, found[-1].count + part.count, part.group, part.factor)
            else:
                found.append(part)
    return found


class Rules:
    """Writes the update of all parameters.

    Args:
        builder: Of the program.
        network: What is trained.
        descent: The rule.
        scratch: Where the gradients lie.
        n_tangents: How many deviation vectors go along.
    """

    def __init__(self, builder: Builder, network: Network, descent: Descent, scratch: Scratch, n_tangents: int) -> None:
        """Lay out the state: parameters, slots, and the same again for each tangent."""
        self.b, self.network, self.descent, self.scratch, self.n_tangents = builder, network, descent, scratch, n_tangents
        self.dimension = network.n_parameters * (1 + descent.n_slots)
        self.table_width = len(TABLE) + network.n_groups

    def table(self, time: Place, entry: int) -> Value:
        """Return an entry of the table of steps."""
        return self.b.load("table", time * self.table_width + entry)

    def update(self, time: Place) -> None:
        """Write the step number ``time`` of the run."""
        for segment in segments(self.network):
            rule = _Sgd(self, segment, time) if self.descent.rule == "sgd" else _Adam(self, segment, time)
            for row, _ in self.b.rounds(segment.count):
                self._row(rule, row + segment.begin)

    def _row(self, rule: "_Sgd | _Adam", row: Place) -> None:
        b, n = self.b, self.network.n_parameters
        theta = b.load("state", row)
        gradient = b.mul(b.load("scratch", row + self.scratch.gradient), rule.scale)
        slots = [b.load("state", row + n * (1 + slot)) for slot in range(self.descent.n_slots)]
        rule.meet(theta, gradient, slots)
        for tangent, _ in b.rounds(self.n_tangents, unroll=self.n_tangents <= 1):
            base = tangent * self.dimension + self.dimension + row
            turned = b.mul(b.load("scratch", tangent * n + row + self.scratch.tangent_gradients), rule.scale)
            moved = rule.tangent(b.load("state", base), turned, [b.load("state", base + n * (1 + slot)) for slot in range(self.descent.n_slots)])
            for number, value in enumerate(moved):
                b.store("state", base + n * number, value)
        for number, value in enumerate(rule.moved()):
            b.store("state", row + n * number, value)


class _Common:
    """What both rules share: settings of the segment's group, weight decay, the scale of the gradient."""

    def __init__(self, rules: Rules, segment: Segment, time: Place) -> None:
        """Load the settings."""
        self.b, self.descent = rules.b, rules.descent
        b, base = self.b, segment.group * rules.descent.n_rows
        self.settings = {name: b.load("settings", base + number) for number, name in enumerate(rules.descent.settings)}
        rate = b.mul(self.settings["learning_rate"], rules.table(time, len(TABLE) + segment.group))
        self.rate, self.back = rate, b.negative(rate)
        scale = rules.table(time, TABLE.index("gradient_scale"))
        self.scale = scale if segment.factor == 1.0 else b.mul(scale, b.constant(segment.factor))
        self.shrink = b.fma(self.back, self.settings["weight_decay"], b.constant(1.0))

    def decayed(self, theta: Value, gradient: Value) -> tuple[Value, Value]:
        """Return parameters and gradient after weight decay; the same for their tangents."""
        if self.descent.weight_decay == "coupled":
            return theta, self.b.fma(self.settings["weight_decay"], theta, gradient)
        return (self.b.mul(theta, self.shrink), gradient) if self.descent.weight_decay == "decoupled" else (theta, gradient)


class _Sgd(_Common):
    def __init__(self, rules: Rules, segment: Segment, time: Place) -> None:
        super().__init__(rules, segment, time)
        damped = self.b.mul(rules.table(time, TABLE.index("damped")), self.settings["dampening"])
        self.fresh = self.b.sub(self.b.constant(1.0), damped)  # torch copies the first gradient into the buffer undamped

    def meet(self, theta: Value, gradient: Value, slots: list[Value]) -> None:
        self._moved = self.tangent(theta, gradient, slots)

    def moved(self) -> list[Value]:
        return self._moved

    def tangent(self, theta: Value, gradient: Value, slots: list[Value]) -> list[Value]:
        """Return the step: it is linear, so this is also its derivative."""
        b, (theta, gradient) = self.b, self.decayed(theta, gradient)
        if not self.descent.momentum:
            return [b.fma(self.back, gradient, theta)]
        momentum = self.settings["momentum"]
        buffer = b.fma(momentum, slots[0], b.mul(self.fresh, gradient))
        step = b.fma(momentum, buffer, gradient) if self.descent.nesterov else buffer
        return [b.fma(self.back, step, theta), buffer]


class _Adam(_Common):
    def __init__(self, rules: Rules, segment: Segment, time: Place) -> None:
        super().__init__(rules, segment, time)
        b, group = self.b, segment.group
        base = group * rules.descent.n_rows + len(rules.descent.settings)
        self.others = [b.load("settings", base + number) for number in range(2)]  # 1 - beta
        clock = time * (2 * rules.network.n_groups) + 2 * group
        self.step = b.mul(self.back, b.load("clock", clock))
        self.correction = b.load("clock", clock + 1)

    def meet(self, theta: Value, gradient: Value, slots: list[Value]) -> None:
        b, (theta, gradient) = self.b, self.decayed(theta, gradient)
        self.gradient = gradient
        self.first = b.fma(self.others[0], b.sub(gradient, slots[0]), slots[0])
        self.second = b.fma(self.settings["beta_2"], slots[1], b.mul(b.mul(self.others[1], gradient), gradient))
        self.root = b.sqrt(self.second)
        self.inverse = b.div(b.constant(1.0), b.fma(self.root, self.correction, self.settings["eps"]))
        self.theta = b.fma(self.step, b.mul(self.first, self.inverse), theta)

    def moved(self) -> list[Value]:
        return [self.theta, self.first, self.second]

    def tangent(self, theta: Value, gradient: Value, slots: list[Value]) -> list[Value]:
        """Return the derivative of the step; what never had a gradient has the derivative 0 of its root."""
        b, (theta, gradient) = self.b, self.decayed(theta, gradient)
        first = b.fma(self.others[0], b.sub(gradient, slots[0]), slots[0])
        turn = b.mul(b.mul(b.constant(2.0), b.mul(self.others[1], self.gradient)), gradient)
        second = b.fma(self.settings["beta_2"], slots[1], turn)
        zero = b.constant(0.0)
        slope = b.select(b.less(zero, self.second), b.div(b.constant(0.5), self.root), zero)
        denominator = b.mul(b.mul(self.correction, slope), second)
        change = b.mul(b.fma(b.negative(b.mul(self.first, self.inverse)), denominator, first), self.inverse)
        return [b.fma(self.step, change, theta), first, second]
