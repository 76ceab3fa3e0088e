"""What a cure is: which findings it treats, what it changes, and the lines that a user writes, with his own numbers and names."""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..records.finding import Finding, Prescription, Sentence
from ..records.trace import Floats, Layer, Trace

if TYPE_CHECKING:  # saying what to change needs no torch
    from ..maps import Training

HIDDEN_KINDS = ("linear", "conv", "recurrent")
MOST_NAMED = 4  # more layers than this are reached by a loop over the model, not by their names
COLUMNS = 64  # of a terminal of 80, beside the verdict's labels
TORCH_OPTIMIZERS = set(
    "ASGD Adadelta Adafactor Adagrad Adam AdamW Adamax LBFGS Muon NAdam RAdam RMSprop Rprop SGD SparseAdam".split()  # noqa: SIM905
)
_TENSOR_NAME = re.compile(r"(^|_)weight(_|$)|^[wWuUvV]\w{0,3}$")


class AbstractCure(ABC):
    """A change that treats one or more findings.

    :meth:`prescribe` is pure and dry: it only says what should be changed. Its ``parameters`` hold everything that carrying out the change takes, so that a
    method which applies
    a prescription to a `Training` needs nothing else.

    Class attributes:
        name: Name of the cure.
        treats: Names of the findings it treats.
        order: How much it changes: 0 corrects a slip in the code, 1 a setting of the optimizer, 2 initialisation or scaling constants, 3 a wrapper around
        the model, 4 an activation,
            5 a normalisation layer, 6 a skip connection or a gate.
        changes: What it changes, one sentence.
        side_effects: What else to expect, one sentence.
        reference: Where it comes from.
        keeps_names: Whether every parameter that a model has keeps its name and shape when the cure is carried out, so that older checkpoints load.
    """

    name: ClassVar[str]
    treats: ClassVar[tuple[str, ...]]
    order: ClassVar[int]
    changes: ClassVar[Sentence]
    side_effects: ClassVar[Sentence]
    reference: ClassVar[str]
    keeps_names: ClassVar[bool] = True

    @abstractmethod
    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the change for this finding in this training, or ``None`` where the evidence does not call for it."""

    @abstractmethod
    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training with this change carried out, ``None`` where that is not possible on a `Training` or would change nothing.

        Args:
            training: Any; it stays as it is, and so do the global random streams. The changed one takes as many steps as it does.
            parameters: Those of the prescription.
        """

    def prescription(self, *, parameters: dict[str, Any], code: str, sentence: Sentence | None = None, is_singled_out: bool = False) -> Prescription:
        """Return a prescription of this cure; where the evidence singles it out, it stands before all lesser changes."""
        return Prescription(
            name=self.name, parameters=parameters, code=laid_out(code), sentence=sentence or self.changes, order=0 if is_singled_out else self.order
        )


def laid_out(code: str) -> str:
    """Return code in which a comment that would make its line longer than a terminal stands on a line of its own above it.

    >>> print(laid_out("x = " + "y" * 60 + "  # why"))
    # why
    x = yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy
    """
    lines: list[str] = []
    for line in code.splitlines():
        statement, mark, comment = line.partition("  # ")
        if mark and len(line) > COLUMNS:
            margin = statement[: len(statement) - len(statement.lstrip())]
            lines += [f"{margin}# {comment}", statement]
        else:
            lines.append(line)
    return "\n".join(lines)


def both(en: str, ja: str) -> Sentence:
    """Return a sentence in both languages."""
    return Sentence(en, ja)


def short(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:.3g}"


def rounded(value: float, *, up: bool = False) -> float:
    """Return a positive number rounded down (or up) to one significant digit, to two where the first digit is 1, as people write settings.

    >>> rounded(0.0243), rounded(0.0138), rounded(0.0243, up=True)
    (0.02, 0.013, 0.03)
    """
    if not (math.isfinite(value) and value > 0):
        return value
    exponent = math.floor(math.log10(value) + 1e-12)
    unit = 10.0 ** (exponent - 1 if value / 10.0**exponent < 2 else exponent)
    count = math.ceil(value / unit - 1e-9) if up else math.floor(value / unit + 1e-9)
    return float(f"{count * unit:.3g}")


def measured(finding: Finding, name: str) -> float:
    """Return the value of the finding's evidence whose name contains ``name``; NaN where there is none."""
    return next((float(item.value) for item in finding.evidence if name in item.name), math.nan)


