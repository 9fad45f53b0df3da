"""The searches that people run: are they faster here, and right?

Each search of `catalogue` is run by Caviar and, on some of the same trials, by
keras-tuner's random search, in a process of its own. Printed are how many
trials were in programs of at least four, the CPU seconds a trial of both, and
whether the score of a trial is that of `model.fit`.

    python benchmarks/real_searches.py --only S01,S02 --trials 16
    python benchmarks/real_searches.py --grouping

`--grouping` draws and groups the trials, trains none, and says why they are
apart. Exit code 1 if an aim is missed.
"""

import argparse
import dataclasses
import json
import logging
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

NAMES = [f"S{number:02}" for number in range(1, 36)]
TOGETHER = 4
AIMS = {"share": 0.8, "searches": 0.75, "least": 0.95}
# Of the median ratio, by the number of trials.
MEDIANS = {16: 6, 64: 15}
# Sums of float32 in another order, over a few epochs.
TOLERANCE = 2e-3
# Of a metric that counts examples: so many of a small held-out set.
EXAMPLES = 0.02


@dataclasses.dataclass
class Result:
    """What was found of a search.

    Attributes:
        trials: How many trials there were.
        programs: How many groups were, or would be, trained as one program.
        together: How many trials are in programs of at least four.
        whys: Why trials are apart: pairs of how many trials and the reason.
        seconds: CPU seconds a trial, Caviar's and keras-tuner's, or None.
        scores: A trial's score, Caviar's and of `model.fit`, or None.
        right: Whether these are alike.
    """

    trials: int
    programs: int
    together: int
    whys: list
    seconds: list | None = None
    scores: list | None = None
    right: bool | None = None

    @property
    def ratio(self):
        return self.seconds[1] / self.seconds[0]

    def __str__(self):
        parts = [
            f"{self.together:3} of {self.trials:2} together",
            f"{self.programs:2} programs",
        ]
        if self.seconds:
            ours, theirs = self.seconds
            parts.append(
                f"CPU s a trial {ours:.2f}, keras-tuner {theirs:.2f}: "
                f"{self.ratio:.2f} times as fast"
            )
        if self.scores:
            word = "right" if self.right else "WRONG"
            ours, theirs = self.scores
            parts.append(f"score {word}: {ours:.6g}, alone {theirs:.6g}")
        return ", ".join(parts)


# A search, grouped only


def settings(search, folder, trials):
    """Returns the arguments of a tuner that is Caviar."""
    own = {"directory": folder, "hypermodel": search.hypermodel}
    if search.oracle:
        return own | search.tuner | {"oracle": search.oracle(trials)}
    return (
        own
        | {"objective": search.objective, "max_trials": trials, "seed": 1}
        | {"max_consecutive_failed_trials": trials + 1}
        | search.tuner
    )


def arguments(search):
    return search.fit | {"verbose": 0, "shuffle": False}


def grouped(search, trials):
    """Returns the trials of a search and their groups; trains none."""
    from tfcourse.tuning import Caviar
    from tfcourse.tuning.caviar.steps.grouping import make_groups

    class Grouping(Caviar):
        def _run_batch(self, requests, programs, pays, search):
            self.drawn = requests.batch(
                lambda trial: self.begin_trial(trial, search)
            )
            self.made = make_groups(self.drawn, pays, self.executions_per_trial)
            return False

    with tempfile.TemporaryDirectory() as folder:
        tuner = search.subclass(Grouping)(**settings(search, folder, trials))
        tuner.search(*search.args, **arguments(search))
    return tuner.drawn, tuner.made


def result_of_groups(trials, groups):
    counts, whys = [], []
    for group in groups:
        alone = hasattr(group, "trials")
        size = len(group.trials) if alone else sum(map(len, group.parts))
        if not alone:
            counts.append(size)
        if group.why:
            whys.append((size, _why(group.why, group.advice)))
    together = sum(count for count in counts if count >= TOGETHER)
    return Result(len(trials), len(counts), together, whys)


def _why(why, advice):
    return f"{why} ({advice})" if advice else why


# A search, trained by both


