"""The file `run.json`: the settings of a run, and its result."""

import contextlib
import datetime
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tfcourse import __version__
from tfcourse.errors import InputError
from tfcourse.utils.atomic_files import read_json, write_json
from tfcourse.utils.environment import package_versions
from tfcourse.utils.shapes import DAMAGED, SCALAR, check_shape
from tfcourse.utils.text import first_line

FILE = "run.json"
# How good the model of a finished run is on each set.
EVALUATION = "evaluation.json"
# Of a run that Panda watches; `panda.control.run_folder` writes it.
PANDA_FILE = "panda.json"

_SCORES = {str: float}
_INTERVALS = {str: [float, float]}
_OF_BOTH = {
    "objective?": dict.fromkeys(("name?", "direction?"), str),
    "data?": {
        **dict.fromkeys(("name?", "source?", "fingerprint?", "task?"), str),
        **dict.fromkeys(("train?", "dev?", "test?", "examples?"), int),
        "classes?": (int, None),
        "shape?": ([int], None),
    },
    "versions?": {str: str},
    "written?": str,
}
_REPLICATES = {
    "trial": str,
    "hyperparameters": {str: SCALAR},
    "scores": [float],
    "mean": float,
    "deviation": float,
    "interval": [float, float],
}
_ENSEMBLE = {
    "trials": [str],
    "scores": {str: _SCORES},
    "intervals": {str: _INTERVALS},
}
_RESULT = {
    "dev?": (_SCORES, None),
    "test?": _SCORES,
    "intervals?": {str: _INTERVALS},
    "baselines?": {str: {str: _SCORES}},
}
# A run of an older version lacks what is new.
_SETTINGS = {
    **dict.fromkeys(("data?", "device?", "strategy?"), str),
    **dict.fromkeys(("seed?", "trials?", "rounds?"), int),
    **{
        name: [str]
        for name in (
            "drop?",
            "only?",
            "keep?",
            "text?",
            "category?",
            "fix?",
            "begin?",
        )
    },
    "skip_bad?": bool,
    **dict.fromkeys(("space?", "objective?", "class_weight?"), (str, None)),
    **dict.fromkeys(
        (
            *("target?", "task?", "dates?", "split?", "group?", "time?"),
            *("dev?", "test?", "encoding?", "separator?", "decimal?"),
            "sampler?",
        ),
        (str, None),
    ),
    **dict.fromkeys(
        (
            "epochs?",
            "folds?",
            "seeds?",
            "ensemble?",
            "early_stopping?",
            "image_size?",
        ),
        (int, None),
    ),
    **dict.fromkeys(("time_limit?", "target_score?"), (float, None)),
}
_SHAPES = {
    "search": {
        **_OF_BOTH,
        "settings?": _SETTINGS,
        "result?": (
            {
                "best_trial?": str,
                "programs?": int,
                "alone?": int,
                "seconds_per_trial?": float,
                "replicates?": [_REPLICATES],
                "ensemble?": _ENSEMBLE,
                **_RESULT,
            },
            None,
        ),
    },
    "training": {
        **_OF_BOTH,
        "settings?": {
            "search?": _SETTINGS,
            "hyperparameters?": {str: SCALAR},
            "train_on_dev?": bool,
            "source?": (str, None),
        },
        "result?": (
            {"hyperparameters?": {str: SCALAR}, "epochs?": int, **_RESULT},
            None,
        ),
    },
}

# A run that Panda watches, but neither of the other two, has no `run.json`.
Kind = Literal["search", "training", "panda"]

# What a folder is, and what to do with it, where another kind was wanted.
_COMMANDS_OF = {
    "search": (
        "{folder} is a search of `tfcourse tune`: see its trials with "
        "`tfcourse trials {folder}`, or continue it with `tfcourse tune "
        "--resume --out {folder}`."
    ),
    "training": (
        "{folder} is a run of `tfcourse train`, of one model: see its "
        "progress with `tfcourse panda status {folder}`, continue it with "
        "`tfcourse train --out {folder}`, or use the finished model with "
        "`tfcourse predict {folder}/model TABLE`."
    ),
    "panda": (
        "{folder} is a single run under Panda: see its progress with "
        "`tfcourse panda status {folder}`."
    ),
}


