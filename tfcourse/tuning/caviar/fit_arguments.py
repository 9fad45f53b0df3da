"""What the model of a trial would be fitted with."""

import contextlib
import inspect
import operator
from typing import Any, NamedTuple

import keras
import keras_tuner

from tfcourse.tuning.population import CannotVectorize
from tfcourse.tuning.tuners.cross_validation import CrossValidated

_FIT = inspect.signature(keras.Model.fit)
# Of what `model.fit` takes, a population takes all but these.
_UNSUPPORTED = {
    "steps_per_epoch": None,
    "validation_steps": None,
    "validation_freq": 1,
}


class SearchArguments(NamedTuple):
    """What `search` was called with."""

    args: tuple
    kwargs: dict[str, Any]


class _FitSpy:
    """Takes the place of a model in `HyperModel.fit`, and notes what for."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self.answer = keras.callbacks.History()

    def fit(self, *args, **kwargs) -> keras.callbacks.History:
        if self.arguments:
            raise CannotVectorize("its `HyperModel.fit` fits more than once")
        bound = _FIT.bind(None, *args, **kwargs)
        bound.apply_defaults()
        self.arguments = dict(list(bound.arguments.items())[1:])
        return self.answer

    def __getattr__(self, name: str) -> Any:
        raise CannotVectorize(f"its `HyperModel.fit` uses `model.{name}`")


def fit_arguments(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    args: tuple,
    kwargs: dict[str, Any],
    early_stopping: int | keras.callbacks.EarlyStopping | None = None,
) -> dict[str, Any]:
    """Returns what a hypermodel would fit its model with.

    Args:
        hypermodel: A `keras_tuner.HyperModel`.
        hp: The trial's hyperparameters.
        args: The positional arguments of the search.
        kwargs: The other ones.
        early_stopping: As for `Population.fit`.

    Returns:
        A dict of arguments for `Population.fit`; its `subsets`, if they are not
        None, have a row for each fold.

    Raises:
        CannotVectorize: If it does anything but call `model.fit` once, or a
            population does not take what it calls that with.
    """
    kwargs = {**kwargs, "callbacks": list(kwargs.get("callbacks") or [])}
    arguments, data = _spied(hypermodel, hp, args, kwargs)
    _refuse_unsupported(arguments)
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
        fit_arguments(hypermodel, hp, search.args, search.kwargs)
    oracle.update_space(hp)


def _spied(
    hypermodel: keras_tuner.HyperModel,
    hp: keras_tuner.HyperParameters,
    args: tuple,
    kwargs: dict[str, Any],
) -> tuple[dict[str, Any], tuple | None]:
    """Returns what `model.fit` is called with, and the data of the folds."""
    spy, data = _FitSpy(), None
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
    if answer is not spy.answer:
        raise CannotVectorize(
            "its `HyperModel.fit` returns something else than what "
            "`model.fit` does"
        )
    return spy.arguments, data


def _refuse_unsupported(arguments: dict[str, Any]) -> None:
    """Refuses, and takes away, what a population does not take."""
    for name, default in _UNSUPPORTED.items():
        if arguments.pop(name) != default:
            raise CannotVectorize(f"`{name}` is given")
    if not isinstance(arguments["shuffle"], bool):
        raise CannotVectorize(f"`shuffle` is {arguments['shuffle']!r}")


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
