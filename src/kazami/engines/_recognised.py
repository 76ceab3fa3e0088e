"""Whether a whole training is one that kernels run: module, loss, optimizer and batches, and the proof that they give the same."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from ..kernels import Descent, Network
from ..maps import TrainingMap
from ._base import Job, Member
from ._columns import Columns
from ._family import FoundLayer, NotOfTheFamily, layers_of
from ._known_losses import known_loss
from ._lanes import Lanes, Recognised
from ._sizing import map_for
from ._step import starts

LARGEST = 8192  # parameters: beyond, a member no longer stays in a second-level cache
STEPS, CLOSE = 3, 1e-9  # of the self-check, and the largest relative difference


def recognised(job: Job) -> Recognised:
    """Return what a job is to kernels; found out once.

    Raises:
        NotOfTheFamily: It is nothing.
    """
    if "recognised" not in job.known:
        try:
            job.known["recognised"] = _recognised(job)
        except NotOfTheFamily as reason:
            job.known["recognised"] = reason
    found: Recognised | NotOfTheFamily = job.known["recognised"]
    if isinstance(found, NotOfTheFamily):
        raise found
    return found


def _recognised(job: Job) -> Recognised:
    if job.dtype not in (torch.float32, torch.float64):
        raise NotOfTheFamily(f"it runs in {job.dtype}, kernels in float32 or float64")
    m = map_for(job)
    _must_be_plain(m)
    inputs, target = m.field.batches.at(0)
    if not isinstance(inputs, Tensor) or not inputs.is_floating_point() or not inputs.numel():
        raise NotOfTheFamily("its input is no table of numbers")
    layers = layers_of(m.model, inputs.numel() // len(inputs))
    if inputs.numel() != len(inputs) * layers[0].layer.n_inputs:
        raise NotOfTheFamily("its input is no table of numbers")
    with torch.no_grad():
        output = m.model(inputs)
    loss = known_loss(job.training.loss, output, target)
    if loss is None:
        raise NotOfTheFamily("its loss is neither cross-entropy nor a mean square")
    groups = [_grouped(m, found) for found in layers]
    network = Network(tuple(replace(found.layer, group=group) for found, group in zip(layers, groups, strict=True)), loss.name)
    if network.n_parameters != m.n_parameters:
        raise NotOfTheFamily("it moves parameters that the layers do not have, or not all of them")
    if network.n_parameters > LARGEST:
        raise NotOfTheFamily(f"it has {network.n_parameters} parameters, more than {LARGEST}")
    columns = Columns(m, job.members)
    if not columns.has_one_memory or len({block.slots for block in m.layout.blocks}) > 1:
        raise NotOfTheFamily("members or parameter groups do not keep the same memory")
    if starts(m, job.members[:1] + job.members[-1:]).kept:
        raise NotOfTheFamily("its members differ in buffers as well")
    return Recognised(network, _descent(m, columns), loss, _order(m, layers))


def _must_be_plain(m: TrainingMap) -> None:
    reasons = (
        (m.is_replayed, "its step is its own"),
        (bool(m.layout.buffers) or bool(m.resting_buffers), "buffers change in its steps"),
        (m.layout.gradient is not None, "its gradients are never set to zero"),
        (m.training.clip_grad_norm is not None, "its gradient is clipped"),
        (m.field.randomness.is_needed, "it draws random numbers in its steps"),
        (bool(m.unused), "its loss leaves parameters out"),
    )
    for is_so, said in reasons:
        if is_so:
            raise NotOfTheFamily(said)


def _grouped(m: TrainingMap, found: FoundLayer) -> tuple[int, int]:
    """Return the parameter groups of a layer's weights and bias."""
    numbers = []
    for name in (found.weight.name, found.bias if found.bias is not None else found.weight.name):
        place = _begin(m, name)
        numbers.append(next(number for number, block in enumerate(m.layout.blocks) if block.theta.start <= place < block.theta.stop))
    return numbers[0], numbers[1]


def _begin(m: TrainingMap, name: str) -> int:
    if name not in m.layout.names:
        raise NotOfTheFamily(f"its optimizer does not move {name}")
    return sum(m.layout.sizes[: m.layout.names.index(name)])


