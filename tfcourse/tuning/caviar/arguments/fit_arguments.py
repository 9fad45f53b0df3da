"""What the model of a trial would be fitted with."""

import contextlib
import dataclasses
import operator
from typing import Any

import keras
import keras_tuner

from tfcourse.data.adapters import are_arrays
from tfcourse.tuning.caviar.arguments.refusals import FIT, taken
from tfcourse.tuning.caviar.arguments.shared_passes import SharedPasses
from tfcourse.tuning.caviar.arguments.symbolic_inputs import SymbolicInputs
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
        None, have a row for each fold.

    Raises:
        CannotVectorize: If it does anything but call `model.fit` once, or a
            population does not take what it calls that with.
    """
    kwargs = {
        **search.kwargs,
        "callbacks": list(search.kwargs.get("callbacks") or []),
    }
    arguments, data = _spied(hypermodel, hp, search.args, kwargs)
    arguments = taken(arguments)
    _share(arguments, search.passes)
    arguments["subsets"] = None
    if isinstance(hypermodel, CrossValidated):
        _check_unchanged(arguments, data)
        arguments["validation_data"] = None
        arguments["subsets"] = hypermodel.split(arguments["y"])
    arguments["verbose"] = bool(arguments["verbose"])
    arguments["early_stopping"] = _early_stopping(
        arguments.pop("callbacks"), early_stopping
    )
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
            "its `HyperModel.fit` returns something else than what "
            "`model.fit` does"
        )
    return spy.arguments, data


def _share(arguments: dict[str, Any], passes: SharedPasses) -> None:
    """Replaces datasets by what all members read together."""
    for name in ("x", "validation_data"):
        data = arguments[name]
        if data is None or are_arrays(data):
            continue
        # Beside targets, what is no array is refused when it is read.
        if name == "x" and arguments["y"] is not None:
            continue
        if name == "x" or not isinstance(data, (tuple, list)):
            arguments[name] = passes.shared(data, name)


def _check_unchanged(arguments: dict[str, Any], data: Any) -> None:
    """Refuses data other than those whose parts are the folds."""
    given = [arguments[name] for name in ("x", "y", "sample_weight")]
    same = all(map(operator.is_, given, (*data, None)))
    if not same or arguments["validation_data"] is not data:
        raise CannotVectorize("its `HyperModel.fit` changes the data of folds")


def _early_stopping(
    callbacks: list, early_stopping: int | keras.callbacks.EarlyStopping | None
) -> int | keras.callbacks.EarlyStopping | None:
    """Returns the one callback that a population has of its own."""
    if early_stopping is not None:
        callbacks = [*callbacks, early_stopping]
    for callback in callbacks:
        if type(callback) not in (int, keras.callbacks.EarlyStopping):
            raise CannotVectorize(
                f"the callback {type(callback).__name__} needs a live model"
            )
    if len(callbacks) > 1:
        raise CannotVectorize("there are two rules of early stopping")
    return callbacks[0] if callbacks else None
