"""Has a change made tfcourse slower? Two of its commits in turn.

Each commit's files are laid out in a temporary folder and measured by a process
of its own, in this environment: only `tfcourse` differs. The two take turns, A
B B A, and the figure is the median of the ratios, after by before, in seconds
of the processor, with its interval. A case is slower if that and the ratio of
the least times are above the limit; it is then measured again, as long, before
it counts. Exit code 1 where one stays above, or fails.

    python benchmarks/watch.py HEAD~5     # against the files as they are
    python benchmarks/watch.py v0.1.0 main --cases mlp course --turns 9
    python benchmarks/watch.py --quick    # as CI: against the commit before

The cases are in `watched.py`. What only the older version cannot do is said,
and is no failure.
"""

import argparse
import contextlib
import dataclasses
import io
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tarfile
import tempfile

import pairs
from watched import CASES, CLOCKS, QUICKEST

ROOT = pathlib.Path(__file__).resolve().parents[1]
MEASURE = (sys.executable, str(pathlib.Path(__file__).with_name("watched.py")))
LIMIT, TURNS = 1.1, 7
# Of a machine that does other things, in seconds rather than in minutes.
QUICK_LIMIT, QUICK_TURNS = 1.5, 2
# A run that takes longer, in seconds, hangs.
LONGEST = 300


class MeasurementError(Exception):
    """A version that could not be measured.

    Args:
        version: Which.
        why: What happened.
    """

    def __init__(self, version, why):
        super().__init__(f"{version.name}: {why}")
        self.version = version


class Version:
    """A process that measures the tfcourse of one folder.

    Args:
        name: What the commit is called.
        folder: Where its files are.
        command: What starts the process.
    """

    def __init__(self, name, folder, command):
        self.name, self.folder = name, folder
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def check(self):
        """Waits until it is ready, with the files that it was given."""
        folder = self._answer()["folder"]
        if pathlib.Path(folder) != self.folder.resolve():
            sys.exit(
                f"{self.name} would be measured from {folder}, not from "
                f"{self.folder}: another tfcourse is in the way."
            )

    def seconds(self, case, clock):
        with contextlib.suppress(BrokenPipeError):  # It says so by its end.
            self.process.stdin.write(f"{case} {clock} {LONGEST}\n")
            self.process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise MeasurementError(self, answer["error"])
        return answer["seconds"]

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise MeasurementError(
                self,
                f"its process ended with {self.process.wait()}. To see why: "
                f"PYTHONPATH={self.folder} python -c 'import tfcourse.tuning'",
            )
        return json.loads(line)

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@dataclasses.dataclass
class Measured:
    """What was found of one case: seconds before and after, in each turn."""

    case: str
    seconds: list
    limit: float

    @property
    def ratios(self):
        return [after / before for after, before in self.seconds]

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def slower(self):
        """Whether both the median and the least times say so.

        What else the machine does adds to one or the other; more work to both.
        """
        after, before = map(min, zip(*self.seconds, strict=True))
        return min(self.ratio, after / before) > self.limit

    def __str__(self):
        after, before = map(statistics.median, zip(*self.seconds, strict=True))
        low, high = pairs.interval(self.ratios)
        return (
            f"{self.case:10}{before:9.2f}{after:9.2f}{self.ratio:8.2f}  "
            f"({low:.2f} to {high:.2f}, {len(self.seconds)} turns)"
            f"{'  SLOWER' if self.slower else ''}"
        )


def measured(case, before, after, options):
    """Returns what was found of one case; twice as much if it seems slower."""

    def seconds():
        return pairs.in_turn(
            lambda: after.seconds(case, options.clock),
            lambda: before.seconds(case, options.clock),
            options.turns,
        )

    found = Measured(case, seconds(), options.limit)
    if found.slower:
        found.seconds += seconds()
    return found


