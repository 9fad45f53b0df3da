"""What every tutorial shares: its options, the folder of plots, their style.

A tutorial imports it before Keras, asks `common.QUICK` where it can do less,
and hands each figure to `common.save`.
"""

import argparse
import logging
import os
import sys
from pathlib import Path

import labels
import matplotlib
from cycler import cycler

_parser = argparse.ArgumentParser(allow_abbrev=False)
_parser.add_argument("--quick", action="store_true")
_parser.add_argument("--language", choices=("en", "zh"), default="en")
_parser.add_argument(
    "--output", type=Path, default=Path(__file__).parent / "output"
)
# A notebook's kernel has arguments of its own; they are none of ours.
_arguments, _ = _parser.parse_known_args()
QUICK, OUTPUT = _arguments.quick, _arguments.output
LANGUAGE = _arguments.language
if LANGUAGE != "en" and not labels.font(LANGUAGE):
    _parser.error(labels.NO_FONT)

if "ipykernel" not in sys.modules:
    matplotlib.use("Agg")

# Lines differ in shade and in style, so that they can be told apart in grey.
matplotlib.rcParams |= {
    "axes.prop_cycle": (
        cycler(color=["#0b3c6f", "#d1495b", "#e3a02c", "#00798c", "#7a7a7a"])
        + cycler(linestyle=["-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1))])
    ),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.figsize": (6.4, 4.0),
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "savefig.dpi": 150,
}

# TensorFlow speaks of missing GPUs while it loads, and later of tracing.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
logging.getLogger("tensorflow").setLevel(logging.ERROR)
_terminal, _nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)
try:
    import keras  # noqa: F401
finally:
    os.dup2(_terminal, 2)


def save(figure, name):
    """Writes `figure` as `name`.png into the folder of plots."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    if LANGUAGE != "en":
        labels.translate(figure, LANGUAGE)
    figure.savefig(OUTPUT / f"{name}.png")
    print(f"Plot: {OUTPUT / name}.png")
