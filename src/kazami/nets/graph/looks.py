"""What each role looks like, on white and on black."""

from typing import NamedTuple

from ...reports.figures import ACCENT, INK, MUTED, PATH


class Look(NamedTuple):
    """Colours and line of a role; an empty colour is none, ``dash`` is in points."""

    fill: str
    stroke: str
    width: float = 1.3
    dash: tuple[float, ...] = ()


LIGHT: dict[str, Look] = {
    "background": Look("#ffffff", ""),
    "plate": Look("#ffffff", ""),
    "ink": Look(INK, ""),
    "muted": Look(MUTED, ""),
    "frame-label": Look(ACCENT, ""),
    "input": Look("#ffffff", ACCENT, 2.0),
    "output": Look("#ffffff", ACCENT, 2.0),
    "hidden": Look("#ffffff", MUTED),
    "parameter": Look("#fdf6e3", "#8a6d00"),
    "buffer": Look("#fdf6e3", "#8a6d00", 1.3, (3, 2)),
    "constant": Look("#f3f5f7", MUTED, 1.3, (3, 2)),
    "layer": Look("#e3f0f6", ACCENT, 1.5),
    "recurrent": Look("#e2f3ec", "#00795a", 1.5),
    "attention": Look("#f6e8f0", "#9c4a7c", 1.5),
    "norm": Look("#f3f5f7", MUTED),
    "operation": Look("#ffffff", MUTED),
    "reshape": Look("#ffffff", "#aab4bd", 1.0),
    "decision": Look("#fdeae3", PATH, 1.8),
    "repeat-frame": Look("", ACCENT, 1.4, (6, 4)),
    "open-frame": Look("#f7fafb", "#c5d0d8", 1.0),
    "data-line": Look("", MUTED, 1.3),
    "data-head": Look(MUTED, ""),
    "skip-line": Look("", "#d55e00", 2.2),
    "skip-head": Look("#d55e00", ""),
    "weight-line": Look("", "#8a6d00", 1.1, (4, 3)),
    "weight-head": Look("#8a6d00", ""),
    "card": Look("#ffffff", INK, 1.6),
    "bar": Look("", MUTED, 0.8),
}
DARK: dict[str, Look] = {
    "background": Look("#12181e", ""),
    "plate": Look("#12181e", ""),
    "ink": Look("#e8edf1", ""),
    "muted": Look("#a4b1bc", ""),
    "frame-label": Look("#6cc3e0", ""),
    "input": Look("#12181e", "#6cc3e0", 2.0),
    "output": Look("#12181e", "#6cc3e0", 2.0),
    "hidden": Look("#12181e", "#a4b1bc"),
    "parameter": Look("#2b2510", "#d8b84a"),
    "buffer": Look("#2b2510", "#d8b84a", 1.3, (3, 2)),
    "constant": Look("#1d252c", "#a4b1bc", 1.3, (3, 2)),
    "layer": Look("#15303c", "#6cc3e0", 1.5),
    "recurrent": Look("#123329", "#4cc79b", 1.5),
    "attention": Look("#351f2d", "#e08abb", 1.5),
    "norm": Look("#1d252c", "#a4b1bc"),
    "operation": Look("#12181e", "#a4b1bc"),
    "reshape": Look("#12181e", "#5b6771", 1.0),
    "decision": Look("#3a1d14", "#ff8f6b", 1.8),
    "repeat-frame": Look("", "#6cc3e0", 1.4, (6, 4)),
    "open-frame": Look("#171f26", "#3a4650", 1.0),
    "data-line": Look("", "#a4b1bc", 1.3),
    "data-head": Look("#a4b1bc", ""),
    "skip-line": Look("", "#ff9d4d", 2.2),
    "skip-head": Look("#ff9d4d", ""),
    "weight-line": Look("", "#d8b84a", 1.1, (4, 3)),
    "weight-head": Look("#d8b84a", ""),
    "card": Look("#12181e", "#e8edf1", 1.6),
    "bar": Look("", "#a4b1bc", 0.8),
}
