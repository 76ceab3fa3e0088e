"""What is built and trained, as plain data: every word one of an enumeration, every number within a limit."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["linear", "activation", "norm", "dropout", "softmax", "residual"]
ActivationName = Literal["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "softplus", "sine", "step"]
NormName = Literal["batch", "layer"]
Shortcut = Literal["identity", "zero_pad", "projection"]
Initialisation = Literal["default", "zeros", "normal", "xavier", "he", "orthogonal"]
OptimizerName = Literal["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
TaskName = Literal["spiral", "circles", "xor", "sine", "parity", "digits", "table"]

KINDS: tuple[str, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest numbers that a session may ask for."""

    blocks: int = 64
    width: int = 128
    samples: int = 2000
    steps: int = 20_000
    nesting: int = 2


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a network.

    Attributes:
        kind: What it is.
        width: Of a linear block, the number of its outputs.
        name: Of an activation or a normalisation, which one.
        rate: Of a dropout, the share that is dropped.
        shortcut: Of a residual block, how input and output are joined.
        blocks: Of a residual block, what stands inside.
    """

    kind: Kind
    width: int = 8
    name: str = "tanh"
    rate: float = 0.1
    shortcut: Shortcut = "identity"
    blocks: tuple["Block", ...] = ()


@dataclass(frozen=True, slots=True)
class Spec:
    """A whole session: the task, the network, how it begins and how it is trained.

    Attributes:
        task: Which data.
        samples: Number of training examples; as many again are held out.
        noise: Standard deviation added to the inputs.
        blocks: The hidden part; a linear layer to the task's outputs is put behind it.
        initialisation: Of the linear layers.
        gain: Factor on the initial weights; with ``"normal"`` their standard deviation.
        optimizer: Which.
        learning_rate: Its learning rate.
        batch_size: Examples in a step; 0 takes all.
        clip: Largest norm of the gradient, ``None`` for no clipping.
        seed: Of data, weights and batches.
        is_linear: Whether all activations are taken out.
        has_shortcuts: Whether residual blocks have their shortcut.
    """

    task: TaskName = "spiral"
    samples: int = 200
    noise: float = 0.1
    blocks: tuple[Block, ...] = field(default_factory=lambda: (Block("linear", 8), Block("activation"), Block("linear", 8), Block("activation")))
    initialisation: Initialisation = "default"
    gain: float = 1.0
    optimizer: OptimizerName = "sgd"
    learning_rate: float = 0.1
    batch_size: int = 0
    clip: float | None = None
    seed: int = 0
    is_linear: bool = False
    has_shortcuts: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, the form that `read_spec` reads."""
        return asdict(self)
