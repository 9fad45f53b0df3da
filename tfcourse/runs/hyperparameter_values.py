"""The hyperparameters of a single run, as words, a file or a search say."""

import json
from typing import Any

from tfcourse.errors import InputError
from tfcourse.runs.settings import read_settings
from tfcourse.tuning.results.search_results import read_results
from tfcourse.tuning.search_space.scales import to_display
from tfcourse.utils.atomic_files import read_json
from tfcourse.utils.validation import unknown_name

# From one to the next a hyperparameter may let others appear.
_MOST_BUILDS = 10
_HINT = (
    "--hyperparameters takes best-of RUN, a file.json, or any number of "
    "name=value."
)


def best_of(folder):
    """Returns the best trial of a search.

    Args:
        folder: The folder of a run of `tfcourse tune`.

    Returns:
        Its `Settings` and the `TrialRecord` of the trial.

    Raises:
        InputError: If there is no search, or none of its trials completed.
    """
    settings = read_settings(folder)
    results = read_results(folder)
    if not results.best:
        raise InputError(
            f"No trial of the search in {folder} has completed. Wait for the "
            "first, or give --hyperparameters name=value."
        )
    return settings, results.winner


def read_hyperparameters(words):
    """Returns the hyperparameters that words of the command line give.

    Args:
        words: `["name=value", ...]`, or `["file.json"]`.

    Returns:
        A dict from name to value.

    Raises:
        InputError: If a word is neither, or the file is not a JSON object.
    """
    if len(words) == 1 and words[0].endswith(".json"):
        return _of_file(words[0])
    return dict(pair(word, _HINT) for word in words)


def _of_file(path):
    try:
        content = read_json(path)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise InputError(
            f'{path} must hold an object, as in {{"learning_rate": 0.001}}.'
        )
    return content


def pair(word: str, hint: str) -> tuple[str, Any]:
    """Returns name and value of `"name=value"`, the value as JSON has it.

    Args:
        word: What was given.
        hint: What else to say where it is not so.

    Raises:
        InputError: If it is not.
    """
    name, equals, text = word.partition("=")
    if not equals or not name:
        raise InputError(f"{word!r} is not name=value. {hint}")
    try:
        return name, json.loads(text)
    except ValueError:
        return name, text


def registered(build, given):
    """Returns keras-tuner's hyperparameters with the values that were given.

    Args:
        build: The search space, a function of `HyperParameters`.
        given: A dict from name, as a person reads it, to value.

    Returns:
        A `keras_tuner.HyperParameters`.

    Raises:
        InputError: If the space has no such hyperparameter (lists those it
            has), or has a choice without the value.
    """
    import keras_tuner

    hp = keras_tuner.HyperParameters()
    names = {}
    for _ in range(_MOST_BUILDS):
        build(hp)
        found = {to_display(one.name, 0)[0]: one for one in hp.space}
        if found.keys() == names.keys():
            break
        names = found
        # Anew, as a value that was first a default may hide others.
        fresh = keras_tuner.HyperParameters()
        for name in given.keys() & names.keys():
            one = names[name]
            fresh.values[one.name] = _value(one, name, given[name])
        hp = fresh
    for name in given:
        if name not in names:
            raise InputError(unknown_name("hyperparameter", name, names))
    return hp


def _value(one, name, value):
    """Returns a value as keras-tuner has it."""
    from tfcourse.tuning._keras_tuner import hyperparameters as kinds

    if one.name != name:
        # Registered is the complement.
        return round(1 - _number(name, value), 15)
    if isinstance(one, kinds.Choice):
        if value not in one.values:
            known = list(map(str, one.values))
            raise InputError(
                unknown_name(f"value of {name}", str(value), known)
            )
        return value
    if isinstance(one, kinds.Int):
        number = _number(name, value)
        if number != int(number):
            raise InputError(
                f"{name} must be a whole number. Received: {name}={value}"
            )
        return int(number)
    return _number(name, value) if isinstance(one, kinds.Float) else value


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} must be a number. Received: {name}={value}")
    return value