def typical(trace: Trace, name: str, last: int = 20) -> float:
    """Return the median over all finite numbers in the newest rows of a series (of a number, or of layers); NaN where nothing was recorded."""
    values = np.asarray(trace[name].values[-last:], dtype=float)
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else math.nan


def learning_rate(trace: Trace) -> float:
    """Return the learning rate that the user sets: the largest one seen, since schedules fall from it or rise to it."""
    seen = trace["learning_rate"].values
    seen = seen[np.isfinite(seen)]
    if seen.size:
        return float(seen.max())
    rate = trace.optimizer.get("learning_rate")
    return float(rate) if isinstance(rate, int | float) else math.nan


def is_adaptive(trace: Trace) -> bool:
    """Return whether the optimizer divides by the size of the gradient (Adam and its relatives)."""
    return str(trace.optimizer.get("name", "")).lower() in {"adam", "adamw", "nadam", "radam", "adamax", "rmsprop", "adagrad", "adadelta", "sparseadam", "lion"}


# Settings that are written out in code where they differ from torch's defaults; the optimizers with another default write it out, which does no harm.
_DEFAULTS: Mapping[str, Any] = {
    "momentum": 0,
    "dampening": 0,
    "weight_decay": 0,
    "nesterov": False,
    "betas": [0.9, 0.999],
    "eps": 1e-8,
    "amsgrad": False,
    "alpha": 0.99,
}


def optimizer_line(trace: Trace, note: str = "", *, name: str | None = None, **changes: Any) -> str:
    """Return the line that makes the user's optimizer, with his settings and some changes; with several parameter groups the settings are changed in each.

    Args:
        trace: What was seen.
        note: A comment behind the line.
        name: Another class of ``torch.optim``.
        changes: Settings by torch's names (``lr``, ``weight_decay`` …).
    """
    comment = f"  # {note}" if note else ""
    if int(trace.optimizer.get("groups", 1)) > 1 and name is None:
        inner = "\n".join(f'    group["{key}"] = {_literal(value)}' for key, value in changes.items())
        return f"for group in optimizer.param_groups:\n{inner}{comment}"
    settings = {"lr": learning_rate(trace), **_unusual(trace), **changes}
    arguments = ", ".join(f"{key}={_literal(value)}" for key, value in settings.items() if not (isinstance(value, float) and math.isnan(value)))
    kind = str(name or trace.optimizer.get("name", "SGD"))
    return f"optimizer = {'torch.optim.' if kind in TORCH_OPTIMIZERS else ''}{kind}(model.parameters(), {arguments}){comment}"


def _unusual(trace: Trace) -> dict[str, Any]:
    given = {key: trace.optimizer[key] for key in _DEFAULTS if trace.optimizer.get(key) is not None}
    if trace.optimizer.get("name") == "AdamW" and given.get("weight_decay") == 0.01:
        del given["weight_decay"]
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in given.items()}
    return {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items() if value != _DEFAULTS[key]}


