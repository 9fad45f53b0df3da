"""Files that are damaged, in every way that a file of ours can be."""

import json
import os
import pathlib
import random
import shutil

DEEP = "[" * 100_000 + "]" * 100_000
# What stands where something else is meant.
WRONG_VALUES = (
    None,
    "",
    "word",
    [],
    {},
    [[]],
    {"a": []},
    -1,
    1.5,
    float("nan"),
    float("inf"),
    10**400,
    True,
)


def _missing(path):
    path.unlink()


def _empty(path):
    path.write_bytes(b"")


def _half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _random_bytes(path):
    size = path.stat().st_size
    path.write_bytes(random.Random(0).randbytes(size))


def _one_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x40
    path.write_bytes(bytes(content))


def _zeros(path):
    path.write_bytes(bytes(path.stat().st_size))


def _folder(path):
    path.unlink()
    path.mkdir()


def _link_to_itself(path):
    path.unlink()
    path.symlink_to(path.name)


def _pipe(path):
    path.unlink()
    os.mkfifo(path)


def _text(text):
    def write(path):
        path.write_bytes(text.encode("latin-1"))

    return write


OF_ANY_FILE = {
    "missing": _missing,
    "empty": _empty,
    "half": _half,
    "random": _random_bytes,
    "one bit": _one_bit,
    "zeros": _zeros,
    "a folder": _folder,
    "a loop": _link_to_itself,
    "a pipe": _pipe,
}
OF_JSON = {
    "deep": _text(DEEP),
    "a list": _text("[]"),
    "a list of lists": _text("[[]]"),
    "a dict": _text("{}"),
    "null": _text("null"),
    "a number": _text("1" + 400 * "0"),
    "a long number": _text("1" + 9000 * "0"),
    "NaN": _text("NaN"),
    "latin-1": _text('{"name": "\xe9"}'),
}


def damages_of(path):
    """Returns functions by name, each of which damages a file."""
    is_json = path.suffix in (".json", ".jsonl")
    return OF_ANY_FILE | (OF_JSON if is_json else {})


def copied(folder, to):
    """Copies a folder to a place where nothing is."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(folder, to)
    return to


def files_of(folder):
    """Returns the files below a folder, relative to it, without locks."""
    return sorted(
        path.relative_to(folder)
        for path in pathlib.Path(folder).rglob("*")
        if path.is_file() and "lock" not in path.name
    )


def wrong_contents(content, seed=0, number=None):
    """Yields JSON values with one part that is gone or something else.

    Args:
        content: The right one.
        seed: Of the order.
        number: How many, all of them by default.

    Yields:
        A pair: what was done, and the value.
    """
    changes = [
        (place, value)
        for place in places(content)
        for value in (_GONE, *WRONG_VALUES)
    ]
    random.Random(seed).shuffle(changes)
    for place, value in changes[:number]:
        words = "gone" if value is _GONE else str(value)[:20]
        yield (
            f"{'.'.join(map(str, place))}: {words}",
            changed(content, place, value),
        )


_GONE = object()


def places(value, place=()):
    """Yields where something stands in JSON, as a tuple of keys."""
    if place:
        yield place
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        # Others are like the first.
        items = enumerate(value[:2])
    for key, inner in items:
        yield from places(inner, (*place, key))


def changed(content, place, value):
    """Returns a copy of JSON with another value at a place."""
    content = json.loads(json.dumps(content))
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    if value is _GONE:
        del inner[place[-1]]
    else:
        inner[place[-1]] = value
    return content
