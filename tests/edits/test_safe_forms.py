"""Forms of an operation that stay finite."""

import pytest

from tests.edits.asserts import HEADER, LOOP, change, refused, written, written_into


def safe(operation):
    return change("safe_operation", operation=operation, layer="")


def test_a_root_in_a_function_of_the_script(tmp_path):
    assert written(tmp_path, "root_at_zero.py", safe("sqrt")) == [
        "-    return torch.sqrt(((a - b) ** 2).sum(dim=1))",
        "+    return torch.sqrt(((a - b) ** 2).sum(dim=1) + 1e-8)",
    ]


@pytest.mark.parametrize(
    ("operation", "loss", "new"),
    [
        ("sqrt", "z.sum().sqrt()", "(z.sum() + 1e-8).sqrt()"),
        ("sqrt", "(z - y).square().mean()**0.5", "((z - y).square().mean() + 1e-8)**0.5"),
        ("log", "-torch.log(z).mean()", "-torch.log(z.clamp_min(1e-7)).mean()"),
        ("log", "(1 - z).log().mean()", "(1 - z).clamp_min(1e-7).log().mean()"),
        ("div", "(y / z.sum(1)).sum() / len(y)", "(y / (z.sum(1) + 1e-8)).sum() / len(y)"),
        ("std", "(z / z.std(0)).sum()", "(z / (z.var(0, unbiased=False) + 1e-8).sqrt()).sum()"),
        ("norm", "z.norm(dim=1).sum()", "(z.square().sum(dim=1) + 1e-8).sqrt().sum()"),
        ("pow", "(z**0.3).sum()", "(z.clamp_min(1e-8)**0.3).sum()"),
        ("acos", "torch.acos(z - 1).sum()", "torch.acos((z - 1).clamp(-1 + 1e-6, 1 - 1e-6)).sum()"),
        (
            "log",
            "-(y * torch.log(z) + (1 - y) * torch.log(1 - z)).mean()",
            "-(y * torch.log(z.clamp_min(1e-7)) + (1 - y) * torch.log((1 - z).clamp_min(1e-7))).mean()",
        ),
    ],
)
def test_those_of_one_statement(tmp_path, operation, loss, new):
    assert written_into(tmp_path, HEADER + LOOP.format(loss=loss), safe(operation)) == [f"-    loss = {loss}", f"+    loss = {new}"]


@pytest.mark.parametrize(
    ("operation", "loss"),
    [("sqrt", "z.sum().sqrt().sqrt()"), ("sqrt", "z.sqrt().sum()\n    loss = loss + z.sum().sqrt()"), ("exp", "z.exp().sum()"), ("log", "z.sum()")],
)
def test_two_statements_one_in_another_and_what_depends_on_the_meaning_are_refused(tmp_path, operation, loss):
    assert refused(tmp_path, HEADER + LOOP.format(loss=loss), safe(operation))