def _descent(m: TrainingMap, columns: Columns) -> Descent:
    groups, kind = columns.groups(0), type(m.optimizer)
    if kind not in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW):
        raise NotOfTheFamily(f"its optimizer is {kind.__name__}, and not SGD, Adam or AdamW")
    if len(groups) != len(m.layout.blocks):
        raise NotOfTheFamily("one of its parameter groups moves nothing")
    if any(group.get("maximize", False) or group.get("amsgrad", False) for group in groups):
        raise NotOfTheFamily("its optimizer maximizes, or keeps AMSGrad's maximum")
    has_decay = any(bool(np.any(np.asarray(group["weight_decay"]) != 0.0)) for group in groups)
    if kind is torch.optim.SGD:
        nesterov = {bool(group["nesterov"]) for group in groups}
        if len(nesterov) > 1:
            raise NotOfTheFamily("its parameter groups follow different rules")
        has_memory = bool(m.layout.blocks[0].slots)
        return Descent("sgd", has_memory, has_memory and nesterov.pop(), "coupled" if has_decay else "none")
    decoupled = {kind is torch.optim.AdamW or bool(group.get("decoupled_weight_decay", False)) for group in groups}
    if len(decoupled) > 1:
        raise NotOfTheFamily("its parameter groups follow different rules")
    return Descent("adam", weight_decay=("decoupled" if decoupled.pop() else "coupled") if has_decay else "none")


def _order(m: TrainingMap, layers: tuple[FoundLayer, ...]) -> np.ndarray:
    """Return for each coordinate of the kernel's phase space its place in the map's."""
    parts: list[np.ndarray] = []
    for found in layers:
        rows, columns = found.layer.n_outputs, found.layer.n_inputs
        places = _begin(m, found.weight.name) + np.arange(rows * columns)
        parts.append((places.reshape(columns, rows).T if found.weight.is_transposed else places).reshape(-1))
        if found.bias is not None:
            parts.append(_begin(m, found.bias) + np.arange(rows))
    first = np.concatenate(parts)
    memory = np.empty((len(m.layout.blocks[0].memory), len(first)), np.int64)
    for block in m.layout.blocks:
        for slot, place in enumerate(block.memory):
            memory[slot, block.theta] = np.arange(place.start, place.stop)
    return np.concatenate([first, *memory[:, first]])


def disagreement(job: Job, found: Recognised) -> float:
    """Return the largest relative difference between kernel and map after three steps of the first and the last member in float64, tangents included."""
    exact = Job(job.training, (job.members[0], job.members[-1]), torch.float64, STEPS, job.n_tangents)
    m = map_for(job) if job.dtype == torch.float64 else map_for(exact)
    lanes = Lanes(exact, found, m)
    begin = lanes.states
    wanted = [_walked(exact, member, state) for member, state in zip(exact.members, begin, strict=True)]
    lanes.advance(STEPS)
    worst = max(_distance(state, expected) for state, expected in zip(lanes.states, wanted, strict=True))
    if not job.n_tangents:
        return worst
    vectors = torch.linalg.qr(torch.randn(*begin.shape, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(begin.device))[0]
    lanes.set_states(begin, time=0)
    logs = lanes.advance_with_tangents(vectors.expand(-1, -1, 1), 1).logs[0, :, 0]
    for index, member in enumerate(exact.members):
        one = _map_of(exact, member)
        carried = one.advance_tangents(begin[index], vectors[index], 0)[1]
        worst = max(worst, abs(float(logs[index] - carried.norm().log())))
    return worst


def _map_of(job: Job, member: Member) -> TrainingMap:
    made = TrainingMap(job.training, dtype=torch.float64)
    for name, value in member.settings.items():
        made.set_parameter(name, value)
    return made


def _walked(job: Job, member: Member, state: Tensor) -> Tensor:
    m = _map_of(job, member)
    for time in range(STEPS):
        state = m.advance(state, time)
    return state


def _distance(found: Tensor, expected: Tensor) -> float:
    """Return the relative distance of two states; numbers that are not finite in both do not count."""
    is_finite = torch.isfinite(expected)
    if not torch.equal(is_finite, torch.isfinite(found)):
        return float("inf")
    left, right = found[is_finite], expected[is_finite]
    return float((left - right).abs().max() / right.abs().max().clamp_min(1e-300)) if left.numel() else 0.0
