r"""Why a network with activations has no closed form: its derivatives are exact, but setting them to zero gives no linear equation, and no single solution."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import UsageError
from ..records import Sentence
from ..reports.numerals import short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
REACH_W, REACH_B = 6.0, 8.0  # where stationary points are looked for
STARTS = 17  # per axis
SMALLEST_CURVATURE = 1e-6  # flatter points are tails of the plateau at infinity, not points


@dataclass(frozen=True, slots=True)
class StationaryPoint:
    r"""Where the gradient vanishes.

    Attributes:
        w: Weight.
        b: Bias.
        loss: :math:`C(w, b)`.
        gradient_norm: :math:`\lVert \nabla C \rVert` there.
        eigenvalues: Of the Hessian there, rising.
        kind: By their signs.
    """

    w: float
    b: float
    loss: float
    gradient_norm: float
    eigenvalues: tuple[float, float]
    kind: Literal["minimum", "saddle", "maximum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoClosedForm:
    r"""The stationary points of one neuron :math:`\tanh(w x + b)` fitted to data, and the same without the activation.

    Attributes:
        x: Inputs.
        y: Targets.
        points: All stationary points found, lowest loss first.
        linear_point: The only one of :math:`w x + b`.
        defect: :math:`\lVert \nabla C(\tfrac{p+q}{2}) - \tfrac12(\nabla C(p) + \nabla C(q)) \rVert / \lVert \nabla C(p) - \nabla C(q) \rVert`, the median over
            random pairs: 0 for a gradient that is linear in the weights.
        linear_defect: The same without the activation.
    """

    x: Array
    y: Array
    points: tuple[StationaryPoint, ...]
    linear_point: StationaryPoint
    defect: float
    linear_defect: float

    @property
    def minima(self) -> tuple[StationaryPoint, ...]:
        """The minima among the points, lowest loss first."""
        return tuple(point for point in self.points if point.kind == "minimum")

    @property
    def sentence(self) -> Sentence:
        """What was found, in one sentence."""
        losses = ", ".join(short(point.loss) for point in self.minima)
        return Sentence(
            f"Without an activation the equation for a vanishing gradient is linear in the weights and has one solution; with tanh it is not (defect "
            f"{short(self.defect)} instead of {short(self.linear_defect)}) and has {len(self.points)}: {len(self.minima)} are minima, with losses {losses}.",
            f"活性化関数がなければ「勾配 = 0」は重みの線形方程式で、解は 1 つです。tanh があると線形ではなく"
            f"（ずれ {short(self.defect)}、なしでは {short(self.linear_defect)}）、"
            f"解は {len(self.points)} 個、うち極小は {len(self.minima)} 個で、損失は {losses} です。",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the demonstration as plain data."""
        from dataclasses import asdict

        return {
            "x": self.x.tolist(),
            "y": self.y.tolist(),
            "points": [{**asdict(point), "eigenvalues": list(point.eigenvalues)} for point in self.points],
            "linear_point": {**asdict(self.linear_point), "eigenvalues": list(self.linear_point.eigenvalues)},
            "defect": self.defect,
            "linear_defect": self.linear_defect,
            "sentence": {"en": self.sentence.en, "ja": self.sentence.ja},
        }

    def figure(self, language: str = "en") -> "Figure":
        """Return the loss over both weights with its stationary points, with and without the activation."""
        from ..reports.figures import ACCENT, INK, PATH, drawing, new_figure

        japanese = language == "ja"
        titles = ("tanh なし: 解は 1 つ", f"tanh あり: 解は {len(self.points)} 個") if japanese else ("without tanh: one", f"with tanh: {len(self.points)}")
        with drawing():
            figure, axes = new_figure(1, 2, width=8.4, height=3.9)
            for panel, points, squash, title in zip(axes, ((self.linear_point,), self.points), (False, True), titles, strict=True):
                w, b = np.meshgrid(np.linspace(-4, 4, 121), np.linspace(-5, 5, 121))
                panel.contour(w, b, _losses(w, b, self.x, self.y, squash=squash), levels=24, colors=INK, linewidths=0.5, alpha=0.55)
                for point in points:
                    is_minimum = point.kind == "minimum"
                    panel.plot(point.w, point.b, "o" if is_minimum else "X", color=ACCENT if is_minimum else PATH, markersize=8, markeredgecolor="white")
                    panel.annotate(short(point.loss), (point.w, point.b), xytext=(7, 4), textcoords="offset points", fontsize=9)
                panel.set(xlabel="w", ylabel="b", title=title)
                panel.grid(visible=False)
            figure.suptitle(
                "勾配が 0 になる点（● 極小、✕ 鞍点、数値は損失）" if japanese else "Where the gradient vanishes (● minimum, ✕ saddle; numbers are losses)",
                x=0.01,
                ha="left",
                fontsize=11,
            )
        return figure


