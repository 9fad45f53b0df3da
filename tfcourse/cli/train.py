"""`tfcourse train`."""

import pathlib
import shlex
from typing import Annotated

import typer

from tfcourse.cli.terminal import quiet
from tfcourse.cli.terminal.options import (
    Category,
    ClassWeightOption,
    Data,
    Dates,
    Decimal,
    DevFile,
    DeviceOption,
    Drop,
    Encoding,
    GroupColumn,
    ImageSize,
    Keep,
    Only,
    Out,
    Seed,
    Separator,
    SkipBad,
    Space,
    SplitColumn,
    SummaryOnly,
    Target,
    TaskOption,
    TestFile,
    Text,
    TimeColumn,
    Verbose,
)
from tfcourse.cli.terminal.quick_imports import quick_imports
from tfcourse.utils.machine.sentences import machine_error
from tfcourse.utils.text import in_a_line

EPILOG = (
    "Example: tfcourse train --data digits --hyperparameters "
    "learning_rate=0.01 --epochs 50 --out runs/long\n\nThe best of a search, "
    "with its development set: tfcourse train --from runs/NAME\n\nTo continue "
    "a run that was stopped or killed, give the same command with the same "
    "--out."
)


def train(
    more: Annotated[
        list[str] | None,
        typer.Argument(
            help="More values for --hyperparameters.", show_default=False
        ),
    ] = None,
    source: Annotated[
        pathlib.Path | None,
        typer.Option(
            "--from",
            help="Retrain the best model of this finished search on its "
            "training and development sets, for its best number of "
            "epochs.",
        ),
    ] = None,
    data: Data = None,
    target: Target = None,
    task: TaskOption = None,
    drop: Drop = None,
    only: Only = None,
    keep: Keep = None,
    text: Text = None,
    category: Category = None,
    skip_bad: SkipBad = None,
    dates: Dates = None,
    split: SplitColumn = None,
    group: GroupColumn = None,
    time: TimeColumn = None,
    dev: DevFile = None,
    test: TestFile = None,
    encoding: Encoding = None,
    separator: Separator = None,
    decimal: Decimal = None,
    image_size: ImageSize = None,
    space: Space = None,
    hyperparameters: Annotated[
        list[str] | None,
        typer.Option(
            help="`best-of RUN`, a file.json, or any number of name=value; "
            "the others keep the defaults of the space."
        ),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="How many epochs.",
            show_default="10, more if there are few examples",
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="The metric that decides which epoch is best.",
            show_default="depends on the task",
        ),
    ] = None,
    seed: Seed = None,
    class_weight: ClassWeightOption = None,
    device: DeviceOption = None,
    out: Out = None,
    summary_only: SummaryOnly = False,
    verbose: Verbose = False,
) -> None:
    """Train one model for long, watched by Panda; report; export it.

    Steer it from another terminal with `tfcourse panda`.
    """
    given = {
        "data": data,
        "target": target,
        "task": task and task.value,
        "drop": drop,
        "only": only,
        "keep": keep,
        "text": text,
        "category": category,
        "skip_bad": skip_bad,
        "dates": dates and dates.value,
        "split": split,
        "group": group,
        "time": time,
        "dev": dev,
        "test": test,
        "encoding": encoding,
        "separator": separator,
        "decimal": decimal,
        "image_size": image_size,
        "space": space,
        "epochs": epochs,
        "objective": objective,
        "seed": seed,
        "class_weight": class_weight and class_weight.value,
        "device": device and device.value,
    }
    given = {name: value for name, value in given.items() if value is not None}
    words = [*(hyperparameters or []), *(more or [])]
    quiet.silence_libraries(verbose)
    if device == "cpu":
        quiet.hide_gpus()
    from tfcourse.cli.terminal.console import Console

    console = Console(stderr=True, quiet=summary_only)
    try:
        with console.status("Loading Keras and the data"):
            training = _prepare(given, words, source, out)
        out = training.folder
        result = _carry_out(training, console)
    except KeyboardInterrupt:
        print(f"\nStopped. {_how_to_go_on(out)}")
        raise typer.Exit(130) from None
    except Exception as error:
        if out and machine_error(error):
            error.add_note(in_a_line(_how_to_go_on(out)))
        raise
    if result:
        _summarise(result)
    else:
        print(f"Ended before its last epoch. {_how_to_go_on(out)}")


def _prepare(given, words, source, out):
    from tfcourse.runs.folders import new_folder
    from tfcourse.runs.prepared_data import PreparedData
    from tfcourse.runs.settings import read_training_settings

    if not (given or words or source) and out and (out / "run.json").exists():
        settings = read_training_settings(out)
    else:
        settings = _new_settings(given, words, source)
    # Before TensorFlow takes its time.
    data = PreparedData.load(settings.search)
    with quick_imports():
        from tfcourse.runs.training import TrainingRun

    return TrainingRun(settings, out or new_folder(settings.search.data), data)


def _new_settings(given, words, source):
    from tfcourse.errors import InputError

    if source and words:
        raise InputError(
            "--from takes its hyperparameters from the search. Leave out "
            "--hyperparameters, or give it best-of RUN instead of --from."
        )
    return _settings(given, words, source)


def _settings(given, words, source):
    import dataclasses

    from tfcourse.errors import InputError
    from tfcourse.runs.hyperparameter_values import (
        best_of,
        read_hyperparameters,
    )
    from tfcourse.runs.settings import Settings, TrainSettings

    if words[:1] == ["best-of"] and len(words) != 2:
        raise InputError("best-of takes one run: --hyperparameters best-of RUN")
    searched = source or (words[:1] == ["best-of"] and pathlib.Path(words[1]))
    if not searched:
        search = Settings(**given).resolved()
        return TrainSettings(search, read_hyperparameters(words))
    search, best = best_of(searched)
    changes = {"epochs": best.best_epoch, **given} if source else given
    search = dataclasses.replace(search, **changes).resolved()
    return TrainSettings(
        search,
        best.hyperparameters,
        train_on_dev=bool(source),
        source=str(pathlib.Path(searched).resolve()),
    )


def _carry_out(training, console):
    if training.finished:
        return training.finish()
    from tfcourse.cli.terminal.tables import print_remarks

    print_remarks(console, training.data)
    data = training.data.describe()
    console.print(
        f"Training on {data['train']:,} examples of {data['name']}. Steer it "
        f"with: tfcourse panda status {training.folder}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    epochs = training.settings.search.epochs

    def print_epoch(epoch, logs):
        metrics = "  ".join(f"{name} {v:.4f}" for name, v in logs.items())
        console.print(
            f"epoch {epoch}/{epochs}  {metrics}",
            highlight=False,
            soft_wrap=True,
        )

    with training.locked():
        if not training.train(print_epoch):
            return None
        with console.status("Writing the report and the model"):
            return training.finish()


def _how_to_go_on(folder):
    if folder is None or not (folder / "run.json").exists():
        return "Nothing was written."
    command = shlex.join(["tfcourse", "train", "--out", str(folder)])
    return (
        f"The finished epochs are kept in {folder}. Continue with:\n  {command}"
    )


def _summarise(result):
    from tfcourse.cli.terminal.tables import (
        hyperparameters_text,
        print_summary,
        scores_rows,
    )

    rows = {
        "hyperparameters": hyperparameters_text(result.hyperparameters),
        "epochs": str(result.epochs),
        **scores_rows(
            result.dev, result.test, result.baselines, result.intervals
        ),
        "journal": str(result.folder / "panda" / "journal.jsonl"),
    }
    print_summary(rows, result.folder)