def write_manifest(
    folder: str | pathlib.Path,
    kind: Literal["search", "training"],
    *,
    settings: Mapping[str, Any],
    objective: Mapping[str, str],
    data: Mapping[str, Any],
    result: Mapping[str, Any] | None = None,
) -> None:
    """Writes `run.json`, with the versions of all that is at work.

    Args:
        folder: The run's folder.
        kind: `"search"` or `"training"`.
        settings: Its settings, by name.
        objective: `name` and `direction` of the metric that judges.
        data: What was learned from: name, source, fingerprint, sizes.
        result: What came of it, or `None` as long as it goes on.
    """
    content = {
        "kind": kind,
        "settings": dict(settings),
        "objective": dict(objective),
        "data": dict(data),
        "versions": package_versions(),
        "written": datetime.datetime.now().isoformat("T", "seconds"),
        "result": result and dict(result),
    }
    write_json(pathlib.Path(folder) / FILE, content, indent=1)


def read_manifest(
    folder: str | pathlib.Path, kind: Literal["search", "training"]
) -> dict[str, Any]:
    """Returns the content of the `run.json` of a run of that kind.

    Args:
        folder: The run's folder.
        kind: `"search"` or `"training"`.

    Raises:
        InputError: If the folder has none, one that cannot be understood or
            of a later version, or a run of another kind; the message then
            names the commands for that.
    """
    folder = pathlib.Path(folder)
    refuse_other_kind(folder, kind)
    path = folder / FILE
    if not path.exists():
        raise InputError(
            f"There is no run in {folder}: it has no {FILE}. Give the folder "
            "of a run, e.g. one in runs/."
        )
    with readable_or_input_error(path):
        content = _of_any_version(read_json(path))
        _refuse_later_version(content, folder)
        if content["kind"] != kind:
            raise ValueError(f"its kind is {content['kind']!r}")
        check_shape(content, _SHAPES[kind])
    return content


def refuse_other_kind(folder: str | pathlib.Path, *kinds: Kind) -> None:
    """Raises if a folder has a run of another kind than these.

    Raises:
        InputError: If so; the message names the commands for that kind.
    """
    found = kind_of(folder)
    if found is not None and found not in kinds:
        raise InputError(_COMMANDS_OF[found].format(folder=folder))


def kind_of(folder: str | pathlib.Path) -> Kind | None:
    """Returns of which kind the run in a folder is, `None` if not known."""
    folder = pathlib.Path(folder)
    try:
        found = _of_any_version(read_json(folder / FILE))["kind"]
    except FileNotFoundError:
        return "panda" if (folder / PANDA_FILE).exists() else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None  # Who reads it says what is wrong with it.
    known = isinstance(found, str) and found in _COMMANDS_OF
    return found if known else None


@contextlib.contextmanager
def readable_or_input_error(path: pathlib.Path) -> Iterator[None]:
    """Turns the errors of reading a file with another content into one."""
    try:
        yield
    except InputError:
        raise
    except (*DAMAGED, FileNotFoundError) as error:
        raise InputError(
            f"{path} is missing, damaged or from another version of "
            f"tfcourse{_reason(error)}. Restore the whole folder, or start a "
            "new run with another --out."
        ) from error


@contextlib.contextmanager
def odd_values_or_input_error(folder: pathlib.Path) -> Iterator[None]:
    """Turns what a run's odd values raise, where they are shown, into one.

    What each file must look like is checked as it is read; not that a text is
    a date, or that a number is within reason.
    """
    try:
        yield
    except DAMAGED as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"A file in {folder} holds a value that tfcourse did not write: "
            "run.json, evaluation.json, or in search/ oracle.json, groups.json "
            "or a trial's trial.json or history.json "
            f"({type(error).__name__}: {first_line(error)}). Restore it."
        ) from error


def _reason(error):
    # What Python says of a missing key is not for people.
    if type(error) is not ValueError:
        return ""
    return f" ({first_line(error).rstrip('.')})"


def _of_any_version(content):
    """Returns the content as it is written today.

    At first no kind was written, the settings of a training were called so,
    and there was no score but accuracy.
    """
    result = content.get("result")
    if isinstance(result, dict) and "test_accuracy" in result:
        result = dict(result)
        for part in ("dev", "test"):
            accuracy = result.pop(f"{part}_accuracy", None)
            known = accuracy is not None
            result[part] = {"accuracy": accuracy} if known else None
        content = {**content, "result": result}
    if "kind" in content:
        return content
    if "training" in content:
        settings = content["training"]
        rest = {n: value for n, value in content.items() if n != "training"}
        return {"kind": "training", "settings": settings, **rest}
    # Of anything else it is not known what it is.
    return {"kind": "search", **content} if "settings" in content else content


def _refuse_later_version(content, folder):
    def series(text):
        return [int(part) for part in text.split(".")[:2]]

    version = str(content.get("versions", {}).get("tfcourse", __version__))
    if series(version) > series(__version__):
        raise InputError(
            f"{folder / FILE} is by tfcourse {version}, which is newer than "
            f"this one, {__version__}. Update tfcourse, or start a new run "
            "with another --out."
        )
