"""From a script to a model and a training: runs the script for its first steps, and keeps what is needed to start the same training again.

Kept are a copy of the model before its first step, the first batches, the loss as a tape, the optimizer with its settings and rates, and on request the
weights along the way. The harvest is checked: the training made of it must reproduce the script's own losses, and says how many it does.
"""

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import UsageError
from ..maps import Training
from ..maps.training import needs_closure
from ..records import Sentence
from . import hooks
from .arrival import when_imported
from .harvest_words import JOINED, MIXED, only_one_of, what_differs, what_was_taken
from .program import Made, Program, leaves, merged, replaced, up_to_last_part
from .replay import OptimizerSeen, Recorded, StepSeen, numbered_batches, plain_batches, reproduced_losses, training_of
from .script import ScriptEnd, StopTraining, run_script
from .script_names import global_name, names_of_roots, path_in_a_model, unwrapped
from .tape import Recorder, recording
from .target import Target
from .weight_path import WeightPath, fingerprint

MOST_BATCH_BYTES = 256 * 2**20
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
    if end.reason == "interrupted":
        raise KeyboardInterrupt
    if not seen.modules and not seen.steps:
        why = f" ({end.exception})" if end.exception else ""
        if seen.is_elsewhere:
            raise UsageError(f"{name} trains in a thread of its own, which is not followed. Call its training from the main thread, or name module:function.")
        raise UsageError(f"{name} ended{why} before any model was called, so there is nothing to look at. Name module:function instead.")
    return seen.target(name)


