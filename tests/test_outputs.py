"""What a user has is neither overwritten nor deleted."""

import json
import os
import pathlib
import stat
import subprocess
import sys
import threading

import keras
import keras_tuner
import pytest
from run_folders import make_run

from tfcourse.errors import InputError
from tfcourse.export import export_saved_model
from tfcourse.export.convert import export_file
from tfcourse.export.csv_predictions import check_out, predict_file
from tfcourse.graph_mode.plots import check_file
from tfcourse.runs.folders import check_unused
from tfcourse.tuning import Caviar
from tfcourse.tuning.panda.control.run_folder import publish
from tfcourse.tuning.panda.journal.plots import draw_plots
from tfcourse.tuning.report.matplotlib_figures import write_pictures
from tfcourse.tuning.report.page import write_report
from tfcourse.tuning.report.tensorboard import write_tensorboard


def contents(folder):
    """Returns all that is in a folder, to compare it."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])


@pytest.fixture
def trained(tmp_path):
    """Returns the folder of a run with a model, in one with other files."""
    folder = tmp_path / "runs" / "NAME"
    folder.mkdir(parents=True)
    (tmp_path / "runs" / "notes.txt").write_text("mine")
    network().save(folder / "model.keras")
    return folder


@pytest.mark.parametrize(
    "to", [".", "..", "../..", "model.keras", "../NAME/../NAME", "link"]
)
def test_an_export_replaces_neither_its_source_nor_what_holds_it(trained, to):
    (trained / "link").symlink_to(trained)
    before = contents(trained.parent)

    with pytest.raises(InputError, match="Choose another"):
        export_file(trained, trained / to, overwrite=True)

    assert contents(trained.parent) == before


def user_folder(path):
    path.mkdir()
    (path / "thesis.tex").write_text("mine")


def file(path):
    path.write_text("mine")


def mixed(path):
    export_saved_model(network(), path)
    (path / "thesis.tex").write_text("mine")


@pytest.mark.parametrize("make", [user_folder, file, mixed, os.mkfifo])
def test_an_export_replaces_nothing_but_a_saved_model(trained, tmp_path, make):
    make(tmp_path / "to")
    before = contents(tmp_path) if make is not os.mkfifo else None

    with pytest.raises(InputError, match="or remove it"):
        export_file(trained, tmp_path / "to", overwrite=True)
    with pytest.raises(InputError, match="exists already"):
        export_file(trained, tmp_path / "to")

    assert before is None or contents(tmp_path) == before


@pytest.mark.parametrize("make", [pathlib.Path.mkdir, None])
def test_an_export_replaces_a_saved_model_and_an_empty_folder(
    trained, tmp_path, make
):
    to = tmp_path / "to"
    make(to) if make else export_saved_model(network(), to)
    if not make:
        # Of one that is damaged it is still known whose it is.
        (to / "saved_model.pb").unlink()

    export_file(trained, to, overwrite=True)

    assert (to / "saved_model.pb").is_file()


@pytest.mark.parametrize("overwrite", [False, True])
def test_predictions_do_not_replace_what_they_are_made_of(tmp_path, overwrite):
    table, model = tmp_path / "t.csv", tmp_path / "m"
    table.write_text("a\n1\n")
    (model / "variables").mkdir(parents=True)
    (tmp_path / "soft").symlink_to(table)
    (tmp_path / "hard").hardlink_to(table)

    for out in (
        *(table, tmp_path / "m" / ".." / "t.csv"),
        *(tmp_path / "soft", tmp_path / "hard"),
        *(model / "saved_model.pb", model / "variables" / "new.csv"),
    ):
        with pytest.raises(InputError, match="which is being read"):
            check_out(out, overwrite, apart=[table, model])


def test_predictions_replace_nothing_but_text(tmp_path):
    out = tmp_path / "out.csv"
    out.write_bytes(b"PK\3\4\0\0")

    with pytest.raises(InputError, match="not a table as text"):
        predict_file([], out, overwrite=True)

    assert out.read_bytes() == b"PK\3\4\0\0"


CHUNKS = [{"predicted": ["a", "b"]}]


def test_predictions_go_through_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "target").chmod(0o600)
    (tmp_path / "link").symlink_to("target")

    predict_file(CHUNKS, tmp_path / "link", overwrite=True)

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "predicted\na\nb\n"
    assert stat.S_IMODE((tmp_path / "target").stat().st_mode) == 0o600


def test_predictions_keep_a_file_of_two_names_one(tmp_path):
    (tmp_path / "one").write_text("old")
    (tmp_path / "two").hardlink_to(tmp_path / "one")

    predict_file(CHUNKS, tmp_path / "one", overwrite=True)

    assert (tmp_path / "two").read_text() == "predicted\na\nb\n"


def test_predictions_go_through_a_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()

    predict_file(CHUNKS, pipe)
    reader.join()

    assert read == ["predicted\na\nb\n"]
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


@pytest.mark.parametrize("overwrite", [False, True])
def test_predictions_may_go_to_a_device(overwrite):
    check_out("/dev/null", overwrite)
    predict_file(CHUNKS, "/dev/null", overwrite=overwrite)

    assert stat.S_ISCHR(pathlib.Path("/dev/null").stat().st_mode)


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "run", 4)


def test_a_report_replaces_nothing_but_a_report(run):
    path = run / "report.html"
    write_report(run)
    path.chmod(0o600)
    write_report(run)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("<html>mine</html>")

    with pytest.raises(InputError, match="not a report of tfcourse"):
        write_report(run)

    assert path.read_text() == "<html>mine</html>"


def test_pictures_replace_nothing_but_pictures(run, tmp_path):
    pictures = tmp_path / "pictures"
    write_pictures(run, pictures)
    write_pictures(run, pictures)
    (pictures / "progress.png").write_bytes(b"a photograph")

    with pytest.raises(InputError, match=r"progress\.png exists already"):
        write_pictures(run, pictures)
    with pytest.raises(InputError, match=r"progress\.png exists already"):
        check_file(pictures / "progress.png")

    assert (pictures / "progress.png").read_bytes() == b"a photograph"


def test_files_for_tensorboard_replace_nothing_but_such(run):
    write_tensorboard(run)
    folder = write_tensorboard(run)
    (folder / "notes.txt").write_text("mine")

    with pytest.raises(InputError, match=r"notes\.txt was not written by Tens"):
        write_tensorboard(run)

    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["panda.png", "panda.html"])
def test_plots_of_panda_replace_nothing_but_such(tmp_path, name):
    publish(tmp_path, {})
    period = {
        **{"kind": "period", "step": 1, "epoch": 1, "batch": 0, "time": 0.0},
        **{"seconds": 1.0, "metrics": {"loss": 1.0}, "hyperparameters": {}},
    }
    (tmp_path / "journal.jsonl").write_text(json.dumps(period) + "\n")
    out = tmp_path / "out"
    draw_plots(tmp_path, out)
    draw_plots(tmp_path, out)
    (out / name).write_text("mine")

    with pytest.raises(InputError, match="exists already"):
        draw_plots(tmp_path, out)

    assert (out / name).read_text() == "mine"


@pytest.mark.parametrize("make", [file, user_folder, os.mkfifo])
def test_a_search_begins_in_no_folder_of_another_kind(tmp_path, make):
    make(tmp_path / "out")

    with pytest.raises(InputError, match="Choose another --out"):
        check_unused(tmp_path / "out")


def test_a_search_deletes_nothing_but_a_search(tmp_path):
    def made(overwrite):
        return Caviar(
            lambda hp: network(),
            oracle=keras_tuner.oracles.RandomSearchOracle("val_loss", 2),
            directory=tmp_path / "of mine",
            project_name="project",
            overwrite=overwrite,
        )

    project = tmp_path / "of mine" / "project"
    (project / "trial_0").mkdir(parents=True)
    made(overwrite=False)
    # What other searches leave may be replaced, too.
    for name in ("batches.json", "evolution.json", "population.npz"):
        (project / name).write_text("{}")
    made(overwrite=True)
    assert not (project / "trial_0").exists()
    notes = project / "notes.txt"
    notes.parent.mkdir(exist_ok=True)
    notes.write_text("mine")

    with pytest.raises(
        InputError, match=r"'notes\.txt', which does not belong to a search"
    ):
        made(overwrite=True)

    assert notes.read_text() == "mine"


_PREDICT = """
import sys
from tfcourse.cli import main
sys.argv = ["tfcourse", *sys.argv[1:]]
main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("out", [[], ["--out", "/dev/stdout"]])
@pytest.mark.parametrize("redirected", [False, True])
def test_to_print_predictions_is_to_print_them(tmp_path, out, redirected):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Softmax()])
    export_saved_model(model, tmp_path / "m", labels=["=a", "\x1b[2J"])
    (tmp_path / "t.csv").write_text("u,v\n0,1\n1,0\n")
    words = [sys.executable, "-c", _PREDICT, "predict", "m", "t.csv", *out]
    printed = tmp_path / "printed"

    with printed.open("w") as file_:
        done = subprocess.run(
            words,
            stdout=file_ if redirected else subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            timeout=300,
        )

    assert done.returncode == 0, done.stderr
    text = printed.read_text() if redirected else done.stdout.decode()
    # For a program to read: as it is, but for what a spreadsheet computes.
    assert text == "predicted,probability\n\x1b[2J,0.731059\n'=a,0.731059\n"
