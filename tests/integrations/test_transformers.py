import pytest

from tests.integrations.trainings import CASES, assert_run_and_adapter_agree, needs, program

pytestmark = [needs("transformers"), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("case", CASES)
def test_an_unmodified_script_and_the_adapter_give_the_same_findings_and_weights(case, tmp_path):
    assert_run_and_adapter_agree("transformers", case, tmp_path)


TRAINING = """
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainerCallback, TrainingArguments
from kazami.integrations.transformers import KazamiCallback
torch.manual_seed(0)
class Rows(Dataset):
    tokens, labels = torch.randint(50, (64, 12)), torch.randint(3, (64,))
    def __len__(self):
        return 64
    def __getitem__(self, i):
        return {"input_ids": self.tokens[i], "labels": self.labels[i]}
def model():
    sizes = dict(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=3)
    return BertForSequenceClassification(BertConfig(**sizes))
def trainer(callback, *others, **options):
    args = TrainingArguments("out", per_device_train_batch_size=8, num_train_epochs=4, report_to=[], save_strategy="no", use_cpu=True, **options)
    return Trainer(model(), args, train_dataset=Rows(), callbacks=[callback, *others])
"""


def test_accumulation_bfloat16_smoothing_and_clipping(tmp_path):
    told = program(
        TRAINING
        + """
callback = KazamiCallback()
trainer(callback, gradient_accumulation_steps=2, bf16=True, label_smoothing_factor=0.1, max_grad_norm=0.2, learning_rate=1e-3).train()
trace = callback.watch.trace
rows = {name: trace[name].values.tolist() for name in ("norm_before_clipping", "total_gradient_norm", "learning_rate")}
print("RESULT", json.dumps({"steps": trace.step, "closed": torch.autograd.backward is backward, **rows}))
""",
        tmp_path,
    ).told
    assert told["steps"] == 16
    assert max(told["norm_before_clipping"]) > 0.2
    assert max(told["total_gradient_norm"]) <= 0.201
    assert told["learning_rate"][-1] < told["learning_rate"][0] / 10
    assert told["closed"]


def test_what_checkpointing_hides_is_said_and_an_exception_ends_the_watching(tmp_path):
    told = program(
        TRAINING
        + """
callback = KazamiCallback()
trainer(callback, gradient_checkpointing=True).train()
blind = list(callback.watch.observer.blind)
class Failing(TrainerCallback):
    def on_step_end(self, args, state, control, **others):
        if state.global_step == 5:
            raise ValueError("mine")
other = KazamiCallback()
try:
    trainer(other, Failing()).train()
except ValueError:
    pass
print("RESULT", json.dumps([callback.watch.trace.step, blind, other.watch.trace.step, torch.autograd.backward is backward]))
""",
        tmp_path,
    ).told
    assert told[0] == 32
    assert "checkpoint" in told[1]
    assert told[2:] == [5, True]
