"""Small trainings that do more than the usual loop: hooks, functions of their own, several players, unusual numbers."""

import torch
from torch import nn
from torch.nn import functional as F

from tests.watch.trainings import data, mlp, plain_loop, training


@training
def hooks_of_tensors():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    calls = []
    model[0].weight.register_hook(lambda g: calls.append("weight"))
    model[0].bias.register_post_accumulate_grad_hook(lambda p: calls.append("accumulated"))

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        hidden.register_hook(lambda g: calls.append("hidden") or g * 1.5)
        hidden.retain_grad()
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        return list(calls), hidden.grad

    return [model, optimizer], step


@training
def retained_gradients():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        hidden.retain_grad()
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        return hidden.grad

    return [model, optimizer], step


@training
def hooks_of_nodes():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    calls = []

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        hidden.grad_fn.register_prehook(lambda g: calls.append("before"))
        hidden.grad_fn.register_hook(lambda i, o: calls.append("after"))
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        # How often hooks of nodes are called is not compared: nothing tells that a node has one, and a measurement of curvature calls it once more.

    return [model, optimizer], step


@training
def hooks_of_many_tensors():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()
    calls = []

    def step(number):
        optimizer.zero_grad()
        hidden = model[:3](x)
        torch.autograd.graph.register_multi_grad_hook((hidden, model[0].weight), lambda g: calls.append("all"))
        F.cross_entropy(model[3:](hidden), y).backward()
        optimizer.step()
        return list(calls)

    return [model, optimizer], step


@training
def hooks_of_modules():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    calls = []
    model[0].register_full_backward_hook(lambda m, i, o: calls.append("full"))
    model[4].register_full_backward_pre_hook(lambda m, o: calls.append("pre"))
    model[1].register_forward_hook(lambda m, i, o: calls.append("forward"))
    inner = plain_loop(model, optimizer)
    return [model, optimizer], lambda number: (inner(number), list(calls))


@training
def custom_function():
    calls = []

    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            calls.append("backward")
            return g * 3 * ctx.saved_tensors[0] ** 2

    first, last = nn.Linear(6, 8), nn.Linear(8, 3)
    optimizer = torch.optim.SGD([*first.parameters(), *last.parameters()], lr=0.05)
    inner = plain_loop(lambda x: last(Cube.apply(first(x))), optimizer)
    return [first, last, optimizer], lambda number: (inner(number), len(calls))


@training
def backward_twice():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward(retain_graph=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def gradient_penalty():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    x, _ = data()

    def step(number):
        optimizer.zero_grad()
        batch = x.clone().requires_grad_()
        (slope,) = torch.autograd.grad(model(batch).sum(), batch, create_graph=True)
        loss = model(x).square().mean() + (slope.norm(dim=1) - 1).square().mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def backward_with_create_graph():
    weight = torch.randn(6, 3, requires_grad=True)
    x, y = data()

    def step(number):
        weight.grad = None
        loss = F.cross_entropy(x @ weight, y)
        (gradient,) = torch.autograd.grad(loss, weight, create_graph=True)
        gradient.square().sum().backward()
        with torch.no_grad():
            weight.sub_(weight.grad * 0.1)
        return loss.item()

    return [weight], step


@training
def torch_func():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    x, y = data()
    parameters = dict(model.named_parameters())

    def loss_of(given, inputs, target):
        return F.cross_entropy(torch.func.functional_call(model, given, (inputs,)), target)

    def step(number):
        gradients, value = torch.func.grad_and_value(loss_of)(parameters, x, y)
        torch.func.vmap(torch.func.grad(loss_of), in_dims=(None, 0, 0))({k: p.detach() for k, p in parameters.items()}, x[:, None], y[:, None])
        with torch.no_grad():
            for name, p in parameters.items():
                p -= 0.1 * gradients[name]
        return value.item()

    return [model], step


@training
def second_thread():
    from threading import Thread

    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    inner = plain_loop(model, optimizer)

    def step(number):
        results = []
        thread = Thread(target=lambda: results.append(inner(number)))
        thread.start()
        thread.join()
        return results, inner(number)

    return [model, optimizer], step


@training
def complex_parameters():
    weight, bias = nn.Parameter(torch.randn(6, 3, dtype=torch.complex64)), nn.Parameter(torch.zeros(3, dtype=torch.complex64))
    optimizer = torch.optim.Adam([weight, bias], lr=0.01)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy((x.to(torch.complex64) @ weight + bias).abs(), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [weight, bias, optimizer], step


@training
def complex_root():
    weight = nn.Parameter(torch.randn(3, dtype=torch.complex64))
    optimizer = torch.optim.SGD([weight], lr=0.01)

    def step(number):
        optimizer.zero_grad()
        (weight * weight).sum().backward(torch.ones((), dtype=torch.complex64))
        optimizer.step()

    return [weight, optimizer], step


@training
def sparse_embedding():
    model = nn.Sequential(nn.Embedding(50, 4, sparse=True), nn.Flatten(), nn.Linear(12, 3))
    sparse, dense = torch.optim.SparseAdam(model[0].parameters(), lr=0.01), torch.optim.Adam(model[2].parameters(), lr=0.01)
    tokens, y = torch.arange(48).reshape(16, 3), data()[1]

    def step(number):
        sparse.zero_grad()
        dense.zero_grad()
        loss = F.cross_entropy(model(tokens), y)
        loss.backward()
        sparse.step()
        dense.step()
        return loss.item()

    return [model, sparse, dense], step


@training
def double_precision():
    model = mlp().double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return [model, optimizer], plain_loop(model, optimizer, data()[0].double())


@training
def bfloat16_model():
    model = nn.Sequential(nn.Linear(6, 12), nn.ReLU(), nn.Linear(12, 3)).bfloat16()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return [model, optimizer], plain_loop(model, optimizer, data()[0].bfloat16())


@training
def losses_that_are_not_numbers():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y) * (float("nan") if number > 2 else 1.0)
        loss.backward()
        optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def nan_batches_skipped():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = data()

    def step(number):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y) * (float("nan") if number == 3 else 1.0)
        loss.backward()
        if torch.isfinite(loss):
            optimizer.step()
        return loss.item()

    return [model, optimizer], step


