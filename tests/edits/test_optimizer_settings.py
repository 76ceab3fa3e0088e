"""Learning rate, momentum and decay are written where they come from."""

import pytest

from tests.edits.asserts import HEADER, change, refused, written, written_into

LIGHTNING = """class L(nn.Module):
    def __init__(self, lr=0.1):
        self.save_hyperparameters()
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)
L()
"""
MODEL = HEADER + "net = nn.Linear(2, 2)\n"


def lower(new, old, name="lower_learning_rate"):
    return change(name, learning_rate=new, from_=old)


def test_a_constant_that_is_only_printed_elsewhere_is_changed_itself(tmp_path):
    lines = written(tmp_path, "flat_constant.py", lower(0.05, 5.0))
    assert lines == ["-LR = 5.0  # tuned by hand, long ago", "+LR = 0.05  # tuned by hand, long ago"]


def test_a_default_of_argparse_keeps_its_way_of_writing(tmp_path):
    lines = written(tmp_path, "argparse_default.py", lower(1e-3, 1e-6, "raise_learning_rate"))
    assert lines == [
        '-    parser.add_argument("--learning-rate", "-lr", type=float, default=1e-6, help="step size")',
        '+    parser.add_argument("--learning-rate", "-lr", type=float, default=1e-3, help="step size")',
    ]


def test_a_dataclass_holds_rate_and_momentum(tmp_path):
    lines = written(tmp_path, "trainer_class.py", lower(0.01, 0.5), change("lower_momentum", momentum=0.99, from_=0.995))
    assert lines == [
        "-    lr: float = 0.5",
        "-    momentum: float = 0.995   # heavy ball",
        "+    lr: float = 0.01",
        "+    momentum: float = 0.99   # heavy ball",
    ]


def test_parameter_groups_keep_their_ratio(tmp_path):
    lines = written(tmp_path, "parameter_groups.py", lower(0.02, 8.0))
    assert lines == [
        '-        {"params": net.body.parameters(), "lr": 4.0},',
        '+        {"params": net.body.parameters(), "lr": 0.02},',
        "-    lr=8.0,",
        "+    lr=0.04,",
    ]


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("opt = torch.optim.SGD(net.parameters(), 1e-1,\n    momentum=0.9)\n", "1e-1", "2e-3"),
        ("opt = torch.optim.SGD(net.parameters(), lr=.1)\n", ".1", "0.002"),
        ("cfg = dict(lr=0.1, momentum=0.9)\nopt = torch.optim.SGD(net.parameters(), **cfg)\n", "lr=0.1", "lr=0.002"),
        ("cfg = {'train': {'lr': 0.1}}\nopt = torch.optim.SGD(net.parameters(), lr=cfg['train']['lr'])\n", "'lr': 0.1", "'lr': 0.002"),
        ("cfg = {'lr': 0.1}\nopt = torch.optim.SGD(net.parameters(), lr=cfg.get('lr', 1))\n", "'lr': 0.1", "'lr': 0.002"),
        ("def make(m, lr=0.1):\n    return torch.optim.SGD(m.parameters(), lr)\nopt = make(net)\n", "lr=0.1", "lr=0.002"),
        ("def make(m, lr):\n    return torch.optim.SGD(m.parameters(), lr)\nopt = make(net, 0.1)\n", "net, 0.1", "net, 0.002"),
        (LIGHTNING, "lr=0.1", "lr=0.002"),
        ("class T:\n    rate = 0.1\n    def go(self):\n        self.opt = torch.optim.SGD(net.parameters(), lr=self.rate)\n", "rate = 0.1", "rate = 0.002"),
        ("BASE = 0.05\nopt = torch.optim.SGD(net.parameters(), lr=BASE * 2)\n", "lr=BASE * 2", "lr=0.002"),
        ("LR = 0.1\nopt = torch.optim.SGD(net.parameters(), lr=LR)\nwarm(LR)\n", "lr=LR", "lr=0.002"),
        ("from torch.optim import SGD as Descent\nopt = Descent(net.parameters(), lr=1 / 10)\n", "lr=1 / 10", "lr=0.002"),
        ("import os\nopt = torch.optim.SGD(net.parameters(), lr=float(os.environ.get('LR', 0.1)))\n", "'LR', 0.1", "'LR', 0.002"),
        ("for lr in (0.1, 0.2):\n    opt = torch.optim.SGD(net.parameters(), lr=lr)\n", None, None),
        ("opt = torch.optim.SGD(net.parameters(), lr=0.3)\n", None, None),
        ("a = torch.optim.SGD(net.parameters(), lr=0.1)\nb = torch.optim.SGD(net.parameters(), lr=0.1)\n", None, None),
    ],
)  # fmt: skip
def test_the_number_is_found_where_it_is_written_or_not_at_all(tmp_path, text, old, new):
    text = MODEL + text
    if old is None:
        assert refused(tmp_path, text, lower(0.002, 0.1))
    else:
        lines = written_into(tmp_path, text, lower(0.002, 0.1))
        assert len(lines) == 2
        assert text.replace(old, new, 1) == (tmp_path / "train.py").read_text()


