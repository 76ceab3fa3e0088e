"""Handwritten digits with Keras on torch, as one would write it without kazami: ``kazami run keras_digits.py``."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
data = load_digits()
x, y = (data.data / 16).astype("float32"), data.target
model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(10)])
model.compile(optimizer=keras.optimizers.Adam(2e-3), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
model.fit(x[:1400], y[:1400], batch_size=32, epochs=5, validation_data=(x[1400:], y[1400:]))
