import pytest

from tests.integrations.trainings import CASES, assert_run_and_adapter_agree, needs, program

pytestmark = [needs("ignite"), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("case", CASES)
def test_an_unmodified_script_and_the_adapter_give_the_same_findings_and_weights(case, tmp_path):
    assert_run_and_adapter_agree("ignite", case, tmp_path)


def test_an_exception_is_still_raised_and_ends_the_watching(tmp_path):
    told = program(
        """
from ignite.engine import Events, create_supervised_trainer
from kazami.integrations.ignite import attach
model = nn.Linear(8, 3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
trainer = create_supervised_trainer(model, optimizer, nn.CrossEntropyLoss())
watched = attach(trainer, model, optimizer)
@trainer.on(Events.ITERATION_COMPLETED(once=5))
def fail():
    raise ValueError("mine")
raised = False
try:
    trainer.run([(torch.randn(16, 8), torch.randint(3, (16,)))] * 8)
except ValueError:
    raised = True
print("RESULT", json.dumps([raised, watched.watch.trace.step, watched.verdict != "", torch.autograd.backward is backward]))
""",
        tmp_path,
    ).told
    assert told == [True, 5, True, True]