def replayed(values, **kwargs):
    """Returns a random oracle of keras-tuner whose draws are given."""
    import keras_tuner

    class Replay(keras_tuner.oracles.RandomSearchOracle):
        def populate_space(self, trial_id):
            place = len(self.start_order)
            if place >= len(values):
                return {"status": "STOPPED", "values": None}
            return {"status": "RUNNING", "values": dict(values[place])}

    return Replay(max_trials=len(values), **kwargs)


def by_caviar(search, trials, folder):
    """Returns Caviar, after the search, and its CPU seconds."""
    from tfcourse.tuning import Caviar

    start = time.process_time()
    tuner = search.subclass(Caviar)(**settings(search, folder, trials))
    tuner.search(*search.args, **arguments(search))
    return tuner, time.process_time() - start


def by_keras_tuner(search, values, folder):
    """Returns keras-tuner's CPU seconds for trials of these values."""
    import keras_tuner

    of_oracle = {"hyperparameters", "tune_new_entries"}
    oracle = replayed(
        values,
        objective=search.objective,
        max_consecutive_failed_trials=len(values) + 1,
        **{n: v for n, v in search.tuner.items() if n in of_oracle},
    )
    own = {n: v for n, v in search.tuner.items() if n not in of_oracle}
    start = time.process_time()
    tuner = search.subclass(keras_tuner.Tuner)(
        oracle=oracle, hypermodel=search.hypermodel, directory=folder, **own
    )
    tuner.search(*search.args, **arguments(search))
    return time.process_time() - start


