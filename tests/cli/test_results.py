"""What the commands after a search print, and what they refuse."""

import csv
import io
import json

import pytest
import typer
from run_folders import SPACE, make_run, manifest, write
from typer.testing import CliRunner

from tfcourse.cli.results import best, compare, report, trials
from tfcourse.errors import InputError
from tfcourse.tuning.results.search_results import read_results

app = typer.Typer()
for command in (best, compare, report, trials):
    app.command()(command)


def run_command(*arguments):
    """Returns what a command prints."""
    # Without `--verbose` it would send this process's messages to nowhere.
    result = CliRunner().invoke(
        app,
        [*map(str, arguments), "--verbose"],
        catch_exceptions=False,
        env={"COLUMNS": "200"},
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("runs") / "made", 12, failed=[4])


def test_report_is_written(run):
    output = run_command("report", run)

    assert output == f"Wrote {run / 'report.html'}\n"
    assert (run / "report.html").read_text().endswith("</html>\n")


def test_best_is_printed(run):
    record = read_results(run).best[0]

    output = run_command("best", run)

    lines = {line.split()[0]: line.split()[1:] for line in output.splitlines()}
    assert lines["trial"] == [record.trial, "of", "12"]
    assert lines["val_accuracy"] == [f"{record.score:.4g}", "in", "epoch", "3"]
    assert lines["units"] == [str(record.hyperparameters["units"])]


def test_best_as_json_has_all_digits(run):
    record = read_results(run).best[0]

    output = run_command("best", run, "--json")

    assert json.loads(output) == record.hyperparameters


def table(*arguments):
    text = run_command("trials", *arguments, "--csv")
    return list(csv.DictReader(io.StringIO(text)))


def test_trials_come_best_first(run):
    rows = table(run)

    scores = [float(row["score"]) for row in rows if row["score"]]
    assert len(rows) == 12
    assert scores == sorted(scores, reverse=True)
    assert rows[-1]["trial"] == "04"
    assert rows[-1]["status"] == "failed"


def test_of_a_loss_the_least_is_best(tmp_path):
    make_run(tmp_path / "run", direction="min")

    scores = [float(row["score"]) for row in table(tmp_path / "run")]

    assert scores == sorted(scores)


@pytest.mark.parametrize("column", ["learning_rate", "beta", "seconds"])
def test_trials_are_sorted_by_any_column(run, column):
    rows = table(run, "--sort", column)

    cells = [row[column] for row in rows]
    values = [float(cell) for cell in cells if cell]
    assert len(values) > 3
    assert values == sorted(values)
    # Those that have none come last.
    assert all(not cell for cell in cells[len(values) :])


def test_trials_are_printed_as_a_table(run):
    lines = run_command("trials", run, "--sort", "trial").splitlines()

    assert lines[0].split()[:3] == ["trial", "status", "val_accuracy"]
    assert [line.split()[0] for line in lines[1:]] == [
        f"{n:02}" for n in range(12)
    ]
    assert "diverged: the loss was nan in epoch 2" in lines[5]


def test_unknown_column_is_refused(run):
    with pytest.raises(InputError, match="Did you mean 'learning_rate'"):
        run_command("trials", run, "--sort", "learning-rate")


def test_runs_are_compared(run, tmp_path):
    other = make_run(tmp_path / "other", trials=3, seed=5)
    bests = [read_results(folder).best[0] for folder in (run, other)]

    output = run_command("compare", run, other)

    winner = run if bests[0].score > bests[1].score else other
    assert f"Best: {winner}, val_accuracy" in output.replace("\n", " ")
    rates = next(
        line for line in output.splitlines() if line.startswith("learning_rate")
    )
    assert rates.split()[1:] == [
        f"{record.hyperparameters['learning_rate']:.4g}" for record in bests
    ]


def test_comparing_what_cannot_be_compared_says_so(run, tmp_path):
    other = make_run(tmp_path / "other", direction="min")
    content = manifest(12, direction="min")
    content["data"]["fingerprint"] = "f" * 20
    write(other / "run.json", content)

    output = run_command("compare", run, other)

    assert "judged by different metrics" in output
    assert "different data" in output
    assert "Best: " not in output


def test_a_run_without_a_completed_trial_can_be_compared(run, tmp_path):
    other = make_run(tmp_path / "other", trials=2, failed=[0, 1])

    output = run_command("compare", run, other)

    assert "none completed" in output
    assert f"Best: {run}" in output


@pytest.mark.parametrize(
    "arguments", [["report"], ["best"], ["trials"], ["compare", "none"]]
)
def test_folder_without_a_run_is_refused(tmp_path, arguments):
    with pytest.raises(InputError, match="There is no run in"):
        run_command(*arguments, tmp_path)


@pytest.mark.parametrize("name", ["report", "best"])
def test_before_a_trial_has_completed_there_is_nothing_to_show(tmp_path, name):
    make_run(tmp_path / "run", trials=2, unfinished=[0, 1])

    with pytest.raises(InputError, match=r"has completed \(0 failed, 2 unf"):
        run_command(name, tmp_path / "run")
    assert len(table(tmp_path / "run")) == 2


def test_one_run_is_nothing_to_compare(run):
    with pytest.raises(InputError, match="two runs or more. Received: 1"):
        run_command("compare", run)


def test_brackets_in_names_are_shown(tmp_path):
    space = [*SPACE, ("Choice", "[red]x", {"values": ["[bold]"]})]
    drawn = [{"units": 60, "[red]x": "[bold]"}]
    make_run(tmp_path / "run", space=space, drawn=drawn, score=lambda _: 0.5)

    for name in ("best", "trials"):
        output = run_command(name, tmp_path / "run")
        assert "[red]x" in output
        assert "[bold]" in output
