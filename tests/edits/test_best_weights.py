"""The weights of the lowest validation loss."""

from tests.edits.asserts import change, refused, written

BEST = change("early_stopping", keep="best")


def test_a_copy_is_kept_and_given_back(tmp_path):
    assert written(tmp_path, "overfitted.py", BEST) == [
        "+import copy",
        '+best_loss, best_weights = float("inf"), None',
        "+    if val_loss < best_loss:",
        "+        best_loss, best_weights = float(val_loss), copy.deepcopy(model.state_dict())",
        "+if best_weights is not None:",
        "+    model.load_state_dict(best_weights)",
    ]


def test_without_a_validation_loss_nothing_is_written(tmp_path):
    from tests.edits.asserts import SCRIPTS

    assert refused(tmp_path, (SCRIPTS / "house_prices.py").read_text(), BEST)
