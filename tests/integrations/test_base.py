import copy
import json
import pickle

import pytest
import torch
from torch import nn

from kazami.errors import CannotWatch, UsageError
from kazami.integrations._base import AbstractCallback, Attachment
from tests.sinks.strangers import Keeping


def train(optimizer, model, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(torch.ones(4, 2)), torch.zeros(4, 1)).backward()
        optimizer.step()


def fit(attachment, steps, *, fails=False):
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    attachment.begin(model, optimizer)
    train(optimizer, model, steps)
    assert attachment.watch.trace.step == steps
    assert torch.autograd.backward is not BACKWARD, "it goes on while the framework trains"
    if fails:
        raise KeyboardInterrupt
    attachment.close()


BACKWARD = torch.autograd.backward


def test_before_the_training_there_is_nothing():
    attachment = Attachment()
    assert (attachment.findings, attachment.verdict) == ([], "")
    with pytest.raises(CannotWatch, match="no watch yet"):
        _ = attachment.watch


def test_an_exception_that_nobody_tells_of_ends_the_watching_at_the_first_question():
    attachment = Attachment(fit)
    with pytest.raises(KeyboardInterrupt):
        fit(attachment, 3, fails=True)
    assert attachment.verdict
    assert torch.autograd.backward is BACKWARD


def test_copies_and_pickles_keep_findings_and_options_but_no_watch(tmp_path):
    attachment = Attachment(run=str(tmp_path / "run"), every=1)
    fit(attachment, 3)
    for twin in (copy.deepcopy(attachment), pickle.loads(pickle.dumps(attachment))):
        assert twin.verdict == attachment.verdict != ""
        fit(twin, 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "run-2", "run-3"]


def test_the_same_optimizer_goes_on_in_the_same_watch():
    attachment, model = Attachment(), nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        attachment.begin(model, optimizer)
        train(optimizer, model, 4)
        attachment.close()
    assert attachment.watch.trace.step == 12


def test_a_forgotten_callback_takes_its_hooks_away():
    attachment, model = Attachment(), nn.Linear(2, 1)
    attachment.begin(model)
    del attachment
    assert torch.autograd.backward is BACKWARD


class Callback(AbstractCallback):
    """What the callbacks of all frameworks have in common."""

    def __init__(self, **options):
        self.attachment_ = Attachment(**options)


def test_a_callback_offers_what_the_watch_offers():
    callback = Callback()
    assert (callback.findings, callback.verdict) == ([], "")
    fit(callback.attachment_, 3)
    callback.close()
    assert callback.watch is callback.attachment_.watch
    assert callback.verdict == callback.watch.verdict


def test_every_training_gets_sinks_of_its_own(tmp_path):
    own = Keeping()
    attachment = Attachment(sinks=[own, f"jsonl:{tmp_path}/all.jsonl"], every=1)
    for steps in (3, 2):
        fit(attachment, steps)
    steps = [step for step, _ in own.of("log")]
    assert steps == [1, 2, 3, 1, 2]  # the copy that the second training got has the same list
    assert own.of("close") == [None, None]
    told = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["step"] for line in told if "values" in line] == steps
    assert len({line["run"] for line in told}) == 2


def test_what_is_no_list_of_sinks_is_refused_before_the_training_begins():
    with pytest.raises(UsageError, match="sinks should be a list"):
        Attachment(sinks="jsonl").begin(nn.Linear(1, 1))