def test_of_two_optimizers_the_one_with_the_old_number_is_meant(tmp_path):
    text = MODEL + "a = torch.optim.SGD(net.parameters(), lr=0.1)\nb = torch.optim.SGD(net.parameters(), lr=0.2)\n"
    assert written_into(tmp_path, text, lower(0.002, 0.2))[1] == "+b = torch.optim.SGD(net.parameters(), lr=0.002)"


def test_what_the_call_leaves_out_is_added(tmp_path):
    text = MODEL + "opt = torch.optim.Adam(net.parameters())\n"
    both = change("lower_momentum", momentum=0.8, from_=0.9), change("add_decay", weight_decay=0.1, optimizer="AdamW")
    assert written_into(tmp_path, text, *both)[1] == "+opt = torch.optim.AdamW(net.parameters(), betas=(0.8, 0.999), weight_decay=0.1)"


def test_the_second_beta_is_found_by_itself(tmp_path):
    slow = change("adam_beta2", beta2=0.95, from_=0.999)
    assert written_into(tmp_path, MODEL + "opt = torch.optim.Adam(net.parameters(), 1e-3, (0.8, 0.999))\n", slow)[1].endswith("1e-3, (0.8, 0.95))")
    assert written_into(tmp_path, MODEL + "opt = torch.optim.Adam(net.parameters())\n", slow)[1].endswith("parameters(), betas=(0.9, 0.95))")


def test_decay_is_lowered_at_its_position(tmp_path):
    text = MODEL + "opt = torch.optim.SGD(net.parameters(), 0.1, 0.9, 0, 0.5)\n"
    assert (
        written_into(tmp_path, text, change("lower_decay", weight_decay=1e-3, from_=0.5))[1] == "+opt = torch.optim.SGD(net.parameters(), 0.1, 0.9, 0, 0.001)"
    )


CHOSEN_BY_NAME = """config = {"optim": {"name": "Adam", "lr": 0.01, "weight_decay": 1.0}}
def make_optimizer(cfg, params):
    cfg = %s
    return getattr(torch.optim, cfg.pop("name"))(params, **cfg)
opt = make_optimizer(config["optim"], net.parameters())
opt.step()
"""


@pytest.mark.parametrize("copy", ["dict(cfg)", "cfg.copy()", "copy.copy(cfg)"])
def test_an_optimizer_that_is_chosen_by_its_name_takes_its_settings_from_a_copy_of_a_dictionary(tmp_path, copy):
    lines = written_into(tmp_path, MODEL + CHOSEN_BY_NAME % copy, change("lower_decay", weight_decay=0.002, from_=1.0))
    assert lines == [
        '-config = {"optim": {"name": "Adam", "lr": 0.01, "weight_decay": 1.0}}',
        '+config = {"optim": {"name": "Adam", "lr": 0.01, "weight_decay": 0.002}}',
    ]
