"""`tfcourse tune`."""

import contextlib
import enum
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
    Ray,
    Sampler,
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
    "Example: tfcourse tune --data iris.csv --target species --trials "
    "40\n\nContinue an interrupted run: tfcourse tune --resume --out runs/NAME"
)


class Strategy(enum.StrEnum):
    """How trials are trained."""

    CAVIAR = "caviar"
    SERIAL = "serial"


def tune(
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
    fix: Annotated[
        list[str] | None,
        typer.Option(
            help="Fix a hyperparameter, as in learning_rate=0.01; may be "
            "repeated.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    begin: Annotated[
        list[str] | None,
        typer.Option(
            help="Begin with a trial that has this value; may be repeated for "
            "others of its hyperparameters.",
            metavar="NAME=VALUE",
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help="How many trials.", show_default="64")
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="Epochs of each trial.",
            show_default="10, more if there are few examples",
        ),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Search coarse to fine in this many rounds; each draws from "
            "where the best trials of the last were. 1 is random search.",
            show_default="3",
        ),
    ] = None,
    sampler: Annotated[
        Sampler | None,
        typer.Option(
            help="Let one of Optuna's samplers choose the trials, instead of "
            "--rounds.",
            show_default="by rounds",
        ),
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            help="Score each trial by cross-validation with this many folds; "
            "5 is usual.",
            show_default="none",
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            help="Train the best 5 trials again with this many seeds each, and "
            "choose by the mean; 5 is usual.",
            show_default="none",
        ),
    ] = None,
    ensemble: Annotated[
        int | None,
        typer.Option(
            help="Also export the mean of the answers of so many of the best "
            "models, as one SavedModel.",
            show_default="none",
        ),
    ] = None,
    objective: Annotated[
        str | None,
        typer.Option(
            help="The metric to search by, as NAME, NAME:min or NAME:max.",
            show_default="depends on the task",
        ),
    ] = None,
    seed: Seed = None,
    strategy: Annotated[
        Strategy | None,
        typer.Option(
            help="Train many trials as one program, or one after another.",
            show_default="caviar",
        ),
    ] = None,
    class_weight: ClassWeightOption = None,
    early_stopping: Annotated[
        int | None,
        typer.Option(
            help="Stop a trial after this many epochs without improvement."
        ),
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Start no new trial after this many seconds."),
    ] = None,
    target_score: Annotated[
        float | None,
        typer.Option(help="End the search once a trial reaches this score."),
    ] = None,
    device: DeviceOption = None,
    population: Annotated[
        int | None,
        typer.Option(
            help="How many trials train together at most; with --evolve, how "
            "many members there are.",
            show_default="64, 16 with --ray, 32 with --evolve",
        ),
    ] = None,
    evolve: Annotated[
        bool,
        typer.Option(
            "--evolve",
            help="Let hyperparameters change while all members train: the "
            "worst go on as copies of the best, a little different.",
        ),
    ] = False,
    interval: Annotated[
        int | None,
        typer.Option(
            help="With --evolve: compare members after every so many epochs.",
            show_default="1",
        ),
    ] = None,
    quantile: Annotated[
        float | None,
        typer.Option(
            help="With --evolve: the share of the members that is replaced, "
            "and of those that replace them.",
            show_default="0.25",
        ),
    ] = None,
    ray: Ray = None,
    workers: Annotated[
        int | None,
        typer.Option(
            help="With --ray: how many workers at most.",
            show_default="as many as fit",
        ),
    ] = None,
    cpus_per_worker: Annotated[
        int, typer.Option(help="With --ray: cores of each worker.", min=1)
    ] = 1,
    gpus_per_worker: Annotated[
        float,
        typer.Option(
            help="With --ray: GPUs of each worker, or a fraction of one.", min=0
        ),
    ] = 0.0,
    out: Out = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in --out; --trials may ask for more.",
        ),
    ] = False,
    summary_only: SummaryOnly = False,
    verbose: Verbose = False,
) -> None:
    """Search for the best hyperparameters; report; export the best model.

    With no options: the course's own search space on scanned digits.
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
        "fix": fix,
        "begin": begin,
        "trials": trials,
        "epochs": epochs,
        "rounds": rounds,
        "sampler": sampler and sampler.value,
        "folds": folds,
        "seeds": seeds,
        "ensemble": ensemble,
        "objective": objective,
        "seed": seed,
        "strategy": strategy and strategy.value,
        "class_weight": class_weight and class_weight.value,
        "early_stopping": early_stopping,
        "time_limit": time_limit,
        "target_score": target_score,
        "device": device and device.value,
        "population": population,
        "evolve": evolve or None,
        "interval": interval,
        "quantile": quantile,
    }
    of_workers = {
        "workers": workers,
        "cpus": cpus_per_worker,
        "gpus": gpus_per_worker,
    }
    given = {name: value for name, value in given.items() if value is not None}
    quiet.silence_libraries(verbose)
    if _device(given, out, resume) == "cpu":
        quiet.hide_gpus()
    from tfcourse.cli.terminal.console import Console

    console = Console(stderr=True, quiet=summary_only)
    folder = out
    try:
        with console.status("Loading Keras and the data"):
            executor = _executor(ray, **of_workers)
            run = _prepare(given, out, resume)
            run.check_executor(executor)
        folder = run.folder
        result = _carry_out(run, console, executor)
    except KeyboardInterrupt:
        print(f"\nStopped. {_how_to_resume(folder)}")
        raise typer.Exit(130) from None
    except Exception as error:
        if folder and machine_error(error):
            error.add_note(in_a_line(_how_to_resume(folder)))
        raise
    _summarise(run, result)


def _device(given, folder, resume):
    """Returns the device that is wanted, before anything heavy loads."""
    from tfcourse.errors import InputError
    from tfcourse.tuning.results.manifest import read_manifest

    if not resume:
        return given.get("device")
    try:
        return read_manifest(folder, "search")["settings"]["device"]
    except (InputError, KeyError, TypeError):
        return None  # Opening the run says what is wrong.


def _prepare(given, folder, resume):
    from tfcourse.errors import InputError
    from tfcourse.runs.folders import new_folder, newest_folder

    if resume and folder is None:
        raise InputError(
            "--resume needs the folder of the run to continue: --out "
            f"{newest_folder() or 'runs/NAME'}"
        )
    from tfcourse.runs.evolution.arguments import refuse_with_evolve
    from tfcourse.runs.prepared_data import PreparedData
    from tfcourse.runs.settings import Settings, read_settings

    if given.get("evolve"):
        refuse_with_evolve(given)
    rounds, trials = given.get("rounds"), given.get("trials", Settings.trials)
    if rounds is not None and rounds > trials:
        raise InputError(
            "Each of the --rounds needs a trial: choose --rounds from 1 to "
            f"--trials {trials}. Received: --rounds {rounds}"
        )
    if rounds is not None and given.get("sampler"):
        raise InputError(
            "--rounds and --sampler are two ways to choose trials: give one "
            "of them."
        )
    if resume:
        with _of_run(folder):
            settings = read_settings(folder)
        settings = settings.resumed(**given)
    else:
        settings = Settings(**given).resolved()
    # Before TensorFlow takes its time.
    with _of_run(folder) if resume else contextlib.nullcontext():
        data = PreparedData.load(settings)
    with quick_imports():
        from tfcourse.runs.search import SearchRun

    folder = folder or new_folder(settings.data)
    return SearchRun(settings, folder, resume=resume, data=data)


@contextlib.contextmanager
def _of_run(folder):
    """Says where settings are from that were not given now."""
    from tfcourse.errors import InputError

    try:
        yield
    except InputError as error:
        path = folder / "run.json"
        if str(path) in str(error):
            raise
        told = f"{error} The settings are those in {path}."
        raise InputError(told) from error


def _executor(address, workers, cpus, gpus):
    """Returns what trains batches elsewhere, or None."""
    from tfcourse.errors import InputError

    if address is None:
        if workers or cpus != 1 or gpus:
            raise InputError(
                "--workers, --cpus-per-worker and --gpus-per-worker are for a "
                "Ray cluster: give --ray local for one on this host, or --ray "
                "ADDRESS."
            )
        return None
    from tfcourse.tuning.caviar.executors.on_ray.cluster import RayExecutor

    try:
        return RayExecutor(address, workers, cpus, gpus)
    except ValueError as error:
        raise InputError(str(error)) from error


def _carry_out(run, console, executor):
    from tfcourse.cli.terminal.tables import print_remarks
    from tfcourse.tuning.display.progress import TrialsProgress

    data = run.data.describe()
    with run.locked():
        print_remarks(console, run.data)
        console.print(
            f"{_sizes(data, run.settings.folds)}. Results go to {run.folder}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        with TrialsProgress(
            console, run.settings.trials, run.objective, run.records()
        ) as progress:
            if executor:
                executor.progress = progress.tell_of_workers
            run.search(progress.update, executor)
        if run.settings.seeds:
            with console.status(
                f"Training the best with {run.settings.seeds} seeds each"
            ):
                run.replicate()
        with console.status("Writing the report and the model"):
            return run.finish()


def _sizes(data, folds):
    of = f" of {data['classes']} classes" if data["classes"] else ""
    train, test = f"{data['train']:,}", f"{data['test']:,}"
    if folds:
        return (
            f"Searching {data['name']}: {train} examples in {folds} folds and "
            f"{test} test examples{of}"
        )
    return (
        f"Searching {data['name']}: {train} training, {data['dev']:,} "
        f"development and {test} test examples{of}"
    )


def _how_to_resume(folder):
    if folder is None or not (folder / "run.json").exists():
        return "The search had not begun; nothing was written."
    command = shlex.join(["tfcourse", "tune", "--resume", "--out", str(folder)])
    population = folder / "search" / "population.npz"
    kept = "The population is" if population.exists() else "Finished trials are"
    return f"{kept} kept in {folder}. Continue with:\n  {command}"


def _summarise(run, result):
    from tfcourse.cli.terminal.tables import (
        ensemble_rows,
        hyperparameters_text,
        print_summary,
        schedule_rows,
        scores_rows,
        seeds_rows,
    )

    best = result.best
    failed = f", {result.failed} failed" if result.failed else ""
    how = []
    if result.programs:
        how.append(f"{result.programs} program{'s'[: result.programs != 1]}")
    if result.alone:
        how.append(f"{result.alone} alone")
    how.append(f"{result.seconds_per_trial:.2g} s per trial")
    rows = {
        "trials": f"{result.completed} completed{failed}",
        "trained as": ", ".join(how),
        "best": f"trial {best.trial}: "
        f"{hyperparameters_text(best.hyperparameters)}",
        run.objective.name: f"{best.score:.4f}",
        **schedule_rows(result.schedule),
        **seeds_rows(result.replicates),
        **scores_rows(
            result.dev, result.test, result.baselines, result.intervals
        ),
        **ensemble_rows(result.ensemble, result.folder),
    }
    print_summary(rows, result.folder)
    _print_advice(result.folder)


def _print_advice(folder):
    """Prints what the report says first of what to do next."""
    from tfcourse.tuning.report.advice.what_next import what_next
    from tfcourse.tuning.report.importance_figures import what_mattered
    from tfcourse.tuning.results.search_results import read_results

    results = read_results(folder)
    first = what_next(results, what_mattered(results))[0]
    print(f"\nWhat next (more in the report): {first.title}.")
    print(first.why)
    if first.command:
        print(f"  {first.command_text}")
