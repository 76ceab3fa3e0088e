"""A file that is written whole or not at all, so that a full disk does not cost the one that was there before."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Give a place beside ``path`` with the same ending; what is written there takes the name ``path`` at the end, and goes away after an error.

    A device or a pipe is written to directly.

    Raises:
        OSError: The file cannot take its name.

    Example:
        >>> import tempfile
        >>> place = Path(tempfile.mkdtemp()) / "map.csv"
        >>> with whole_file(place) as half:
        ...     _ = half.write_text("1,2")
        >>> place.read_text(), len(list(place.parent.iterdir()))
        ('1,2', 1)
    """
    place = Path(path)
    if place.exists() and not place.is_file():
        yield place
        return
    place = place.resolve()
    half = place.with_name(f".{place.stem}.{os.getpid()}.{threading.get_ident()}{place.suffix}")
    try:
        yield half
        half.replace(place)
    finally:
        half.unlink(missing_ok=True)
