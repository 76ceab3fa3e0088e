"""A user's own table, read from CSV text within hard bounds."""

import csv
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .refusals import Refused
from .tasks import Pair, Task

MOST_BYTES = 2_000_000
MOST_ROWS = 2000
MOST_COLUMNS = 64
MOST_CLASSES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Numbers read from a CSV file: all columns but the last are inputs, the last is the target.

    Attributes:
        inputs: Standardised, shape ``(rows, columns)``.
        targets: Class numbers ``(rows,)``, or standardised numbers ``(rows, 1)``.
        classes: Names of the classes; empty where the target is a number.
        columns: Names of the inputs.
        target: Name of the target.
        n_dropped: Rows left out because a number was missing.
    """

    inputs: NDArray[np.float64]
    targets: NDArray[np.float64] | NDArray[np.int64]
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    target: str
    n_dropped: int

    def task(self) -> Task:
        """Return it as a task of the playground."""

        def make(n: int, noise: float, rng: np.random.Generator) -> Pair:
            chosen = rng.permutation(len(self.inputs))[:n]
            return self.inputs[chosen] + 0.2 * noise * rng.normal(size=(len(chosen), self.inputs.shape[1])), self.targets[chosen]

        return Task(make, "classes" if self.classes else "numbers", self.inputs.shape[1], len(self.classes) or 1)


def read_csv(text: str) -> Table:
    """Return the table in ``text``: a header, numbers, and the target in the last column (words or few whole numbers are classes).

    Raises:
        UsageError: It is too large, not rectangular, or holds words where numbers should be.

    Example:
        >>> table = read_csv("a,b,kind\\n" + "1,2,cat\\n3,5,dog\\n" * 5)
        >>> table.classes, table.columns, table.inputs.shape
        (('cat', 'dog'), ('a', 'b'), (10, 2))
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        most, found = MOST_BYTES // 1_000_000, f"{len(text) / 1e6:.1f}"
        raise Refused(f"A table should have at most {most} MB, but this one has {found}.", f"表は {most} MB までです（今は {found} MB）。")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise Refused(
            f"The table should be CSV with commas, but it cannot be read: {error}.",
            "表はカンマ区切りの CSV にしてください（引用符の対応など、形式を確かめてください）。",
        ) from None
    if len(rows) < 9 or len(rows[0]) < 2:
        n_columns = len(rows[0]) if rows else 0
        raise Refused(
            f"A table should have a header, eight rows and two columns at least, but it has {len(rows)} lines of {n_columns}.",
            f"表には見出しと、8 行・2 列以上が必要です（今は見出しを含めて {len(rows)} 行・{n_columns} 列）。",
        )
    header, body = rows[0], rows[1:]
    if len(header) - 1 > MOST_COLUMNS or len(body) > MOST_ROWS:
        raise Refused(
            f"A table should have at most {MOST_ROWS} rows and {MOST_COLUMNS} inputs, but it has {len(body)} and {len(header) - 1}.",
            f"表は {MOST_ROWS} 行、入力 {MOST_COLUMNS} 列までです（今は {len(body)} 行、入力 {len(header) - 1} 列）。",
        )
    for number, row in enumerate(body, start=2):
        if len(row) != len(header):
            raise Refused(
                f"Line {number} should have {len(header)} cells as the header has, but it has {len(row)}.",
                f"{number} 行目のセルは、見出しと同じ {len(header)} 個にしてください（今は {len(row)} 個）。",
            )
    return _table(header, body)


def _table(header: list[str], body: list[list[str]]) -> Table:
    numbers = [[_number(cell) for cell in row] for row in body]
    for column, name in enumerate(header[:-1]):
        if all(row[column] is None for row in numbers):
            raise Refused(
                f'The column "{name[:40]}" should hold numbers, but it holds words. Only the last column may.',
                f"列「{name[:40]}」は数にしてください。言葉を入れてよいのは最後の列だけです。",
            )
    words = [row[-1].strip() for row in body]
    values = [row[-1] for row in numbers]
    whole = all(value is not None and value == int(value) for value in values)
    are_classes = any(value is None and word for value, word in zip(values, words, strict=True)) or (whole and len(set(words)) <= MOST_CLASSES)
    kept = [
        index
        for index, row in enumerate(numbers)
        if all(value is not None for value in row[:-1]) and (words[index] if are_classes else values[index] is not None)
    ]
    if len(kept) < 8:
        raise Refused(f"A table should have eight rows without gaps, but it has {len(kept)}.", f"欠損のない行が 8 行以上必要です（今は {len(kept)} 行）。")
    inputs = _standardised(np.array([numbers[index][:-1] for index in kept], dtype=np.float64))
    named = tuple(name.strip()[:40] for name in header)
    dropped = len(body) - len(kept)
    if not are_classes:
        return Table(inputs, _standardised(np.array([[values[index]] for index in kept], dtype=np.float64)), (), named[:-1], named[-1], dropped)
    classes = tuple(sorted({words[index] for index in kept}))
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise Refused(
            f"The last column should hold 2 to {MOST_CLASSES} classes, or numbers, but it holds {len(classes)} different words.",
            f"最後の列は 2 ～ {MOST_CLASSES} 種類のクラス、または数にしてください（今は {len(classes)} 種類の言葉）。",
        )
    labels = np.array([classes.index(words[index]) for index in kept])
    return Table(inputs, labels, tuple(one[:40] for one in classes), named[:-1], named[-1], dropped)


def _number(cell: str) -> float | None:
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _standardised(values: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(all="ignore"):
        spread = values.std(axis=0)
        scaled: NDArray[np.float64] = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    if not np.isfinite([spread, *scaled]).all():
        raise Refused("The table holds numbers too large to be squared.", "表の数が大きすぎて計算できません（二乗が範囲を超えます）。")
    return scaled
