"""What there is to see of a session at a moment: plain data, for the page."""

from dataclasses import dataclass

NEURONS, FIRST, LAST = 8, 5, 4  # what fits into the picture of a network


@dataclass(frozen=True, slots=True)
class LayerSight:
    """One layer with weights, as it was in the last step.

    Attributes:
        name: Its name in the module.
        wind: Elasticity of the loss in its weights, log10 of gradient norm times weight norm over the loss of a guess; ``None`` where it is not finite.
        gradient_norm: Norm of its weights' gradient.
        weight_norm: Norm of its weights.
        inputs: Number of its inputs.
        outputs: Number of its outputs.
        weights: Of its first outputs (rows) from its first inputs, `NEURONS` of each at most, ``None`` where not finite; empty where a layer is left out of the
            picture of the network: of a deep one the first `FIRST` and the last `LAST` layers are drawn, and projections of shortcuts are not.
    """

    name: str
    wind: float | None
    gradient_norm: float | None
    weight_norm: float | None
    inputs: int = 0
    outputs: int = 0
    weights: tuple[tuple[float | None, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ActivationSight:
    """What comes out of one activation on the held-out examples.

    Attributes:
        name: Its name in the module.
        low: Left end of the histogram.
        high: Right end.
        counts: Number of values in each of the bins.
        dead: Share of units that give the same for every example.
    """

    name: str
    low: float
    high: float
    counts: tuple[int, ...]
    dead: float


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything there is to see after some steps.

    Attributes:
        step: Steps taken.
        losses: Of the steps since the last frame; ``None`` where not finite.
        held_out_loss: On examples that were not trained on.
        accuracy: Share of these that are right, ``None`` for numbers.
        guess: Loss of the best constant answer.
        layers: Those with weights, first layer first.
        activations: Those between them.
        picture: What the network says over the plane (``GRID`` rows from the bottom, values from 0 to 1: the probability of the second class) or over the line.
        matrix: The one matrix that the network is, rows of outputs, bias last; ``None`` if it is not linear.
        is_over: Whether it cannot go on: a weight is not finite, or the limit of steps is reached.
    """

    step: int
    losses: tuple[float | None, ...]
    held_out_loss: float | None
    accuracy: float | None
    guess: float
    layers: tuple[LayerSight, ...]
    activations: tuple[ActivationSight, ...]
    picture: tuple[tuple[float | None, ...], ...]
    matrix: tuple[tuple[float, ...], ...] | None
    is_over: bool
