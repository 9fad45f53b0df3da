"""What evolution costs, and what it finds, beside other searches.

Cost: the seconds a member and step of `Evolution`, and of `Caviar` with the
same members, of CPU time, so that what else the machine does counts little; and
of Ray Tune's `PopulationBasedTraining` with `model.fit` (`pip install
'ray[tune]'`), of wall time, beside `Evolution`'s in the same run, with the CPUs
that this process may use. The script exits with 1 if evolution takes more than
1.1 times as long as Caviar, or Ray Tune less than 20 times as long as it.

Quality: the best validation loss on four problems after as many epochs in all
as the population trains, for random search, coarse to fine, halving and
evolution; of each the median and the quartiles over the seeds.

    python benchmarks/evolution.py cost --population 32 --epochs 30
    python benchmarks/evolution.py ray --population 16 --epochs 12
    python benchmarks/evolution.py quality --population 16 --epochs 12
"""

import argparse
import os
import pathlib
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_wine,
)
from sklearn.model_selection import train_test_split

from tfcourse import tuning

OBJECTIVE = "val_loss"
BATCH = 32
MOST_TIMES_CAVIAR = 1.1
LEAST_TIMES_OF_RAY = 20


def problem(load, is_regression=False):
    """Returns a space, and arrays: inputs of unit variance, targets, twice."""
    x, y = load(return_X_y=True)
    x = (x - x.mean(0)) / (x.std(0) + 1e-6)
    if is_regression:
        y = (y - y.mean()) / y.std()
    outputs = 1 if is_regression else int(y.max()) + 1
    parts = train_test_split(
        x.astype("float32"),
        y.astype("float32" if is_regression else "int32"),
        test_size=0.3,
        random_state=0,
    )

    def build(hp):
        l2 = tuning.log_uniform(hp, "l2", 1e-6, 1e-1)
        model = keras.Sequential(
            [
                keras.Input((x.shape[1],)),
                keras.layers.Dense(
                    64, "relu", kernel_regularizer=keras.regularizers.L2(l2)
                ),
                keras.layers.Dropout(hp.Float("rate", 0.05, 0.6)),
                keras.layers.Dense(outputs),
            ]
        )
        optimizer = keras.optimizers.Adam(
            tuning.log_uniform(hp, "learning_rate", 1e-5, 1e-1),
            beta_1=tuning.one_minus_log_uniform(hp, "beta", 0.5, 0.99),
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizer, "mse" if is_regression else loss)
        return model

    return build, parts


PROBLEMS = {
    "digits": (load_digits,),
    "breast cancer": (load_breast_cancer,),
    "wine": (load_wine,),
    "diabetes": (load_diabetes, True),
}
# Each trains `population` models for `epochs`; halving as many epochs in all,
# with more models.
METHODS = {
    "random": lambda build, n, **kw: tuning.Caviar(build, OBJECTIVE, n, **kw),
    "coarse to fine": lambda build, n, **kw: tuning.CoarseToFineSearch(
        build, OBJECTIVE, n, **kw
    ),
    "halving": lambda build, n, **kw: tuning.Caviar(
        build, OBJECTIVE, halved(n), population=halved(n), halving=True, **kw
    ),
    "evolution": lambda build, n, **kw: tuning.Evolution(
        build, OBJECTIVE, n, **kw
    ),
}


def halved(size):
    """Returns of how many models halving trains those epochs: see `Halving`.

    n of them train for 1/8 of the epochs, n/2 until 1/4, n/4 until 1/2 and
    n/8 to the end: 5/16 of what n would.
    """
    return round(size * 16 / 5)


def search(method, case, seed, arguments, folder):
    """Returns the best validation loss, and seconds: of CPU, of a clock."""
    build, (x, x_dev, y, y_dev) = case
    keras.backend.clear_session()
    own = {"interval": arguments.interval} if method == "evolution" else {}
    tuner = METHODS[method](
        build,
        arguments.population,
        seed=seed,
        directory=folder,
        verify=False,
        **own,
    )
    started = time.process_time(), time.perf_counter()
    tuner.search(
        x,
        y,
        validation_data=(x_dev, y_dev),
        epochs=arguments.epochs,
        batch_size=BATCH,
        verbose=0,
    )
    seconds = (
        time.process_time() - started[0],
        time.perf_counter() - started[1],
    )
    return tuner.oracle.get_best_trials(1)[0].score, *seconds