def trained(make, options):
    """Returns the `Result` of a search by both tuners, that take turns."""
    with tempfile.TemporaryDirectory() as folder:
        search = make(folder)
        count = min(options.trials, search.trials)
        drawn, _ = grouped(search, count)
        values = [begun.trial.hyperparameters.values for begun in drawn]
        step = max(1, len(values) // options.peer_trials)
        values = values[step // 2 :: step][: options.peer_trials]
    warm_up()
    ours, theirs = [], []
    for turn in range(options.turns):
        for who in ("ours", "theirs") if turn % 2 else ("theirs", "ours"):
            with tempfile.TemporaryDirectory() as folder:
                search = make(folder)
                if who == "theirs":
                    seconds = by_keras_tuner(search, values, folder)
                    theirs.append(seconds / len(values))
                    continue
                tuner, seconds = by_caviar(search, count, folder)
                ours.append(seconds / len(tuner.oracle.trials))
    result = result_of_records(tuner)
    result.seconds = [statistics.median(ours), statistics.median(theirs)]
    compare_score(result, tuner, make)
    return result


def warm_up():
    """Pays for what the first model of a process needs, and all others use."""
    import keras
    import numpy as np

    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.ones((32, 3)), np.ones((32, 1)), verbose=0)


def result_of_records(tuner):
    records = tuner.groups
    programs = [r for r in records if r["how"] != "alone"]
    sizes = [len(r["trials"]) for r in programs]
    return Result(
        len(tuner.oracle.trials),
        len(programs),
        sum(size for size in sizes if size >= TOGETHER),
        [
            (len(r["trials"]), _why(r["why"], r["advice"]))
            for r in records
            if r["why"]
        ],
    )


# Is a score right?


def compare_score(result, tuner, make):
    """Notes the score of a trial of the largest group, and that of `fit`."""
    records = sorted(
        tuner.groups, key=lambda r: (r["how"] != "alone", len(r["trials"]))
    )
    every = [i for r in reversed(records) for i in r["trials"]]
    complete = [
        tuner.oracle.trials[i]
        for i in every
        if tuner.oracle.trials[i].score is not None
    ]
    # In a program, examples that are shuffled come in the search's order.
    complete.sort(key=lambda t: t.hyperparameters.values.get("shuffle", False))
    if tuner.hypermodel is None or not complete:
        return
    trial = complete[0]
    with tempfile.TemporaryDirectory() as folder:
        search = make(folder)
        scores = [
            score_alone(tuner, trial, search, n)
            for n in range(tuner.executions_per_trial)
        ]
    result.scores = [trial.score, statistics.mean(scores)]
    counts = "acc" in (tuner.oracle.objective.name or "")
    result.right = math.isclose(
        *result.scores,
        rel_tol=TOLERANCE,
        abs_tol=EXAMPLES if counts else TOLERANCE,
    )


def score_alone(tuner, trial, search, execution):
    """Returns what `HyperModel.fit` gives for a trial in one execution."""
    import keras
    import numpy as np

    hp = trial.hyperparameters
    # Metrics are called as in a search.
    keras.backend.clear_session()
    keras.utils.set_random_seed(tuner.seed_of(trial, execution))
    model = tuner.hypermodel.build(hp)
    answer = tuner.hypermodel.fit(hp, model, *search.args, **arguments(search))
    if not isinstance(answer, keras.callbacks.History):
        return answer
    goal = tuner.oracle.objective
    best = np.nanmax if goal.direction == "max" else np.nanmin
    return float(best(answer.history[goal.name]))


# All searches


def of_process(name, options):
    """Returns the `Result` of a search that is run in a process of its own."""
    command = [sys.executable, __file__, "--one", name]
    for option in ("trials", "peer_trials", "turns"):
        command += [f"--{option.replace('_', '-')}"]
        command += [str(getattr(options, option))]
    try:
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=options.timeout,
        )
        return Result(**json.loads(answer.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return f"took more than {options.timeout} s"
    except (IndexError, ValueError):
        return f"ended: {answer.stderr.strip().splitlines()[-1:]}"


def only_grouped(make, options):
    with tempfile.TemporaryDirectory() as folder:
        search = make(folder)
        count = min(options.trials, search.trials)
        return result_of_groups(*grouped(search, count))


def run(searches, options):
    """Prints each search; returns the results of those that came to an end."""
    results = {}
    for name, make in searches.items():
        try:
            result = (
                only_grouped(make, options)
                if options.grouping
                else of_process(name, options)
            )
        except Exception:  # One search that ends so does not end the others.
            result = f"ended: {traceback.format_exc().splitlines()[-1]}"
        print(f"{name} {result}", flush=True)
        if isinstance(result, Result):
            results[name] = result
            if options.grouping or options.why:
                for size, why in result.whys:
                    print(f"      {size:2}: {why}", flush=True)
    return results


def totals(results, options):
    """Prints the totals; returns whether the aims are reached."""
    trials = sum(r.trials for r in results)
    share = sum(r.together for r in results) / trials
    mostly = sum(2 * r.together > r.trials for r in results) / len(results)
    print(
        f"all {len(results)}: {share:.0%} of {trials} trials in programs of at "
        f"least {TOGETHER} (aim {AIMS['share']:.0%}), {mostly:.0%} of the "
        f"searches mostly so (aim {AIMS['searches']:.0%})"
    )
    reached = share >= AIMS["share"] and mostly >= AIMS["searches"]
    ratios = [r.ratio for r in results if r.seconds]
    if not ratios:
        return reached
    median, least = statistics.median(ratios), min(ratios)
    aim = MEDIANS.get(options.trials, 1)
    wrong = sum(r.right is False for r in results)
    print(
        f"median ratio {median:.2f} (aim {aim}), least {least:.2f} (aim "
        f"{AIMS['least']}), {wrong} wrong"
    )
    return reached and median >= aim and least >= AIMS["least"] and not wrong


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", help="names with commas between them")
    parser.add_argument("--grouping", action="store_true")
    parser.add_argument("--why", action="store_true")
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--peer-trials", type=int, default=4)
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--timeout", type=int, default=1800)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.getLogger("tfcourse").setLevel(logging.ERROR)
    if options.one:
        result = trained(catalogue()[options.one], options)
        print(json.dumps(dataclasses.asdict(result)))
        return
    # The parent of processes needs no TensorFlow.
    every = catalogue() if options.grouping else dict.fromkeys(NAMES)
    chosen = options.only.split(",") if options.only else list(every)
    results = run({name: every[name] for name in chosen}, options)
    sys.exit(not (results and totals(list(results.values()), options)))


def catalogue():
    from catalogue import CATALOGUE

    return CATALOGUE


if __name__ == "__main__":
    main()
