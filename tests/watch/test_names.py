"""Parameters have their names, and those that an optimizer misses are told."""

import gc
import sys
import threading
import time

import torch
from torch import nn
from torch.nn import functional as F

from kazami.watch import watch
from kazami.watch.names import FREE_SEARCHES, Names, living_modules, unregistered, without_wrappers
from tests.watch.seeing import trained, watched

X, Y = torch.randn(8, 4), torch.arange(8) % 3


def test_names_come_from_the_largest_module():
    inner = nn.Linear(4, 5)
    outer = nn.Sequential(nn.Sequential(inner), nn.Linear(5, 3))
    assert Names().of(inner.weight) == "0.0.weight"
    assert Names([outer]).of(outer[1].bias) == "1.bias"


def test_a_bare_tensor_is_named_by_its_shape_after_one_search():
    names, bare = Names(), torch.zeros(3, 4, requires_grad=True)
    assert [names.of(bare) for _ in range(3)] == ["tensor 3×4"] * 3
    assert names._searches == 1
    assert names.of(torch.zeros(())) == "tensor scalar"


def test_searches_are_few():
    names = Names()
    for _ in range(50):
        names.of(torch.zeros(2, requires_grad=True))
    assert names._searches == FREE_SEARCHES


def test_a_new_parameter_never_has_a_dead_ones_name():
    names = Names()
    for width in range(3, 3 + FREE_SEARCHES - 1):
        model = nn.Sequential(nn.Linear(2, width)) if width % 2 else nn.ModuleDict({f"layer{width}": nn.Linear(2, width)})
        expected = "0.weight" if width % 2 else f"layer{width}.weight"
        assert names.of(next(iter(model.parameters()))) == expected
        del model
        gc.collect()


def test_parameters_in_lists_and_dicts_are_found():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.kept = nn.Linear(2, 2)
            self.lost = [nn.Linear(2, 2), nn.Parameter(torch.zeros(3))]
            self.table = {"a": (nn.Linear(2, 2),)}
            self.again = [self.kept]

    assert sorted(unregistered([Net()]).values()) == ["lost[0].bias", "lost[0].weight", "lost[1]", "table['a'][0].bias", "table['a'][0].weight"]


def test_parameters_that_no_optimizer_has():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    trace = trained(lambda: F.cross_entropy(model(X), Y), model[2].parameters(), [model])
    assert trace.facts["not_in_optimizer"] == ["0.bias", "0.weight"]
    assert "unregistered" not in trace.facts


def test_parameters_that_are_never_registered():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.head = [nn.Linear(4, 5)], nn.Linear(5, 3)

        def forward(self, x):
            return self.head(self.layers[0](x).relu())

    model = Net()
    trace = trained(lambda: F.cross_entropy(model(X), Y), model.parameters(), [model])
    assert trace.facts["unregistered"] == ["layers[0].bias", "layers[0].weight"]
    assert "not_in_optimizer" not in trace.facts


def test_parameters_that_get_no_gradient():
    model = nn.ModuleDict({"used": nn.Linear(4, 3), "spare": nn.Linear(4, 3)})
    trace = trained(lambda: F.cross_entropy(model["used"](X), Y), model.parameters(), [model], steps=2)
    assert trace.facts["never_given_a_gradient"] == ["spare.weight", "spare.bias"]
    assert trace.facts["never_given_share"] == 0.5


def test_frozen_parameters_are_told_apart():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
    model[0].requires_grad_(False)
    trace = trained(lambda: F.cross_entropy(model(X), Y), model.parameters(), [model])
    assert trace.facts["requires_no_gradient"] == ["0.weight", "0.bias"]
    assert trace.facts["frozen_share"] == 25 / 43
    assert not {"never_given_a_gradient", "not_in_optimizer"} & trace.facts.keys()


