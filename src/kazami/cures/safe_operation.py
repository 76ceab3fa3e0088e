"""Write the operation that gave the first non-finite number so that it cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..records.finding import Finding, Prescription
from ..records.trace import Trace
from ._base import AbstractCure, bad_event, both, ended_a_storm, output_layer, path_of

if TYPE_CHECKING:
    from ..maps import Training


@dataclass(frozen=True, slots=True)
class SafeForm:
    """A form of an operation that stays finite, with its gradient.

    Attributes:
        code: The line to write.
        en: What goes wrong, in English.
        ja: The same in Japanese.
    """

    code: str
    en: str
    ja: str


_SQRT = SafeForm(
    "y = torch.sqrt(x + 1e-8)  # or torch.sqrt(x.clamp_min(1e-8))", "the derivative of a square root is infinite at 0", "平方根の導関数は 0 で無限大になります"
)
_LOG = SafeForm("y = torch.log(x.clamp_min(1e-7))  # of probabilities: F.log_softmax or F.logsigmoid", "the logarithm of 0 is -inf", "0 の対数は -inf です")
_DIV = SafeForm("y = a / (b + 1e-8)  # where b can be negative: a / b.where(b.abs() > 1e-8, 1e-8)", "the divisor is 0", "除数が 0 です")
_EXP = SafeForm(
    "y = torch.exp(x - x.amax(dim=-1, keepdim=True))  # log(1 + exp(x)) is F.softplus(x)",
    "float32 overflows above exp(88.7)",
    "float32 では exp(88.7) を超えるとあふれます",
)
_SPREAD = SafeForm(
    "y = torch.sqrt(x.var(dim=0, unbiased=False) + 1e-8)",
    "the spread of a single value is 0/0, and so is a quotient by a spread of 0",
    "値が一つのときの標準偏差は 0/0 で、0 の標準偏差による割り算も同様です",
)
_NORM = SafeForm("y = torch.sqrt(x.square().sum(dim=-1) + 1e-8)", "a quotient by the norm of a zero vector is 0/0", "零ベクトルのノルムで割ると 0/0 になります")
_SOFTMAX = SafeForm(
    "scores = scores.masked_fill(mask & ~mask.all(dim=-1, keepdim=True), float('-inf'))",
    "a row that is masked as a whole has no largest value",
    "行全体がマスクされると最大値がありません",
)
_POW = SafeForm(
    "y = x.clamp_min(1e-8) ** p",
    "a power below 1 has an infinite derivative at 0, and none below it",
    "1 未満の冪は 0 で導関数が無限大になり、負の数では定義されません",
)
_ARC = SafeForm(
    "y = torch.acos(x.clamp(-1 + 1e-6, 1 - 1e-6))",
    "the derivative of an inverse cosine or sine is infinite at ±1",
    "逆余弦・逆正弦の導関数は ±1 で無限大になります",
)
_ATAN2 = SafeForm("y = torch.atan2(a, b + 1e-8)", "the angle of the zero vector has no derivative", "零ベクトルの偏角には導関数がありません")
_LOG1P = SafeForm("y = torch.log1p(x.clamp_min(-1 + 1e-6))", "log1p is -inf at -1", "log1p は -1 で -inf になります")
_BCE = SafeForm(
    "loss = F.binary_cross_entropy_with_logits(logits, target)  # without sigmoid in the model",
    "a probability left [0, 1] or rounds to 0",
    "確率が [0, 1] を外れたか、0 に丸められています",
)
# 1e-8 under a root bounds its derivative by 5e3; 1e-7 is the spacing of float32 near 1, below which a probability holds no digits.
FORMS = {
    "sqrt": _SQRT, "rsqrt": _SQRT, "log": _LOG, "log2": _LOG, "log10": _LOG, "log1p": _LOG1P, "div": _DIV, "reciprocal": _DIV,
    "exp": _EXP, "expm1": _EXP, "sinh": _EXP, "cosh": _EXP, "std": _SPREAD, "var": _SPREAD, "norm": _NORM, "softmax": _SOFTMAX,
    "log_softmax": _SOFTMAX, "pow": _POW, "acos": _ARC, "asin": _ARC, "atan2": _ATAN2, "bce": _BCE,
}  # fmt: skip


class SafeOperation(AbstractCure):
    """Bounds the argument of a root, logarithm, quotient, exponential, norm and so on away from where its value or derivative is not finite.

    Limits:
        The bound changes values near the singular point, by design. ``x``, ``a`` and ``b`` stand for the operands in the user's code.
    """

    name: ClassVar = "safe_operation"
    treats: ClassVar = ("nan_inf", "nonfinite_weights")
    order: ClassVar = 0
    changes: ClassVar = both("Keeps the operation away from where it is not finite.", "演算が有限でなくなる点を避けます。")
    side_effects: ClassVar = both("Values closer to the singular point than the bound change.", "特異点に下限より近い値は変わります。")
    reference: ClassVar = (
        "Goldberg 1991, ACM Computing Surveys 23(1), 5-48; Blanchard, Higham and Higham 2021, IMA Journal of Numerical Analysis 41(4), 2311-2330"
    )

    def prescribe(self, finding: Finding, trace: Trace) -> Prescription | None:
        """Return the safe form of the operation that the finding names; ``None`` without one, after a growth, or for the logarithm of a softmax."""
        event = bad_event(finding, trace)
        operation = event["operation"]
        form = FORMS.get(operation)
        if form is None or ended_a_storm(finding) or event["source"] in ("batch", "target") or (operation == "log" and trace.facts.get("log_of_softmax")):
            return None
        last = output_layer(trace)
        layer = event["layer"] or (last.name if last else "")
        code = form.code.replace("torch.acos", f"torch.{operation}") if operation in ("acos", "asin") else form.code
        code = code.replace("torch.sqrt(", "torch.rsqrt(") if operation == "rsqrt" else code
        return self.prescription(
            parameters={"operation": operation, "layer": layer},
            code=f"{code}{';' if '#' in code else '  #'} after {path_of(layer)}" if layer else code,
            sentence=both(
                f"Rewrites `{operation}`{f' after `{layer}`' if layer else ''}: {form.en}.",
                f"{f'`{layer}` の後の ' if layer else ''}`{operation}` を書き換えます。{form.ja}。",
            ),
        )

    def apply(self, training: "Training", parameters: Mapping[str, Any]) -> "Training | None":
        """Return the training that calls the safe form of the operation, in model and loss; ``None`` where its first step does not call it."""
        from ._twins import with_safe_operation

        return with_safe_operation(training, parameters["operation"])
