"""A picture of what a network's first layer looks for."""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ...errors import UsageError
from ...reports.figures import ACCENT, PATH, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_FILTERS = 64


def first_layer_figure(model: nn.Module, layer: str | None = None, language: str = "en") -> "Figure":
    """Return the weights of the first layer, one small image per unit: blue for negative, red for positive, white for zero.

    Convolutions show their filters (averaged over input channels), linear layers on square images show the image, others one strip per unit.

    Args:
        model: Any module.
        layer: Name of another layer than the first with a weight matrix.
        language: ``"en"`` or ``"ja"``.

    Raises:
        UsageError: There is no such layer, or none with a weight matrix.
    """
    name, weight = _weight(model, layer)
    images = _images(weight)[:MAX_FILTERS]
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    limit = float(images.abs().max()) or 1.0
    with drawing():
        from matplotlib.colors import LinearSegmentedColormap

        colours = LinearSegmentedColormap.from_list("weights", [ACCENT, "white", PATH])
        figure, axes = new_figure(rows, columns, width=6.0, height=0.6 + 5.2 * rows / columns, squeeze=False)
        shown: Any = None
        for number, axis in enumerate(axes.flat):
            axis.set_axis_off()
            if number < len(images):
                shown = axis.imshow(images[number].numpy(), cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto")
        bar = figure.colorbar(shown, ax=axes, fraction=0.04)
        bar.set_label("重み（無次元）" if language == "ja" else "weight (no unit)")
        n = len(weight)
        title = (
            f"{name} の {len(images)} 個のユニットが探しているもの（全 {n} 個）"
            if language == "ja"
            else f"What {len(images)} of the {n} units of {name} look for"
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    return figure


def _weight(model: nn.Module, layer: str | None) -> tuple[str, Tensor]:
    for name, module in model.named_modules():
        if layer is not None and name != layer:
            continue
        weight = getattr(module, "weight", None)
        if isinstance(weight, Tensor) and weight.dim() >= 2 and not isinstance(module, nn.Embedding):
            return name or type(module).__name__, weight.detach().double().cpu()
    wanted = f"a layer {layer!r} with a weight matrix" if layer else "a layer with a weight matrix"
    raise UsageError(f"The model should have {wanted}, and has none.")


def _images(weight: Tensor) -> Tensor:
    """Return one image per unit, shape ``(units, height, width)``."""
    if weight.dim() == 4:
        return weight.mean(1)
    if weight.dim() > 2:
        return weight.flatten(2).mean(1)[:, None] if weight.dim() == 3 else weight.mean((1, 2))
    side = math.isqrt(weight.shape[1])
    return weight.reshape(len(weight), side, side) if side * side == weight.shape[1] and side > 2 else torch.unsqueeze(weight, 1)
