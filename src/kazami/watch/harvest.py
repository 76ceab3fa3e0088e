"""From a script to a model and a training: runs the script for its first steps, and keeps what is needed to start the same training again.

Kept are a copy of the model before its first step, the first batches, the loss as a tape, the optimizer with its settings and rates, and on request the
weights along the way. The harvest is checked: the training made of it must reproduce the script's own losses, and says how many it does.
"""

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training
from ..maps.training import needs_closure
from ..records import Sentence
from . import hooks
from .arrival import when_imported
from .names import living_modules, roots
from .replay import OptimizerSeen, Recorded, StepSeen, numbered_batches, plain_batches, reproduced_losses, training_of
from .script import ScriptEnd, StopTraining, run_script
from .tape import Program, Recorder, leaves, merged, recording, replaced, up_to_last_part
from .target import Target

MOST_BATCH_BYTES = 256 * 2**20
MOST_PATH_BYTES = 512 * 2**20
MOST_BATCHES = 1000
N_CHECKED = 10


def harvest(name: str, arguments: Sequence[str] = (), *, as_module: bool = False, steps: int = 1, record_trajectory: bool = False) -> Target:
    """Run a script for ``steps`` optimizer steps, and return its model, its first batch and its training.

    Args:
        name: Path of the script, or name of a module.
        arguments: The script's own.
        as_module: Run as ``python -m name``.
        steps: Optimizer steps to see, at least 1.
        record_trajectory: Keep the weights before the first and after each step (thinned evenly where they would take more than 512 MiB).

    Returns:
        The target. ``training`` is ``None`` where none could be made of what was seen, and ``why_no_training`` says why.

    Raises:
        UsageError: The script ended before any module was called.

    Limits:
        One process, one thread. Losses computed through tensors that were changed in place through another view, and models that hold on to a state between
        steps outside of parameters and buffers, are not reproduced. The replay of a script with autocast runs without it. Compiled models run uncompiled.
    """
    seen = _Harvester(steps, record_trajectory=record_trajectory)
    end = run_script(name, arguments, as_module=as_module, before=seen.begin, after=seen.end)
    if not seen.modules and not seen.steps:
        why = f" ({end.exception})" if end.exception else ""
        raise UsageError(f"{name} ended{why} before any model was called, so there is nothing to look at. Name module:function instead.")
    return seen.target(name)


