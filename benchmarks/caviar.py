"""A whole search by Caviar against keras-tuner's and Optuna's.

From the tuner's constructor to the best model in hand: drawing, building,
compiling, training, records, and the weights of each trial's best epoch. The
three take turns on the same space, data, epochs and batch sizes, and the figure
is seconds a trial; so the peers, who take each trial by itself, may run fewer
of them (`--peer-trials`) than Caviar, who trains them together (`--trials`).

    python benchmarks/caviar.py --cases mlp course --turns 3

Cases: `mlp`, 64-64-10 with batch norm, learning rate and momentum searched;
`course`, the bundled space of the course; `cnn`, `lstm` and `gru`, small ones
on the same images; `hand`, the training of the first against the same
mathematics by hand in `jax.vmap`; `growth`, time and memory for 1 to 512
trials, drawn into `--plot`.
"""

import argparse
import functools
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
import pairs
from population import NETWORKS, as_population, by_hand
from spaces import SPACES, by_tuner, digits, fit_settings

from tfcourse.tuning import Caviar
from tfcourse.tuning.caviar.steps.candidates import Candidate
from tfcourse.tuning.caviar.steps.grouping import grouped
from tfcourse.tuning.population import build_deferred, structure

# At least so many times faster than keras-tuner, a trial, by how many trials.
AIMS = {
    ("mlp", 64): 60,
    ("mlp", 256): 120,
    ("course", 64): 25,
    ("cnn", 64): 30,
    ("lstm", 64): 30,
    ("gru", 64): 30,
    **{(name, 8): 10 for name in SPACES},
}


def aim_of(name, trials):
    # Of other numbers of trials only that it is no loss.
    return AIMS.get((name, trials), 1)


def by_optuna(name, trials, seed, data, epochs):
    """Returns the seconds a trial of Optuna's random sampler and `fit`.

    The weights of each trial's best epoch are kept in a file, as the others do.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    train, held_out = data
    space = SPACES[name]
    build = getattr(space, "build", space)
    settings = fit_settings(name, held_out, epochs)
    kept = {"best": -1.0}
    known = keras_tuner.HyperParameters()
    build(known)

    def objective(trial):
        hp = known.copy()
        for parameter in known.space:
            hp.values[parameter.name] = _suggest(trial, parameter)
        model = build(hp)
        if name == "course":
            settings["batch_size"] = hp.get("batch_size")
        checkpoint = keras.callbacks.ModelCheckpoint(
            f"{folder}/{trial.number}.weights.h5",
            "val_accuracy",
            mode="max",
            save_best_only=True,
            save_weights_only=True,
        )
        history = model.fit(*train, callbacks=[checkpoint], **settings)
        best = max(history.history["val_accuracy"])
        if best > kept["best"]:
            kept.update(best=best, model=model, number=trial.number)
        return best

    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=seed),
        )
        study.optimize(objective, trials)
        kept["model"].load_weights(f"{folder}/{kept['number']}.weights.h5")
        return (time.perf_counter() - start) / trials


def _suggest(trial, parameter):
    """Draws a value as keras-tuner's random search would."""
    share = trial.suggest_float(parameter.name, 0.0, 1.0)
    return parameter.prob_to_value(min(share, 1 - 1e-9))


def compare(name, options, data):
    """Prints one case; returns whether Caviar is fast enough."""
    tuners = []

    def ours(turn):
        took, tuner = by_tuner(
            Caviar, name, options.trials, turn, data, options.epochs
        )
        tuners.append(tuner)
        return took

    def keras_tuners(turn):
        return by_tuner(
            keras_tuner.RandomSearch,
            name,
            options.peer_trials,
            turn,
            data,
            options.epochs,
        )[0]

    def optunas(turn):
        return by_optuna(name, options.peer_trials, turn, data, options.epochs)

    who = {"Caviar": ours, "keras-tuner": keras_tuners, "Optuna": optunas}
    who = {n: who[n] for n in who if n in ("Caviar", *options.peers)}
    seconds = {n: [] for n in who}
    for turn in range(options.turns):
        first = turn % len(who)
        order = list(who)[first:] + list(who)[:first]
        for n in order:
            seconds[n].append(who[n](turn))
    times = {
        n: statistics.median(
            a / b for a, b in zip(some, seconds["Caviar"], strict=True)
        )
        for n, some in seconds.items()
    }
    fastest = ", ".join(
        f"{times[n]:.1f} times as fast as {n}" for n in options.peers
    )
    print(
        f"{name}: "
        + ", ".join(
            f"{n} {statistics.median(some):.3f} s a trial"
            for n, some in seconds.items()
        )
        + f"; {fastest} (at least {aim_of(name, options.trials)})"
    )
    # Either may be left out.
    figure, aim = times[options.peers[0]], aim_of(name, options.trials)
    what, unit = f"{name}, {options.trials} trials", f"x {options.peers[0]}"
    pairs.note(options.figures, what, figure, unit, aim, figure >= aim)
    tuner = tuners[-1]
    before, after = structures(name, tuner)
    hows = {group["how"] for group in tuner.groups}
    print(
        f"  {len(tuner.oracle.trials)} trials, {before} structures, in "
        f"{after} programs, run {len(tuner.groups)} times: "
        f"{', '.join(sorted(hows))}",
        flush=True,
    )
    return figure >= aim


