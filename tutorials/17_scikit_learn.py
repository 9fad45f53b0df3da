# %% [markdown]
# # 17. The course's scales in scikit-learn
#
# Week 3, "Using an appropriate scale to pick hyperparameters".
#
# A search space that was written for keras-tuner is a search space for
# scikit-learn too: `SpaceClassifier` makes it an estimator, and `sklearn_space`
# gives the distributions with the same scales. Here `RandomizedSearchCV` finds
# α and β of momentum for telling three growers' wines apart, by
# cross-validation, with the normalization inside each fold.

# %%
import logging

import common
import keras
import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import RandomizedSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tfcourse import data, optimizers, tuning

TRIALS, FOLDS = (2, 2) if common.QUICK else (8, 3)

# Each fit has a model of its own, which TensorFlow would warn of.
logging.getLogger("tensorflow").setLevel("ERROR")
wine = data.load("wine")


def build(hp):
    alpha = tuning.log_uniform(hp, "learning_rate", 1e-3, 10.0)
    beta = tuning.one_minus_log_uniform(hp, "beta", 0.5, 0.99)
    hidden = keras.layers.Dense(16, activation="relu")
    output = keras.layers.Dense(3, activation="softmax")
    model = keras.Sequential([keras.Input((13,)), hidden, output])
    model.compile(
        optimizers.Momentum(alpha, beta), "sparse_categorical_crossentropy"
    )
    return model


# %% [markdown]
# ## The same space, twice
# What scikit-learn draws from has the scales of `build`: half of the α below
# 0.1, the middle of 0.001 to 10 by its logarithm.

# %%
space = tuning.sklearn_space(build)
for name, distribution in space.items():
    drawn = distribution.rvs(10_000, random_state=0)
    print(f"{name:13} median of 10,000 draws: {np.median(drawn):.3g}")
alphas = space["learning_rate"].rvs(10_000, random_state=0)
assert abs(np.mean(alphas < 0.1) - 0.5) < 0.03  # Six times 0.005.

# %% [markdown]
# ## Search by cross-validation
# In a pipeline the parameters have the step's name before their own.

# %%
network = tuning.SpaceClassifier(
    build, fit_kwargs={"epochs": 10, "batch_size": 32, "verbose": 0}, seed=1
)
search = RandomizedSearchCV(
    make_pipeline(StandardScaler(), network),
    {f"spaceclassifier__{name}": scale for name, scale in space.items()},
    n_iter=TRIALS,
    cv=StratifiedKFold(FOLDS, shuffle=True, random_state=0),
    random_state=0,
)
search.fit(wine.x, wine.y)

found = search.cv_results_
alpha = np.array([p["spaceclassifier__learning_rate"] for p in found["params"]])
print(
    f"The best of {TRIALS}: α = {alpha[search.best_index_]:.2g}, "
    f"β = {search.best_params_['spaceclassifier__beta']:.3g}, accuracy "
    f"{search.best_score_:.1%} in {FOLDS} folds."
)
assert search.best_score_ > 0.9
assert search.best_estimator_.predict_proba(wine.x[:5]).shape == (5, 3)

# %%
figure, axes = plt.subplots()
axes.errorbar(
    alpha,
    100 * found["mean_test_score"],
    100 * found["std_test_score"],
    fmt="o",
    capsize=3,
)
axes.axhline(40, color="0.5", linewidth=1, linestyle=":")
axes.text(1e-3, 41, "always the commonest class", color="0.3")
axes.set(xlabel="learning rate α", ylabel="accuracy (%)", xscale="log")
axes.set(xlim=(8e-4, 12), ylim=(0, 103))
axes.set_title(f"{TRIALS} draws of α and β: mean and spread of {FOLDS} folds")
common.save(figure, "17_scikit_learn")
print("Each α is drawn anew, and the decades get the same share of them.")

# %% [markdown]
# ## Exercise
# Search `np.linspace(0.001, 10, 8)` for α with `GridSearchCV` instead. How
# many of the eight lie in the decade of the best one above?
