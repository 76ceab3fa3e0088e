"""Seeds for trainings that always begin at the same weights, as one taken from a script does."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..maps import Training
from ..maps.training import untouched_randomness
from ..records.estimate import Remark

SAME = Remark(
    "This training begins at the same weights whatever its seed (a script's own). For further seeds the entries of each weight tensor are shuffled, which is "
    "another draw of every initialisation that draws its entries independently.",
    "この学習はシードによらず同じ重みから始まる（スクリプトの重み）。別のシードでは各重みテンソルの要素を並べ替える。要素ごとに独立な初期化なら別の抽選と同じ。",
)


@dataclass(frozen=True, slots=True)
class Shuffled:
    """A model factory whose weights depend on the seed.

    Args:
        make: The training's own factory.
        seed: With this seed the weights stay as they are.
    """

    make: Any
    seed: int

    def __call__(self, *arguments: Any, **keywords: Any) -> nn.Module:
        """Return the model, its weights shuffled by the seed that torch has."""
        seed = torch.initial_seed()
        model: nn.Module = self.make(*arguments, **keywords)
        if seed == self.seed:
            return model
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in model.parameters():
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.reshape(-1)[order].reshape(parameter.shape))
        return model


def with_seeds(training: Training) -> tuple[Training, tuple[Remark, ...]]:
    """Return a training whose initial weights depend on its seed, and what has to be said about it.

    Args:
        training: Returned as it is if two seeds give two models.

    Limits:
        An orthogonal initialisation does not stay orthogonal when its entries are shuffled.
    """
    with untouched_randomness():
        first, second = (list(training.replaced(seed=training.seed + add).start().model.parameters()) for add in (0, 1))
    if any(not torch.equal(a, b) for a, b in zip(first, second, strict=True)):
        return training, ()
    return training.replaced(model=Shuffled(training.model, training.seed)), (SAME,)