def test_cross_validation_makes_no_false_claims():
    def fold():
        model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(2):
            optimizer.zero_grad()
            F.cross_entropy(model(X), Y).backward()
            optimizer.step()
        del model, optimizer
        gc.collect()

    for trace in watched(fold, 6):
        assert not {"not_in_optimizer", "unregistered", "never_given_a_gradient"} & trace.facts.keys()
        assert [layer.name for layer in trace.layers] == ["0", "2"]


def test_lazy_modules_that_live_in_the_process_are_passed_over():
    lazy = nn.Sequential(nn.LazyLinear(3), nn.ReLU())
    model = nn.Linear(2, 1)
    names = Names([lazy])
    assert names.of(model.weight) == "weight"
    assert lazy[0].has_uninitialized_params()


def test_a_training_is_watched_beside_a_lazy_module_that_is_never_called():
    lazy, model = nn.LazyLinear(3), nn.Linear(2, 1)
    trace = trained(lambda: model(torch.ones(4, 2)).square().mean(), model.parameters())
    assert trace.step == 1
    assert lazy.has_uninitialized_params()


def test_what_was_replaced_behind_the_optimizer_is_no_loss():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 300))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    model[2] = nn.Linear(8, 1)
    with watch(model, optimizer) as seen:
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.randn(5, 4)).square().mean().backward()
            optimizer.step()
    assert seen.trace.facts["not_in_optimizer"] == ["2.bias", "2.weight"]
    assert "never_given_a_gradient" not in seen.trace.facts


def test_a_frozen_module_that_is_no_part_of_the_training_is_not_its_own():
    teacher = nn.Linear(4, 1).requires_grad_(False)
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 1))
    model[0].bias.requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, teacher, optimizer) as seen:
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().mean().backward()
        optimizer.step()
    assert seen.trace.facts["requires_no_gradient"] == ["0.bias"]


class KerasLayer(nn.Module):
    """A layer of Keras as torch sees it: the weights of all in it under Keras' own paths, the layers inside unknown to torch."""

    def __init__(self, name, **weights):
        super().__init__()
        self.name = name
        self._torch_params = nn.ParameterDict({path.replace("__", "/"): nn.Parameter(torch.zeros(size)) for path, size in weights.items()})


def test_weights_of_keras_are_named_by_the_layers_that_the_user_knows():
    functional = KerasLayer("net", hidden__kernel=1, block__score__bias=2)
    assert [path for path, _ in without_wrappers(functional)] == ["block.score.bias", "hidden.kernel"]
    sequential = KerasLayer("sequential", sequential__hidden__kernel=1)
    sequential._functional = KerasLayer("functional")
    sequential._functional._torch_params = sequential._torch_params
    del sequential._modules["_torch_params"]
    sequential._torch_params = sequential._functional._torch_params
    assert [path for path, _ in without_wrappers(sequential)] == ["hidden.kernel"]
    inside = nn.ModuleDict({"features": functional, "body": sequential, "last": KerasLayer("dense", dense__kernel=3)})
    assert [path for path, _ in without_wrappers(inside)] == ["features.block.score.bias", "features.hidden.kernel", "body.hidden.kernel", "last.kernel"]
    assert [path for path, _ in without_wrappers(KerasLayer("dense", dense__kernel=3))] == ["dense.kernel"]


def test_a_search_does_not_disturb_what_another_thread_builds():
    model, errors, is_over = nn.Linear(1, 1), [], threading.Event()

    def build():
        while not is_over.is_set():
            try:
                assert len(tuple(number for number in range(40))) == 40
            except SystemError as error:  # somebody else holds the tuple
                errors.append(error)

    interval, builder = sys.getswitchinterval(), threading.Thread(target=build)
    sys.setswitchinterval(1e-5)
    try:
        builder.start()
        ends = time.monotonic() + 2
        while time.monotonic() < ends:
            assert any(module is model for module in living_modules())
    finally:
        is_over.set()
        builder.join()
        sys.setswitchinterval(interval)
    assert not errors
