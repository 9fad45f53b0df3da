"""What a search and its executor tell each other."""

import abc
import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

import keras

# Why a job came to nothing: its process ended, its machine is gone, or memory
# was not enough for it.
WORKER, NODE, MEMORY = "worker", "node", "memory"


@dataclasses.dataclass(frozen=True)
class Shared:
    """What all jobs of a search have in common.

    Attributes:
        tuner: The class that trains batches, `Caviar`.
        settings: What it is made with, beside the oracle and the folder.
        objective: The objective.
        seed: The oracle's seed.
        args: The positional arguments of `search`.
        kwargs: The others.
        keras: The settings of Keras, as of `keras_settings`.
    """

    tuner: type
    settings: dict[str, Any]
    objective: Any
    seed: int
    args: tuple
    kwargs: dict[str, Any]
    keras: dict[str, Any] = dataclasses.field(default_factory=dict)

    def with_data(self, args: tuple, kwargs: dict[str, Any]) -> "Shared":
        """Returns the same with other arguments of `search`."""
        return dataclasses.replace(self, args=args, kwargs=kwargs)


@dataclasses.dataclass(frozen=True)
class Job:
    """Trials to train, and all that is to be known of them.

    Attributes:
        batch: The number of their batch.
        trials: The states of all trials of the batch that may be trained
            together.
        only: The ids of those to train now: what comes of them does not depend
            on which others are trained with them.
        files: The weights that they go on from, by path in the project.
    """

    batch: int
    trials: tuple[dict[str, Any], ...]
    only: tuple[str, ...]
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class TrialResult:
    """What came of a trial.

    Attributes:
        trial_id: Its id.
        status: Its status.
        reports: The metrics that were reported, each with its step.
        message: What it failed of, or None.
        hyperparameters: Their config, if training has met more of them.
        files: What it leaves in its folder, by name.
    """

    trial_id: str
    status: str
    reports: list[tuple[dict[str, Any], int]] = dataclasses.field(
        default_factory=list
    )
    message: str | None = None
    hyperparameters: dict[str, Any] | None = None
    files: dict[str, bytes] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class JobResult:
    """What came of a job: of its trials, and how they were trained."""

    trials: list[TrialResult]
    groups: list[dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Loss:
    """Why a job came to nothing, one of the kinds above, and the details."""

    kind: str
    why: str


@dataclasses.dataclass(frozen=True)
class Arrival:
    """What came of a job that was submitted.

    Attributes:
        ticket: The number that it was submitted with.
        outcome: Its result, or why there is none.
        node: The name of the machine.
    """

    ticket: int
    outcome: JobResult | Loss
    node: str = ""


class Session(abc.ABC):
    """An executor while a search runs."""

    @property
    @abc.abstractmethod
    def workers(self) -> int:
        """How many jobs are trained at a time, as far as is known now."""

    @abc.abstractmethod
    def submit(self, ticket: int, job: Job) -> None:
        """Gives out a job.

        Args:
            ticket: A number that no other job of the session has.
            job: The job.
        """

    @abc.abstractmethod
    def arrivals(self, timeout: float) -> list[Arrival]:
        """Returns what has come back, in any order.

        An error that training raised is raised here.

        Args:
            timeout: For how many seconds to wait if there is nothing.
        """

    def at_work(self) -> list[str]:
        """Returns of each job that has begun its node, and how far it is."""
        return []

    def waits_for(self) -> str:
        """Returns who is at work on what, for a line of a log."""
        return ""


class Executor(abc.ABC):
    """Trains the batches of a search.

    Attributes:
        retries: How often a trial whose worker was lost is begun again.
        population: How many trials make a batch, if nobody says.
        progress: Called now and then with how the workers are, in some words.
    """

    retries: int = 3
    population: int = 16
    progress: Callable[[str], None] | None = None

    @abc.abstractmethod
    def session(
        self, shared: Shared
    ) -> contextlib.AbstractContextManager[Session]:
        """Returns what trains the jobs of a search, for a `with` block."""


def keras_settings() -> dict[str, Any]:
    """Returns how Keras computes in this process."""
    policy = keras.dtype_policies.serialize(keras.config.dtype_policy())
    return {
        "floatx": keras.config.floatx(),
        "epsilon": keras.config.epsilon(),
        "image_data_format": keras.config.image_data_format(),
        "dtype_policy": policy,
    }


def set_keras(settings: dict[str, Any]) -> None:
    """Lets Keras compute as it does in another process."""
    if settings:
        keras.config.set_floatx(settings["floatx"])
        keras.config.set_epsilon(settings["epsilon"])
        keras.config.set_image_data_format(settings["image_data_format"])
        policy: Any = keras.dtype_policies.deserialize(settings["dtype_policy"])
        keras.config.set_dtype_policy(policy)
