"""A population whose template has variables: all that computes."""

import dataclasses
from collections.abc import Callable
from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from tfcourse.tuning.population.data.batches import Batches, Sample, parts
from tfcourse.tuning.population.engines import Engine, engine_of
from tfcourse.tuning.population.frozen_prefix import FrozenPrefix
from tfcourse.tuning.population.functional.member import Member
from tfcourse.tuning.population.history import python_value
from tfcourse.tuning.population.state import State
from tfcourse.tuning.population.training_loop import TrainingLoop

JitCompile = bool | Literal["auto"]
# For each variable an array `(K, ...)`, see `deferred.all_variables`.
Columns = list[np.ndarray]
# For each member, where the variables that it has are in those of the template.
Slices = list[list[tuple[int, list[np.ndarray] | None]]]
# Of each variable the shape, with None where members have other sizes.
Shapes = list[tuple[int | None, ...]]
# `(x, y, sample_weight)`, a few examples.
Batch = tuple[Any, Any, Any]

# Examples times members of an evaluation, where batches make no difference.
_EVALUATED_AT_ONCE = 65536


@dataclasses.dataclass
class Traced:
    """What a population has traced, for others of the same template.

    Attributes:
        member: The `Member`.
        engine: What computes.
        size: The number of members that it was traced for.
    """

    member: Member
    engine: Engine
    size: int

    @property
    def any_size(self) -> bool:
        """Whether it serves another number of members, too."""
        return self.engine.any_number


@dataclasses.dataclass
class BuiltPopulation:
    """The parts that compute, and the arrays that they compute with.

    Attributes:
        member: What one member computes.
        engine: What maps it over all of them.
        state: Their arrays.
        loop: What runs epochs.
        size: K, how many members there are, those included that have left.
        prefix: What is computed before, once for all of them, or None.
    """

    member: Member
    engine: Engine
    state: State
    loop: TrainingLoop
    size: int
    prefix: FrozenPrefix | None = None

    @property
    def examples_at_once(self) -> int:
        """How many examples a batch of an evaluation should have at least."""
        if self.member.evaluates_in_any_batches:
            return _EVALUATED_AT_ONCE // self.size
        return 1

    def evaluate(self, batches: list[Batches]) -> list[dict[str, Any]]:
        """Returns the metrics of each member, a list of K dicts."""
        arrays = self.state.everyone(best=False)
        logs = self.loop.evaluate(arrays, batches)[1]
        values: dict[str, Any] = {
            name: ops.convert_to_numpy(logs[name]) for name in sorted(logs)
        }
        return [
            {name: python_value(column[k]) for name, column in values.items()}
            for k in range(self.size)
        ]

    def predict(self, x: Any, batch_size: int, best: bool) -> Any:
        """Returns the outputs of all members, see `Population.predict`."""
        arrays = self.state.everyone(best)
        some = parts(x, batch_size)
        if self.prefix is not None:
            some = map(self.prefix.outputs, some)
        outputs = [
            keras.tree.map_structure(
                np.asarray, self.engine.predict(arrays, part)
            )
            for part in some
        ]
        return keras.tree.map_structure(
            lambda *some: np.concatenate(some, axis=1), *outputs
        )


@dataclasses.dataclass
class FirstBatch:
    """What members make of one mini-batch, before they are trained.

    Attributes:
        sample: Examples of the training data, a mini-batch.
        held_out: Examples of the validation data, or None.
        logs: The metrics of a step on the first, with a value for each member,
            and, named `val_...`, of an evaluation on the others before it.
        before: A function from a member's number to its initial values, as
            `Population.values`.
        after: The same for its values after the step.
    """

    sample: Sample
    held_out: Sample | None
    logs: dict[str, np.ndarray]
    before: Callable[[int], list[np.ndarray]]
    after: Callable[[int], list[np.ndarray]]


def build_population(
    template: keras.Model,
    size: int,
    like: Traced | None,
    jit_compile: JitCompile,
    any_batch_size: bool,
    prefix: FrozenPrefix | None = None,
    settings: Any = None,
    shapes: Shapes | None = None,
) -> BuiltPopulation:
    """Returns a population whose members have no values yet.

    The arguments are those of `PopulationTrainer`; the template is built.
    """
    if like is None:
        model = prefix.rest if prefix else template
        member = Member(model, settings, shapes)
        engine = engine_of(member)
    else:
        member, engine = like.member, like.engine
    state = State(member, size)
    loop = TrainingLoop(
        member, engine, state, jit_compile, any_batch_size, prefix
    )
    return BuiltPopulation(member, engine, state, loop, size, prefix)