class _Harvester:
    """Listens to a script, and keeps what a training is made of."""

    def __init__(self, n_steps: int, *, record_trajectory: bool) -> None:
        self.n_steps = n_steps
        self.steps: list[StepSeen] = []
        self.modules: dict[int, tuple[nn.Module, nn.Module | None, tuple[Any, ...], dict[str, Any]]] = {}  # the script's, our copy, its first arguments
        self.is_elsewhere, self.awaits_end, self.rest = False, True, None
        self._thread = threading.get_ident()
        self._recorder = Recorder(self._module_called, self._module_lent)
        self._recording = recording(self._recorder)
        self._lent: dict[int, tuple[nn.Module, tuple[Any, ...], dict[str, Any]]] = {}
        self._optimizers: list[torch.optim.Optimizer] = []
        self._optimizer_seen: OptimizerSeen | None = None
        self._things: dict[str, Any] = {}  # what the programs and the optimizer name; the names that people see are given at the end
        self._first_values: dict[int, Tensor] = {}  # of weights that are used outside of called modules
        self._now = _StepNow()
        self._n_steps = 0
        self._n_by_hand = 0
        self._batch_bytes = 0
        self._originals: dict[int, Tensor] = {}
        self._uses_autocast = False
        self._differences: set[str] = set()
        self._last_weights, self._last_gradients = list[float](), list[float]()
        self._path = WeightPath() if record_trajectory else None

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
        if not self.modules:  # by now they have their own weights again
            self.modules = {key: (module, _copied(module), *given) for key, (module, *given) in self._lent.items()}  # type: ignore[misc]

    def _module_called(self, module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        module = unwrapped(module)
        self._uses_autocast |= torch.is_autocast_enabled("cpu")
        is_known = id(module) in self.modules
        if is_known and (self._optimizers or not torch.is_grad_enabled()):
            return
        first = _detached((arguments, keywords)) if not is_known or torch.is_grad_enabled() else self.modules[id(module)][2:]
        self.modules[id(module)] = (module, _copied(module), *first)  # before the first step the newest counts: initialisation may take several forwards

    def _module_lent(self, module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        if id(module) not in self._lent:
            is_plain = not any(torch._C._functorch.is_functorch_wrapped_tensor(tensor) for tensor in leaves((arguments, keywords)))
            self._lent[id(module)] = (module, *(_detached((arguments, keywords)) if is_plain else ((), {})))

    # -- what hooks tell

    def backward_begins(self, tensors: tuple[Tensor, ...]) -> None:
        """Keep where backward begins, and what the losses are."""
        if not self._now.programs:  # else the optimizer is looking around with a closure
            self._look_at_weights()
            if self._now.roots and self._gradients_are_zero():
                self._now = _StepNow()  # a step that the script has left out
        starts = [self._originals.get(id(tensor), tensor) for tensor in tensors]
        self._now.losses.append(sum(float(root.detach().sum()) for root in starts))
        places = self._recorder.places(starts)
        if places is not None and self._batch_bytes <= MOST_BATCH_BYTES and len(self.steps) < MOST_BATCHES:
            self._now.roots.append(places)

    def _trained(self) -> list[Tensor]:
        """Return what the optimizer moves; all weights of the models while none is known."""
        if self._optimizers:
            return [weight for group in self._optimizers[0].param_groups for weight in group["params"]]
        return [weight for module in self._roots() for weight in module.parameters() if weight.requires_grad]

    def _gradients_are_zero(self) -> bool:
        gradients = [weight.grad for weight in self._trained()]
        return bool(gradients) and all(gradient is None or not bool(gradient.to_dense().any()) for gradient in gradients)

    def _look_at_weights(self) -> None:
        """Note whether the weights have been changed since the last look; without an optimizer that is a step made by hand."""
        if self._n_steps > N_CHECKED:
            return
        now = fingerprint(self._trained())
        has_changed = len(now) == len(self._last_weights) and now != self._last_weights
        self._last_weights = now
        if has_changed:
            self._differences.add("weights")
            self._n_by_hand += not self._optimizers
            if not self._optimizers and self._n_by_hand >= self.n_steps:
                raise StopTraining

    def backward_ended(self) -> None:
        """Keep what tells the gradients from others."""
        if self._optimizers and self._n_steps <= N_CHECKED:
            self._last_gradients = fingerprint(weight.grad for weight in self._trained())

    def step_begins(self, optimizer: torch.optim.Optimizer) -> None:
        """Learn to know the optimizer, and its settings at this step."""
        self.is_elsewhere |= threading.get_ident() != self._thread
        if optimizer not in self._optimizers:
            self._optimizers.append(optimizer)
        if optimizer is not self._optimizers[0]:
            return
        if self._optimizer_seen is None:
            self._learn(optimizer)
        if len(optimizer.param_groups) != len(self._optimizer_seen.groups if self._optimizer_seen else ()):
            self._differences.add("groups")
        if self._now.clip is None and not self._originals and self._last_gradients and self._n_steps <= N_CHECKED:
            self._differences |= {"gradients"} if fingerprint(weight.grad for weight in self._trained()) != self._last_gradients else set()
        self._now.settings = [{key: value for key, value in group.items() if isinstance(value, float | int | tuple)} for group in optimizer.param_groups]
        trained = {id(weight) for weight in self._trained()}
        self._now.programs = [self._recorder.program(roots, self._token, trained) for roots in self._now.roots]
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
            self._batch_bytes += sum(constant.nbytes for constant in self.steps[-1].program.constants)
        self._now = _StepNow()
        self._recorder.forget()
        self._originals.clear()
        self._last_weights, self._last_gradients = fingerprint(self._trained()) if self._n_steps <= N_CHECKED else [], []
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
        """Note what the replay does not do."""
        if what == "tensor_hooks":
            self._differences.add("hooks")

    # -- names

    def _roots(self) -> list[nn.Module]:
        """Return the called modules that are no part of another called one."""
        called = [known[0] for known in self.modules.values()]
        return [module for module in called if not any(module is part for other in called if other is not module for part in other.modules())]

    def _token(self, thing: Any) -> str:
        """Return a stand-in for the name of a module or a bare weight, and keep the weight's first value where no called module holds it."""
        thing = unwrapped(thing) if isinstance(thing, nn.Module) else thing
        self._things[str(id(thing))] = thing
        is_new = isinstance(thing, Tensor) and id(thing) not in self._first_values
        if is_new and not any(thing is weight for module in self._roots() for weight in module.parameters()):
            self._first_values[id(thing)] = thing.detach().clone()
        return str(id(thing))

    def _bare(self) -> dict[str, Tensor]:
        """Return the weights that no called module holds, by name."""
        held = {id(weight) for module in self._roots() for weight in module.parameters()}
        bare = [thing for thing in self._things.values() if isinstance(thing, Tensor) and id(thing) not in held]
        return {global_name(weight) or path_in_a_model(weight) or f"weight{number}": weight for number, weight in enumerate(bare)}

    def _names(self) -> dict[int, str]:
        """Return the names of all modules and weights, by identity: paths below the roots, and those of bare weights."""
        names = {id(weight): name for name, weight in self._bare().items()}
        roots = self._roots()
        for name, root in zip(names_of_roots(roots), roots, strict=True):
            inside = [*root.named_modules(), *root.named_parameters()]
            names |= {id(thing): f"{name}.{path}" if path else name for path, thing in inside}
        return names

    def _learn(self, optimizer: torch.optim.Optimizer) -> None:
        groups = []
        for group in optimizer.param_groups:
            settings = {key: copy.deepcopy(value) for key, value in group.items() if key != "params" and not key.startswith("_") and key != "initial_lr"}
            groups.append({**settings, "params": [self._token(weight) for weight in group["params"]]})
        self._optimizer_seen = OptimizerSeen(type(optimizer), groups, copy.deepcopy(optimizer.state_dict()))

    def _leave_out_the_untrained(self) -> None:
        """Forget the modules that neither lead to the loss nor are trained: teachers, averages, opponents."""
        used = {id(self._things[token]) for step in self.steps for token in step.program.names()} | {id(weight) for weight in self._trained()}
        roots = [root for root in self._roots() if any(id(thing) in used for thing in (*root.modules(), *root.parameters()))]
        kept = {id(part) for root in roots for part in root.modules()}
        self.modules = {key: known for key, known in self.modules.items() if key in kept}

    def _give_names(self) -> None:
        """Put names in the place of the stand-ins, now that all modules are known."""
        if self.steps:
            self._leave_out_the_untrained()
        by_identity = self._names()
        names = {token: by_identity.get(id(thing), token) for token, thing in self._things.items()}
        self.steps = [replace(step, program=step.program.renamed(names)) for step in self.steps]
        if self._optimizer_seen is not None:
            groups = [{**group, "params": [names[token] for token in group["params"]]} for group in self._optimizer_seen.groups]
            self._optimizer_seen = replace(self._optimizer_seen, groups=groups)

    # -- what it gives

    def target(self, name: str) -> Target:
        """Return what was seen as a target."""
        said: list[Sentence] = []
        self._give_names()
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
            trajectory=path.rows(*self._order()) if path is not None and path.steps else None,
            trajectory_steps=path.steps if path is not None else [],
            said=said,
        )

    def _looked_at(self, said: list[Sentence]) -> tuple[nn.Module | None, tuple[Any, ...], dict[str, Any]]:
        """Return the model with its first arguments: the called module that holds all weights, else all modules joined as the script joins them."""
        sizes = {key: sum(weight.numel() for weight in known[0].parameters()) for key, known in self.modules.items()}
        main = max(sizes, key=lambda key: sizes[key], default=None)
        whole = sum(sizes[id(root)] for root in self._roots()) + sum(weight.numel() for weight in self._bare().values())
        if main is not None and (sizes[main] == whole or not self.steps):
            return self.modules[main][1:]
        if not self.steps:
            return None, (), {}
        program = up_to_last_part(self.steps[0].program) or self.steps[0].program
        said.append(JOINED)
        return self._recorded([program]), tuple(program.constants), {}

    def _training(self, said: list[Sentence]) -> tuple[Training | None, str]:
        if self._optimizer_seen is None:
            return None, "its weights are changed by hand, not by an optimizer of torch" if self._n_by_hand else "no optimizer step was seen"
        if not self.steps:
            return None, "its loss is computed by other means than torch functions"
        try:
            made = self._made_training()
            checked, count = reproduced_losses(made, [step.loss for step in self.steps[:N_CHECKED]], tolerance=0.05 if self._uses_autocast else 1e-4)
        except Exception as error:  # whatever a stranger's optimizer or module does when it is made again
            return None, f"making it again failed: {type(error).__name__}: {error}"
        n_checked = min(len(self.steps), N_CHECKED)
        differs = what_differs(count, self._differences | ({"optimizers"} if len(self._optimizers) > 1 else set()))
        if count == 0:
            return None, f"the training made of what was seen does not reproduce the script's first loss. {differs.en.removesuffix('.')}"
        said.append(what_was_taken(made, self._n_steps, count, n_checked))
        said += [differs] if count < n_checked else []
        said += [MIXED] if self._uses_autocast else []
        said += [only_one_of(len(self._optimizers))] if len(self._optimizers) > 1 else []
        return checked, ""

    def _made_training(self) -> Training:
        seen = self._optimizer_seen
        if seen is None:
            raise UsageError("no optimizer step was seen")
        for original in self._roots():
            if self.modules[id(original)][1] is None:
                raise UsageError(f"{type(original).__name__} cannot be copied")
        plain = plain_batches(self.steps) if len(self.modules) == 1 and not self._bare() else None
        if plain is not None:
            ((original, model, _, _),) = self.modules.values()
            prefix = self._names()[id(original)] + "."
            groups = [{**group, "params": [name.removeprefix(prefix) for name in group["params"]]} for group in seen.groups]
            return training_of(model, plain[0], plain[1], OptimizerSeen(seen.kind, groups, seen.state), self.steps)  # type: ignore[arg-type]
        programs, batches = numbered_batches(self.steps)
        return training_of(self._recorded(programs), lambda output, target: output, batches, seen, self.steps)

    def _recorded(self, programs: Sequence[Program]) -> Recorded:
        names = self._names()
        copies = {names[id(original)]: self.modules[id(original)][1] for original in self._roots()}
        parts = {name: part for name, part in copies.items() if part is not None}
        return Recorded(parts, {name: self._first_values[id(weight)] for name, weight in self._bare().items()}, programs)

    def _weights(self) -> Iterator[Tensor]:
        """Yield all weights that are known."""
        yield from {id(weight): weight for module in self._roots() for weight in module.parameters()}.values()
        yield from self._bare().values()

    def _order(self) -> tuple[list[int], Callable[[int], Tensor]]:
        """Return the weights' identities in the order of the training's model, and their first values."""
        first: dict[int, Tensor] = {}
        for original, kept, *_ in (self.modules[id(module)] for module in self._roots()):
            first |= {} if kept is None else {id(weight): value for weight, value in zip(original.parameters(), kept.parameters(), strict=True)}
        order = [*(id(weight) for weight in self._bare().values()), *first]  # a module's own weights come before those of its parts
        return order, lambda key: first[key] if key in first else self._first_values[key]


@dataclass(slots=True)
class _StepNow:
    """What is seen of the step that is under way."""

    roots: list[list[Made]] = field(default_factory=list)
    programs: list[Program] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)
    clip: float | None = None

    def seen(self, *, is_evaluated_often: bool) -> StepSeen:
        """Return the whole step; an optimizer that evaluates a closure often starts from the first evaluation."""
        n = 1 if is_evaluated_often else len(self.programs)
        return StepSeen(merged(self.programs[:n]), sum(self.losses[:n]), self.settings, self.clip)


def _copied(module: nn.Module) -> nn.Module | None:
    try:
        return copy.deepcopy(module)
    except Exception:  # tensors that are no leaves, open files, locks …
        return None


def _detached(tree: Any) -> Any:
    return replaced(tree, lambda leaf: leaf.detach().clone() if isinstance(leaf, Tensor) else leaf)
