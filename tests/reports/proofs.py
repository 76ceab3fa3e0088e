"""Made-up proofs, for the tests of their page and their text."""

import math

from kazami.records import Evidence, Finding, Prescription, Proof, ProofRow, Sentence, Tried

EVIL = "</script><img src=x onerror=alert(1)>"
DIFF = """--- train.py
+++ train.py
@@ -3,3 +3,3 @@
 model = Net()  # <b>bold</b> & "quoted" 日本語
-optimizer = torch.optim.SGD(model.parameters(), lr=9.0)
+optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""


def change(name="lower_learning_rate", code="optimizer = torch.optim.SGD(model.parameters(), lr=0.1)", **parameters):
    return Prescription(name, parameters or {"learning_rate": 0.1, "from": 9.0}, code, Sentence(f"Does {name}.", f"{name} を行います。"), 1)


FINDING = Finding(
    "KZ201",
    "lr_too_high",
    "error",
    0.95,
    4,
    "",
    Sentence("The learning rate is 33 times above the stability limit.", "学習率が安定限界の 33 倍です。"),
    (Evidence("sharpness", 6.7e3, 200.0, "", "2 / learning rate"),),
    is_primary=True,
    wind=2,
    family="step",
)


def cured(**changes):
    """Return a proof of three seeds: the change of the learning rate helped, clipping did not."""
    right, wrong = change(), change("clip_gradients", "clip()", max_norm=1.0)
    curves = tuple(tuple(2.3 * math.exp(-step / 60) + 0.01 * seed for step in range(200)) for seed in range(3))
    fields = {
        "verdict": Sentence("Cured and proved: lower_learning_rate.", "治療を証明しました：lower_learning_rate。"),
        "cured": True,
        "changes": (right,),
        "table": tuple(ProofRow(seed, 0.1 + 0.01 * seed, 0.9 + 0.01 * seed) for seed in range(3)),
        "placebo": (0.1, 0.11, 0.12),
        "measure": "accuracy",
        "tried": (
            Tried((wrong,), 200, 0.11, 0.01, Sentence("Score 0.11, gains nothing.", "上がりませんでした。")),
            Tried((right,), 200, 0.9, 0.8, Sentence("Score 0.9, gains (+0.8).", "上がりました。"), helped=True),
        ),
        "findings": (FINDING,),
        "not_the_cause": (Sentence("not the gradients: clipping them changes nothing", "勾配ではありません：クリッピングしても変化なし"),),
        "losses_before": tuple(tuple(2.3 + 0.02 * seed for _ in range(200)) for seed in range(3)),
        "losses_after": curves,
        "seconds": 12.3,
    }
    return Proof(**(fields | changes))


def run_away():
    """Return a proof whose unchanged training leaves the numbers at step 41."""
    curve = tuple(2.3 * 1.5**step for step in range(40)) + (math.nan,) * 60
    table = tuple(ProofRow(seed, None, 0.9) for seed in range(3))
    return cured(losses_before=(curve,) * 3, losses_after=cured().losses_after, table=table, placebo=())


def unproved():
    """Return a search that found nothing."""
    return cured(
        verdict=Sentence("Not cured: 1 change was tried.", "治療できませんでした。"),
        cured=False,
        changes=(),
        table=(),
        losses_after=(),
        tried=cured().tried[:1],
    )


def well():
    """Return what is said of a healthy training."""
    return Proof(verdict=Sentence("Nothing to cure.", "治療は不要です。"), cured=False, nothing_to_cure=True, losses_before=((2.0, 1.0, 0.5),), seconds=1.0)


def evil():
    """Return a proof full of a user's strings that would be markup."""
    return cured(
        verdict=Sentence(EVIL, EVIL),
        changes=(change(EVIL, EVIL),),
        tried=(Tried((change(EVIL, EVIL),), 3, None, None, Sentence(EVIL, EVIL)),),
        findings=(FINDING.replaced(id=EVIL, name=EVIL, sentence=Sentence(EVIL, EVIL)),),
        not_the_cause=(Sentence(EVIL, EVIL),),
        measure=EVIL,
    )


ALL = {"cured": cured, "run_away": run_away, "unproved": unproved, "well": well, "evil": evil}
