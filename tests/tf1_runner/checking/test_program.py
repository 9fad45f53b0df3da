"""What `--check` says of names, files, arguments and modules of a script."""

import ast
import pathlib
import textwrap

import pytest

from tfcourse.tf1_runner.checking.command_line import programs, wanted
from tfcourse.tf1_runner.checking.names import names_by_star
from tfcourse.tf1_runner.checking.program import Program
from tfcourse.tf1_runner.checking.undefined import undefined
from tfcourse.tf1_runner.source.constants import Constants
from tfcourse.tf1_runner.source.program import Source, read_sources
from tfcourse.tf1_runner.source.search_path import project_folder


def cells(*texts):
    return [
        Source(f"cell {n}", textwrap.dedent(text), is_cell=True)
        for n, text in enumerate(texts, start=1)
    ]


def program(folder, source, name="a.py"):
    file = pathlib.Path(folder, name)
    file.parent.mkdir(exist_ok=True, parents=True)
    file.write_text(textwrap.dedent(source))
    return Program(read_sources(file), file.parent)


@pytest.mark.parametrize(
    "texts, names",
    [
        (["from iris_data import load", "iris_data.load()"], ["iris_data"]),
        (["x = later", "later = 1"], ["later"]),
        (["f = lambda: later", "later = 1; f()"], []),
        (["def f():\n    return later"], ["later"]),
        (["def f(x):\n    return [y for y in x] + later", "later = 1"], []),
        (["from math import *", "pi + np"], ["np"]),
        (["def f():\n    with g:\n        x = x + 1", "x = g = 1"], ["x"]),
        (["class A:\n    def f(self):\n        super(__class__, self)"], []),
        (["def f():\n    match 1:\n        case x:\n            x"], []),
        (["def f():\n    for x in 3:\n        x + 1", "x = 1"], []),
        (["def f():\n    global x\n    x = x + 1", "x = 1"], []),
        (["def f():\n    return x\n    x = 1", "x = 1"], ["x"]),
        (["if 1:\n    later"], []),
        (["try:\n    unicode\nexcept NameError:\n    pass"], []),
        (["from numpy import *", "zeros(3)"], []),
        (["if __name__ == '__main__':\n    main()"], ["main"]),
        (["del x"], []),
        (["x = 1\ndel x\nx"], ["x"]),
    ],
)
def test_a_name_is_undefined_where_no_line_above_defines_it(texts, names):
    assert [
        name for _, _, name in undefined(cells(*texts), names_by_star)
    ] == names


