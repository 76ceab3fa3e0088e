"""A walk as a moving picture: GIF, or HTML that plays in a browser and needs nothing else."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CannotWrite, UsageError
from ..reports.figures import INK, PATH, SERIES, drawing, new_figure
from ..reports.numerals import short
from .walk_figure import draw_ground

if TYPE_CHECKING:
    from .descents import Descent

FORMATS = (".gif", ".html")
MOST_FRAMES = 60
FRAMES_A_SECOND = 12


def animate(descent: "Descent", path: str, *, language: str = "en") -> str:
    """Write the walks of ``descent`` as a moving picture and return ``path``.

    Args:
        descent: What :func:`kazami.surfaces.descend` gave; a long walk shows every second, third, … step.
        path: A file that ends in ``.gif`` or ``.html``.
        language: ``"en"`` or ``"ja"`` (HTML frames are pictures, too: Japanese needs a font).

    Raises:
        UsageError: The ending is neither.
        CannotWrite: The place cannot be written.
    """
    if Path(path).suffix.lower() not in FORMATS:
        raise UsageError(f"A moving picture should end in {' or '.join(FORMATS)}, and is called {path!r}.")
    n_steps = descent.paths.shape[1] - 1
    frames = np.unique(np.linspace(0, n_steps, min(n_steps + 1, MOST_FRAMES)).round().astype(int)).tolist()
    with drawing():
        from matplotlib.animation import FuncAnimation, HTMLWriter, PillowWriter

        figure, axes = new_figure(width=5.6, height=4.8)
        draw_ground(axes, descent.function, language)
        title = figure.suptitle("", fontsize=11, x=0.02, ha="left", color=INK)
        colours = [PATH, *SERIES[2:]]
        lines = [axes.plot([], [], color=colours[k % len(colours)], linewidth=1.4, marker="o", markersize=2.4)[0] for k in range(len(descent.paths))]
        heads = [axes.plot([], [], color=line.get_color(), marker="o", markersize=9, markeredgecolor="white")[0] for line in lines]

        def show(step: int) -> None:
            for line, head, way in zip(lines, heads, descent.paths[:, : step + 1], strict=True):
                line.set_data(way[:, 0], way[:, 1])
                head.set_data(way[-1:, 0], way[-1:, 1])
            rate, losses = short(descent.settings.learning_rate), descent.losses[:, step]
            name = descent.method.replace("_", " ")
            title.set_text(f"{name}, η = {rate} · step {step} · loss {short(float(losses[0])) if len(losses) == 1 else '–'}")

        film = FuncAnimation(figure, show, frames=frames, interval=1000 // FRAMES_A_SECOND)
        writer = PillowWriter(fps=FRAMES_A_SECOND) if path.lower().endswith(".gif") else HTMLWriter(fps=FRAMES_A_SECOND, embed_frames=True)
        try:
            film.save(path, writer=writer, dpi=90)
        except OSError as error:
            raise CannotWrite(f"The moving picture {path} cannot be written ({error.strerror or error}).") from None
    return path
