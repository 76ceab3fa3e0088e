"""Made-up runs of every weather, for the tests of the reports."""

from dataclasses import dataclass

import numpy as np

from kazami.records import Evidence, Finding, Layer, Prescription, RunInfo, Sentence, Series, Trace

EVIL = "</script><img src=x onerror=alert(1)>"


@dataclass(frozen=True, slots=True)
class Run:
    """A run as a report gets it."""

    info: RunInfo
    trace: Trace
    findings: tuple[Finding, ...] = ()


def info(name: str, steps: int, **changes: object) -> RunInfo:
    fields = {
        "command": "python train.py --epochs 3 --learning-rate 0.1",
        "started": "2026-11-21T09:30:00Z",
        "ended": "2026-11-21T09:30:41Z",
        "reason": "finished",
        "exit_code": 0,
        "versions": {"python": "3.11.7", "torch": "2.13.0", "kazami": "0.1.0"},
        "environment": {"platform": "Linux x86_64", "processors": 2, "threads": 2, "device": "cpu"},
        "seeds": {"torch": 1234567, "numpy": 0, "python": "not set"},
    }
    return RunInfo(id=name, steps=steps, **(fields | changes))


def trace_of(steps: np.ndarray, wind: np.ndarray, loss: np.ndarray, names: list[str] | None = None, **changes: object) -> Trace:
    """Return a trace with this layer wind; norms are made to fit it."""
    n_layers = wind.shape[1]
    names = names or [f"fc{place + 1}" for place in range(n_layers)]
    layers = tuple(Layer(name, "linear", (64, 64), 64, 64, "sigmoid", place == n_layers - 1) for place, name in enumerate(names))
    sampled = steps.astype(np.int64)
    series = {
        "loss": Series(np.arange(1, loss.size + 1), loss),
        "layer_wind": Series(sampled, wind),
        "gradient_norm": Series(sampled, 10.0**wind * 0.3),
        "weight_norm": Series(sampled, np.full_like(wind, 7.9)),
        "update_ratio": Series(sampled, 10.0**wind * 0.01),
        "saturated_share": Series(sampled, np.clip(np.full_like(wind, 0.2) - 0.1 * wind, 0, 1)),
    }
    optimizer = {"name": "SGD", "learning_rate": 0.1, "momentum": 0.9}
    fields = {"step": loss.size, "series": series, "layers": layers, "optimizer": optimizer, "loss_kind": "cross_entropy", "trivial_loss": 2.3026}
    return Trace(**(fields | changes))


VANISHING = Finding(
    id="KZ101",
    name="vanishing_gradient",
    severity="error",
    confidence=0.97,
    step=1,
    place="fc1 … fc8",
    sentence=Sentence(
        "The gradient fades on its way back: the first layers learn nothing, because twelve sigmoids in a row each pass on at most a quarter of it.",
        "勾配が入力側へ戻る途中で消えています。シグモイドが 12 層続き、各層が勾配を 4 分の 1 以下に減らすため、浅い層は学習できません。",
    ),
    evidence=(
        Evidence(
            "attenuation from the last layer to the first",
            4.6,
            limit=3.5,
            unit="decades",
            source="update smaller than float32 resolves (docs/findings/KZ101)",
        ),
        Evidence("update / weight of fc1 against the median layer", 2.1e-4, limit=0.01, source="calibrated on patients"),
    ),
    is_primary=True,
    prescriptions=(
        Prescription(
            "xavier_initialisation",
            {},
            "for m in model.modules():\n    if isinstance(m, nn.Linear):\n        nn.init.xavier_uniform_(m.weight, gain=4.0)",
            Sentence("Initialise so that each layer passes the gradient on at its size.", "各層が勾配の大きさを保つように初期化します。"),
            0,
        ),
        Prescription(
            "relu",
            {},
            "nn.Sigmoid()  →  nn.ReLU()",
            Sentence("Use an activation that does not shrink the gradient.", "勾配を縮めない活性化関数に替えます。"),
            1,
        ),
    ),
    not_the_cause=(
        Sentence("the data: every batch is finite and scaled", "データ（どのバッチも有限で、尺度も適切）"),
        Sentence("the learning rate: eight times more changes nothing", "学習率（8 倍にしても変化なし）"),
        Sentence("precision", "数値精度"),
    ),
    wind=-2,
)
SATURATED = Finding(
    "KZ105",
    "saturated",
    "warning",
    0.72,
    120,
    "fc3",
    Sentence("Most units of fc3 are saturated.", "fc3 のユニットの大半が飽和しています。"),
    (Evidence("mean slope", 0.04, 0.1),),
    wind=-1,
)