class _Harvester:
    """Listens to a script, and keeps what a training is made of."""

    def __init__(self, n_steps: int, *, record_trajectory: bool) -> None:
        self.n_steps = n_steps
        self.steps: list[StepSeen] = []
        self.modules: dict[int, tuple[nn.Module, nn.Module | None, tuple[Any, ...], dict[str, Any]]] = {}  # the script's, our copy, its first arguments
        self._recorder = Recorder(self._module_called)
        self._recording = recording(self._recorder)
        self._optimizers: list[torch.optim.Optimizer] = []
        self._optimizer_seen: OptimizerSeen | None = None
        self._bare: dict[int, tuple[str, Tensor, Tensor]] = {}  # the script's tensor with its name and its first value
        self._now = _StepNow()
        self._n_steps = 0
        self._batch_bytes = 0
        self._originals: dict[int, Tensor] = {}
        self._is_untaped = False
        self._uses_autocast = False
        self._path = _Path() if record_trajectory else None

    # -- the run

    def begin(self) -> None:
        """Begin to listen once torch is there."""
        when_imported("torch", self._torch_arrived)

    def _torch_arrived(self) -> None:
        torch.compiler.set_stance("force_eager")
        hooks.add_listener(self)
        self._recording.__enter__()

    def end(self, end: ScriptEnd) -> None:
        """Stop listening."""
        del end
        self._recording.__exit__()
        hooks.remove_listener(self)
        torch.compiler.set_stance("default")

    def _module_called(self, module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        module = unwrapped(module)
        if self._now.random_state is None and torch.is_grad_enabled():
            self._now.random_state = torch.get_rng_state()
        self._uses_autocast |= torch.is_autocast_enabled("cpu")
        is_known = id(module) in self.modules
        if is_known and (self._optimizers or not torch.is_grad_enabled()):
            return
        first = _detached((arguments, keywords)) if not is_known or torch.is_grad_enabled() else self.modules[id(module)][2:]
        self.modules[id(module)] = (module, _copied(module), *first)  # before the first step the newest counts: initialisation may take several forwards

    # -- what hooks tell

    def backward_begins(self, tensors: tuple[Tensor, ...]) -> None:
        """Keep the program that led here."""
        starts = [self._originals.get(id(tensor), tensor) for tensor in tensors]
        self._now.losses.append(sum(float(root.detach().sum()) for root in starts))
        state = self._now.random_state
        self._now.is_random |= state is not None and not torch.equal(state, torch.get_rng_state())
        if self._batch_bytes > MOST_BATCH_BYTES or len(self.steps) >= MOST_BATCHES:
            return
        program = self._recorder.program(starts, self._name)
        if program is None:
            self._is_untaped = True
            return
        self._now.programs.append(program)
        self._batch_bytes += sum(constant.nbytes for constant in program.constants)

    def backward_ended(self) -> None:
        """Nothing to do."""

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """Learn to know the optimizer, and its rates at this step."""
        if optimizer not in self._optimizers:
            self._optimizers.append(optimizer)
        if self._optimizer_seen is None:
            self._learn(optimizer)
        if optimizer is self._optimizers[0]:
            self._now.rates = [float(group.get("lr", float("nan"))) for group in optimizer.param_groups]
        if self._path is not None and not self._path.steps:
            self._path.add(0, self._weights())

    def step_ended(self, optimizer: torch.optim.Optimizer) -> None:
        """Close the step; after the last one wanted, end the script."""
        if optimizer is not self._optimizers[0]:
            self._now = _StepNow()  # that was another player's loss
            return
        self._n_steps += 1
        if self._path is not None:
            self._path.add(self._n_steps, self._weights())
        if self._now.programs and len(self.steps) == self._n_steps - 1:  # no gap: the replay takes step after step
            self.steps.append(self._now.seen(is_evaluated_often=needs_closure(optimizer)))
        self._now = _StepNow()
        self._recorder.forget()
        self._originals.clear()
        if self._n_steps >= self.n_steps:
            raise StopTraining

    def clipped(self, total_norm: Any, limit: Any) -> None:
        """Keep the limit."""
        del total_norm
        self._now.clip = float(limit)

    def scaled(self, scaled: Any, original: Any) -> None:
        """A scaled loss stands for the loss itself."""
        if isinstance(scaled, Tensor) and isinstance(original, Tensor):
            self._originals[id(scaled)] = original
            self._recorder._alive.append(scaled)

    def scale_updated(self) -> None:
        """Nothing to do."""

    def noticed(self, what: str) -> None:
        """Nothing to do."""
        del what

    # -- names

    def _roots(self) -> list[nn.Module]:
        """Return the called modules that are no part of another called one."""
        called = [known[0] for known in self.modules.values()]
        return [module for module in called if not any(module is part for other in called if other is not module for part in other.modules())]

    def _name(self, thing: Any) -> str:
        if isinstance(thing, nn.Module):
            return self._module_name(unwrapped(thing))
        for module in self._roots():
            for path, weight in module.named_parameters(remove_duplicate=False):
                if weight is thing:
                    return f"{self._module_name(module)}.{path}"
        if id(thing) not in self._bare:
            name = _global_name(thing) or _path_in_a_model(thing) or f"weight{len(self._bare)}"
            self._bare[id(thing)] = (name, thing, thing.detach().clone())
        return self._bare[id(thing)][0]

    def _module_name(self, module: nn.Module) -> str:
        called = self._roots()
        names = [(_global_name(root) or type(root).__name__.lower()).replace(".", "_") for root in called]
        for position, root in enumerate(called):
            name = names[position] if names.count(names[position]) == 1 else f"{names[position]}{position}"
            for path, part in root.named_modules():
                if part is module:
                    return f"{name}.{path}" if path else name
        raise UsageError(f"The module {type(module).__name__} was called inside of no module that is known.")

    def _learn(self, optimizer: torch.optim.Optimizer) -> None:
        groups = []
        for group in optimizer.param_groups:
            settings = {key: copy.deepcopy(value) for key, value in group.items() if key != "params" and not key.startswith("_") and key != "initial_lr"}
            groups.append({**settings, "params": [self._name(weight) for weight in group["params"]]})
        self._optimizer_seen = OptimizerSeen(type(optimizer), groups, copy.deepcopy(optimizer.state_dict()))

    # -- what it gives

    def target(self, name: str) -> Target:
        """Return what was seen as a target."""
        said: list[Sentence] = []
        training, why = self._training(said)
        model, example, keywords = self._looked_at(said)
        if model is None:
            raise UsageError(f"{name} has a model that cannot be copied ({why}). Name module:function instead, which returns a new one.")
        path = self._path
        return Target(
            name=name,
            model=model,
            example=example,
            keywords=keywords,
            training=training,
            why_no_training=why,
            losses=[step.loss for step in self.steps],
            trajectory=path.rows() if path is not None and path.steps else None,
            trajectory_steps=path.steps if path is not None else [],
            said=said,
        )

    def _looked_at(self, said: list[Sentence]) -> tuple[nn.Module | None, tuple[Any, ...], dict[str, Any]]:
        """Return the model with its first arguments: the called module that holds all weights, else all modules joined as the script joins them."""
        sizes = {key: sum(weight.numel() for weight in known[0].parameters()) for key, known in self.modules.items()}
        main = max(sizes, key=lambda key: sizes[key], default=None)
        whole = sum(sizes[id(root)] for root in self._roots()) + sum(weight.numel() for _, weight, _ in self._bare.values())
        if main is not None and (sizes[main] == whole or not self.steps):
            return self.modules[main][1:]
        if not self.steps:
            return None, (), {}
        program = up_to_last_part(self.steps[0].program) or self.steps[0].program
        said.append(
            Sentence(
                "The script joins several modules or bare tensors by itself; they are looked at as one model, up to the last module (else up to the loss).",
                "スクリプトは複数のモジュールやテンソルを自分でつないでいるため、最後のモジュール（なければ損失）までを一つのモデルとして扱います。",
            )
        )
        return self._recorded([program]), tuple(program.constants), {}

    def _training(self, said: list[Sentence]) -> tuple[Training | None, str]:
        if self._optimizer_seen is None or not self.steps:
            return None, "no optimizer step was seen" if self._optimizer_seen is None else "its loss is computed by other means than torch functions"
        try:
            made = self._made_training()
            checked, count = reproduced_losses(made, [step.loss for step in self.steps[:N_CHECKED]], tolerance=0.05 if self._uses_autocast else 1e-4)
        except Exception as error:  # whatever a stranger's optimizer or module does when it is made again
            return None, f"making it again failed: {type(error).__name__}: {error}"
        n_checked = min(len(self.steps), N_CHECKED)
        if count == 0:
            return None, "the training made of what was seen does not reproduce the script's first loss"
        said.append(_what_was_taken(made, self._n_steps, count, n_checked))
        if len(self._optimizers) > 1:
            said.append(
                Sentence(
                    f"The script steps {len(self._optimizers)} optimizers; only the first one was taken.",
                    f"スクリプトはオプティマイザを {len(self._optimizers)} 個使っていますが、最初の 1 個だけを取り出しました。",
                )
            )
        return checked, ""

    def _made_training(self) -> Training:
        seen = self._optimizer_seen
        if seen is None:
            raise UsageError("no optimizer step was seen")
        for original in self._roots():
            if self.modules[id(original)][1] is None:
                raise UsageError(f"{type(original).__name__} cannot be copied")
        plain = plain_batches(self.steps) if len(self.modules) == 1 and not self._bare else None
        if plain is not None:
            ((original, model, _, _),) = self.modules.values()
            prefix = self._module_name(original) + "."
            groups = [{**group, "params": [name.removeprefix(prefix) for name in group["params"]]} for group in seen.groups]
            return training_of(model, plain[0], plain[1], OptimizerSeen(seen.kind, groups, seen.state), self.steps)  # type: ignore[arg-type]
        programs, batches = numbered_batches(self.steps)
        return training_of(self._recorded(programs), lambda output, target: output, batches, seen, self.steps)

    def _recorded(self, programs: Sequence[Program]) -> Recorded:
        copies = {self._module_name(original): self.modules[id(original)][1] for original in self._roots()}
        parts = {name: part for name, part in copies.items() if part is not None}
        return Recorded(parts, {name: first for name, _, first in self._bare.values()}, programs)

    def _weights(self) -> Tensor:
        """Return all weights as one vector, in the order of the training's model."""
        tensors: list[Tensor] = [weight for module in self._roots() for weight in module.parameters()]
        tensors += [weight for _, weight, _ in self._bare.values()]
        return torch.cat([weight.detach().flatten().to("cpu", torch.float32, copy=True) for weight in tensors])


@dataclass(slots=True)
class _StepNow:
    """What is seen of the step that is under way."""

    programs: list[Program] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    random_state: Tensor | None = None
    is_random: bool = False
    clip: float | None = None

    def seen(self, *, is_evaluated_often: bool) -> StepSeen:
        """Return the whole step; an optimizer that evaluates a closure often starts from the first evaluation."""
        n = 1 if is_evaluated_often else len(self.programs)
        return StepSeen(merged(self.programs[:n]), sum(self.losses[:n]), self.rates, self.random_state, self.is_random, self.clip)


class _Path:
    """Weights along the way; where they would take too much memory every second one is dropped."""

    def __init__(self) -> None:
        self.steps: list[int] = []
        self._rows: list[Tensor] = []
        self._stride = 1

    def add(self, step: int, weights: Tensor) -> None:
        if step % self._stride:
            return
        self.steps.append(step)
        self._rows.append(weights)
        if sum(row.nbytes for row in self._rows) > MOST_PATH_BYTES:
            self.steps, self._rows, self._stride = self.steps[::2], self._rows[::2], 2 * self._stride

    def rows(self) -> Tensor:
        return torch.stack(self._rows)


def unwrapped(module: nn.Module) -> nn.Module:
    """Return the user's own module inside what ``torch.compile`` and the parallel wrappers put around it."""
    while True:
        inner = getattr(module, "_orig_mod", None)
        if inner is None and type(module).__name__ in ("DistributedDataParallel", "DataParallel"):
            inner = module.module
        if not isinstance(inner, nn.Module):
            return module
        module = inner


def _copied(module: nn.Module) -> nn.Module | None:
    try:
        return copy.deepcopy(module)
    except Exception:  # tensors that are no leaves, open files, locks …
        return None


def _detached(tree: Any) -> Any:
    return replaced(tree, lambda leaf: leaf.detach().clone() if isinstance(leaf, Tensor) else leaf)


def _global_name(thing: Any) -> str:
    """Return the name that the script itself gave to a tensor or module, empty where it has none."""
    main = vars(sys.modules["__main__"])
    return next((name for name, value in list(main.items()) if value is thing and not name.startswith("_")), "")


def _path_in_a_model(weight: Tensor) -> str:
    """Return the path of a weight in the living module that holds it, for a script that calls ``model.forward`` by itself; empty where none does."""
    for root in roots(living_modules()):
        for path, own in root.named_parameters():
            if own is weight:
                return f"{_global_name(root) or type(root).__name__.lower()}.{path}".replace(".", "_")  # a parameter's name has no dots
    return ""


def _what_was_taken(training: Training, n_steps: int, count: int, n_checked: int) -> Sentence:
    inputs = next(iter(training.batches()))[0]
    shapes = ", ".join("×".join(map(str, tensor.shape)) or "scalar" for tensor in list(leaves(inputs))[:4])
    en = f"Taken from the script: its model, {len(list(training.batches()))} batch(es) ({shapes}), loss and optimizer, from its first {n_steps} step(s)"
    ja = f"スクリプトから取り出したもの：モデル、バッチ {len(list(training.batches()))} 個（{shapes}）、損失、オプティマイザ（最初の {n_steps} ステップ）"
    return Sentence(f"{en}; {count} of {n_checked} losses checked are reproduced.", f"{ja}。確認した損失 {n_checked} 個のうち {count} 個を再現しました。")
