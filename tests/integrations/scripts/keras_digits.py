import os
os.environ["KERAS_BACKEND"] = "torch"
import keras
from cases import CASE, LR, WITH, done, x, y
keras.utils.set_random_seed(1)
L = keras.layers
if CASE == "vanishing":
    layers = [L.Dense(32, activation="sigmoid") for _ in range(8)]
else:
    layers = [L.Dense(64, activation="relu", bias_initializer=keras.initializers.Constant(-20.0) if CASE == "dead" else "zeros"), L.Dense(64, activation="relu")]
    if CASE == "frozen":
        for l in layers: l.trainable = False
model = keras.Sequential([keras.Input((64,)), *layers, L.Dense(10)])
model.compile(optimizer=keras.optimizers.SGD(LR, momentum=0.9 if CASE == "healthy" else 0.0), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
cb = []
if WITH:
    from kazami.integrations.keras import KazamiCallback
    cb = [KazamiCallback()]
model.fit(x[:1400].numpy(), y[:1400].numpy(), batch_size=32, epochs=6, validation_data=(x[1400:].numpy(), y[1400:].numpy()), callbacks=cb)
done(model, cb[0] if cb else None)
