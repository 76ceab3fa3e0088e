"""The loss that fits the output."""

from tests.edits.asserts import HEADER, LOOP, change, refused, written, written_into


def fit(activation, old, call):
    return change("matching_loss", activation=activation, from_=old, to=call.split("(")[0], call=call)


def test_the_class_where_its_module_is_made(tmp_path):
    lines = written(tmp_path, "sigmoid_twice.py", fit("sigmoid", "binary_cross_entropy_with_logits", "binary_cross_entropy(output, target)"))
    assert lines == ["-bce = nn.BCEWithLogitsLoss()", "+bce = nn.BCELoss()"]


def test_the_function_in_the_loop(tmp_path):
    text = HEADER + LOOP.format(loss="F.nll_loss(net(x), y)")
    assert written_into(tmp_path, text, fit("identity", "nll_loss", "cross_entropy(output, target)"))[1] == "+    loss = F.cross_entropy(net(x), y)"


def test_the_logarithm_that_it_expects(tmp_path):
    lines = written(tmp_path, "double_softmax.py", fit("softmax", "cross_entropy", "nll_loss(torch.log(output.clamp_min(1e-7)), target)"))
    assert lines[1] == "+loss_function = nn.NLLLoss()"
    assert lines[3] == "+    loss = loss_function(torch.log(net(x).clamp_min(1e-7)), y)"


def test_settings_of_the_old_loss_are_refused(tmp_path):
    text = HEADER + LOOP.format(loss="F.cross_entropy(net(x), y, label_smoothing=0.1)")
    assert refused(tmp_path, text, fit("softmax", "cross_entropy", "nll_loss(torch.log(output.clamp_min(1e-7)), target)"))