def vanishing(n_layers: int = 12, n_steps: int = 600, name: str = "fc1") -> Run:
    """A deep sigmoid network in which hardly any gradient reaches the input."""
    random = np.random.default_rng(0)
    steps = np.unique(np.r_[np.arange(1, 20), np.arange(20, n_steps + 1, 4)])
    wind = np.linspace(-5.3, -0.8, n_layers) + 0.15 * random.standard_normal((steps.size, n_layers)) + 0.4 * np.exp(-steps / 60)[:, None]
    loss = 2.3026 + 0.05 * np.exp(-np.arange(n_steps) / 40) + 0.012 * random.standard_normal(n_steps)
    names = [name] + [f"fc{place + 1}" for place in range(1, n_layers)]
    wind_word = {"word": "dead calm", "value": -2}
    return Run(info("digits-sigmoid-12", n_steps, wind=wind_word), trace_of(steps, wind, loss, names), (VANISHING, SATURATED))


def storm() -> Run:
    """A learning rate far too high: oscillation, growth, NaN from step 83 on."""
    random = np.random.default_rng(1)
    steps = np.arange(1, 121)
    wind = -0.5 + 2.6 * ((steps / 82.0) ** 3)[:, None] + np.linspace(-0.4, 0.3, 6) + 0.25 * random.standard_normal((120, 6))
    wind[82:] = np.nan
    loss = 2.3 * np.exp((steps / 60.0) ** 3) * np.exp(0.2 * random.standard_normal(120))
    loss[82:] = np.nan
    finding = Finding(
        "KZ201",
        "lr_too_high",
        "error",
        0.95,
        41,
        "",
        Sentence("The learning rate is 33 times above the stability limit.", "学習率が安定限界の 33 倍です。"),
        (Evidence("sharpness", 6.7e3, 200.0, "", "2 / learning rate"), Evidence("loss", float("nan"), 2.3026, "", "trivial predictor")),
        True,
        (
            Prescription(
                "lower_learning_rate",
                {"factor": 0.03},
                "torch.optim.SGD(model.parameters(), lr=3e-3)",
                Sentence("Lower the learning rate.", "学習率を下げます。"),
            ),
        ),
        (Sentence("the data: finite", "データ（有限）"), Sentence("depth", "層の深さ")),
        wind=2,
    )
    lost = Finding("KZ103", "nan_inf", "error", 1.0, 83, "conv2 (exp)", Sentence("The loss became NaN.", "損失が NaN になりました。"), wind=3)
    names = ["conv1", "conv2", "conv3", "norm", "fc1", "head"]
    return Run(
        info("cifar-too-fast", 120, wind={"word": "hurricane", "value": 3}, reason="exception", exit_code=1),
        trace_of(steps, wind, loss, names),
        (finding, lost),
    )


def healthy() -> Run:
    """Nothing wrong: every layer in the healthy band."""
    random = np.random.default_rng(2)
    steps = np.arange(1, 401)
    wind = -0.7 - 0.8 * (steps / 400.0)[:, None] + 0.2 * random.standard_normal((400, 8))
    loss = 2.3 * np.exp(-steps / 90.0) * np.exp(0.12 * random.standard_normal(400)) + 0.02
    checks = ["vanishing_gradient", "exploding_gradient", "nan_inf", "dead_units", "saturated", "bad_init_scale", "lr_too_high", "lr_too_low", "no_zero_grad"]
    return Run(info("digits-relu-8", 400, trace={"facts": {"checks": checks}}, wind={"word": "breeze", "value": 0}), trace_of(steps, wind, loss))


def long_and_deep(n_layers: int = 80, n_steps: int = 3000) -> Run:
    """80 layers, 3000 steps, one cell of storm in the midst."""
    random = np.random.default_rng(3)
    steps = np.arange(1, n_steps + 1)
    wave = np.sin(steps / 300.0)[:, None] * np.linspace(2.0, 0.2, n_layers)
    wind = -1.6 + wave + 0.3 * random.standard_normal((n_steps, n_layers))
    wind[1711, 40] = 1.97
    loss = 1.0 + np.exp(-steps / 700.0) + 0.05 * random.standard_normal(n_steps)
    loss[2222] = 9.0
    names = [f"transformer.layers.{place // 4}.{('attention.query', 'attention.out', 'mlp.up', 'mlp.down')[place % 4]}" for place in range(n_layers)]
    return Run(info("transformer-80", n_steps), trace_of(steps, wind, loss, names))


def blind() -> Run:
    """No layers at all."""
    text = "The model was compiled before kazami could attach; its layers cannot be seen."
    return Run(info("compiled", 40, blind=[text]), Trace(step=40, blind=(text,)))


def one_step() -> Run:
    """Stopped after the first optimizer step."""
    return Run(info("check", 1), trace_of(np.array([1]), np.array([[-0.9, -1.0, 0.1]]), np.array([2.31])))


ALL = {"vanishing": vanishing, "storm": storm, "healthy": healthy, "long": long_and_deep, "blind": blind, "one_step": one_step}
