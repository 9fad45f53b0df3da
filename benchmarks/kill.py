"""Does a search survive `kill -9` at any moment? Fifty random ones.

Searches are killed at moments drawn with a fixed seed and go on, several times
each, with both strategies and with folds: half of them at any time, half at any
number of files, as most of the time passes between the files. After each kill
every file must be readable and no trial that had completed may be gone or have
run again; at the end trials and result must equal those of a search that was
left alone.
Exits with 1 where one does not.

    python benchmarks/kill.py [50]
"""

import argparse
import pathlib
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests" / "helpers"))

from kills import SPACE, Killer, outcome

from tfcourse.runs.settings import Settings

KILLS_A_SEARCH = 5
WAYS = {
    "caviar": {"strategy": "caviar"},
    "serial": {"strategy": "serial"},
    "folds": {"strategy": "caviar", "folds": 2},
}


def killed(strategy, kills, folder):
    """Kills searches of a strategy so many times; returns the faults."""
    settings = Settings(
        data="iris", space=SPACE, trials=6, epochs=1, **WAYS[strategy]
    )
    killer = Killer(settings, seed=kills)
    seconds = killer.whole(folder / "whole")
    print(f"{strategy}: a search of 6 trials takes {seconds:.1f} s", flush=True)
    faults, searches = [], 0
    while killer.kills < kills and len(faults) < 3:
        broken = folder / f"broken-{searches}"
        searches += 1
        try:
            times = killer.broken(
                broken, min(KILLS_A_SEARCH, kills - killer.kills)
            )
            if outcome(broken) != outcome(folder / "whole"):
                raise AssertionError("It found something else.")
        except Exception as error:
            faults.append(error)
            print(f"  search {searches}: a fault", flush=True)
            traceback.print_exc(file=sys.stdout)
        else:
            print(f"  search {searches}: {times} kills, equal", flush=True)
    print(
        f"{strategy}: {killer.kills} kills in {searches} searches, "
        f"{len(faults)} faults",
        flush=True,
    )
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", type=int, nargs="?", default=50)
    kills = parser.parse_args().kills
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for n, strategy in enumerate(WAYS):
            # What does not divide goes to the first.
            share = (kills + len(WAYS) - 1 - n) // len(WAYS)
            part = pathlib.Path(folder, strategy)
            faults += killed(strategy, share, part)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
