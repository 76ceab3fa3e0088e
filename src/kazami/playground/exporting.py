"""A session as a PyTorch script that trains the same network on the same data to the same numbers."""

import inspect
import re
from typing import Any

from . import loop, parts
from .building import build
from .refusals import Refused
from .specs import Spec
from .tasks import TASKS

_HEAD = '''"""Made in the playground of kazami; trains the same network on the same data to the same numbers."""

import numpy as np
import torch
from torch import nn
'''


def exported(spec: Spec, steps: int = 500) -> str:
    """Return Python source that trains the session's network for ``steps`` steps and prints its losses.

    Raises:
        UsageError: The task is a table of the user's own, which the script would not have.

    Example:
        >>> from .specs import Block
        >>> "nn.Linear(2, 3)" in exported(Spec(task="xor", blocks=(Block("linear", 3), Block("activation"))))
        True
    """
    task = TASKS.get(spec.task)
    if task is None:
        raise Refused(
            "A script can be written for the built-in tasks; your own table is not part of it.",
            "スクリプトを書き出せるのは組み込みの課題だけです。自分の表は含められません。",
        )
    code = build(spec, task).code
    used = [part for name, part in vars(parts).items() if inspect.isclass(part) and part.__module__ == parts.__name__ and f"{name}(" in code]
    functions: list[Any] = [task.make, parts.initialise, loop.make_optimizer, loop.batches, loop.take_step]
    sources = "\n\n".join(_plain(inspect.getsource(one)) for one in (*used, *functions))
    targets = "torch.tensor(targets)" + ("" if task.kind == "classes" else ".double()")
    return f"""{_HEAD}

{sources}

steps = {steps}
inputs, targets = {task.make.__name__}({spec.samples}, {spec.noise!r}, np.random.default_rng({spec.seed}))
inputs, targets = torch.tensor(inputs), {targets}

torch.manual_seed({spec.seed})
model = {code}.double()
initialise(model, {spec.initialisation!r}, {spec.gain!r})
optimizer = make_optimizer(model, {spec.optimizer!r}, {spec.learning_rate!r})

torch.manual_seed({spec.seed})  # of the dropout masks, if there are any
for step, chosen in zip(range(1, steps + 1), batches(len(inputs), {spec.batch_size}, {spec.seed})):
    loss = take_step(model, optimizer, inputs[chosen], targets[chosen], {spec.clip!r})
    if step == 1 or step % 100 == 0 or step == steps:
        print(step, float(loss))
"""


def _plain(source: str) -> str:
    """Return source without the annotations that would need more imports."""
    source = re.sub(r"\) -> [^\n]+:\n", "):\n", source)
    return re.sub(r"(\(|, )(\w+): (?:[\w.]+(?:\[[^\]]*\])?(?: \| None)?)(?=[,)])", r"\1\2", source).strip() + "\n"
