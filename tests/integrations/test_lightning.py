import pytest

from tests.integrations.trainings import CASES, assert_run_and_adapter_agree, needs, program

pytestmark = [needs("lightning"), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("case", CASES)
def test_an_unmodified_script_and_the_adapter_give_the_same_findings_and_weights(case, tmp_path):
    assert_run_and_adapter_agree("lightning", case, tmp_path)


TRAINING = """
import lightning as L
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from kazami.integrations.lightning import KazamiCallback
torch.manual_seed(0)
data = torch.utils.data.DataLoader([(torch.randn(16, 8), torch.randint(3, (16,))) for _ in range(8)], batch_size=None)

class Net(L.LightningModule):
    fails_at = None
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    def training_step(self, batch, index):
        if self.fails_at is not None and self.global_step >= self.fails_at:
            raise self.error
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])
    def validation_step(self, batch, index):
        self.log("val_loss", nn.functional.cross_entropy(self.net(batch[0]), batch[1]))
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=1e-2)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)]

def fit(net, callback, **options):
    quiet = dict(logger=False, enable_model_summary=False, enable_progress_bar=False, accelerator="cpu")
    L.Trainer(callbacks=[callback, *options.pop("others", [])], **{**quiet, "enable_checkpointing": False, **options}).fit(net, data, data)
"""


def test_what_the_optimizer_consumed_is_recorded_with_clipping_accumulation_and_bfloat16(tmp_path):
    told = program(
        TRAINING
        + """
callback = KazamiCallback()
fit(Net(), callback, max_epochs=4, precision="bf16-mixed", gradient_clip_val=0.05, accumulate_grad_batches=2, enable_checkpointing=True,
    others=[EarlyStopping("val_loss", patience=50), ModelCheckpoint(dirpath="saved", monitor="val_loss")])
trace = callback.watch.trace
rows = {name: trace[name].values.tolist() for name in ("norm_before_clipping", "total_gradient_norm", "learning_rate")}
print("RESULT", json.dumps({"steps": trace.step, "validation": len(trace["validation_loss"].values), "closed": torch.autograd.backward is backward, **rows}))
""",
        tmp_path,
    ).told
    assert told["steps"] == 16
    assert told["validation"] == 4  # the sanity check is none
    assert min(told["norm_before_clipping"]) > 0.05
    assert max(told["total_gradient_norm"]) <= 0.0501
    assert sorted(set(told["learning_rate"]), reverse=True) == pytest.approx([0.01, 0.005, 0.0025, 0.00125])
    assert told["closed"]


@pytest.mark.parametrize("error", ["ValueError('mine')", "KeyboardInterrupt()"])
def test_an_exception_ends_the_watching_and_keeps_what_was_seen(error, tmp_path):
    text = f"""
net, callback = Net(), KazamiCallback()
net.fails_at, net.error = 5, {error}
try:
    fit(net, callback, max_epochs=2)
except BaseException as caught:
    assert type(caught) in (ValueError, SystemExit, KeyboardInterrupt), caught
print("RESULT", json.dumps({{"steps": callback.watch.trace.step, "closed": torch.autograd.backward is backward, "verdict": callback.verdict}}))
"""
    told = program(TRAINING + text, tmp_path).told
    assert told["steps"] == 5
    assert told["closed"]
    assert told["verdict"]


def test_two_optimizers_by_hand_are_two_players(tmp_path):
    told = program(
        TRAINING
        + """
class Two(Net):
    automatic_optimization = False
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.other = nn.Linear(8, 3)
    def training_step(self, batch, index):
        for optimizer, part in zip(self.optimizers(), (self.net, self.other)):
            optimizer.zero_grad()
            self.manual_backward(nn.functional.cross_entropy(part(batch[0]), batch[1]))
            optimizer.step()
    def configure_optimizers(self):
        return [torch.optim.SGD(self.net.parameters(), lr=0.1), torch.optim.SGD(self.other.parameters(), lr=0.2)]
callback = KazamiCallback()
fit(Two(), callback, max_epochs=1)
print("RESULT", json.dumps([[len(trace["learning_rate"].values), trace["learning_rate"].values[-1]] for trace in callback.watch.observer.traces()]))
""",
        tmp_path,
    ).told
    assert told == [[8, 0.1], [8, 0.2]]


def test_a_strategy_whose_findings_would_be_lost_is_refused(tmp_path):
    ended = program(
        TRAINING + 'if __name__ == "__main__":\n    fit(Net(), KazamiCallback(), max_epochs=1, strategy="ddp_spawn", devices=2)\n', tmp_path, code=1
    )
    assert "whose findings would be lost" in ended.err
