"""Which hyperparameters mattered, in the course's order and in this search."""

import dataclasses
import re
import warnings

import numpy as np

from tfcourse.tuning.results.optuna_study import quiet_study, to_optuna
from tfcourse.tuning.results.search_results import Source, read_results

# The order in which the course would tune, most important first.
TIERS = (
    "first: the learning rate",
    "second: β, hidden units, batch size",
    "third: layers, learning-rate decay",
    "last, hardly ever tuned: β₁, β₂, ε of Adam",
)
# The first pattern that is found in a name decides.
_PATTERNS = (
    (r"beta_?[12]|epsilon|\beps\b", 3),
    (r"weight_decay|dropout|keep_prob", None),
    (r"decay|layers|depth", 2),
    (r"learning_?rate|(^|_)lr($|_)|^(alpha|α)$", 0),
    (r"^(beta|β|momentum)$|units|neurons|hidden|width|batch_?size", 1),
)
LEAST = 10
# The best quarter: five trials of twenty, as few as its estimate can do with.
_QUANTILE = 0.25
_METHODS = {
    "ped-anova": "PED-ANOVA (Optuna)",
    "fanova": "fANOVA (Optuna)",
}


@dataclasses.dataclass(frozen=True)
class Importances:
    """What mattered in a search.

    Attributes:
        shares: Name of each hyperparameter to its importance, the greatest
            first; they sum to 1. Each is the mean over draws of the trials
            with replacement, less what the same trials give with shuffled
            scores. Empty where nothing is known.
        ranges: Name to the tenth and the ninetieth percentile of these draws.
        method: The evaluator, as a person reads it.
        remark: One or two sentences on how far to trust it, or why there is
            nothing.
    """

    shares: dict[str, float]
    ranges: dict[str, tuple[float, ...]]
    method: str
    remark: str

    def stands_out(self, name: str) -> bool:
        """Returns whether a share is sure to be more than an even one."""
        return self.ranges[name][0] > 1 / len(self.shares)


def tier_of(name: str) -> int | None:
    """Returns the place in `TIERS` of a hyperparameter, or `None`.

    Args:
        name: Its name; that of one layer, `units_2` say, counts as all.
    """
    # From "Hidden units 2" and from "hiddenUnits2".
    plain = re.sub(r"[\s./-]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))
    for pattern, tier in _PATTERNS:
        if re.search(pattern, plain.lower()):
            return tier
    return None


def importances(source: Source, evaluator: str = "ped-anova") -> Importances:
    """Returns how much each hyperparameter mattered in a search.

    By one of Optuna's evaluators. PED-ANOVA measures how clearly each
    hyperparameter separates the best quarter of the trials from all trials; as
    it looks only at ranks, failed trials count too, though never among the
    best. fANOVA finds which share of the variance of the score each explains in
    a random forest, among the completed trials and the hyperparameters that all
    of them have.

    Args:
        source: As for `tfcourse.tuning.trials_frame`, or `SearchResults`.
        evaluator: `"ped-anova"` or `"fanova"`.

    Returns:
        `Importances`. With fewer than ten trials, or if all scored alike, it is
        empty and its remark says so: any number would be chance.

    Raises:
        ValueError: If there is no such evaluator.
        InputError: If there is no search.
    """
    if evaluator not in _METHODS:
        raise ValueError(
            "`evaluator` of importances must be one of "
            f"{', '.join(map(repr, _METHODS))}. "
            f"Received: evaluator={evaluator!r}"
        )
    import optuna

    results = read_results(source)
    method = _METHODS[evaluator]
    useless = _why_useless(results)
    if useless:
        return Importances({}, {}, method, useless)
    study = to_optuna(results)
    if evaluator == "ped-anova":
        trials = _with_failures(optuna, study)
        evaluate = optuna.importance.PedAnovaImportanceEvaluator(
            target_quantile=_QUANTILE
        )
        resamples = int(np.clip(2000 // len(trials), 8, 25))
    else:
        trials = [trial for trial in study.trials if trial.value is not None]
        evaluate = optuna.importance.FanovaImportanceEvaluator(seed=0)
        resamples = int(np.clip(200 // len(trials), 2, 5))
    rng = np.random.default_rng(0)
    drawn, chance = [], []
    for _ in range(resamples):
        some = [trials[i] for i in rng.integers(len(trials), size=len(trials))]
        drawn.append(_evaluated(optuna, study.direction, some, evaluate))
        some = _shuffled(optuna, some, rng)
        chance.append(_evaluated(optuna, study.direction, some, evaluate))
    return _summary(results.searched_axes, drawn, chance, method, len(trials))


def _summary(axes, drawn, chance, method, trials):
    values = {}
    for axis in axes:
        if any(axis.registered in shares for shares in drawn):
            own, by_chance = (
                np.array([shares.get(axis.registered, 0.0) for shares in some])
                for some in (drawn, chance)
            )
            values[axis.name] = np.maximum(own - by_chance.mean(), 0)
    total = sum(value.mean() for value in values.values())
    if not total > 0:
        return Importances(
            {}, {}, method, "Nothing mattered more than it would by chance."
        )
    order = sorted(values, key=lambda name: -values[name].mean())
    return Importances(
        shares={name: float(values[name].mean() / total) for name in order},
        ranges={
            name: tuple(
                float(min(bound / total, 1))
                for bound in np.quantile(values[name], [0.1, 0.9])
            )
            for name in order
        },
        method=method,
        remark=_remark(trials, len(values)),
    )


def _why_useless(results):
    scores = {record.score for record in results.best}
    ended = len(results.best) + len(results.of_status("failed"))
    if ended < LEAST or len(results.best) < 2:
        trials = "1 trial is" if ended == 1 else f"{ended} trials are"
        return (
            f"{trials} too few to tell what mattered: any number would be "
            f"chance. It takes at least {LEAST}."
        )
    if len(scores) == 1:
        return "All trials scored the same, so nothing mattered."
    return ""


def enough_for(parameters: int) -> int:
    """Returns how many trials tell what mattered, and not roughly only.

    Five trials in the best quarter, and a few more for each parameter.
    """
    return max(20, 5 * parameters)


def _remark(trials, parameters):
    if trials < enough_for(parameters):
        return (
            f"With {trials} trials for {parameters} hyperparameters this is a "
            "rough guide; the lines show how much the numbers would vary."
        )
    return "The lines show how much the numbers would vary in repeated draws."


def _with_failures(optuna, study):
    """Returns all trials, failed ones with the worst score of the others."""
    scores = [trial.value for trial in study.trials if trial.value is not None]
    maximized = study.direction == optuna.study.StudyDirection.MAXIMIZE
    worst = min(scores) if maximized else max(scores)
    return [
        optuna.trial.create_trial(
            value=worst if trial.value is None else trial.value,
            params=trial.params,
            distributions=trial.distributions,
        )
        for trial in study.trials
    ]


def _shuffled(optuna, trials, rng):
    """Returns the trials with each other's values, as chance would have it."""
    return [
        optuna.trial.create_trial(
            value=trials[i].value,
            params=trial.params,
            distributions=trial.distributions,
        )
        for trial, i in zip(trials, rng.permutation(len(trials)), strict=True)
    ]


def _evaluated(optuna, direction, trials, evaluator):
    """Returns Optuna's importances in these trials."""
    study = quiet_study(direction)
    study.add_trials(trials)
    with warnings.catch_warnings():
        # Of too few trials, which the remark says in its own words.
        warnings.simplefilter("ignore")
        return optuna.importance.get_param_importances(
            study, evaluator=evaluator, normalize=False
        )
