"""What a run is given, checked and brought into the form the program reads."""

from collections.abc import Mapping

import numpy as np

from ..errors import UsageError, unknown_name
from ._machine import aligned
from ._rules import TABLE
from .network import Descent, Network

PADDING = 16  # samples behind the last one that a tile may read; nothing comes of them
Settings = Mapping[str, float | np.ndarray]


def settings_rows(network: Network, descent: Descent, settings: Settings, n_members: int) -> np.ndarray:
    """Return the settings of each member, shape ``(members, groups * rows)``, in float64.

    Raises:
        UnknownName: The rule has no setting of this name.
        UsageError: The learning rate is missing, or a shape does not fit.
    """
    for name in settings:
        if name not in descent.settings:
            raise unknown_name(f"setting of {descent.rule}", name, descent.settings)
    if "learning_rate" not in settings:
        raise UsageError('A run should be given settings={"learning_rate": …}, but there is none.')
    defaults = {"beta_1": 0.9, "beta_2": 0.999, "eps": 1e-8}
    columns = []
    for name in descent.settings:
        value = np.asarray(settings.get(name, defaults.get(name, 0.0)), np.float64)
        if value.ndim == 1:
            value = value[:, None]
        try:
            columns.append(np.broadcast_to(value, (n_members, network.n_groups)))
        except ValueError:
            raise UsageError(
                f"The setting {name} should be a number, or have the shape (members,) = ({n_members},) or (members, groups) = "
                f"({n_members}, {network.n_groups}), but its shape is {np.shape(settings[name])}."
            ) from None
    if descent.rule == "adam":
        columns += [1.0 - columns[1], 1.0 - columns[2]]
    return np.stack(columns, axis=2).reshape(n_members, -1)


class Chosen:
    """Which samples are the batch of each step.

    Args:
        steps: Of the run.
        n_samples: That there are.
        batches: First sample and number of samples of each step; all samples if neither this nor ``indices`` is given.
        indices: The samples of each step, shape ``(steps, batch)``.

    Raises:
        UsageError: Not every step has a batch inside the data.
    """

    def __init__(self, steps: int, n_samples: int, batches: np.ndarray | None, indices: np.ndarray | None) -> None:
        """Look whether all samples are there."""
        self.indices = None if indices is None else np.asarray(indices)
        if self.indices is not None:
            is_table = self.indices.ndim == 2 and len(self.indices) == steps and self.indices.size > 0
            if batches is not None or not is_table or self.indices.min() < 0 or self.indices.max() >= n_samples:
                raise UsageError(f"indices should have the shape ({steps}, batch), with numbers from 0 to {n_samples - 1}, and stand alone, without batches.")
            count = self.indices.shape[1]
            self.ranges = np.stack([np.arange(steps) * count, np.full(steps, count)], axis=1)
            return
        self.ranges = np.tile(np.array([0, n_samples], np.int64), (steps, 1)) if batches is None else np.ascontiguousarray(batches, np.int64)
        found = self.ranges
        if found.shape != (steps, 2) or (steps and (found[:, 0].min() < 0 or found[:, 1].min() < 1 or found.sum(axis=1).max() > n_samples)):
            raise UsageError(f"batches should give first sample and number of samples for {steps} steps within {n_samples} samples.")


