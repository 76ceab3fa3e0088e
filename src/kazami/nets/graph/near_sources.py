"""Quantities that are read all along a very deep picture are drawn again near each reader, instead of with arrows across all of it."""

from dataclasses import replace

from .picture import Arrow, Picture

MOST_ROWS_CROSSED = 8_000  # by all such arrows together; dot puts a point on each row that an arrow crosses, and needs seconds from here on


def with_near_sources(picture: Picture) -> Picture:
    """Return a picture in which inputs, weights and constants are drawn once per reader where their arrows would cross too many rows.

    Graphviz needs time and memory by the rows that arrows cross: one weight of a loop of 200 steps crosses 200 · 200 / 2 times the rows of a step.
    Only boxes without an arrow into them are drawn again, as nothing is hidden by that; a small picture stays as it is.
    """
    rows = _rows(picture)
    fed = {arrow.target for arrow in picture.arrows}
    leaving: dict[str, list[Arrow]] = {}
    for arrow in picture.arrows:
        if arrow.source not in fed:
            leaving.setdefault(arrow.source, []).append(arrow)
    first = {source: min(rows[arrow.target] for arrow in arrows) for source, arrows in leaving.items()}
    crossed = {source: sum(rows[arrow.target] - first[source] for arrow in arrows) for source, arrows in leaving.items()}
    if sum(crossed.values()) <= MOST_ROWS_CROSSED:
        return picture
    frames = {box.id: box.frame for box in picture.boxes}
    repeated = {source for source, count in crossed.items() if count}
    boxes = [box for box in picture.boxes if box.id not in repeated]
    arrows = [arrow for arrow in picture.arrows if arrow.source not in repeated]
    for box in [box for box in picture.boxes if box.id in repeated]:
        for number, arrow in enumerate(leaving[box.id]):
            name = f"{box.id}-{number}"
            boxes.append(replace(box, id=name, frame=frames[arrow.target]))
            arrows.append(replace(arrow, source=name))
    return Picture(boxes, arrows, picture.frames)


def _rows(picture: Picture) -> dict[str, int]:
    """Return for each box how many others stand above it at least."""
    targets: dict[str, list[str]] = {}
    waiting = {box.id: 0 for box in picture.boxes}
    for arrow in picture.arrows:
        targets.setdefault(arrow.source, []).append(arrow.target)
        waiting[arrow.target] += 1
    rows = dict.fromkeys(waiting, 0)
    ready = [name for name, count in waiting.items() if not count]
    while ready:
        source = ready.pop()
        for target in targets.get(source, []):
            rows[target] = max(rows[target], rows[source] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    return rows
