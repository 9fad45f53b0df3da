"""A loop of your own: each trial trains alone, as you wrote it."""

import keras
import keras_tuner
import numpy as np
import tensorflow as tf

from tfcourse import data, optimizers, tuning

wine = data.load("wine")
parts = data.split(wine)
x = (wine.x - wine.x[parts.train].mean(0)) / wine.x[parts.train].std(0)
x, y = x.astype("float32"), wine.y
loss_of = keras.losses.SparseCategoricalCrossentropy()


class Model(keras_tuner.HyperModel):
    def build(self, hp):
        units = tuning.powers_of_two(hp, "units", 8, 32)
        model = keras.Sequential([keras.Input((13,))])
        model.add(keras.layers.Dense(units, activation="tanh"))
        model.add(keras.layers.Dense(3, activation="softmax"))
        return model

    def fit(self, hp, model, x, y, validation_data, **kwargs):
        rate = tuning.log_uniform(hp, "learning_rate", 1e-3, 1.0)
        noise = hp.Float("noise", 0.0, 0.5)
        optimizer = optimizers.Momentum(rate)
        optimizer.build(model.trainable_variables)

        @tf.function
        def step(x, y):
            with tf.GradientTape() as tape:
                shaken = x + noise * tf.random.normal(tf.shape(x))
                loss = loss_of(y, model(shaken, training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients)
            return loss

        for epoch in range(5):
            for x_t, y_t in data.mini_batches(x, y, 32, seed=epoch):
                step(x_t, y_t)
        x_dev, y_dev = validation_data
        return float(np.mean(loss_of(y_dev, model(x_dev))))


tuner = tuning.SerialTuner(
    keras_tuner.oracles.RandomSearchOracle(
        keras_tuner.Objective("val_loss", "min"), max_trials=4, seed=0
    ),
    Model(),
    directory="searches/custom_loop",
)
tuner.search(
    x[parts.train],
    y[parts.train],
    validation_data=(x[parts.dev], y[parts.dev]),
)
print(tuning.trials_frame(tuner).nsmallest(3, "score").T)
