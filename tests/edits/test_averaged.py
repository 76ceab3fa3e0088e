"""An average of the weights."""

from tests.edits.asserts import change, refused, written

MEAN = change("average_weights", decay=0.99)


def test_made_before_the_loop_and_given_back_behind_it(tmp_path):
    lines = written(tmp_path, "house_prices.py", MEAN)
    assert lines[0].startswith("+average = torch.optim.swa_utils.AveragedModel(model, ")
    assert lines[1:] == ["+    average.update_parameters(model)", "+model.load_state_dict(average.module.state_dict())"]


def test_an_evaluation_inside_the_loop_is_refused(tmp_path):
    from tests.edits.asserts import SCRIPTS

    assert refused(tmp_path, (SCRIPTS / "overfitted.py").read_text(), MEAN)
