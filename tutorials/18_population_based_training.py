# %% [markdown]
# # 18. A schedule that nobody had to think of
#
# Week 2, "Learning rate decay", and week 3, "Hyperparameters tuning in
# practice: pandas vs. caviar".
#
# The course lowers α by a rule, such as α₀ / (1 + decay rate · epoch), whose
# two constants have to be found. In population-based training many models
# train side by side, and after every epoch the worst go on as copies of the
# best, with α a little higher or lower. What the winner was trained with is a
# schedule, and no rule was given for it. Is it any better?

# %%
import tempfile

import common
import keras
import matplotlib.pyplot as plt
import numpy as np

from tfcourse import data, optimizers, schedules, tuning

MEMBERS, EPOCHS = (6, 4) if common.QUICK else (24, 20)

digits = data.load("digits")
split = data.split(digits, seed=0)
x, y = digits.x / 16, digits.y
train, dev = (x[split.train], y[split.train]), (x[split.dev], y[split.dev])
STEPS = -(-len(split.train) // 64)
folder = tempfile.mkdtemp()
FIT = {
    "validation_data": dev,
    "epochs": EPOCHS,
    "batch_size": 64,
    "verbose": 0,
}


def compiled(alpha):
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, "relu"),
            keras.layers.Dense(10, "softmax"),
        ]
    )
    model.compile(optimizers.Momentum(alpha), "sparse_categorical_crossentropy")
    return model


def by_evolution(hp):
    return compiled(tuning.log_uniform(hp, "learning_rate", 1e-3, 10.0))


def by_the_rule(hp):
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-3, 10.0)
    decay = tuning.log_uniform(hp, "decay_rate", 1e-2, 10.0)
    return compiled(
        schedules.InverseTimeDecay(alpha, decay, steps_per_epoch=STEPS)
    )


# %% [markdown]
# ## As many members as trials, as many epochs for each

# %%
rule = tuning.Caviar(by_the_rule, "val_loss", MEMBERS, directory=folder)
rule.search(*train, **FIT)
evolution = tuning.Evolution(
    by_evolution,
    "val_loss",
    population=MEMBERS,
    directory=folder,
    project_name="evolution",
)
evolution.search(*train, **FIT)

for name, tuner in [("the rule", rule), ("evolution", evolution)]:
    score = tuner.oracle.get_best_trials(1)[0].score
    print(f"{name:10} best loss on the development set {score:.3f}")
    assert np.isfinite(score)

# %% [markdown]
# ## What the winner was trained with
# It ends with the epoch of the lowest loss. Each change of α is one that a
# member made when it went on as a copy of another.

# %%
winner = evolution.schedule()
alphas = np.array(winner.of("learning_rate"))
best = tuning.best_points(rule)[0]
epochs = np.arange(EPOCHS)
decayed = best["learning_rate"] / (1 + best["decay_rate"] * epochs)
changes = int((np.diff(alphas) != 0).sum())
print(f"The winner's α changed {changes} times in {len(alphas)} epochs.")
assert ((alphas >= 1e-3) & (alphas <= 10)).all()

figure, axes = plt.subplots()
axes.step(np.arange(len(alphas)), alphas, where="post", label="evolution")
axes.plot(epochs, decayed, label="the best rule of the search")
axes.set(xlabel="epoch", ylabel="learning rate α", yscale="log")
axes.set_xticks(epochs[::2])
axes.set_title("What the best of each was trained with")
axes.legend()
common.save(figure, "18_population_based_training")
print("A schedule may go up, too, which no decay does.")

# %% [markdown]
# ## Exercise
# `winner.to_keras(STEPS)` is a schedule of Keras's. Train one model with it,
# and another seed. Does it reach the same loss, or was some of it luck?
