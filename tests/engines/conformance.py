"""What every engine must do: the orbits of the plain PyTorch loop, within the tolerance it declares."""

import torch
from torch import nn

from kazami.engines import Job, Member, engine_named
from kazami.maps import Training

OPTIMIZERS = {
    "sgd": lambda m: torch.optim.SGD(m.parameters(), 0.1),
    "momentum": lambda m: torch.optim.SGD(m.parameters(), 0.05, momentum=0.9, weight_decay=1e-3),
    "nesterov": lambda m: torch.optim.SGD(m.parameters(), 0.05, momentum=0.9, nesterov=True),
    "adam": lambda m: torch.optim.Adam(m.parameters(), 0.01),
    "adamw": lambda m: torch.optim.AdamW(m.parameters(), 0.01),
    "rmsprop": lambda m: torch.optim.RMSprop(m.parameters(), 0.01),
}


def training(optimizer: str = "sgd", *, dropout: float = 0.0, norm: bool = False, **more) -> Training:
    """Return a small training in float64 with three batches in a pass."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(24, 3, generator=generator, dtype=torch.float64)
    labels = (inputs[:, 0] * inputs[:, 1] > 0).long()
    batches = [(inputs[begin : begin + 8], labels[begin : begin + 8]) for begin in (0, 8, 16)]

    def model() -> nn.Module:
        middle = nn.BatchNorm1d(5) if norm else nn.Identity()
        return nn.Sequential(nn.Linear(3, 5), middle, nn.Tanh(), nn.Dropout(dropout), nn.Linear(5, 2)).double()

    parts = {"model": model, "optimizer": OPTIMIZERS[optimizer], "loss": nn.functional.cross_entropy, "batches": lambda: batches, "steps": 50}
    return Training(**{**parts, **more})


def members(optimizer: str = "sgd") -> list[Member]:
    """Return six members: three seeds, two learning rates."""
    rate = OPTIMIZERS[optimizer](nn.Linear(1, 1)).param_groups[0]["lr"]
    return [Member(seed, {"learning_rate": factor * rate}) for seed in range(3) for factor in (1.0, 0.5)]


def job(given: Training, wanted: list[Member], **more) -> Job:
    """Return what an engine is asked to run, in float64."""
    return Job(given, tuple(wanted), torch.float64, given.steps, **more)


def plain_loop(given: Training, member: Member, steps: int) -> tuple[list[float], torch.Tensor]:
    """Return losses and final parameters of the user's own loop, written out here once more."""
    run = given.replaced(seed=given.seed if member.seed is None else member.seed).start()
    for group in run.optimizer.param_groups:
        group["lr"] = member.settings.get("learning_rate", group["lr"])
    batches, losses = list(given.batches()), []
    for number in range(steps):
        run.optimizer.zero_grad()
        inputs, target = batches[number % len(batches)]
        loss = given.loss(run.model(inputs), target)
        loss.backward()
        run.optimizer.step()
        losses.append(float(loss.detach()))
    return losses, torch.cat([parameter.detach().reshape(-1) for parameter in run.model.parameters()])


def assert_gives_the_orbits_of_the_plain_loop(name: str, optimizer: str, steps: int = 50) -> None:
    """Assert that the engine's losses and parameters are those of the plain loop."""
    assert_gives_these_orbits(name, training(optimizer), members(optimizer), steps)


