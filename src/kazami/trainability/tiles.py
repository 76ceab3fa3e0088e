"""A pyramid of tiles on disk, for looking at a map from afar and from near: ``<z>/<x>/<y>.npz`` and ``.png``, and a manifest."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CannotWrite, UsageError
from ..files import whole_file
from .map_figure import colours, scale_of
from .problem import Problem
from .refinement import computed_in_full, refined
from .running import Computer, Progress, chosen_runner
from .window import Window, between

Floats = NDArray[np.float64]

SIDE = 256
MANIFEST = "manifest.json"
FORMAT = 1


class TilePyramid:
    """Tiles of one map, each computed when it is asked for and kept from then on.

    Level ``z`` has ``2**z`` tiles along each axis, the whole window in all; tile (0, 0) is the upper left one, as in web maps. A pixel stands for the middle of
    its square, so that each tile is the same whoever asks for it first. All tiles have the colours of the first one.

    Args:
        directory: Where the tiles are; made if it is not there.
        problem: What is trained.
        window: What level 0 shows.
        dtype: Precision.
        side: Pixels along a tile.
        exact: Train every pixel of every tile. Otherwise the first tile is exact, and deeper ones are refined along the edge.
        engine: As for :func:`~kazami.trainability.mapping.trainability_map`.

    Raises:
        UsageError: The directory holds tiles of another map.
        CannotWrite: It cannot be written.
    """

    def __init__(
        self, directory: str | Path, problem: Problem, window: Window, *, dtype: str = "float64", side: int = SIDE, exact: bool = False, engine: str = "auto"
    ) -> None:
        """Write the manifest, or read it and compare."""
        if side < 2:
            raise UsageError(f"A tile should have at least 2 pixels along its side, but has {side}.")
        self._directory, self._problem, self._window = Path(directory), problem, window
        self._dtype, self._side, self._is_exact = dtype, side, exact
        self._runner, why = chosen_runner(problem, dtype, engine)
        spec = {"format": FORMAT, "problem": problem.fingerprint(), "window": window.to_dict(), "dtype": dtype, "side": side, "exact": exact}
        self.manifest: dict[str, Any] = {**spec, "engine": self._runner.name, "tiles": "{z}/{x}/{y}.png", "data": "{z}/{x}/{y}.npz", "y": "down from the top"}
        del why
        self._open(spec)
        self._scale: tuple[Floats, Floats] | None = None
        self.is_interrupted = False

    def _open(self, spec: dict[str, Any]) -> None:
        place = self._directory / MANIFEST
        if not place.exists():
            self._write(place, json.dumps(self.manifest, indent=1).encode())
            return
        try:
            held = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{place} should be the manifest of a pyramid, but cannot be read ({error}). Take another directory.") from None
        different = [name for name, value in spec.items() if held.get(name) != value]
        if different:
            raise UsageError(f"{self._directory} holds the tiles of another map: {', '.join(different)} differ. Take another directory, or the same settings.")
        if held.get("engine") != self._runner.name:
            raise UsageError(f"The tiles in {self._directory} were made with the engine {held.get('engine')}. Ask for engine={held.get('engine')!r}.")

    def tile(self, z: int, x: int, y: int, *, progress: Progress | None = None) -> tuple[Floats, NDArray[np.bool_]]:
        """Return values and trained pixels of a tile, the first row at the top; computed and written if it is not there yet.

        Args:
            z: Level.
            x: Column from the left, below ``2**z``.
            y: Row from the top, below ``2**z``.
            progress: As for a map.

        Raises:
            UsageError: There is no such tile.
            KeyboardInterrupt: Ctrl-C while it was computed; nothing is written then.
        """
        if z < 0 or not (0 <= x < 2**z and 0 <= y < 2**z):
            raise UsageError(f"Level {z} has the tiles 0 to {2 ** max(z, 0) - 1} along both axes, but tile ({x}, {y}) was asked for.")
        place = self.path(z, x, y)
        held = _read(place)
        if held is None:
            held = self._computed(z, x, y, progress)
            self._write_tile(place, *held, is_first=z == 0)
        return held

    def path(self, z: int, x: int, y: int) -> Path:
        """Return where the data of a tile are; its picture is beside them."""
        return self._directory / str(z) / str(x) / f"{y}.npz"

    def build(self, levels: int, *, progress: Progress | None = None) -> int:
        """Compute all tiles that are missing on levels 0 to ``levels`` - 1, and return how many there are now; Ctrl-C keeps what is done.

        Args:
            levels: How many levels.
            progress: Called with tiles done and tiles in all.
        """
        names = list(_names(levels))
        done = 0
        try:
            for done, name in enumerate(names):
                self.tile(*name)
                if progress is not None:
                    progress(done + 1, len(names))
        except KeyboardInterrupt:
            self.is_interrupted = True
            return done
        return len(names)

    def _computed(self, z: int, x: int, y: int, progress: Progress | None) -> tuple[Floats, NDArray[np.bool_]]:
        computer = Computer(self._problem, self._runner, self._dtype, progress)
        across, up = self._positions(z, x), self._positions(z, 2**z - 1 - y)
        columns, rows = between(self._window.x, across), between(self._window.y, up)
        self._window.must_be_resolved(columns, rows, self._dtype)
        compute = computer.on_grid(columns, rows, self._window)
        shape = (self._side, self._side)
        found = computed_in_full(shape, compute) if self._is_exact or z == 0 else refined(shape, compute, seed=z * 4**z + y * 2**z + x)
        if computer.is_interrupted:
            raise KeyboardInterrupt
        return found.values[::-1].copy(), found.known[::-1].copy()

    def _positions(self, z: int, place: int) -> Floats:
        return np.asarray((place * self._side + np.arange(self._side) + 0.5) / (self._side * 2**z))

    def _write_tile(self, place: Path, values: Floats, computed: NDArray[np.bool_], *, is_first: bool) -> None:
        from PIL import Image

        scale = scale_of(values) if is_first else self._first_scale()
        picture, data = io.BytesIO(), io.BytesIO()
        Image.fromarray(colours(values, computed, scale)).save(picture, format="PNG", optimize=False)
        np.savez_compressed(data, values=values, computed=computed)
        self._write(place.with_suffix(".png"), picture.getvalue())
        self._write(place, data.getvalue())  # last: a tile whose data are there is whole

    def _first_scale(self) -> tuple[Floats, Floats]:
        if self._scale is None:
            self._scale = scale_of(self.tile(0, 0, 0)[0])
        return self._scale

    def _write(self, place: Path, content: bytes) -> None:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(place) as half:
                half.write_bytes(content)
        except OSError as error:
            raise CannotWrite(f"The tile {place} cannot be written ({error.strerror or error}).") from None


def _names(levels: int) -> Iterator[tuple[int, int, int]]:
    for z in range(levels):
        for x in range(2**z):
            for y in range(2**z):
                yield z, x, y


def _read(place: Path) -> tuple[Floats, NDArray[np.bool_]] | None:
    try:
        with np.load(io.BytesIO(place.read_bytes()), allow_pickle=False) as held:
            return held["values"], held["computed"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not there, or torn
        return None
