import pytest

from tests.integrations.trainings import CASES, assert_run_and_adapter_agree, needs, program

pytestmark = [needs("skorch"), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("case", CASES)
def test_an_unmodified_script_and_the_adapter_give_the_same_findings_and_weights(case, tmp_path):
    assert_run_and_adapter_agree("skorch", case, tmp_path)


TRAINING = """
import pickle, numpy
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch import NeuralNetClassifier
from kazami.integrations.skorch import KazamiCallback
torch.manual_seed(0)
x, y = torch.randn(128, 8).numpy(), torch.randint(3, (128,)).numpy()
net = NeuralNetClassifier(nn.Linear(8, 3), criterion=nn.CrossEntropyLoss, max_epochs=2, batch_size=16, lr=0.1, verbose=0, train_split=None,
                          callbacks=[("kazami", KazamiCallback(every=1))])
"""


def test_clones_grid_searches_and_pickles_keep_their_findings(tmp_path):
    told = program(
        TRAINING
        + """
search = GridSearchCV(net, {"lr": [0.01, 0.1]}, cv=2, scoring="accuracy").fit(x, y)
best = dict(search.best_estimator_.callbacks_)["kazami"]
again = pickle.loads(pickle.dumps(search.best_estimator_))
twin = clone(clone(net).fit(x, y)).fit(x, y)  # of a net that is trained, too
kept = dict(again.callbacks_)["kazami"]
every = dict(twin.callbacks_)["kazami"].every
print("RESULT", json.dumps([best.watch.trace.step, kept.verdict == best.verdict != "", every, torch.autograd.backward is backward]))
""",
        tmp_path,
    ).told
    assert told == [16, True, 1, True]


def test_partial_fits_are_one_watch(tmp_path):
    told = program(
        TRAINING
        + """
for _ in range(3):
    net.partial_fit(x, y)
print("RESULT", json.dumps([dict(net.callbacks_)["kazami"].watch.trace.step, torch.autograd.backward is backward]))
""",
        tmp_path,
    ).told
    assert told == [48, True]
