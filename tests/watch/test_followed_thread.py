"""Trainings in threads: one thread is followed, whichever it is; the others train as if nobody watched, and it is said."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch import hooks
from kazami.watch.followed_thread import PATIENCE, SEVERAL_THREADS
from kazami.watch.observer import Observer
from kazami.watch.sampling import Sampling
from tests.watch.asserts import assert_no_hook_is_left, bits
from tests.watch.trainings import data, mlp


@pytest.fixture(params=[1, 50], ids=["every step", "short way"])
def observer(request):
    observer = Observer(sampling=Sampling(every=request.param))
    observer.attach()
    yield observer
    observer.detach()
    assert_no_hook_is_left()
    assert "kazami" not in observer.blind, observer.blind.get("kazami")
    assert not hooks._in_backward.locked()


class Training:
    """A training that can be taken step by step, in any thread."""

    def __init__(self):
        torch.manual_seed(0)
        self.model, (self.x, self.y) = mlp(), data()
        for dropout in (module for module in self.model if isinstance(module, nn.Dropout)):
            dropout.p = 0.0  # threads share the stream of random numbers
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01)

    def backward(self):
        self.optimizer.zero_grad()
        F.cross_entropy(self.model(self.x), self.y).backward()

    def step(self):
        self.backward()
        self.optimizer.step()

    def steps(self, n):
        for _ in range(n):
            self.step()


def in_thread(work, *arguments):
    thread = threading.Thread(target=work, args=arguments)
    thread.start()
    thread.join()


def losses(observer, index=0):
    return observer.traces()[index].series["loss"]


def plain(n):
    training = Training()
    training.steps(n)
    return training.model


@pytest.mark.parametrize("trial", range(4))
def test_several_at_once_train_as_unwatched_and_one_is_followed_whole(observer, trial):
    del trial  # zero_grad in one thread while another's gradients were read ended the process, once in a dozen times
    trainings = [Training() for _ in range(3)]
    have_begun = threading.Barrier(3)

    def run(training):
        training.step()
        have_begun.wait()  # a thread that ends before the next one begins is not beside it
        training.steps(29)

    threads = [threading.Thread(target=run, args=(training,)) for training in trainings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert SEVERAL_THREADS in observer.blind
    assert observer.players
    observer.detach()
    for training in trainings:
        assert bits(training.model) == bits(plain(30))


def test_threads_one_after_another_are_all_followed(observer):
    for _ in range(3):
        in_thread(Training().steps, 12)
    assert [player.steps - player.began + 1 for player in observer.players] == [12] * 3
    assert SEVERAL_THREADS not in observer.blind


def test_a_training_that_moves_between_living_threads_is_followed_whole(observer):
    training = Training()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for step in range(20):
            (one, other)[step % 2].submit(training.step).result()
    assert losses(observer).steps.tolist() == list(range(1, 21))
    assert SEVERAL_THREADS not in observer.blind


def test_backward_in_one_thread_and_step_in_another(observer):
    training = Training()
    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            pool.submit(training.backward).result()
            training.optimizer.step()
    assert losses(observer).steps.tolist() == list(range(1, 21))


def test_another_training_is_followed_once_the_first_thread_is_silent(observer):
    first, second = Training(), Training()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.steps, 5).result()
        other.submit(second.steps, 20).result()
    assert len(observer.players) == 2
    assert observer.players[0].steps == 5
    missed = PATIENCE // 2
    assert observer.players[1].steps - observer.players[1].began + 1 == 20 - missed
    assert observer.players[0].thread != observer.players[1].thread
    assert SEVERAL_THREADS in observer.blind


def test_losses_of_two_trainings_at_once_are_not_mixed(observer):
    slow, quick = Training(), Training()
    quick.y = torch.zeros_like(quick.y)
    permits, done = threading.Semaphore(0), threading.Semaphore(0)

    def beside():
        for _ in range(30):
            permits.acquire()
            quick.step()
            done.release()

    slow.step()
    thread = threading.Thread(target=beside)
    thread.start()
    for _ in range(30):
        permits.release()
        slow.step()
        done.acquire()  # else this thread, held up, is taken for a silent one
    thread.join()
    seen = losses(observer)
    observer.detach()
    twin = Training()
    expected = []
    for _ in range(31):
        expected.append(F.cross_entropy(twin.model(twin.x), twin.y).item())
        twin.step()
    assert seen.values.tolist() == pytest.approx([expected[step - 1] for step in seen.steps], rel=1e-6)


def test_a_mistake_of_ours_leaves_that_thread_unfollowed(observer, monkeypatch):
    Training().steps(3)
    monkeypatch.setattr(hooks._followed, "_decide", lambda *_: 1 / 0)
    other = Training()
    in_thread(other.steps, 3)
    assert len(observer.players) == 1
    assert SEVERAL_THREADS in observer.blind
    observer.detach()
    assert bits(other.model) == bits(plain(3))