def structures(name, tuner):
    """Returns how many graphs the trials are, and how many programs."""
    build = getattr(SPACES[name], "build", SPACES[name])
    candidates = [
        Candidate(
            trial,
            None,
            build_deferred(functools.partial(build, trial.hyperparameters)),
            {},
        )
        for trial in tuner.oracle.trials.values()
    ]
    graphs = {structure(candidate.model) for candidate in candidates}
    return len(graphs), len(grouped(candidates))


def compare_by_hand(options, data):
    """Prints the training alone against the same by hand in JAX.

    Once as in a search, compilation included, and once four times as long,
    whose further epochs are what training costs without compilation.
    """
    name, build = next(iter(NETWORKS.items()))
    members, lengths = options.trials, (options.epochs, 4 * options.epochs)
    ours, theirs = [], []
    for _ in range(options.turns):
        ours.append(
            [as_population(build, members, *data, n)[1][-1] for n in lengths]
        )
        theirs.append([members * by_hand(members, *data, n) for n in lengths])
    ratios = [t[0] / o[0] for o, t in zip(ours, theirs, strict=True)]
    further = [
        (t[1] - t[0]) / (o[1] - o[0]) for o, t in zip(ours, theirs, strict=True)
    ]
    print(
        f"hand: {name}, {members} members, {options.epochs} epochs "
        f"{statistics.median(o[0] for o in ours):.1f} s, by hand in JAX "
        f"{statistics.median(t[0] for t in theirs):.1f} s: "
        f"{statistics.median(ratios):.2f} of its speed (at least 0.8), of "
        f"further epochs {statistics.median(further):.2f}",
        flush=True,
    )
    return statistics.median(ratios) >= 0.8


def growth(options):
    """Draws time and memory by the number of trials, each in a process."""
    counts, seconds, peaks = (
        [2**i for i in range(options.doublings + 1)],
        [],
        [],
    )
    for count in counts:
        command = [sys.executable, __file__, "--one", str(count)]
        command += ["--epochs", str(options.epochs)]
        answer = subprocess.run(
            command, capture_output=True, text=True, check=True
        )
        took, peak = map(float, answer.stdout.split()[-2:])
        seconds.append(took)
        peaks.append(peak)
        print(f"growth: {count} trials, {took:.2f} s, {peak:.0f} MiB more")
    _plot(counts, seconds, peaks, options.plot)
    print(f"  drawn into {options.plot}", flush=True)


def one_search(count, epochs):
    """Prints the seconds of a search, and by how much memory grew."""
    # So that what is needed once does not count.
    by_tuner(Caviar, "mlp", 1, 0, digits(), 1)
    before = _peak()
    took, _ = by_tuner(
        Caviar, "mlp", count, 0, digits(), epochs, population=count
    )
    print(took * count, _peak() - before)


def _peak():
    """Returns the most memory that this process has held, in MiB."""
    # Not `ru_maxrss`, which begins with that of the process that started it.
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status does not tell the peak of memory.")


def _plot(counts, seconds, peaks, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    for axis, values, label in [
        (axes[0], seconds, "seconds, the whole search"),
        (axes[1], peaks, "memory beyond that of one trial, MiB"),
    ]:
        axis.plot(counts, values, marker="o")
        axis.set_xscale("log", base=2)
        axis.set_xlabel("trials at once")
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    cases = [*SPACES, "hand", "growth"]
    parser.add_argument("--cases", nargs="*", default=cases, choices=cases)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--peer-trials", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--turns", type=int, default=3)
    peers = ("keras-tuner", "Optuna")
    parser.add_argument("--peers", nargs="+", default=peers, choices=peers)
    parser.add_argument("--figures", help="a file to append the figures to")
    parser.add_argument("--doublings", type=int, default=9)
    parser.add_argument("--plot", default="caviar_growth.png")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one_search(options.one, options.epochs)
        return
    data = digits()
    # The first model of a process pays for what all others need, too.
    by_tuner(keras_tuner.RandomSearch, "mlp", 1, 0, data, 1)
    fast_enough = []
    for name in options.cases:
        if name == "growth":
            growth(options)
        elif name == "hand":
            fast_enough.append(compare_by_hand(options, data))
        else:
            fast_enough.append(compare(name, options, data))
    sys.exit(not all(fast_enough))


if __name__ == "__main__":
    main()
