"""The document of ``kazami nets activations``."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from ...nets.catalogue.interval import Extreme, Interval
from ...nets.catalogue.losses import GradientLoss, InformationLoss
from ...records.json_schema import MAY_BE_ABSENT, Shown
from ._base import AbstractDocument

PLAIN = Shown(or_null=True)


@dataclass(frozen=True, slots=True)
class AbstractComputed:
    """What was computed of a function; ``null`` where it does not exist, as a slope of softmax, whose keys of one number are absent.

    Attributes:
        range: All values between the smallest and the largest.
        lipschitz: The Lipschitz constant.
        derivative_max: Supremum of the slope.
        derivative_min: Infimum of the slope.
        at_zero: φ(0).
        mean: E φ(z), z standard normal.
        second_moment: E φ(z)².
        slope_second_moment: E φ'(z)².
        gain: 1/sqrt(E φ(z)²): weights of standard deviation gain/sqrt(fan_in) keep the size of a signal.
        gradient_gain: 1/sqrt(E φ'(z)²): the gain that keeps the size of gradients.
        smoothness: How many continuous derivatives it has: -1 with jumps, 0 with kinks.
        monotone: ``"strictly increasing"``, ``"increasing"`` … or ``"no"``.
        parity: ``"odd"``, ``"even"`` or ``"neither"``.
        is_monotone: Whether it never turns back.
        is_smooth: Whether no jump was found up to the third derivative.
        is_zero_centred: Whether the outputs of standard normal inputs average to zero.
        is_backward_right: Whether autograd's slope is that of the function.
        kinks: Where the slope jumps.
        jumps: Where the function jumps.
        saturation: Intervals on which the slope is below 1 % of the largest.
        dead_zones: Intervals on which the slope is exactly zero.
        fixed_points: All x with φ(x) = x.
        derivative_maximum: The largest slope, and where.
        derivative_minimum: The smallest slope, and where.
        information_loss: What it loses of a standard normal input.
        gradient_loss: By how much gradients fade through one layer of it.
        gradient_loss_of_10_layers: The same through ten, in decades.
        jacobian_norm_max: Of several numbers at a time: supremum of the spectral norm of the Jacobian.
        invariances: Of several numbers at a time: what leaves its output as it is.
        size: Of several numbers at a time: of how many.
    """

    range: Annotated[Interval, PLAIN]
    lipschitz: float | None
    derivative_max: float | None
    derivative_min: float | None
    at_zero: float | list[float] | None
    mean: float | None
    second_moment: float | None
    slope_second_moment: float | None
    gain: float | None
    gradient_gain: float | None
    smoothness: float | None
    monotone: str
    parity: str
    is_monotone: bool
    is_smooth: bool
    is_zero_centred: bool
    is_backward_right: bool
    kinks: list[float]
    jumps: list[float]
    saturation: Annotated[list[Annotated[Interval, PLAIN]], MAY_BE_ABSENT]
    dead_zones: Annotated[list[Annotated[Interval, PLAIN]], MAY_BE_ABSENT]
    fixed_points: Annotated[list[Annotated[Interval, PLAIN]], MAY_BE_ABSENT]
    derivative_maximum: Annotated[Extreme, PLAIN, MAY_BE_ABSENT]
    derivative_minimum: Annotated[Extreme, PLAIN, MAY_BE_ABSENT]
    information_loss: Annotated[InformationLoss, PLAIN, MAY_BE_ABSENT]
    gradient_loss: Annotated[GradientLoss, PLAIN, MAY_BE_ABSENT]
    gradient_loss_of_10_layers: Annotated[float | None, MAY_BE_ABSENT]
    jacobian_norm_max: Annotated[float | None, MAY_BE_ABSENT]
    invariances: Annotated[list[str], MAY_BE_ABSENT]
    size: Annotated[int, MAY_BE_ABSENT]


@dataclass(frozen=True, slots=True)
class ComputedEntry(AbstractComputed):
    """What was computed of a function of the user's own."""


@dataclass(frozen=True, slots=True)
class ActivationEntry(AbstractComputed):
    """An activation of the catalogue; texts are in the language asked for.

    Attributes:
        name: Its name.
        title: As people write it.
        aliases: Its other names.
        family: What it is like.
        kind: ``"scalar"``: one number at a time; ``"gate"`` or ``"vector"``: several.
        formula: In LaTeX.
        parameters: Its parameters with their values.
        references: Where it comes from.
        property: What it does.
        advantage: What is good about it.
        disadvantage: What is not.
        suits: What it is used for.
        torch_gain: PyTorch's own gain, ``null`` where it has none.
        gain_note: What is to be known about that one.
    """

    name: str
    title: str
    aliases: list[str]
    family: str
    kind: str
    formula: str
    parameters: dict[str, Any]
    references: list[str]
    property: str
    advantage: str
    disadvantage: str
    suits: str
    torch_gain: float | None
    gain_note: str


@dataclass(frozen=True, slots=True)
class RecognitionEntry:
    """What a function of the user's own is.

    Attributes:
        name: Of the catalogue's activation that it is, ``null`` where it is none.
        parameters: Parameters that differ from the defaults.
        output_scale: What the activation's output is multiplied with.
        input_scale: What its input is multiplied with.
        input_shift: What is added to its input.
        output_shift: What is added to its output.
        error: Largest difference, relative; ``null`` where it is none of the catalogue's.
        is_elementwise: Whether each number is answered alone.
        is_plain: Whether it is the catalogue's function without scales and shifts.
        formula: All that in one line.
        also: The catalogue's other names for the same function.
        sentence: The answer in one sentence.
        computed: What was computed of it, ``null`` where nothing can be.
    """

    name: str | None
    parameters: dict[str, Any]
    output_scale: float | None
    input_scale: float | None
    input_shift: float | None
    output_shift: float | None
    error: float | None
    is_elementwise: bool
    is_plain: bool
    formula: str
    also: list[str]
    sentence: str
    computed: ComputedEntry | None


@dataclass(frozen=True, slots=True)
class ActivationsDocument(AbstractDocument):
    """The catalogue of activations, one of them, or what a function is: one of three keys.

    Attributes:
        schema: Version of the document's form.
        activations: All of them, where no name was given.
        activation: The one that was named.
        recognition: What the function ``module:function`` is.
    """

    document: ClassVar = "activations"
    commands: ClassVar = ("kazami nets activations --json",)

    schema: Literal[1]
    activations: Annotated[list[ActivationEntry], MAY_BE_ABSENT]
    activation: Annotated[ActivationEntry, MAY_BE_ABSENT]
    recognition: Annotated[RecognitionEntry, MAY_BE_ABSENT]