@training
def adversaries():
    generator, critic = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6)), nn.Sequential(nn.Linear(6, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    of_generator, of_critic = torch.optim.Adam(generator.parameters(), lr=0.01), torch.optim.Adam(critic.parameters(), lr=0.01)
    x, _ = data()

    def step(number):
        of_critic.zero_grad()
        noise = torch.randn(16, 4)
        real, fake = critic(x), critic(generator(noise).detach())
        F.binary_cross_entropy_with_logits(real, torch.ones_like(real)).backward()
        F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake)).backward()
        of_critic.step()
        of_generator.zero_grad()
        loss = F.binary_cross_entropy_with_logits(critic(generator(noise)), torch.ones(16, 1))
        loss.backward()
        of_generator.step()
        return loss.item()

    return [generator, critic, of_generator, of_critic], step


@training
def optimizer_made_anew():
    model = mlp()
    x, y = data()

    def step(number):
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01 / number)
        for _ in range(2):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        return loss.item()

    return [model], step


@training
def parameters_added_later():
    model = mlp()
    optimizer = torch.optim.Adam(model[4:].parameters(), lr=0.01)
    inner = plain_loop(model, optimizer)

    def step(number):
        if number == 3:
            optimizer.add_param_group({"params": list(model[:4].parameters()), "lr": 1e-3})
        return inner(number)

    return [model, optimizer], step


@training
def bare_tensors():
    w1, b1, w2 = (torch.randn(6, 8) * 0.3).requires_grad_(), torch.zeros(8, requires_grad=True), (torch.randn(8, 3) * 0.3).requires_grad_()
    optimizer = torch.optim.SGD([w1, b1, w2], lr=0.1)
    return [w1, b1, w2, optimizer], plain_loop(lambda x: torch.relu(x @ w1 + b1) @ w2, optimizer)


@training
def anomaly_mode():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    inner = plain_loop(model, optimizer)

    def step(number):
        with torch.autograd.set_detect_anomaly(True):
            return inner(number)

    return [model, optimizer], step


@training
def scheduled_and_averaged():
    model = mlp()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=50)
    average = torch.optim.swa_utils.AveragedModel(model)
    inner = plain_loop(model, optimizer)

    def step(number):
        value = inner(number)
        scheduler.step()
        average.update_parameters(model)
        return value, scheduler.get_last_lr()

    return [model, optimizer, average], step


@training
def spectral_and_weight_norm():
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 8)), nn.ReLU(), nn.utils.parametrizations.spectral_norm(nn.Linear(8, 3)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return [model, optimizer], plain_loop(model, optimizer)