def assert_gives_these_orbits(name: str, given: Training, wanted: list[Member], steps: int = 50) -> None:
    """Assert that losses and parameters of any training are those of the plain loop."""
    engine = engine_named(name)
    assert engine.refusal(job(given, wanted)) is None
    together = engine.open(job(given, wanted))
    losses = together.advance(steps).T
    assert together.time == steps
    tolerance = max(engine.tolerance, 1e-12)
    for index, member in enumerate(wanted):
        expected, parameters = plain_loop(given, member, steps)
        torch.testing.assert_close(losses[index], torch.tensor(expected, dtype=torch.float64), rtol=tolerance, atol=tolerance)
        model = given.start().model
        together.write_into(model, index)
        got = torch.cat([parameter.detach().reshape(-1) for parameter in model.parameters()])
        torch.testing.assert_close(got, parameters, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(together.states[index, : len(parameters)], parameters, rtol=tolerance, atol=tolerance)


def assert_goes_on_from_any_state(name: str, optimizer: str) -> None:
    """Assert that states read and set again lead the same way, the optimizer's memory included."""
    given, wanted, engine = training(optimizer), members(optimizer), engine_named(name)
    first, second = engine.open(job(given, wanted)), engine.open(job(given, wanted))
    for _ in range(4):
        first.step()
        second.step()
    kept = first.states.clone()
    first.step()
    after = first.states.clone()
    second.set_states(kept)
    second.step()
    torch.testing.assert_close(second.states, after, rtol=1e-10, atol=1e-12)


def assert_leaves_the_random_streams_alone(name: str) -> None:
    """Assert that nobody notices an ensemble being run."""
    given, wanted = training(dropout=0.3), members()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    together = engine_named(name).open(job(given, wanted))
    together.step()
    assert torch.equal(before, torch.get_rng_state())


def assert_carries_tangents(name: str, optimizer: str) -> None:
    """Assert that vectors go through the derivative that central differences of the plain loop measure, and that the orbit does not notice."""
    given, wanted, engine = training(optimizer), members(optimizer), engine_named(name)
    with_them, without = (engine.open(job(given, wanted, n_tangents=n)) for n in (2, 0))
    for each in (with_them, without):
        each.advance(5)
    begin, length = with_them.states, 1e-7
    generator = torch.Generator().manual_seed(1)
    sizes = begin.abs()[:, :, None]  # a second moment near zero cannot be moved far to both sides
    vectors = torch.linalg.qr(sizes * torch.randn(*begin.shape, 2, generator=generator, dtype=torch.float64))[0]
    grown = with_them.advance_with_tangents(vectors, 5, every=2)
    torch.testing.assert_close(grown.losses, without.advance(5), rtol=1e-9, atol=1e-11)
    assert tuple(grown.logs.shape) == (3, len(wanted), 2)
    sides = []
    for sign in (1.0, -1.0):
        beside = engine_named("eager").open(job(given, wanted))
        beside.set_states(begin + sign * length * vectors[:, :, 0], time=5)
        beside.advance(5)
        sides.append(beside.states)
    measured = torch.linalg.vector_norm((sides[0] - sides[1]) / (2.0 * length), dim=1).log()
    torch.testing.assert_close(grown.logs[:, :, 0].sum(dim=0), measured, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(grown.vectors.mT @ grown.vectors, torch.eye(2, dtype=torch.float64).expand(len(wanted), 2, 2), rtol=0.0, atol=1e-9)


def assert_agrees_with_the_loop(name: str, given: Training, wanted: list[Member] | None = None, steps: int = 9) -> None:
    """Assert that an engine gives losses, states, buffers, written modules and tangents of the plain loop, member by member."""
    rate = given.optimizer(given.model()).param_groups[0]["lr"]
    wanted = wanted or [Member(seed, {"learning_rate": factor * rate}) for seed in range(3) for factor in (1.0, 0.5)]
    engine = engine_named(name)
    assert engine.refusal(job(given, wanted, n_tangents=2)) is None
    runs = [each.open(job(given, wanted, n_tangents=2)) for each in (engine, engine_named("eager"))]
    losses = [run.advance(steps) for run in runs]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(runs[0].states, runs[1].states, rtol=1e-9, atol=1e-11)
    models = [given.model(), given.model()]
    for run, model in zip(runs, models, strict=True):
        run.write_into(model, 3)
    for (key, found), expected in zip(models[0].state_dict().items(), models[1].state_dict().values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11, msg=key)
    generator = torch.Generator().manual_seed(1)
    vectors = torch.linalg.qr(torch.randn(*runs[0].states.shape, 2, generator=generator, dtype=torch.float64))[0]
    grown = [run.advance_with_tangents(vectors, 3, every=2) for run in runs]
    torch.testing.assert_close(grown[0].logs, grown[1].logs, rtol=1e-7, atol=1e-7)
    torch.testing.assert_close(runs[0].states, runs[1].states, rtol=1e-9, atol=1e-11)
    for run in runs:
        run.close()