def no_closed_form(x: ArrayLike | None = None, y: ArrayLike | None = None, *, seed: int = 0) -> NoClosedForm:
    r"""Find all stationary points of one neuron :math:`\tanh(w x + b)` with the mean squared error, next to the one of :math:`w x + b`.

    Args:
        x: Inputs, shape ``(examples,)``. By default seven points of a bump, whose rising and whose falling edge one neuron can fit, but not both.
        y: Targets, same shape.
        seed: Seeds the pairs of weights at which linearity is tested.

    Raises:
        UsageError: Shapes do not fit.

    Limits:
        Newton's method from a grid of starts finds isolated points with :math:`|w| \le 6, |b| \le 8`; it proves that there are as many as it finds, not that
        there are no others. Plateaus, where the gradient fades towards infinity, do not count.

    References:
        Auer, Herbster and Warmuth 1995, "Exponentially many local minima for single neurons".

    Example:
        >>> found = no_closed_form()
        >>> len(found.minima), max(point.gradient_norm for point in found.points) < 1e-10
        (3, True)
    """
    inputs = np.arange(-3.0, 4.0) if x is None else np.asarray(x, dtype=float)
    targets = np.array([-0.8, -0.8, 0.8, 0.8, 0.8, -0.8, -0.6]) if y is None else np.asarray(y, dtype=float)
    if inputs.ndim != 1 or inputs.shape != targets.shape or len(inputs) < 2 or np.ptp(inputs) == 0:
        raise UsageError(
            f"x and y should be of one shape (examples,) with two different inputs or more, and have the shapes {inputs.shape} and {targets.shape}."
        )
    points = _stationary_points(inputs, targets)
    slope, shift = np.polyfit(inputs, targets, 1)
    linear = _point(np.array([slope, shift]), inputs, targets, squash=False)
    defects = [_defect(inputs, targets, squash=squash, seed=seed) for squash in (True, False)]
    return NoClosedForm(x=inputs, y=targets, points=points, linear_point=linear, defect=defects[0], linear_defect=defects[1])


def _losses(w: Array, b: Array, x: Array, y: Array, *, squash: bool) -> Array:
    total = w[..., None] * x + b[..., None]
    return np.asarray(np.mean(((np.tanh(total) if squash else total) - y) ** 2, axis=-1))


def _derivatives(theta: Array, x: Array, y: Array, *, squash: bool) -> tuple[Array, Array]:
    r"""Return gradient and Hessian, both exact: :math:`t = \varphi(z)`, :math:`t' = 1 - t^2`, :math:`t'' = -2 t t'`."""
    z, rows = theta[0] * x + theta[1], np.stack([x, np.ones_like(x)], axis=1)
    t = np.tanh(z) if squash else z
    first = 1 - t**2 if squash else np.ones_like(z)
    second = -2 * t * first if squash else np.zeros_like(z)
    gradient = 2 / len(x) * rows.T @ ((t - y) * first)
    hessian = 2 / len(x) * (rows * (first**2 + (t - y) * second)[:, None]).T @ rows
    return gradient, hessian


def _stationary_points(x: Array, y: Array) -> tuple[StationaryPoint, ...]:
    found: list[StationaryPoint] = []
    for w in np.linspace(-4, 4, STARTS):
        for b in np.linspace(-6, 6, STARTS):
            theta = _newton(np.array([w, b]), x, y)
            point = None if theta is None else _point(theta, x, y, squash=True)
            if point is not None and not any(np.hypot(point.w - other.w, point.b - other.b) < 1e-5 for other in found):
                found.append(point)
    return tuple(sorted(found, key=lambda point: point.loss))


def _newton(theta: Array, x: Array, y: Array) -> Array | None:
    """Return the isolated stationary point that Newton's method ends in, ``None`` if it leaves or the place is flat."""
    for _ in range(60):
        gradient, hessian = _derivatives(theta, x, y, squash=True)
        if abs(np.linalg.det(hessian)) < SMALLEST_CURVATURE**2:
            return None
        step = np.linalg.solve(hessian, gradient)
        theta = theta - step * min(1.0, 0.5 / max(float(np.linalg.norm(step)), 1e-300))  # no leaps, so that near points are found first
        if abs(theta[0]) > REACH_W or abs(theta[1]) > REACH_B:
            return None
        if np.linalg.norm(step) < 1e-13:
            flattest = np.abs(np.linalg.eigvalsh(hessian)).min()
            return theta if flattest > SMALLEST_CURVATURE and np.linalg.norm(gradient) < 1e-12 else None
    return None


def _point(theta: Array, x: Array, y: Array, *, squash: bool) -> StationaryPoint:
    gradient, hessian = _derivatives(theta, x, y, squash=squash)
    low, high = np.linalg.eigvalsh(hessian)
    kind: Literal["minimum", "saddle", "maximum"] = "minimum" if low > 0 else "saddle" if high > 0 else "maximum"
    loss = float(_losses(np.array(theta[0]), np.array(theta[1]), x, y, squash=squash))
    return StationaryPoint(float(theta[0]), float(theta[1]), loss, float(np.linalg.norm(gradient)), (float(low), float(high)), kind)


def _defect(x: Array, y: Array, *, squash: bool, seed: int) -> float:
    generator = np.random.default_rng(seed)
    found = []
    for p, q in generator.normal(size=(32, 2, 2)):
        at_p, at_q, between = (_derivatives(theta, x, y, squash=squash)[0] for theta in (p, q, (p + q) / 2))
        found.append(np.linalg.norm(between - (at_p + at_q) / 2) / np.linalg.norm(at_p - at_q))
    return float(np.median(found))
