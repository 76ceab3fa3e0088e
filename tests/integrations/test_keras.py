import pytest

from tests.integrations.trainings import CASES, assert_run_and_adapter_agree, needs, program

pytestmark = [needs("keras"), pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("case", CASES)
def test_an_unmodified_script_and_the_adapter_give_the_same_findings_and_weights(case, tmp_path):
    assert_run_and_adapter_agree("keras", case, tmp_path)


TRAINING = """
import keras, numpy
from kazami.integrations.keras import KazamiCallback
keras.utils.set_random_seed(0)
x, y = numpy.random.randn(128, 8).astype("float32"), numpy.random.randint(3, size=128)

def fit(optimizer, loss_kind=keras.Model, callbacks=(), **options):
    inputs = keras.Input((8,))
    model = loss_kind(inputs, keras.layers.Dense(3)(keras.layers.Dense(16, activation="relu")(inputs)))
    model.compile(optimizer=optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), **options)
    callback = KazamiCallback()
    model.fit(x, y, batch_size=16, epochs=3, verbose=0, callbacks=[callback, *callbacks])
    return callback, model
"""


def test_what_the_optimizer_consumed_is_recorded_after_clipping(tmp_path):
    told = program(
        TRAINING
        + """
callback, model = fit(keras.optimizers.Adam(1e-2, global_clipnorm=0.05))
trace = callback.watch.trace
rows = {name: trace[name].values.tolist() for name in ("norm_before_clipping", "total_gradient_norm", "learning_rate")}
layers = [layer.name for layer in trace.layers]
raw = [bool(v.value.grad.norm() > 0.05) for v in model.trainable_weights]
print("RESULT", json.dumps({"steps": trace.step, "layers": layers, "closed": torch.autograd.backward is backward, "raw": any(raw), **rows}))
""",
        tmp_path,
    ).told
    assert told["steps"] == 24
    assert min(told["norm_before_clipping"]) > 0.05
    assert max(told["total_gradient_norm"]) <= 0.0501
    assert told["learning_rate"] == pytest.approx([0.01] * 24)
    assert set(told["layers"]) == {"dense", "dense_1"}  # as Keras calls them
    assert told["raw"], "what Keras left in .grad is its own"
    assert told["closed"]


def test_micro_batches_are_no_steps_and_a_skipped_step_is_none(tmp_path):
    told = program(
        TRAINING
        + """
accumulated, _ = fit(keras.optimizers.SGD(0.1, gradient_accumulation_steps=4))
scaled, _ = fit(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1024.0))
print("RESULT", json.dumps([accumulated.watch.trace.step, scaled.watch.trace.step, float(scaled.watch.trace["total_gradient_norm"].values[0])]))
""",
        tmp_path,
    ).told
    assert told[:2] == [6, 24]
    assert 0 < told[2] < 10  # unscaled


def test_custom_steps_and_an_exception(tmp_path):
    told = program(
        TRAINING
        + """
class Own(keras.Model):
    def train_step(self, data):
        a, b = data
        self.zero_grad()
        loss = self.compute_loss(y=b, y_pred=self(a, training=True))
        loss.backward()
        weights = list(self.trainable_weights)
        with torch.no_grad():
            self.optimizer.apply([v.value.grad for v in weights], weights)
        return {"loss": loss}
own, _ = fit(keras.optimizers.AdamW(1e-2), Own)

class Failing(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 4:
            raise ValueError("mine")
callback = KazamiCallback()
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
model.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
try:
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[callback, Failing()])
except ValueError:
    pass
print("RESULT", json.dumps([own.watch.trace.step, callback.watch.trace.step, callback.verdict != "", torch.autograd.backward is backward]))
""",
        tmp_path,
    ).told
    assert told == [24, 5, True, True]