def compare(before, after, options):
    """Prints a row a case; returns whether none is slower, and none fails."""
    fine = True
    print(f"{'':10}{'before':>9}{'after':>9}{'ratio':>8}", flush=True)
    for case in options.cases:
        try:
            found = measured(case, before, after, options)
            print(found, flush=True)
            fine &= not found.slower
        except MeasurementError as error:
            print(f"{case:10} not compared: {error}", flush=True)
            # It may need what an older version does not have yet.
            fine &= error.version is not after
    return fine


def git(*words, root=ROOT):
    """Returns what git says, or None if it fails."""
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True)
    except OSError:  # There is none.
        return None
    return None if done.returncode else done.stdout


def files_of(commit, folder, root):
    """Lays out the package of a commit; nothing of it stays in the repository.

    A worktree would, if this process is killed.
    """
    folder.mkdir()
    packed = io.BytesIO(git("archive", commit, "tfcourse", root=root))
    with tarfile.open(fileobj=packed) as archive:
        archive.extractall(folder, filter="data")
    return folder


def arguments(words):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("before", nargs="?", help="default: HEAD~1")
    parser.add_argument("after", nargs="?", help="default: the files here")
    parser.add_argument("--cases", nargs="+", choices=CASES)
    parser.add_argument("--turns", type=int)
    parser.add_argument("--limit", type=float)
    parser.add_argument("--clock", choices=CLOCKS, default="cpu")
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{', '.join(QUICKEST)}; {QUICK_TURNS} turns, limit {QUICK_LIMIT}",
    )
    options = parser.parse_args(words)
    quick = options.quick
    options.cases = options.cases or (QUICKEST if quick else tuple(CASES))
    if options.turns is None:
        options.turns = QUICK_TURNS if quick else TURNS
    if options.limit is None:
        options.limit = QUICK_LIMIT if quick else LIMIT
    if options.turns < 1:
        parser.error(f"--turns must be at least 1. Received: {options.turns}")
    if not options.limit >= 1:
        parser.error(f"--limit must be at least 1. Received: {options.limit}")
    return parser, options


def commits(parser, options, root):
    """Returns the hash of each side, None for the files as they are.

    Where no commit is named and there is nothing to compare, it says so and
    ends well: a checkout without history is none to complain of.
    """
    named = [options.before, options.after]
    if options.before is None:
        before = git("rev-parse", "--verify", "HEAD~1^{commit}", root=root)
        if before is None:
            print("Nothing to compare: no commit before this one is here.")
            sys.exit(0)
        named[0] = before.decode().strip()
        if (
            not git("status", "--porcelain", "tfcourse", root=root)
            and git(
                "diff", "--name-only", named[0], "--", "tfcourse", root=root
            )
            == b""
        ):
            print(
                "Nothing to compare: the commit before has the same tfcourse."
            )
            sys.exit(0)
    found = []
    for name in named:
        said = name and git(
            "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", root=root
        )
        if name and not said:
            parser.error(
                f"{name!r} is no commit of the repository in {root}: name one "
                "that `git log` shows; a shallow clone has few."
            )
        found.append(said and said.decode().strip())
    return found


def main(words=None, command=MEASURE, root=ROOT):
    parser, options = arguments(words)
    hashes = commits(parser, options, root)
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(
            stack.enter_context(tempfile.TemporaryDirectory())
        )
        versions = []
        for side, commit in zip(("before", "after"), hashes, strict=True):
            name = f"{side}, {commit[:9] if commit else 'the files here'}"
            files = root
            if commit:
                files = files_of(commit, folder / side, root)
            versions.append(Version(name, files, command))
            stack.callback(versions[-1].end)
        print(f"{versions[0].name}; {versions[1].name}")
        for version in versions:
            try:
                version.check()
            except MeasurementError as error:
                print(f"Nothing to compare: {error}")
                sys.exit(version is versions[1])
        sys.exit(not compare(*versions, options))


if __name__ == "__main__":
    main()
