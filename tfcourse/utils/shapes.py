"""What JSON from a file must look like, before anything is done with it.

A shape is a type, or made of shapes as JSON is of values:

- `int`, `float` (whole numbers, too), `str`, `bool`, `None`;
- `ANY`, which everything has;
- `(a, b)`: one of them;
- `[a]`: a list, each entry of which has that shape;
- `[a, b]`: a list of two;
- `{"name": a, "other?": b}`: a dict with these keys, the second if it likes;
  it may have others;
- `{str: a}`: a dict of any keys, each value of that shape.
"""

from typing import Any

ANY = object
SCALAR = (bool, float, str, None)
# What reading half a file, or one of something else, raises.
DAMAGED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
# What NumPy and a disk have as a whole number.
_MOST = 2**63


def check_shape(value: Any, shape: Any, place: str = "") -> Any:
    """Returns a value that has a shape.

    Args:
        value: As `json.loads` returns it.
        shape: What it must look like.
        place: Where it stands, for the message.

    Raises:
        ValueError: If it has another; says where, and what is there.
    """
    if isinstance(shape, list):
        _check_list(value, shape, place)
    elif isinstance(shape, dict):
        _check_dict(value, shape, place)
    elif not any(
        _is_one(value, one, place)
        for one in (shape if isinstance(shape, tuple) else (shape,))
    ):
        raise ValueError(f"{place or 'the whole'} is {_shown(value)}")
    return value


def _is_one(value: Any, shape: Any, place: str) -> bool:
    if isinstance(shape, (list, dict, tuple)):
        try:
            check_shape(value, shape, place)
        except ValueError:
            return False
        return True
    if shape is None or shape is ANY:
        return shape is ANY or value is None
    if shape in (int, float):
        # No float is left out: a loss may be infinite.
        return (shape is float and isinstance(value, float)) or (
            isinstance(value, int)
            and not isinstance(value, bool)
            and abs(value) < _MOST
        )
    return isinstance(value, shape)


def _check_list(value: Any, shape: list, place: str) -> None:
    is_list = isinstance(value, list)
    if not is_list or len(shape) not in (1, len(value)):
        raise ValueError(f"{place or 'the whole'} is {_shown(value)}")
    shapes = shape if len(shape) > 1 else shape * len(value)
    for n, (entry, one) in enumerate(zip(value, shapes, strict=True)):
        check_shape(entry, one, f"{place}[{n}]")


def _check_dict(value: Any, shape: dict, place: str) -> None:
    if not isinstance(value, dict):
        raise ValueError(f"{place or 'the whole'} is {_shown(value)}")
    within = f"{place}." if place else ""
    if str in shape:
        for key, entry in value.items():
            check_shape(entry, shape[str], f"{within}{key}")
        return
    for name, one in shape.items():
        key = name.removesuffix("?")
        if key in value:
            check_shape(value[key], one, f"{within}{key}")
        elif key == name:
            raise ValueError(f"{within}{key} is not there")


def _shown(value: Any) -> str:
    if isinstance(value, (list, dict)):
        kind = "list" if isinstance(value, list) else "dict"
        return f"a {kind} of {len(value)}"
    try:
        text = repr(value)
    except ValueError:  # Python prints no number of so many digits.
        return "a number of thousands of digits"
    return text if len(text) < 40 else f"{text[:36]}..."
