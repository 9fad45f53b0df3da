"""`tfcourse lecture`, what it writes, and what is written about it."""

import inspect
import pathlib
import re

import keras
import pytest
import tensorflow as tf
import typer
from typer.testing import CliRunner

import tfcourse
from tfcourse.cli import lecture
from tfcourse.cli.terminal import quiet
from tfcourse.errors import InputError
from tfcourse.graph_mode import describe_graph
from tfcourse.graph_mode.lecture_program import lecture_program, six_digits

DOCUMENT = (
    pathlib.Path(__file__).parents[2] / "docs" / "tf1-to-tf2.md"
).read_text(encoding="utf-8")


@pytest.fixture
def run(monkeypatch):
    """Returns a function that runs the command in this process."""
    # It would silence all tests after it.
    monkeypatch.setattr(quiet, "silence_libraries", lambda verbose: None)
    app = typer.Typer()
    app.command(
        "lecture",
        epilog=lecture.EPILOG,
        context_settings=lecture.CONTEXT_SETTINGS,
    )(lecture.lecture)
    return lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)))


def test_prints_the_numbers_and_the_graph(run):
    result = run()

    assert result.exit_code == 0
    before, first, last, empty, title, *graph = result.stdout.splitlines()
    assert before.split() == ["0.0", "before"]
    assert first.split() == ["0.1", "after", "1", "step"]
    assert last.split() == ["4.99999", "after", "1,000", "steps"]
    assert (empty, title) == ("", "Computation graph:")
    shown = [re.split("  +", line) for line in graph]
    assert ["x", "Placeholder", "float32 (3, 1)"] in shown
    assert ["w", "VarHandleOp", "float32 ()"] in shown
    assert ["pow", "Pow", "ReadVariableOp, 2.0"] in shown
    assert ["mul", "Mul", "strided_slice_1, pow"] in shown
    assert ["add_1", "AddV2", "add, strided_slice_5"] in shown
    assert re.match(r"and \d+ more operations: gradients \d+, ", graph[-1])


@pytest.mark.parametrize(
    "coefficients", [["1,-20,100"], ["1 -20 100"], ["1", "-20", "100"]]
)
def test_coefficients_are_one_word_or_three(run, coefficients):
    result = run("--fast", "--coefficients", *coefficients, "--steps", 1000)

    assert result.stdout.split()[-1]
    assert result.stdout.splitlines()[2].split()[0] == "9.99998"


def test_optimizer_is_swapped_by_its_name(run):
    options = ("--fast", "--steps", 1, "--optimizer")
    result = run(*options, "momentum", "--learning-rate", 0.5)
    assert result.stdout.splitlines()[1].split() == [
        "0.5",
        "after",
        "1",
        "step",
    ]
    assert "Momentum" in result.stdout

    result = run(*options, "MomentumOptimizer", "--learning-rate", 0.5)
    assert result.stdout.splitlines()[1].split()[0] == "5.0"


def test_draws_the_path(run, tmp_path):
    picture = tmp_path / "path.png"
    result = run("--fast", "--steps", 20, "--plot", picture)

    assert f"Wrote {picture}" in result.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["path.png"]


def test_writes_graph_and_curves_for_tensorboard(run, tmp_path):
    result = run("--steps", 2, "--tensorboard", tmp_path)

    assert f"tensorboard --logdir {tmp_path}" in result.stdout
    (file,) = tmp_path.iterdir()
    records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
    events = [tf.compat.v1.Event.FromString(record) for record in records]
    (graph,) = (e.graph_def for e in events if e.graph_def)
    nodes = {n.name for n in tf.compat.v1.GraphDef.FromString(graph).node}
    assert {"w", "x", "pow", "mul", "mul_1", "add", "add_1"} <= nodes
    w = [
        (event.step, six_digits(value.simple_value))
        for event in events
        for value in event.summary.value
        if value.tag == "w"
    ]
    assert w == [(0, "0.0"), (1, "0.1"), (2, "0.198")]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--coefficients", "1,2"], "three finite numbers"),
        (["--coefficients", "0,2,3"], "no minimum"),
        (["--learning-rate", "0"], "`learning_rate`"),
        (["--learning-rate", "2"], "diverged: after step"),
        (["--optimizer", "adm"], "Did you mean 'adam'"),
        (["--device", "gpu:9"], "no device 'gpu:9'"),
        (["--plot", "path.txt"], "must end in one of"),
    ],
)
def test_says_what_cannot_be_used(run, arguments, message):
    # `tfcourse` prints an `InputError` without a traceback and exits with 2.
    result = run("--fast", *arguments)

    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)


@pytest.mark.parametrize(
    "arguments, odd",
    [
        (["--stepz", "3"], "--stepz"),
        (["--coefficients", "1", "x", "3"], "x"),
        (["--coefficients", "a,b,c"], "a,b,c"),
        (["1", "-20", "100"], "1"),
    ],
)
def test_a_mistyped_option_is_refused(run, arguments, odd):
    result = run(*arguments)

    assert result.exit_code == 2
    assert f"no option or argument '{odd}'" in " ".join(result.output.split())


def test_graph_is_described_inputs_first():
    with tf.Graph().as_default():
        w = tf.compat.v1.placeholder(tf.float32, [], name="w")
        cost = tf.add(w**2, 25.0, name="cost")
        tf.square(cost, name="unused/square")
    assert describe_graph(cost).splitlines() == [
        "w     Placeholder  float32 ()",
        "pow   Pow          w, 2.0",
        "cost  AddV2        pow, 25.0",
        "and 1 more operations: unused 1",
    ]


@pytest.mark.parametrize("written", ["functions", "operators"])
def test_a_program_without_placeholder_has_none(written):
    program = lecture_program(written=written)
    assert program.x is None
    text = describe_graph(program.cost)
    assert "Placeholder" not in text
    assert "25.0" in text


@pytest.mark.parametrize(
    "number, shown",
    [
        (0.0, "0.0"),
        (0.099999994, "0.1"),
        (4.9999886, "4.99999"),
        (9.999977, "9.99998"),
        (10.0, "10.0"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_are_shown_as_the_lectures(number, shown):
    assert six_digits(number) == shown


PROGRAMS = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.mark.parametrize("program", PROGRAMS, ids=["graph", "eager"])
def test_both_programs_of_the_document_print_the_lectures_numbers(
    program, capsys
):
    exec(compile(program, "tf1-to-tf2.md", "exec"), {})
    assert capsys.readouterr().out.split() == ["0", "0.1", "4.99999"]


ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in DOCUMENT.splitlines()
    if line.startswith("| ")
][2:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_name_of_the_table_is_what_it_is_said_to_be(row):
    old, new = row[:2]
    gone = "*gone*" in old
    for name in re.findall(r"`(tf\.[\w.]+)`", old):
        assert has(tf.compat.v1, name) != gone, name
    for name in re.findall(r"`((?:tf|keras|tfcourse)\.[\w.]+)`", new):
        root = {"tf": tf, "keras": keras, "tfcourse": tfcourse}
        assert has(root[name.partition(".")[0]], name), name


def has(root, name):
    for part in name.split(".")[1:]:
        try:
            root = getattr(root, part)
        except AttributeError:
            return False
        if inspect.isfunction(root) and root.__module__.endswith("lazy_load"):
            return False
    return True
