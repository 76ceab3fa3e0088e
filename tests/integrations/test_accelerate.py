import pytest

from tests.integrations.trainings import CASES, assert_run_and_adapter_agree, needs, program

pytestmark = [needs("accelerate"), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("case", CASES)
def test_an_unmodified_script_and_the_adapter_give_the_same_findings_and_weights(case, tmp_path):
    assert_run_and_adapter_agree("accelerate", case, tmp_path)


def test_wrapped_optimizers_are_unwrapped_by_the_adapter_by_the_accelerator_and_by_watch_itself(tmp_path):
    told = program(
        """
import kazami
from accelerate import Accelerator
from kazami.integrations.accelerate import watch
accelerator = Accelerator(cpu=True)
model = nn.Linear(8, 3)
model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=0.1))
steps = []
for opened in (lambda: watch(model, optimizer), lambda: watch(accelerator), lambda: kazami.watch(model, optimizer)):
    with opened() as w:
        for _ in range(3):
            optimizer.zero_grad()
            accelerator.backward(nn.functional.cross_entropy(model(torch.randn(4, 8)), torch.tensor([0, 1, 2, 0])))
            optimizer.step()
    steps.append(w.trace.step)
print("RESULT", json.dumps(steps))
""",
        tmp_path,
    ).told
    assert told == [3, 3, 3]