def _literal(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else repr(value)


def layer_at(trace: Trace, place: str) -> Layer | None:
    """Return the layer of that name, ``None`` where the place is no layer."""
    return next((layer for layer in trace.layers if layer.name == place), None)


def hidden(trace: Trace, kinds: Sequence[str] = HIDDEN_KINDS) -> list[Layer]:
    """Return the weight matrices that are not the output, in order of execution."""
    return [layer for layer in trace.layers if layer.kind in kinds and not layer.is_output]


def output_layer(trace: Trace) -> Layer | None:
    """Return the last layer before the loss."""
    return next((layer for layer in reversed(trace.layers) if layer.is_output), None)


def path_of(name: str, root: str = "model") -> str:
    """Return a module's or parameter's path as Python.

    >>> path_of("encoder.0.fc"), path_of("tensor 3×4")
    ('model.encoder[0].fc', 'weight')
    """
    if not all(part.isidentifier() or part.isdecimal() for part in name.split(".")):
        return "weight"
    return root + "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in name.split("."))


def weight_of(layer: Layer) -> str:
    """Return the path of a layer's weight as Python: ``model.fc1.weight``, or ``model.W1`` where the parameter itself gave the layer its name."""
    path = path_of(layer.name)
    return path if path == "weight" or _TENSOR_NAME.search(layer.name.rsplit(".", 1)[-1]) else f"{path}.weight"


def module_class(layer: Layer) -> str:
    """Return the class of ``torch.nn`` that holds such a weight."""
    return {"conv": {3: "nn.Conv1d", 5: "nn.Conv3d"}.get(len(layer.shape), "nn.Conv2d"), "recurrent": "nn.RNN", "embedding": "nn.Embedding"}.get(
        layer.kind, "nn.Linear"
    )


def for_weights(layers: Sequence[Layer], *statements: str) -> str:
    """Return code that carries out ``statements``, with ``{weight}`` in the place of the weight, for each of ``layers``."""
    paths = list(dict.fromkeys(weight_of(layer) for layer in layers)) or ["weight"]
    if len(paths) == 1:
        return "\n".join(line.format(weight=paths[0]) for line in statements)
    if len(paths) > MOST_NAMED and all(path.endswith(".weight") for path in paths):
        classes = sorted({module_class(layer) for layer in layers})
        kinds = classes[0] if len(classes) == 1 else f"({', '.join(classes)})"
        return "\n".join(
            [f"layers = [m for m in model.modules() if isinstance(m, {kinds})][:{len(paths)}]", "for layer in layers:", *_indented(statements, "layer.weight")]
        )
    return "\n".join([f"for weight in ({', '.join(paths)}):", *_indented(statements, "weight")])


def _indented(statements: Iterable[str], weight: str) -> list[str]:
    return ["    " + line.format(weight=weight) for line in statements]


def names_of(layers: Iterable[Layer]) -> list[str]:
    """Return the layers' names."""
    return [layer.name for layer in layers]


def bad_event(finding: Finding, trace: Trace) -> dict[str, str]:
    """Return ``source``, ``operation`` and ``layer`` of the first non-finite number that a finding speaks of; empty strings where they are not known."""
    loss, gradient = trace.facts.get("first_bad"), trace.facts.get("bad_gradient")
    if gradient and int(gradient["step"]) == finding.step and not (loss and int(loss["step"]) == finding.step):
        singular = gradient.get("singular") or {}
        return {"source": "gradient", "operation": str(singular.get("operation", "")), "layer": str(singular.get("layer", ""))}
    if loss and int(loss["step"]) == finding.step:
        return {"source": str(loss.get("source", "unknown")), "operation": str(loss.get("operation", "")), "layer": str(loss.get("layer", ""))}
    named = re.search(r"(\w+)(?: after (\S+?))?\)?$", finding.place)
    source = "batch" if "batch" in finding.place else "target" if "target" in finding.place else "unknown"
    return {"source": source, "operation": (named[1] if named and source == "unknown" else ""), "layer": (named[2] or "" if named else "")}


def before_trouble(finding: Finding, trace: Trace, name: str) -> Floats:
    """Return the finite values of a run-level series before the trouble: before the finding's step, or the first half of a run that diverges."""
    series = trace[name]
    values = np.asarray(series.values, dtype=float)
    if finding.step > 1 and bool((series.steps < finding.step).any()):
        values = values[series.steps < finding.step]
    elif trace.progress is not None and trace.progress.is_diverging:
        values = values[: max(values.size // 2, 1)]
    finite: Floats = values[np.isfinite(values)]
    return finite


STORM_RANK = 60  # the rank that a non-finite number gets when it ends a storm


def ended_a_storm(finding: Finding) -> bool:
    """Return whether a non-finite number was the end of a growth, so that the numbers before it, and not the operation, are to be cured."""
    return finding.name in ("nan_inf", "nonfinite_weights") and finding.rank >= STORM_RANK


def decades_over_time(finding: Finding) -> float | None:
    """Return by how many decades gradients change over the unrolled time, ``None`` where the finding is about depth or steps."""
    value = measured(finding, "over time")
    return None if math.isnan(value) else value


def recurrent_layers(trace: Trace) -> list[Layer]:
    """Return the layers that feed themselves."""
    return [layer for layer in trace.layers if layer.kind == "recurrent"]


def is_gated(layer: Layer) -> bool:
    """Return whether the weight holds several gates (LSTM, GRU): its rows are three or four times its columns, as those of ``weight_hh`` are."""
    return gates(layer) in (3, 4)


def gates(layer: Layer) -> int:
    """Return how many gates a recurrent weight of shape ``(gates × hidden, hidden)`` holds; 1 for a plain net, or where it cannot be told."""
    if len(layer.shape) != 2 or layer.shape[1] == 0 or layer.shape[0] % layer.shape[1]:
        return 1
    return layer.shape[0] // layer.shape[1]
