"""The whole table of speed: each row by its script, with its aim.

    python benchmarks/table.py                     # some 40 minutes
    python benchmarks/table.py --only "--trials 8" import
    python benchmarks/table.py --turns 1 --list

Each script is a process of its own: none pays for the memory of another. What
it prints itself is shown if it breaks. Rows that miss their aim are marked, and
the exit code is then 1.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
SEARCH = "caviar.py --peers keras-tuner --cases"
KINDS = ("mlp", "course", "cnn", "lstm", "gru")
SCRIPTS = (
    *(f"{SEARCH} {kind} --trials 64" for kind in KINDS),
    f"{SEARCH} mlp --trials 256",
    *(f"{SEARCH} {kind} --trials 8" for kind in KINDS),
    "commands.py --cases tune",
    "commands.py --cases import",
    # Some minutes a turn.
    "commands.py --cases pytest",
)


def rows_of(script, turns):
    """Returns what a script notes; exits with what it prints if it breaks."""
    if script.endswith("pytest"):
        turns = 1
    with tempfile.TemporaryDirectory() as folder:
        figures = pathlib.Path(folder, "figures")
        words = [sys.executable, *script.split(), "--turns", str(turns)]
        done = subprocess.run(
            [*words, "--figures", str(figures)],
            cwd=FOLDER,
            capture_output=True,
            text=True,
        )
        if not figures.exists():
            sys.exit(f"{script} broke:\n{done.stdout}{done.stderr}")
        lines = figures.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def show(row):
    aim = "" if row["aim"] is None else f"aim {row['aim']:g}"
    print(
        f"{row['what']:24}{row['figure']:9.2f} {row['unit']:14}{aim:10}"
        f"{'' if row['reached'] else 'NOT REACHED'}".rstrip(),
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORDS")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--list", action="store_true", help="run nothing")
    options = parser.parse_args()
    scripts = [s for s in SCRIPTS if any(w in s for w in options.only)]
    if not scripts:
        parser.error(f"no script has {' or '.join(options.only)}: see --list")
    if options.list:
        print(*(f"python benchmarks/{s}" for s in scripts), sep="\n")
        return
    reached = True
    for script in scripts:
        for row in rows_of(script, options.turns):
            show(row)
            reached &= row["reached"]
    sys.exit(not reached)


if __name__ == "__main__":
    main()
