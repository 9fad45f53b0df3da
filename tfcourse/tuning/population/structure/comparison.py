"""The structures of models, and where two of them differ."""

import re
from collections.abc import Collection
from typing import Any, NamedTuple

import keras

from tfcourse.errors import CannotVectorize
from tfcourse.tuning.population.structure.reader import (
    Structure,
    StructureReader,
)
from tfcourse.tuning.population.structure.values import keras_settings
from tfcourse.utils.keras_private import (
    changed_variables,
    compile_argument,
    every_layer,
    losses_of_outputs,
)


def structure(model: keras.Model) -> Structure:
    """Returns what determines the program that trains a model.

    Two models of equal structure differ in nothing but the values of their
    variables and how these are initialised: the same layers, connected alike,
    with the same settings; optimizer, loss and metrics alike. Names that Keras
    gives by itself do not count, nor do values that live in variables: the
    learning rate of an optimizer, the hyperparameters of tfcourse's classes.

    What is not understood counts as different, so that models may be kept
    apart for nothing, but are not put together wrongly.

    Args:
        model: A compiled `keras.Model`, built or not.

    Returns:
        Nested tuples, which are hashable: models of one structure give equal
        ones.
    """
    return digest(model).structure


class Digest(NamedTuple):
    """What is kept of a model that was just built.

    Attributes:
        structure: Its `structure`.
        initializers: What its initial weights are drawn from, each with its
            settings.
    """

    structure: Structure
    initializers: tuple[tuple[Any, Structure], ...] = ()


def digest(
    model: keras.Model, constants: Collection[Any] = (), settings: Any = None
) -> Digest:
    """Returns the `Digest` of a model.

    Args:
        model: A compiled `keras.Model`, built or not.
        constants: Its variables that existed before its build: their values
            are no member's own.
        settings: A `SettingsReader` for what members may differ in, or None. If
            anybody's own code may look at that, it counts as all else.

    Raises:
        CannotVectorize: If something cannot be read: it equals nothing.
    """
    own = own_variables(model) - {id(v) for v in constants}
    reader = StructureReader(own, settings)
    try:
        found = (
            ("model", reader.model(model)),
            *compile_structure(model, reader, settings),
            ("made before", reader.read(list(constants))),
            ("variables", _changes_of_variables(model, reader)),
            ("keras", keras_settings()),
            ("names", names_that_count(model, reader)),
        )
    except CannotVectorize:
        raise
    except Exception as error:
        raise CannotVectorize(
            f"it cannot be compared with others: {type(error).__name__}: "
            f"{error}"
        ) from error
    if settings is not None and settings.exposed:
        settings.forget()
        return digest(model, constants)
    reader.check_known()
    if any(map(_shares_generator, reader.initializers)):
        raise CannotVectorize("its initializer draws from a `SeedGenerator`")
    kept = tuple((i, settings_of(i)) for i in reader.initializers)
    return Digest(found, kept)


def settings_of(initializer: keras.initializers.Initializer) -> Structure:
    """Returns the present settings of what initial weights are drawn from."""
    return StructureReader().read(vars(initializer))


def _shares_generator(initializer: Any) -> bool:
    # What it gives depends on who has drawn from it before.
    seed = getattr(initializer, "seed", None)
    return isinstance(seed, keras.random.SeedGenerator)


def own_variables(model: keras.Model) -> set[int]:
    """Returns the ids of the variables that each member has its own of."""
    given = [
        compile_argument(model, name)
        for name in ("metrics", "weighted_metrics")
    ]
    parts = [model, model.optimizer, *model.metrics, *keras.tree.flatten(given)]
    return {id(v) for p in parts for v in getattr(p, "variables", ())}


def names_that_count(model: keras.Model, reader: StructureReader) -> Structure:
    """Returns the names that the user sees, or that the user's code reads."""
    # Those are there from the first batch on, and named as the outputs are.
    later = {id(metric) for metric in losses_of_outputs(model)}
    metrics = [m for m in model.metrics if id(m) not in later]
    names = [_given_name(metric) for metric in metrics]
    outputs = getattr(model, "output_names", None) or []
    if len(outputs) > 1:
        names += outputs
    if reader.names & {"name", "path"} or _reads_names(model.optimizer):
        losses = keras.tree.flatten(compile_argument(model, "loss"))
        parts = [*every_layer(model), *losses, *metrics, model.optimizer]
        names += [str(getattr(part, "name", "")) for part in parts]
    return tuple(names)


def _changes_of_variables(
    model: keras.Model, reader: StructureReader
) -> Structure | str:
    found = changed_variables(model).items()
    read = tuple((place, reader.read(value)) for place, value in found)
    return read or "as their layers made them"


def _reads_names(optimizer: Any) -> bool:
    """Whether the names of variables say how they are updated."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    patterns = getattr(optimizer, "_exclude_from_weight_decay_pattern", None)
    return bool(patterns)


def _given_name(thing: Any) -> str:
    """Returns a name without the number that Keras gives it."""
    return re.sub(r"_\d+$", "", thing.name)


def compile_structure(
    model: keras.Model,
    reader: StructureReader | None = None,
    settings: Any = None,
) -> tuple[tuple[str, Any], ...]:
    """Returns the part of `structure` that `model.compile` was given.

    Args:
        model: The model.
        reader: What has read the other parts, or None.
        settings: Its `SettingsReader`, or None.
    """
    reader = reader or StructureReader(own_variables(model), settings)
    optimizer = reader.read(model.optimizer)
    loss = ()
    if settings is None or not settings.take_loss(model):
        loss = reader.read(compile_argument(model, "loss"))
    return (
        ("optimizer", optimizer),
        ("loss", loss),
        ("loss_weights", reader.read(compile_argument(model, "loss_weights"))),
        ("metrics", reader.read(compile_argument(model, "metrics"))),
        (
            "weighted_metrics",
            reader.read(compile_argument(model, "weighted_metrics")),
        ),
        ("run_eagerly", bool(model.run_eagerly)),
    )


def first_difference(a: keras.Model, b: keras.Model) -> str | None:
    """Returns where the structures of two models first differ, or None.

    The answer is a phrase such as `"model, layer 1 (Dense), units: 3 and 4"`.
    """
    return difference_between(structure(a), structure(b))


def difference_between(a: Structure, b: Structure) -> str | None:
    """Returns where two structures first differ, or None."""
    return _difference(a, b, [])


def _difference(a: Any, b: Any, path: list[str]) -> str | None:
    if a == b:
        return None
    named = _is_named(a) and _is_named(b)
    if named and [n for n, _ in a] == [n for n, _ in b]:
        for (name, one), (_, other) in zip(a, b, strict=True):
            if one != other:
                return _difference(one, other, [*path, name])
    if named:
        one, other = ([n for n, _ in x] for x in (a, b))
        only = [n for n in one if n not in other] or [
            n for n in other if n not in one
        ]
        if only:
            return f"{', '.join(path)}: only one has {only[0]}"
    both_tuples = isinstance(a, tuple) and isinstance(b, tuple)
    if both_tuples and len(a) == len(b) > 0 and not named:
        for one, other in zip(a, b, strict=True):
            if one != other:
                return _difference(one, other, path)
    return f"{', '.join(path)}: {_show(a)} and {_show(b)}"


def _is_named(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) > 0
        and all(
            isinstance(item, tuple)
            and len(item) == 2
            and isinstance(item[0], str)
            for item in value
        )
    )


def _show(value: Any) -> str:
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "float":
        value = value[1]
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."
