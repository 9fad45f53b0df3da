"""What the model of a trial would be fitted with."""

import contextlib
import dataclasses
import operator
from typing import Any

import keras
import keras_tuner

from tfcourse.data.adapters import are_arrays
from tfcourse.tuning.caviar.arguments.nothing_changed import (
    nothing_changed,
)
from tfcourse.tuning.caviar.arguments.refusals import FIT, taken
from tfcourse.tuning.caviar.arguments.shared_passes import SharedPasses
from tfcourse.tuning.caviar.arguments.symbolic_inputs import SymbolicInputs
from tfcourse.tuning.caviar.callbacks.accepted import (
    called_for_members,
    patience,
    stops_by_itself,
)
from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.tuners.cross_validation import CrossValidated
from tfcourse.utils import global_state


@dataclasses.dataclass
class SearchArguments:
    """What `search` was called with.

    Attributes:
        args: The positional arguments.
        kwargs: The others.
        passes: What its datasets are read by, for all trials.
        inputs: What knows the shapes of its data.
    """

    args: tuple
    kwargs: dict[str, Any]
    passes: SharedPasses = dataclasses.field(default_factory=SharedPasses)
    inputs: SymbolicInputs = dataclasses.field(default_factory=SymbolicInputs)


class _KerasTuners(keras.callbacks.Callback):
    """Stands for what keras-tuner adds to the callbacks of a search."""


class _FitSpy:
    """Takes the place of a model in `HyperModel.fit`, and notes what for."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self.answer = keras.callbacks.History()

    def fit(self, *args, **kwargs) -> keras.callbacks.History:
        if self.arguments:
            raise CannotVectorize("its `HyperModel.fit` fits more than once")
        bound = FIT.bind(None, *args, **kwargs)
        bound.apply_defaults()
        self.arguments = dict(list(bound.arguments.items())[1:])
        return self.answer

    def __getattr__(self, name: str) -> Any:
        raise CannotVectorize(f"its `HyperModel.fit` uses `model.{name}`")


def fit_arguments(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    search: SearchArguments,
    early_stopping: int | keras.callbacks.EarlyStopping | None = None,
) -> dict[str, Any]:
    """Returns what a hypermodel would fit its model with.

    Args:
        hypermodel: A `keras_tuner.HyperModel`.
        hp: The trial's hyperparameters.
        search: What the search was called with.
        early_stopping: As for `Population.fit`.

    Returns:
        A dict of arguments for `Population.fit`; its `subsets`, if they are not
        None, have a row for each fold. Its `callbacks` are those that each
        member has copies of, before and after keras-tuner's own.

    Raises:
        CannotVectorize: If it does anything but call `model.fit` once, or a
            population does not take what it calls that with.
    """
    kwargs = {
        **search.kwargs,
        "callbacks": [
            *(search.kwargs.get("callbacks") or []),
            _KerasTuners(),
        ],
    }
    arguments, data = _spied(hypermodel, hp, search.args, kwargs)
    arguments = taken(arguments)
    _share(arguments, search.passes)
    arguments["subsets"] = None
    if isinstance(hypermodel, CrossValidated):
        _check_unchanged(arguments, data)
        if arguments["validation_steps"] is not None:
            raise CannotVectorize("`validation_steps` is given beside folds")
        arguments["validation_data"] = None
        arguments["subsets"] = hypermodel.split(arguments["y"])
    _divide_callbacks(arguments, early_stopping)
    return arguments


def discover_fit_hyperparameters(
    hypermodel: keras_tuner.HyperModel,
    oracle: keras_tuner.Oracle,
    search: SearchArguments,
) -> None:
    """Lets an oracle know the hyperparameters that `HyperModel.fit` uses."""
    hp = oracle.get_space()
    with contextlib.suppress(CannotVectorize):
        fit_arguments(hypermodel, hp, search)
    oracle.update_space(hp)


def _spied(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    args: tuple,
    kwargs: dict[str, Any],
) -> tuple[dict[str, Any], tuple | None]:
    """Returns what `model.fit` is called with, and the data of the folds."""
    spy, data = _FitSpy(), None
    states = global_state.random_states()
    try:
        if isinstance(hypermodel, CrossValidated):
            answer, data = hypermodel.fit_at_once(hp, spy, *args, **kwargs)
        else:
            with nothing_changed(hypermodel, [args, kwargs]):
                answer = hypermodel.fit(hp, spy, *args, **kwargs)
    except CannotVectorize:
        raise
    except Exception as error:
        raise CannotVectorize(
            "its `HyperModel.fit` cannot do without a model: "
            f"{type(error).__name__}: {error}"
        ) from error
    if global_state.random_states() != states:
        raise CannotVectorize("its `HyperModel.fit` draws random numbers")
    if answer is not spy.answer:
        raise CannotVectorize(
            "its `HyperModel.fit` does not return what `model.fit` returns"
        )
    return spy.arguments, data


def _share(arguments: dict[str, Any], passes: SharedPasses) -> None:
    """Replaces datasets by what all members read together."""
    for name, steps in (
        ("x", "steps_per_epoch"),
        ("validation_data", "validation_steps"),
    ):
        data = arguments[name]
        if data is None or are_arrays(data):
            continue
        if name == "x" and arguments["y"] is not None:
            raise CannotVectorize(f"`x` is a {type(data).__name__} beside `y`")
        if name == "x" or not isinstance(data, (tuple, list)):
            endless = arguments[steps] is not None
            arguments[name] = passes.shared(data, name, endless)


def _check_unchanged(arguments: dict[str, Any], data: Any) -> None:
    """Refuses data other than those whose parts are the folds."""
    given = [arguments[name] for name in ("x", "y", "sample_weight")]
    same = all(map(operator.is_, given, (*data, None)))
    if not same or arguments["validation_data"] is not data:
        raise CannotVectorize("its `HyperModel.fit` changes the data of folds")


def _divide_callbacks(
    arguments: dict[str, Any],
    early_stopping: int | keras.callbacks.EarlyStopping | None,
) -> None:
    """Divides the callbacks into `early_stopping` and those of members."""
    early, late = _before_and_after(arguments["callbacks"] or [])
    stopping = early_stopping
    if isinstance(early_stopping, int) and (early or late):
        stopping = patience(early_stopping, _validates(arguments))
    if isinstance(stopping, keras.callbacks.EarlyStopping):
        early, stopping = [*early, stopping], None
    early, late = called_for_members(early), called_for_members(late)
    if stopping is None:
        stopping = stops_by_itself([*early, *late])
    own = tuple([c for c in s if c is not stopping] for s in (early, late))
    if any(own) and arguments["subsets"] is not None:
        raise CannotVectorize("there are callbacks beside folds")
    arguments |= {"early_stopping": stopping, "callbacks": own}


def _before_and_after(callbacks: list[Any]) -> tuple[list[Any], list[Any]]:
    """Returns which callbacks come before, and after, keras-tuner's own."""
    places = [i for i, c in enumerate(callbacks) if isinstance(c, _KerasTuners)]
    at = places[0] if places else len(callbacks)
    return callbacks[:at], callbacks[at + 1 :]


def _validates(arguments: dict[str, Any]) -> bool:
    return bool(
        arguments["validation_data"] is not None
        or arguments["validation_split"]
        or arguments["subsets"] is not None
    )
