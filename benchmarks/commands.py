"""What the commands take: `tfcourse tune`, the tests, an import.

Each takes turns with importing Keras in a process of its own, which no command
that trains can do without: the figures are wall seconds, and how many such
imports that is, which says more on a machine that does other things, too.

    python benchmarks/commands.py --cases tune import --turns 3

Cases: `tune`, the command without arguments (digits, 64 trials), to its first
score and to its end; `import`, CPU seconds of `from tfcourse.tuning import
Caviar` after Keras, and keras-tuner's part of them, with compiled bytecode;
`pytest`, the quick tests. Exit code 1 where an aim is not reached.
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import pairs

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = pathlib.Path(__file__).resolve().parents[1]
# Of seconds, on two idle cores.
AIMS = {"first score": 7.5, "tune": 25.0, "import": 0.2, "pytest": 300.0}
TUNE = [sys.executable, "-c", "from tfcourse.cli import main; main()", "tune"]
SCORE = re.compile(rb"trial \d+/\d+.* best ")
IMPORT = """
import json, time
import keras
seconds = [time.process_time()]
import keras_tuner
seconds.append(time.process_time())
from tfcourse.tuning import Caviar
seconds.append(time.process_time())
print(json.dumps([b - a for a, b in zip(seconds, seconds[1:])]))
"""


def environment(folder):
    # Bytecode is written once, as an installer does it.
    kept = {
        k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"
    }
    own = {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": f"{folder}/bytecode"}
    return kept | own


def run(words, folder, cwd=None):
    """Returns the seconds of a process, and what it wrote."""
    start = time.perf_counter()
    done = subprocess.run(
        words,
        cwd=cwd or folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(words)[:200]} failed: {done.stderr[-2000:]}")
    return seconds, done.stdout


def importing_keras(folder):
    return run([sys.executable, "-c", "import keras"], folder)[0]


def tune(folder):
    """Returns the seconds to the first score and to the end."""
    out = tempfile.mkdtemp(dir=folder)
    start, first = time.perf_counter(), None
    with subprocess.Popen(
        [*TUNE, "--out", f"{out}/run"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        said = b""
        while some := os.read(process.stdout.fileno(), 65536):
            said += some
            if first is None and SCORE.search(said):
                first = time.perf_counter() - start
    if process.returncode or first is None:
        sys.exit(f"tfcourse tune failed: {said.decode()[-2000:]}")
    return {"first score": first, "tune": time.perf_counter() - start}


def importing(folder):
    """Returns CPU seconds beyond Keras, and keras-tuner's part of them."""
    theirs, ours = json.loads(run([sys.executable, "-c", IMPORT], folder)[1])
    return {"import": theirs + ours, "of it keras-tuner": theirs}


def tests(folder):
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    return {"pytest": run(words, folder, cwd=ROOT)[0]}


CASES = {"tune": tune, "import": importing, "pytest": tests}


def measured(case, turns, folder):
    """Returns rows: what, the seconds, and those of Keras's import."""
    seconds, keras = {}, []
    for turn in range(turns):
        # Who is first alternates.
        if turn % 2:
            found = CASES[case](folder)
            keras.append(importing_keras(folder))
        else:
            keras.append(importing_keras(folder))
            found = CASES[case](folder)
        for what, took in found.items():
            seconds.setdefault(what, []).append(took)
    return [(what, some, keras) for what, some in seconds.items()]


def row(what, seconds, keras, figures):
    """Prints a row; returns whether its aim is reached."""
    took = statistics.median(seconds)
    times = statistics.median(
        a / b for a, b in zip(seconds, keras, strict=True)
    )
    aim = AIMS.get(what)
    reached = aim is None or took <= aim
    pairs.note(figures, what, took, "s", aim, reached)
    print(
        f"{what:20}{took:9.2f} s{times:9.2f} imports of Keras"
        f"{'' if aim is None else f'   aim {aim:g} s'}"
        f"{'' if reached else '  NOT REACHED'}",
        flush=True,
    )
    return reached


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=CASES, choices=CASES)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--figures", help="a file to append the figures to")
    options = parser.parse_args()
    reached = True
    with tempfile.TemporaryDirectory() as folder:
        # The first process reads files from the disk, and writes bytecode.
        importing_keras(folder)
        importing(folder)
        for case in options.cases:
            for found in measured(case, options.turns, folder):
                reached &= row(*found, options.figures)
    sys.exit(not reached)


if __name__ == "__main__":
    main()