def member_steps(case, arguments):
    """Returns how many steps all members do together."""
    steps = -(-len(case[1][0]) // BATCH) * arguments.epochs
    return steps * arguments.population


def cost(arguments):
    """Prints the time a member and step; returns 1 if it is too long."""
    case = problem(*PROBLEMS["digits"])
    seconds = {"random": [], "evolution": []}
    for seed in range(arguments.repeats + 1):
        # In turn, as a machine's speed changes; the first to warm up.
        for method, taken in seconds.items():
            with tempfile.TemporaryDirectory() as folder:
                taken.append(search(method, case, seed, arguments, folder)[1])
    medians = {n: float(np.median(taken[1:])) for n, taken in seconds.items()}
    for name, median in medians.items():
        each = median / member_steps(case, arguments)
        print(f"{name}: {1e6 * each:.1f} µs of CPU a member and step")
    ratio = medians["evolution"] / medians["random"]
    print(
        f"evolution, every {arguments.interval} epochs, takes {ratio:.2f} "
        "times as long as Caviar",
        flush=True,
    )
    return int(ratio > MOST_TIMES_CAVIAR)


def compared_with_ray(arguments):
    """Prints the wall time of Ray Tune's; returns 1 if it is too short."""
    case = problem(*PROBLEMS["digits"])
    with tempfile.TemporaryDirectory() as folder:
        score, _, own = search("evolution", case, 0, arguments, folder)
    theirs, their_score = ray_tune(arguments)
    for name, seconds, best in (
        ("evolution", own, score),
        ("Ray Tune", theirs, their_score),
    ):
        each = seconds / member_steps(case, arguments)
        print(
            f"{name}: {seconds:.1f} s, {1e6 * each:.0f} µs a member and step, "
            f"best {OBJECTIVE} {best:.4f}"
        )
    print(f"Ray Tune takes {theirs / own:.1f} times as long", flush=True)
    return int(theirs < LEAST_TIMES_OF_RAY * own)


def ray_tune(arguments):
    """Returns the seconds, and the best loss, of Ray Tune's PBT."""
    import ray
    from ray import tune
    from ray.tune.schedulers import PopulationBasedTraining

    ranges = {
        "l2": (1e-6, 1e-1),
        "rate": (0.05, 0.6),
        "learning_rate": (1e-5, 1e-1),
        "one_minus_beta": (0.01, 0.5),
    }
    scales = {
        name: tune.uniform(*ends) if name == "rate" else tune.loguniform(*ends)
        for name, ends in ranges.items()
    }
    intervals = arguments.epochs // arguments.interval
    ray.init(
        num_cpus=len(os.sched_getaffinity(0)),
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )
    try:
        started = time.perf_counter()
        results = tune.Tuner(
            trainable(arguments.interval),
            param_space=scales,
            tune_config=tune.TuneConfig(
                metric=OBJECTIVE,
                mode="min",
                num_samples=arguments.population,
                reuse_actors=True,
                scheduler=PopulationBasedTraining(
                    time_attr="training_iteration",
                    perturbation_interval=1,
                    hyperparam_mutations=scales,
                    quantile_fraction=0.25,
                ),
            ),
            run_config=tune.RunConfig(
                stop={"training_iteration": intervals},
                storage_path=tempfile.mkdtemp(),
                verbose=0,
            ),
        ).fit()
        seconds = time.perf_counter() - started
        return seconds, results.get_best_result().metrics[OBJECTIVE]
    finally:
        ray.shutdown()


def trainable(interval):
    """Returns a `tune.Trainable` that fits a model for an interval a step."""
    from ray import tune

    here = pathlib.Path(__file__).resolve().parent

    class Fitted(tune.Trainable):
        def setup(self, config):
            sys.path[:0] = [str(here), str(here.parent)]
            import evolution
            import keras_tuner

            self.module, self.hp = evolution, keras_tuner.HyperParameters
            self.case = evolution.problem(*evolution.PROBLEMS["digits"])
            self.reset_config(config)

        def reset_config(self, config):
            import keras

            keras.backend.clear_session()
            hp = self.hp()
            hp.values = {
                "l2": config["l2"],
                "rate": config["rate"],
                "learning_rate": config["learning_rate"],
                "1 - beta": config["one_minus_beta"],
            }
            self.model = self.case[0](hp)
            return True

        def step(self):
            x, x_dev, y, y_dev = self.case[1]
            history = self.model.fit(
                x,
                y,
                validation_data=(x_dev, y_dev),
                epochs=interval,
                batch_size=self.module.BATCH,
                verbose=0,
            ).history
            return {"val_loss": history["val_loss"][-1]}

        def save_checkpoint(self, folder):
            self.model.save_weights(pathlib.Path(folder, "m.weights.h5"))

        def load_checkpoint(self, folder):
            self.model.load_weights(pathlib.Path(folder, "m.weights.h5"))

    return Fitted


def quality(arguments):
    """Prints the best losses, a row a problem."""
    for name, settings in PROBLEMS.items():
        case = problem(*settings)
        for method in METHODS:
            found = []
            for seed in range(arguments.seeds):
                with tempfile.TemporaryDirectory() as folder:
                    found.append(
                        search(method, case, seed, arguments, folder)[0]
                    )
            low, median, high = np.quantile(found, [0.25, 0.5, 0.75])
            print(
                f"{name:14} {method:14} {median:.4f} ({low:.4f} to {high:.4f})",
                flush=True,
            )
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cost", "ray", "quality"])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--population", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--interval", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    parts = {"cost": cost, "ray": compared_with_ray, "quality": quality}
    return parts[arguments.what](arguments)


if __name__ == "__main__":
    sys.exit(main())
