"""What each layer of a network already knows about the answer: a linear probe on every layer's output."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from ...errors import UsageError
from ...records import Sentence
from ...reports.numerals import short
from .flat_network import floating
from .input_output_map import unvaried
from .layer_calls import first_tensor, layer_calls
from .nested_tensors import tensors_in


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerProbe:
    """How well a linear probe reads the answer off one layer's output.

    Attributes:
        name: The module's name; ``"input"`` for the input itself.
        kind: Its class.
        n_features: Numbers per row.
        score: On rows held out: accuracy for classes, R² for numbers; ``nan`` where there is none (``why_not``).
        train_score: On the rows the probe was fitted to.
        is_projected: Whether the features were reduced by a random projection.
        why_not: Why there is none.
    """

    name: str
    kind: str
    n_features: int
    score: float
    train_score: float
    is_projected: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerProbes:
    """A probe on every layer.

    Attributes:
        rows: The input first, then the layers in the order of the calls.
        unit: ``"accuracy"`` or ``"R²"``.
        chance: Score of always giving the most frequent class, or the mean.
        own_score: The network's own, on the same held-out rows; ``None`` where its output is no prediction of ``y``.
        n_train: Rows the probes were fitted to.
        n_test: Rows held out.
        said: What the numbers say.
    """

    rows: list[LayerProbe] = field(default_factory=list)
    unit: str
    chance: float
    own_score: float | None
    n_train: int
    n_test: int
    said: list[Sentence] = field(default_factory=list)


def probe_layers(
    model: nn.Module,
    data: tuple[Any, Any] | Iterable[tuple[Any, Any]],
    *,
    test_share: float = 0.33,
    max_features: int = 1024,
    strength: float = 1.0,
    seed: int = 0,
) -> LayerProbes:
    r"""Fit a linear probe to every layer's output, and return how well each reads the answer on rows that it has not seen.

    Whole numbers as answers are classes (multinomial logistic regression), others are numbers (ridge). Features are standardised; more than ``max_features``
    are reduced by a Gaussian random projection, which keeps distances.

    Args:
        model: Any module; examined in evaluation mode on a private copy.
        data: ``(inputs, answers)``, or batches of them; a tuple as inputs is positional arguments.
        test_share: Share of the rows held out.
        max_features: Most features a probe gets.
        strength: Inverse of the regularisation (``C`` of the logistic regression, ``1 / alpha`` of the ridge).
        seed: Of the split and the projection.

    Raises:
        UsageError: Fewer than ten rows, or one class only, or inputs and answers of different length.

    Limits:
        A probe finds what is linearly there, not what the network uses; with few rows it finds less than there is. It is a lower bound of the layer's ceiling.

    References:
        Alain and Bengio 2017, "Understanding intermediate layers using linear classifier probes".
    """
    features, kinds, answers, outputs = _features(model, data)
    if len(answers) < 10 or (answers.dtype.kind in "iu" and len(np.unique(answers)) < 2):
        raise UsageError(
            f"A probe needs at least ten rows and two classes, and was given {len(answers)} rows with {len(np.unique(answers))} different answers."
        )
    classes = answers.dtype.kind in "iu"
    counts = np.unique(answers, return_counts=True)[1]
    places = np.arange(len(answers))
    train, test = train_test_split(places, test_size=test_share, random_state=seed, stratify=answers if classes and counts.min() > 1 else None)
    rows = [_probe(name, kinds[name], made, answers, train, test, max_features, strength, seed) for name, made in features.items()]
    chance = float(max(np.mean(answers[test] == value) for value in np.unique(answers[train]))) if classes else 0.0
    own = _own_score(outputs, answers, test, classes)
    unit = "accuracy" if classes else "R²"
    return LayerProbes(
        rows=rows, unit=unit, chance=chance, own_score=own, n_train=len(train), n_test=len(test), said=_words(rows, unit, chance, own, len(test))
    )


def _features(model: nn.Module, data: Any) -> tuple[dict[str, Tensor | str], dict[str, str], np.ndarray, Tensor | None]:
    """Return every layer's output by name (or why there is none), the layers' classes, the answers, and the network's own output."""
    batches = [data] if isinstance(data, tuple) and len(data) == 2 and isinstance(data[1], Tensor) else list(data)
    kept: dict[str, list[Tensor]] = {}
    kinds, outputs, answers = {"input": "input"}, [], []
    for inputs, answer in batches:
        answers.append(torch.as_tensor(answer))
        n_rows = len(answers[-1])
        function = unvaried(model, inputs)
        kept.setdefault("input", []).append(_rows(first_tensor(inputs), n_rows))
        for call in layer_calls(function):
            kinds[call.name] = call.kind
            kept.setdefault(call.name, []).append(_rows(first_tensor(call.output), n_rows))
        with torch.no_grad():
            made = floating(function.run([t for _, t in _own_floats(function.arguments)]))
        outputs.append(_rows(made[0][1], n_rows))
    joined: dict[str, Tensor | str] = {}
    for name, parts in kept.items():
        fits = all(part.numel() for part in parts) and len({part.shape[1] for part in parts}) == 1
        joined[name] = torch.cat(parts) if fits else "its output has no dimension with one entry per row, or its size changes from batch to batch"
    own = torch.cat(outputs) if all(part.numel() for part in outputs) and len({part.shape[1] for part in outputs}) == 1 else None
    values = torch.cat(answers)
    if values.dim() > 1 and values.numel() == len(values):
        values = values.flatten()
    return joined, kinds, values.cpu().numpy(), own