class Data:
    """Samples, the batch of each step, and scales and factors of each step, in the precision of a run.

    Args:
        network: What is trained.
        dtype: Precision.
        inputs: Shape ``(samples, n_inputs)``.
        targets: Shape ``(samples, n_outputs)``.
        chosen: The batches.
        factors: Of the learning rate in each step, for all or for each group.
        start: Number of the first step.
        weight: Of the loss, for all steps or for each.
    """

    def __init__(
        self,
        network: Network,
        dtype: np.dtype,
        inputs: np.ndarray,
        targets: np.ndarray,
        chosen: Chosen,
        *,
        factors: np.ndarray | None,
        start: int,
        weight: float | np.ndarray,
    ) -> None:
        """Write the table of steps."""
        self._dtype, self._chosen, self._given = dtype, chosen, (inputs, targets)
        self._held = None if self.is_gathered else (padded(inputs, dtype), padded(targets, dtype))
        ranges, is_mse = chosen.ranges, network.loss == "mse"
        self._table = aligned((len(ranges), len(TABLE) + network.n_groups), dtype)
        self._table[:, 1] = weight / (ranges[:, 1] * (network.n_outputs if is_mse else 1.0))
        self._table[:, 0] = 2.0 * self._table[:, 1] if is_mse else self._table[:, 1]
        self._table[:, 2] = np.arange(start, start + len(ranges)) > 0
        if factors is not None and np.shape(factors) not in ((len(ranges),), (len(ranges), network.n_groups)):
            raise UsageError(f"factors should have the shape ({len(ranges)},) or ({len(ranges)}, {network.n_groups}), but it is {np.shape(factors)}.")
        self._table[:, 3:] = 1.0 if factors is None else np.reshape(factors, (len(ranges), -1))

    @property
    def is_gathered(self) -> bool:
        """Whether the samples of each step are gathered from all over."""
        return self._chosen.indices is not None

    @property
    def largest(self) -> int:
        """Samples of the largest batch."""
        return int(self._chosen.ranges[:, 1].max()) if len(self._chosen.ranges) else 1

    def part(self, done: int, count: int) -> dict[str, np.ndarray]:
        """Return the buffers for ``count`` steps after the first ``done``."""
        ranges = self._chosen.ranges[done : done + count]
        if self._held is None and self._chosen.indices is not None:
            rows = self._chosen.indices[done : done + count].reshape(-1)
            inputs, targets = (padded(values[rows], self._dtype) for values in self._given)
            ranges = ranges - ranges[0, 0] * np.array([1, 0])
        else:
            inputs, targets = self._held if self._held is not None else self._given
        return {"inputs": inputs, "targets": targets, "table": self._table[done : done + count], "ranges": np.ascontiguousarray(ranges)}


def padded(samples: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return ``samples`` aligned, in the precision ``dtype``, with copies of the first one behind the last."""
    found = aligned((len(samples) + PADDING, samples.shape[1]), dtype)
    found[: len(samples)] = samples
    found[len(samples) :] = samples[0]
    return found


def target_rows(network: Network, targets: np.ndarray, n_samples: int) -> np.ndarray:
    """Return the targets as rows of outputs: class numbers become ones in their columns.

    Raises:
        UsageError: Shape or class numbers do not fit.
    """
    found = np.asarray(targets)
    if network.loss == "cross_entropy" and found.ndim == 1:
        if found.dtype.kind not in "iu" or len(found) != n_samples or found.min() < 0 or found.max() >= network.n_outputs:
            raise UsageError(f"Targets of cross-entropy should be {n_samples} whole numbers from 0 to {network.n_outputs - 1}, but they are not.")
        return np.asarray(np.eye(network.n_outputs)[found])
    found = found.reshape(n_samples, -1) if found.ndim == 1 and len(found) == n_samples else found
    if found.shape != (n_samples, network.n_outputs):
        raise UsageError(f"The targets should have the shape ({n_samples}, {network.n_outputs}), but it is {found.shape}.")
    return found


def adam_clock(settings: np.ndarray, n_rows: int, n_groups: int, times: np.ndarray) -> np.ndarray:
    """Return Adam's corrections ``1 / (1 - beta_1^t)`` and ``(1 - beta_2^t)^-1/2``, shape ``(members, steps * groups * 2)``."""
    by_group = settings.reshape(len(settings), n_groups, n_rows)
    found = np.empty((len(settings), len(times), n_groups, 2))
    for column, power in ((1, -1.0), (2, -0.5)):
        betas, place = np.unique(by_group[:, :, column], return_inverse=True)
        with np.errstate(divide="ignore"):
            corrections = (-np.expm1(np.log(betas)[:, None] * times)) ** power
        found[..., column - 1] = corrections[place.reshape(len(settings), n_groups)].transpose(0, 2, 1)
    return found.reshape(len(settings), -1)
