"""Do the widths of a network fit together? What does not is said where it is, with what would mend it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..records import Sentence
from .specs import Block, Spec


@dataclass(frozen=True, slots=True)
class Misfit:
    """A place where widths do not meet.

    Attributes:
        place: The way to the block: ``(3,)`` is the fourth block, ``(3, 0)`` the first inside it.
        sentence: What does not fit.
        remedies: Shortcuts that would fit there.
    """

    place: tuple[int, ...]
    sentence: Sentence
    remedies: tuple[str, ...]


def width_after(blocks: Sequence[Block], width: int) -> int:
    """Return the width behind ``blocks`` for an input of ``width``."""
    for one in blocks:
        width = one.width if one.kind == "linear" else width_after(one.blocks, width) if one.kind == "residual" else width
    return width


def misfits(spec: Spec, n_inputs: int) -> list[Misfit]:
    """Return every residual block whose shortcut cannot join its two ends; none where shortcuts are switched off.

    Example:
        >>> wide = Block("residual", blocks=(Block("linear", 16),))
        >>> [found.remedies for found in misfits(Spec(blocks=(Block("linear", 8), wide)), 2)]
        [('projection', 'zero_pad')]
    """
    return list(_misfits(spec.blocks, n_inputs, ())) if spec.has_shortcuts else []


def _misfits(blocks: Sequence[Block], width: int, place: tuple[int, ...]) -> Iterator[Misfit]:
    for number, one in enumerate(blocks):
        here = (*place, number)
        after = width_after([one], width)
        if one.kind == "residual":
            yield from _misfits(one.blocks, width, here)
            if (one.shortcut == "identity" and after != width) or (one.shortcut == "zero_pad" and after < width):
                yield Misfit(here, _said(one, width, after), ("projection", "zero_pad") if after > width else ("projection",))
        width = after


def _said(block: Block, before: int, after: int) -> Sentence:
    if block.shortcut == "zero_pad":
        return Sentence(
            f"{before} inputs do not fit into {after} outputs by adding zeros: use a projection.",
            f"入力が{before}個、出力が{after}個では、ゼロを足しても合わない。射影を使う。",
        )
    more = "a projection or zero padding" if after > before else "a projection"
    return Sentence(
        f"{before} ≠ {after}: the shortcut needs {more}.",
        f"{before} ≠ {after}：ショートカットには{'射影かゼロ埋め' if after > before else '射影'}が必要。",
    )
