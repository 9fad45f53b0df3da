"""The scales on which the course draws hyperparameters."""

from typing import TYPE_CHECKING, Any, Literal

from tfcourse.errors import InputError

if TYPE_CHECKING:
    import keras_tuner

# Registers 1 - x under this name for a hyperparameter x. keras-tuner keeps the
# name in all its files, so that a record can be turned back into x.
_COMPLEMENT = "1 - "
# The course's β of momentum and of Adam.
_USUAL_BETA = 0.9


def log_uniform(
    hp: "keras_tuner.HyperParameters",
    name: str,
    low: float,
    high: float,
    **kwargs: Any,
) -> float:
    r"""Returns a value whose logarithm is uniform in `[low, high]`.

    $r \sim U[\log_{10} \text{low}, \log_{10} \text{high}]$, $\alpha = 10^r$:
    each decade gets the same share of the draws.

    Args:
        hp: The `keras_tuner.HyperParameters`.
        name: Name of the hyperparameter.
        low: Lower bound, positive.
        high: Upper bound, above `low`.
        **kwargs: Passed to `hp.Float`. Its `default` is `low`, if none is
            given.

    Raises:
        InputError: If not `0 < low < high`.

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Using an appropriate scale
        to pick hyperparameters.
    """
    if not 0 < low < high:
        raise InputError(
            f"The bounds of {name!r} on a log scale must satisfy "
            f"0 < low < high. Received: low={low}, high={high}"
        )
    return hp.Float(name, low, high, sampling="log", **kwargs)


def one_minus_log_uniform(
    hp: "keras_tuner.HyperParameters",
    name: str,
    low: float,
    high: float,
    default: float | None = None,
    **kwargs: Any,
) -> float:
    r"""Returns a $\beta$ in `[low, high]` with $\log (1 - \beta)$ uniform.

    $r \sim U[\log_{10} (1 - \text{high}), \log_{10} (1 - \text{low})]$,
    $\beta = 1 - 10^r$: as many draws average over 10 to 100 steps (0.9 to
    0.99) as over 100 to 1000 (0.99 to 0.999). keras-tuner's own
    `sampling="reverse_log"` is close to uniform there.

    Args:
        hp: The `keras_tuner.HyperParameters`.
        name: Name of the hyperparameter. $1 - \beta$ is registered as
            `"1 - name"`; records and reports show $\beta$ under `name`.
        low: Lower bound of $\beta$, above 0.
        high: Upper bound of $\beta$, below 1.
        default: The $\beta$ where none is drawn; the course's 0.9, or `low`
            if that is not between the bounds.
        **kwargs: Passed to `hp.Float`, e.g. `parent_name`.

    Raises:
        InputError: If not `0 < low < high < 1`, or `default` is not between
            the bounds.

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Using an appropriate scale
        to pick hyperparameters.
    """
    if not 0 < low < high < 1:
        raise InputError(
            f"The bounds of {name!r} must satisfy 0 < low < high < 1. "
            f"Received: low={low}, high={high}"
        )
    if default is None:
        default = _USUAL_BETA if low <= _USUAL_BETA <= high else low
    if not low <= default <= high:
        raise InputError(
            f"The default of {name!r} must be between its bounds {low} and "
            f"{high}. Received: default={default}"
        )
    # Rounded because 1 - 0.9 is 0.09999999999999998.
    complement = log_uniform(
        hp,
        complement_scale(name),
        round(1 - high, 15),
        round(1 - low, 15),
        default=round(1 - default, 15),
        **kwargs,
    )
    # keras-tuner gives None for what its conditions leave out.
    return None if complement is None else 1 - complement


def uniform_integers(
    hp: "keras_tuner.HyperParameters",
    name: str,
    low: int,
    high: int,
    **kwargs: Any,
) -> int:
    """Returns an integer in `[low, high]`, each with the same chance.

    For what the course draws on a linear scale: numbers of units and layers.

    Args:
        hp: The `keras_tuner.HyperParameters`.
        name: Name of the hyperparameter.
        low: Lower bound, an integer.
        high: Upper bound, an integer.
        **kwargs: Passed to `hp.Int`. Its `default` is `low`, if none is given.

    Raises:
        InputError: If a bound is not an integer, or `low` exceeds `high`.

    Reference:
        Ng, Improving Deep Neural Networks, week 3, Using an appropriate scale
        to pick hyperparameters.
    """
    if not (isinstance(low, int) and isinstance(high, int) and low <= high):
        raise InputError(
            f"The bounds of {name!r} must be integers, low <= high. "
            f"Received: low={low}, high={high}"
        )
    return hp.Int(name, low, high, **kwargs)


def powers_of_two(
    hp: "keras_tuner.HyperParameters",
    name: str,
    low: int,
    high: int,
    **kwargs: Any,
) -> int:
    """Returns a power of two in `[low, high]`, each with the same chance.

    Args:
        hp: The `keras_tuner.HyperParameters`.
        name: Name of the hyperparameter.
        low: Lower bound, a power of two.
        high: Upper bound, a power of two.
        **kwargs: Passed to `hp.Choice`. Its `default` is `low`, if none is
            given.

    Raises:
        InputError: If a bound is not a power of two, or `low` exceeds `high`.
    """

    def is_power(n):
        return isinstance(n, int) and n > 0 and n & (n - 1) == 0

    if not (is_power(low) and is_power(high) and low <= high):
        raise InputError(
            f"The bounds of {name!r} must be powers of two, low <= high. "
            f"Received: low={low}, high={high}"
        )
    powers = [1 << e for e in range(low.bit_length() - 1, high.bit_length())]
    return hp.Choice(name, powers, **kwargs)


def complement_scale(name: str) -> str:
    """Returns the name under which 1 - x of a hyperparameter x is kept."""
    return _COMPLEMENT + name


def to_display(name: str, value: Any) -> tuple[str, Any]:
    """Returns name and value as a person reads them: $\\beta$, not 1 - β."""
    if not name.startswith(_COMPLEMENT):
        return name, value
    # Twelve digits: more are rounding of the subtraction.
    return name.removeprefix(_COMPLEMENT), round(1 - value, 12)


def scale_of(
    name: str, sampling: str | None
) -> Literal["linear", "log", "one_minus_log"]:
    """Returns on which axis to draw a hyperparameter.

    Args:
        name: The name under which keras-tuner has it.
        sampling: Its `sampling`, or `None` where it has none.

    Returns:
        `"one_minus_log"`, `"log"` or `"linear"`.
    """
    if name.startswith(_COMPLEMENT):
        return "one_minus_log"
    return "log" if sampling == "log" else "linear"
