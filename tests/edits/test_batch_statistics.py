"""Statistics of batch normalisation, taken again."""

from tests.edits.asserts import HEADER, change, refused, written_into

AGAIN = change("batch_norm_statistics", recalibrate=True)
TEXT = (
    HEADER
    + "net = nn.Linear(2, 1)\nopt = torch.optim.SGD(net.parameters(), 0.1)\nfor x, y in {}:\n    F.mse_loss(net(x), y).backward()\n    opt.step()\nnet.eval()\n"
)


def test_before_eval_with_the_loader_of_the_training(tmp_path):
    assert written_into(tmp_path, TEXT.format("loader"), AGAIN) == ["+torch.optim.swa_utils.update_bn(loader, net)"]
    assert (tmp_path / "train.py").read_text().endswith("update_bn(loader, net)\nnet.eval()\n")


def test_without_a_name_nothing_is_written(tmp_path):
    assert refused(tmp_path, TEXT.format("make_loader()"), AGAIN)
