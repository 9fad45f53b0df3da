"""What to write today for each part of `tf.contrib` that is not served."""

import pathlib
import tomllib

ADVICE: dict[str, str] = tomllib.loads(
    pathlib.Path(__file__).with_suffix(".toml").read_text(encoding="utf-8")
)


def advise_on_contrib(name: str) -> str | None:
    """Returns what to write instead of a name, or None if none is known.

    Args:
        name: Without `tf.contrib.`, such as `opt.LARSOptimizer`.
    """
    fits = [start for start in ADVICE if name.startswith(start)]
    return ADVICE[max(fits, key=len)] if fits else None