def _own_floats(arguments: Any) -> list[tuple[str, Tensor]]:
    return [(name, tensor) for name, tensor in tensors_in(arguments) if tensor.is_floating_point()]


def _rows(tensor: Tensor | None, n_rows: int) -> Tensor:
    """Return a tensor as one row per answer, empty where no dimension fits."""
    if tensor is None or tensor.is_complex():
        return torch.empty(0, 0)
    dimension = next((d for d in range(min(2, tensor.dim())) if tensor.shape[d] == n_rows), None)
    return torch.empty(0, 0) if dimension is None else tensor.detach().movedim(dimension, 0).reshape(n_rows, -1).double().cpu()


def _probe(
    name: str, kind: str, made: Tensor | str, answers: np.ndarray, train: np.ndarray, test: np.ndarray, max_features: int, strength: float, seed: int
) -> LayerProbe:
    nan = float("nan")
    if isinstance(made, str):
        return LayerProbe(name=name, kind=kind, n_features=0, score=nan, train_score=nan, why_not=made)
    values, n_features = made.numpy(), made.shape[1]
    if not np.isfinite(values).all():
        return LayerProbe(name=name, kind=kind, n_features=n_features, score=nan, train_score=nan, why_not="its output is not finite")
    if n_features > max_features:
        generator = np.random.default_rng(seed)
        values = values @ (generator.standard_normal((n_features, max_features)) / np.sqrt(max_features))
    scaler = StandardScaler().fit(values[train])
    reader = LogisticRegression(C=strength, max_iter=300) if answers.dtype.kind in "iu" else Ridge(alpha=1.0 / strength)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a probe a little short of its optimum is a lower bound as well
        reader.fit(scaler.transform(values[train]), answers[train])
    scores = [float(reader.score(scaler.transform(values[part]), answers[part])) for part in (test, train)]
    return LayerProbe(name=name, kind=kind, n_features=n_features, score=scores[0], train_score=scores[1], is_projected=n_features > max_features)


def _own_score(outputs: Tensor | None, answers: np.ndarray, test: np.ndarray, classes: bool) -> float | None:
    if outputs is None:
        return None
    made = outputs.numpy()[test]
    if classes:
        return float(np.mean(made.argmax(1) == answers[test])) if made.shape[1] > int(answers.max()) else None
    truth = answers[test].reshape(len(test), -1)
    if made.shape != truth.shape:
        return None
    return float(1.0 - ((made - truth) ** 2).sum() / ((truth - truth.mean(0)) ** 2).sum())


def _words(rows: list[LayerProbe], unit: str, chance: float, own: float | None, n_test: int) -> list[Sentence]:
    layers = [row for row in rows[1:] if row.score == row.score]
    if not layers:
        return [Sentence("No layer's output could be read.", "読み取れる層の出力がありませんでした。")]
    best, start = max(layers, key=lambda row: row.score), rows[0]
    en = f"A linear probe reads the answer best off {best.name} ({best.kind}): {unit} {short(best.score)} on {n_test} held-out rows"
    ja = f"線形プローブが最もよく答えを読み取れる層は {best.name}（{best.kind}）で、未使用の {n_test} 行での {unit} は {short(best.score)} です"
    en += f"; off the input {short(start.score)}, chance {short(chance)}."
    ja += f"（入力そのものからは {short(start.score)}、偶然の水準は {short(chance)}）。"
    said = [Sentence(en, ja)]
    if own is not None and best.score > own + 2 * (0.25 / n_test) ** 0.5:  # two standard errors of a share
        said.append(
            Sentence(
                f"The network itself reaches {short(own)}: what {best.name} knows is lost, or not used, on the way out.",
                f"ネットワーク自身は {short(own)} です。{best.name} が持つ情報が出力までに失われているか、使われていません。",
            )
        )
    return said
