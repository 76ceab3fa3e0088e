"""Trainings in threads: one thread is followed, whichever it is; the others train as if nobody watched, and it is said."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.optimizer import _global_optimizer_pre_hooks

from kazami.watch import followed_thread, hooks
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
def test_several_at_once_train_as_unwatched_and_one_is_followed_whole(observer, trial, monkeypatch):
    monkeypatch.setattr(followed_thread, "SILENCE_S", 120.0)  # however the machine shares out its time
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
    assert observer.players[0].steps == 30  # though its first steps take long, for they are recorded
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


def test_another_training_is_followed_once_the_first_thread_is_silent(observer, monkeypatch):
    monkeypatch.setattr(followed_thread, "SILENCE_S", 0.0)
    first, second = Training(), Training()
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(first.steps, 5).result()
        other.submit(second.steps, 20).result()
        one.submit(first.steps, 2).result()
        assert hooks._followed.ident == other.submit(threading.get_ident).result()  # the first one is a stranger now
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


def test_trainings_whose_steps_share_the_threads_of_a_pool_are_not_disturbed(observer):
    trainings, expected = [Training() for _ in range(3)], bits(plain(150))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # a gradient of a training in another thread was read, which ended the process or changed the gradient
    try:
        with ThreadPoolExecutor(3) as pool:
            for _ in range(150):
                wait([pool.submit(training.step) for training in trainings])
    finally:
        sys.setswitchinterval(interval)
    observer.detach()
    assert [bits(training.model) for training in trainings] == [expected] * 3


def test_gradients_of_a_training_that_a_backward_does_not_reach_are_not_looked_for(observer, monkeypatch):
    first, second = Training(), Training()
    first.steps(2)  # remembers its gradients
    looked = []
    monkeypatch.setattr(observer.steps, "look_for_kept_gradients", lambda players: looked.append(list(players)))
    second.backward()
    assert looked in ([], [[]])


def test_an_optimizer_that_cannot_be_hashed_goes_on():
    class Equal(torch.optim.SGD):
        def __eq__(self, other):
            return self is other

    training = Training()
    training.optimizer = Equal(training.model.parameters(), lr=0.01)
    observer = Observer()
    observer.attach()
    try:
        training.steps(3)
    finally:
        observer.detach()
    assert bits(training.model) == bits(plain(3))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_forked_while_another_thread_is_recorded_does_not_wait_for_it(observer):
    held, may_go = threading.Event(), threading.Event()

    def hold():
        with observer.lock, hooks._followed.lock:
            held.set()
            may_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        observer.loader_begun(1, 1)
        observer.scale_updated()
        hooks._followed.joins(None)
        os._exit(0)
    may_go.set()
    thread.join()
    ends = time.monotonic() + 10
    while (ended := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < ends:
        time.sleep(0.01)
    if ended[0] == 0:
        os.kill(child, 9)
        os.waitpid(child, 0)
    assert ended == (child, 0)


def test_an_evaluation_does_not_wait_for_what_another_thread_records(observer):
    Training().steps(2)
    is_over = threading.Event()

    def evaluate():
        with torch.no_grad():
            F.mse_loss(torch.ones(3), torch.zeros(3))
        torch.ones(1, requires_grad=True).register_hook(lambda gradient: None)
        is_over.set()

    with observer.lock:
        observer.depth += 1  # as while a method of ours is under way
        thread = threading.Thread(target=evaluate)
        thread.start()
        has_ended = is_over.wait(5)
        observer.depth -= 1
    thread.join()
    assert has_ended
    assert "tensor_hooks" in observer.noticed_things


def test_watches_that_begin_and_end_at_once_leave_nothing():
    for _ in range(20):
        observers, barrier = [Observer() for _ in range(3)], threading.Barrier(3)

        def attach_and_detach(observer, barrier=barrier):
            barrier.wait()
            observer.attach()
            assert list(_global_optimizer_pre_hooks.values()).count(hooks._before_step) == 1
            observer.detach()

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(attach_and_detach, observers))
        assert_no_hook_is_left()
