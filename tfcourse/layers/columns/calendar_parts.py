"""What a calendar says of a time."""

import keras
from keras import ops

PARTS = ("time", "year", "month", "day", "weekday", "hour")

_DAY = 86_400.0


@keras.saving.register_keras_serializable(package="tfcourse")
class CalendarParts(keras.layers.Layer):
    r"""Gives year, month, day, weekday and hour of times, in UTC.

    With $s$ the seconds since 1970, the number of the day is
    $d = \lfloor s / 86400 \rfloor$, the weekday $(d + 3) \bmod 7$ with Monday
    0, and the date follows by arithmetic on eras of 400 years, each of 146097
    days, in the Gregorian calendar.

    Args:
        parts: Some of `PARTS`; `"time"` is $s$ itself.
        **kwargs: Passed to `keras.layers.Layer`.

    Call arguments:
        inputs: $s$, shape `(m,)`, float64.

    Returns:
        Shape `(m, len(parts))`, float64.

    Reference:
        Hinnant (2013), chrono-Compatible Low-Level Date Algorithms,
        `civil_from_days`.
    """

    def __init__(self, parts=PARTS, **kwargs):
        super().__init__(**{"dtype": "float64", **kwargs})
        unknown = set(parts) - set(PARTS)
        if unknown:
            raise ValueError(
                f"`parts` must be some of {', '.join(PARTS)}. Received: "
                f"parts={tuple(parts)}"
            )
        self.parts = list(parts)

    def call(self, inputs):
        days = _floor_divide(inputs, _DAY)
        year, month, day = civil_from_days(days)
        found = {
            "time": inputs,
            "year": year,
            "month": month,
            "day": day,
            "weekday": days + 3.0 - 7.0 * _floor_divide(days + 3.0, 7.0),
            "hour": _floor_divide(inputs - days * _DAY, 3600.0),
        }
        return ops.stack([found[part] for part in self.parts], axis=-1)

    def compute_output_spec(self, inputs):
        shape = (*inputs.shape, len(self.parts))
        return keras.KerasTensor(shape, inputs.dtype)

    def get_config(self):
        return {**super().get_config(), "parts": self.parts}


def civil_from_days(days):
    """Returns year, month and day of days since 1970, all of one float type.

    Hinnant's names: a year of an era begins in March, so that the day that
    not all of them have is its last.
    """
    z = days + 719_468.0
    era = _floor_divide(z, 146_097.0)
    doe = z - era * 146_097.0  # Day of the era.
    leap_days = (
        _floor_divide(doe, 1460.0)
        - _floor_divide(doe, 36_524.0)
        + _floor_divide(doe, 146_096.0)
    )
    yoe = _floor_divide(doe - leap_days, 365.0)
    doy = doe - (
        365.0 * yoe + _floor_divide(yoe, 4.0) - _floor_divide(yoe, 100.0)
    )
    mp = _floor_divide(5.0 * doy + 2.0, 153.0)  # Month, March being 0.
    day = doy - _floor_divide(153.0 * mp + 2.0, 5.0) + 1.0
    month = ops.where(mp < 10.0, mp + 3.0, mp - 9.0)
    early = ops.cast(month <= 2.0, days.dtype)
    return yoe + era * 400.0 + early, month, day


def _floor_divide(a, b):
    """Returns the largest q with q b <= a, whole, whatever a / b rounds to.

    XLA multiplies by 1 / b, so that 49 / 7 may be a little less than 7.
    """
    q = ops.cast(ops.floor(a / b), a.dtype)  # Keras on JAX gives a float32.
    rest = a - q * b
    q = ops.where(rest >= b, q + 1.0, q)
    return ops.where(rest < 0.0, q - 1.0, q)
