"""Training the candidates of one structure, and what comes of it."""

import dataclasses
import math
import time

import keras_tuner

from tfcourse.tuning._keras_tuner import build_config_path, checkpoint_path
from tfcourse.tuning.caviar.programs import GroupProgram
from tfcourse.tuning.caviar.successive_halving import Halving
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.population.engines import is_out_of_memory
from tfcourse.tuning.tuners.cross_validation import mean_over_folds
from tfcourse.tuning.tuners.serial import best_execution, history_of
from tfcourse.utils.text import first_line


@dataclasses.dataclass
class GroupResult:
    """Trials that were trained together.

    Attributes:
        outcomes: An `Outcome` for each of the trials.
        how: `"vectorised"` or `"vectorised with a loop"`.
        why: What did not go as it should, or nothing.
        seconds: How long it took.
    """

    outcomes: list
    how: str
    why: str
    seconds: float


@dataclasses.dataclass
class GroupFailure:
    """Trials that could not be trained together, and why."""

    trials: list
    why: str


class Group:
    """Candidates of one structure, which one program can train.

    Args:
        parts: Lists of `Candidate`s; those of a list have like arguments.
        tuner: The `SerialTuner` whose trials they are.
        programs: The tuner's `ProgramCache`.
        halving: Whether the worse half of them is dropped at rungs.
        device: As for `Population`.
    """

    def __init__(self, parts, tuner, programs, halving, device):
        self._tuner = tuner
        self._halving = halving
        self._device = device
        self._programs = programs
        self._program = None
        self._parts = [
            [executions(candidate, tuner) for candidate in part]
            for part in parts
        ]

    def train(self):
        """Yields what became of the trials: `GroupResult` or `GroupFailure`."""
        for part in self._parts:
            yield from self._train(part)

    def _train(self, part, halved=""):
        start = time.monotonic()
        try:
            trained = self._outcomes(part)
        except Exception as error:
            # Kept no longer than this, as it keeps the arrays alive.
            why = _reason(error)
            too_large = is_out_of_memory(error) and len(part) > 1
        else:
            seconds = time.monotonic() - start
            yield self._report(trained, halved, seconds)
            return
        if not too_large:
            yield GroupFailure([runs[0].trial for runs in part], why)
            return
        half = (len(part) + 1) // 2
        halved = f"memory did not suffice for {len(part)} trials at once"
        yield from self._train(part[:half], halved)
        yield from self._train(part[half:], halved)

    def _outcomes(self, part):
        tuner = self._tuner
        objective = tuner.oracle.objective
        name_and_direction = objective.name, objective.direction
        if self._program is None:
            everyone = [
                c for some in self._parts for runs in some for c in runs
            ]
            self._program = self._programs.of(
                everyone, name_and_direction, tuner.oracle.seed, self._device
            )
        arguments = part[0][0].arguments
        halving = Halving(
            len(part) if self._halving else 0,
            len(part[0]),
            name_and_direction,
            arguments["initial_epoch"],
            arguments["epochs"],
        )
        population, histories = self._program.train(
            [candidate for runs in part for candidate in runs],
            halving if self._halving else None,
            any_batch_size=len(self._parts) > 1,
        )
        count = len(part[0])
        return [
            Outcome(
                runs,
                histories[n * count : (n + 1) * count],
                population,
                n * count,
                self._program,
                halving.dropped.get(n),
            )
            for n, runs in enumerate(part)
        ]

    def _report(self, outcomes, halved, seconds):
        for outcome in outcomes:
            outcome.seconds = seconds / len(outcomes)
        report = self._program.report
        looped = [f"{name} does not vectorise" for name in report["one_by_one"]]
        why = "; ".join(filter(None, [halved, *looped, *report["remarks"]]))
        return GroupResult(outcomes, report["how"], why, seconds)


@dataclasses.dataclass
class Outcome:
    """What came of a trial.

    Attributes:
        runs: Its `Candidate`s, one for each fold of each execution.
        histories: The `MemberHistory` of each.
        population: The `Population` that they were in.
        first: The number there of the first of them.
        program: The `GroupProgram` that trained it.
        dropped: After how many epochs halving dropped the trial, or None.
        seconds: How long it took.
    """

    runs: list
    histories: list
    population: object
    first: int
    program: GroupProgram
    dropped: int | None
    seconds: float = 0.0

    @property
    def trial(self):
        return self.runs[0].trial

    def write(self, files, tuner):
        """Writes the curve of the best of the trial's executions, and the
        weights of the best epoch of all its models.
        """
        objective = tuner.oracle.objective
        curves = [history.history for history in self._means()]
        curve = curves[best_execution(curves, objective)]
        n = best_execution([h.history for h in self.histories], objective)
        history = self.histories[n]
        record = history_of(self.seconds, curve)
        if self.dropped:
            record["dropped_after_epochs"] = self.dropped
        trial_id = self.trial.trial_id
        if history.best_epoch is not None:
            self.program.checkpoints.write(
                files.beside(checkpoint_path(tuner, trial_id)),
                self.runs[n].model,
                self.population.values(self.first + n, best=True),
            )
            files.write_json(
                build_config_path(tuner, trial_id),
                _of_any_batch(self.program.template.get_build_config()),
            )
        files.write_json(tuner.history_file_of(self.trial), record)

    def results(self, trial):
        """Returns what `run_trial` does, or raises what it would.

        Args:
            trial: The trial, to whose message it is added if it was dropped.
        """
        for history in self.histories:
            _refuse_divergence(history)
        if self.dropped:
            of = self.runs[0].arguments["epochs"]
            trial.message = f"dropped after epoch {self.dropped} of {of}"
        return self._means()

    def _means(self):
        """Returns the history of each execution."""
        folds = self.runs[0].folds
        return [
            mean_over_folds(self.histories[first : first + folds])
            for first in range(0, len(self.histories), folds)
        ]


def _refuse_divergence(history):
    epoch = history.diverged_epoch
    if epoch is None:
        return
    name = "loss"
    if math.isfinite(history.history["loss"][-1]):
        name = "val_loss"
    raise keras_tuner.errors.FailedTrialError(
        f"diverged: the {name} was {history.diverged_value} in epoch "
        f"{epoch + 1}"
    )


def _of_any_batch(config):
    """Returns a build config without the number of examples in a batch."""
    if isinstance(config, dict):
        return {name: _of_any_batch(value) for name, value in config.items()}
    if isinstance(config, (list, tuple)) and config:
        if all(size is None or isinstance(size, int) for size in config):
            return [None, *config[1:]]
        return [_of_any_batch(value) for value in config]
    return config


def _reason(error):
    if isinstance(error, CannotVectorize):
        return str(error)
    name = type(error).__name__
    return f"training together failed: {name}: {first_line(error)}"