@pytest.mark.parametrize(
    "source, paths",
    [
        ("open('a.csv')", ["a.csv"]),
        ("open('a.csv', 'w'); open('a.csv')", []),
        ("import pandas as pd\npd.read_csv('d/a.csv')", ["d/a.csv"]),
        ("D = 'd'\nimport os\nopen(os.path.join(D, 'a'))", ["d/a"]),
        ("D = 'd'\nD += 'e'\nopen(D)", []),
        ("import os\nif os.path.exists('a'):\n    open('a')", []),
        ("import os\nos.makedirs('d')\nopen('d/a')", []),
        ("try:\n    open('a')\nexcept IOError:\n    pass", []),
        ("try:\n    open('a')\nexcept IOError:\n    raise", ["a"]),
        ("def read(f):\n    return open(f)\nread('a')", ["a"]),
        ("def read():\n    return open('a')", ["a, unused"]),
        ("def read(f):\n    return open(f)\nread('a'); read('b')", ["a", "b"]),
        ("def read(f):\n    return open(f)\nif x:\n    read('a')", []),
        ("tf.train.match_filenames_once('*.csv')", ["*.csv"]),
        ("tf.train.match_filenames_once('there*')", []),
        ("s.restore(t, 'm/x')\nprint_checkpoint('m/x')", ["m/x"]),
        (
            "c = tf.train.get_checkpoint_state('m/')\n"
            "s.restore(t, c.model_checkpoint_path)",
            ["m/checkpoint"],
        ),
        (
            "string_input_producer(['%s%d' % ('a', i) for i in range(2)])",
            ["a0", "a1"],
        ),
        (
            "def read(f):\n    found = tf.gfile.Glob(f)\n"
            "    string_input_producer(found)\nread('b*')",
            ["b*"],
        ),
        (
            "if old:\n    f = 'a'\nelse:\n    f = 'b'\nopen(f)",
            ["a"],
        ),
        ("if old:\n    f = 'a'\nelse:\n    f = 'there.txt'\nopen(f)", []),
        (
            "c = tf.train.get_checkpoint_state('m')\n"
            "if c and c.model_checkpoint_path:\n    pass\n"
            "else:\n    sys.exit(1)",
            ["m/checkpoint"],
        ),
        ("if not os.path.exists('a'):\n    raise IOError('a')", ["a"]),
        ("if not os.path.exists('a'):\n    open('a', 'w')", []),
        (
            "old = False\nif old:\n    f = 'there.txt'\n"
            "else:\n    f = 'b'\nopen(f)",
            ["b"],
        ),
        ("open('d/a', 'w')", ["d/"]),
        ("os.mkdir('d')\nopen('d/a', 'w')", []),
        ("open('d/a', 'w')\ntf.summary.FileWriter('d')", ["d/"]),
        (
            "def get_files(d):\n    os.listdir(d)\nget_files('d')",
            ["d"],
        ),
        ("plt.savefig('d/a.png')", ["d/"]),
        (
            "def save(n):\n    p = os.path.join('.', 'd', n + '.png')\n"
            "    plt.savefig(p)\nsave('a'); save('b')",
            ["d/"],
        ),
        ("plt.savefig(', '.join(f(), g()))", []),
        ("np.save('./a', x)\nsaver.save(s, 'd/a')", []),
        (
            "if K.backend() == 'tensorflow':\n    raise RuntimeError('no')",
            ["K.backend() == 'tensorflow'"],
        ),
        (
            "flags.DEFINE_string('data', None)\nif not FLAGS.data:\n"
            "    raise ValueError('give it')",
            ["not FLAGS.data"],
        ),
        (
            "p.add_argument('--old', action='store_true')\nif args.old:\n"
            "    open('a')\nelse:\n    open('b')",
            ["b"],
        ),
        ("os.makedirs('m')\nsaver.restore(s, 'm/x')", ["m/x"]),
        ("os.makedirs('m')\nsaver.save(s, f())\nsaver.restore(s, 'm/x')", []),
        ("if K.backend() == 'theano':\n    raise RuntimeError('no')", []),
        ("open('a')\nnp.save('a', x)", ["a"]),
        (
            "is_old = False\nif is_old:\n    open('a')\nelse:\n    open('b')",
            ["b"],
        ),
        ("if FLAGS.old:\n    open('a')\nDEFINE_bool('old', False)", []),
        ("flags.DEFINE_bool('old', True)\nif FLAGS.old:\n    open('a')", ["a"]),
        (
            "def read():\n    if not os.path.exists('a'):\n"
            "        save('a', open('b'))\n    return open('a')\nread()",
            ["b"],
        ),
        ("reader = tf.train.NewCheckpointReader('m/x')", ["m/x"]),
        (
            "c = tf.train.get_checkpoint_state('m')\n"
            "if c:\n    s.restore(t, c.model_checkpoint_path)",
            [],
        ),
        ("open('there.txt')", []),
        ("sklearn.datasets.load_files(container_path='d')", ["d"]),
        ("s.restore(t, tf.train.latest_checkpoint('m'))", ["m/checkpoint"]),
        (
            "s.save(t, 'm/model')\n"
            "s.restore(t, tf.train.latest_checkpoint('m'))",
            [],
        ),
        ("s.save(t, 'm/x')\ntf.train.import_meta_graph('m/x.meta')", []),
        ("import webbrowser\nwebbrowser.open('a')", []),
        ("open('http://a/b')", []),
    ],
)
def test_files_are_named_that_are_read_and_not_there(
    tmp_path, monkeypatch, source, paths
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.txt").write_text("")

    one = program(tmp_path, source)

    assert [
        path if one.runs(file, line) else f"{path}, unused"
        for file, line, path, _ in one.absent_files()
    ] == paths


@pytest.mark.parametrize(
    "source, given, names",
    [
        ("import sys\nsys.argv[1]", 0, ["sys.argv[1]"]),
        ("import sys\nsys.argv[1]", 1, []),
        ("import sys\nif len(sys.argv) > 1:\n    pass\nsys.argv[1]", 0, []),
        (
            "def main(args):\n    args[2]\ntf.app.run()",
            1,
            ["sys.argv[2]"],
        ),
        ("def main(a):\n    len(a)\n    a[2]\ntf.app.run()", 0, []),
        ("def main(args):\n    args[2]\nmain([1, 2, 3])", 0, []),
        ("from sys import argv\na, b, c = argv", 1, ["sys.argv[2]"]),
        ("p.add_argument('x')", 0, ["x"]),
        ("p.add_argument('x', nargs='?')", 0, []),
        ("p.add_argument('--x', required=True)", 0, ["--x"]),
        ("p.add_argument('--x', default=3)", 0, []),
        ("p.add_argument('x')", 1, []),
    ],
)
def test_arguments_are_named_without_which_a_script_ends(source, given, names):
    assert [n for _, n, _ in wanted(ast.parse(source), given)] == names


@pytest.mark.parametrize(
    "source, count",
    [
        ("film.save('a.mp4')", 1),
        ("film.save('a.gif', fps=3)", 0),
        ("film.save(f, extra_args=['-vcodec', 'libx264'])", 1),
        ("HTML(film.to_html5_video())", 1),
    ],
)
def test_a_film_needs_its_program(monkeypatch, source, count):
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert len([*programs(ast.parse(source))]) == count

    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert [*programs(ast.parse(source))] == []


def test_a_value_is_known_only_if_it_is_given_alike_everywhere():
    tree = ast.parse("a = 'x'\nb = 'y'\nb = 'z'\nc = a + '/' + f'{a}.txt'")
    constants = Constants([tree], "s.py")

    values = {
        name: constants.value(ast.parse(name, mode="eval").body)
        for name in ("a", "b", "c", "d", "__file__")
    }

    assert values == {
        "a": "x",
        "b": None,
        "c": "x/x.txt",
        "d": None,
        "__file__": "s.py",
    }


def test_helpers_are_found_by_dots_and_by_their_names(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "__init__.py").write_text(
        "import importlib\nfor n in ('one',):\n"
        "    importlib.import_module('.' + n, __package__)\n"
    )
    (tmp_path / "nets" / "one.py").write_text("from .two import f")
    (tmp_path / "nets" / "two.py").write_text("def f(): pass")

    one = program(tmp_path, "import nets")

    assert sorted(pathlib.Path(file.name).name for file, _ in one.files) == [
        *("__init__.py", "a.py", "one.py", "two.py"),
    ]


def test_a_name_is_looked_for_in_the_helper_that_should_have_it(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "__init__.py").write_text("x = 1")
    (tmp_path / "nets" / "one.py").write_text("def f(): pass")
    (tmp_path / "star.py").write_text("from numpy import *")

    one = program(tmp_path, "import nets.one, star")

    lacking = ("nets.y", "nets.one.g")
    for name in ("nets.x", "nets.one.f", "nets.one", "star.zeros", *lacking):
        assert bool(one.lacks(name)) == (name in lacking)


def test_a_copy_of_the_reader_of_mnist_is_not_looked_into(tmp_path):
    copy = '"""Functions for downloading and reading MNIST data."""'
    (tmp_path / "input_data.py").write_text(copy)

    assert len(program(tmp_path, "import input_data").files) == 1
    (tmp_path / "input_data.py").write_text("own = 1")
    assert len(program(tmp_path, "import input_data").files) == 2


def test_modules_are_found_in_a_folder_above(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "net.py").write_text("x = 1")
    file = tmp_path / "scripts" / "a.py"
    one = program(tmp_path, "from src import net", "scripts/a.py")

    assert project_folder(read_sources(file), file.parent) == tmp_path
    assert one.has("src.net")
    assert not one.has("nothing")


def test_a_helper_may_have_a_name_with_spaces(tmp_path):
    (tmp_path / "1-2 load.py").write_text("def f():\n    open('a')")

    one = program(tmp_path, "load = __import__('1-2 load')\nload.f()")

    assert [
        (pathlib.Path(file.name).name, one.runs(file, line), path)
        for file, line, path, _ in one.absent_files()
    ] == [("1-2 load.py", True, "a")]
