"""Reading scripts and notebooks: are their parts, names and era found?"""

import ast
import json

import pytest

from tfcourse.errors import InputError
from tfcourse.tf1_runner import run_script
from tfcourse.tf1_runner.source.detect_tf1 import is_tensorflow_1
from tfcourse.tf1_runner.source.ipython_syntax import without_magics
from tfcourse.tf1_runner.source.program import Source, read_sources
from tfcourse.tf1_runner.source.used_names import names_used


def names(source):
    return [(use.name, use.line) for use in names_used(ast.parse(source))]


@pytest.mark.parametrize(
    "line, python",
    [
        ("%matplotlib inline", "get_ipython().magic('matplotlib inline')"),
        ("% matplotlib inline", "get_ipython().magic('matplotlib inline')"),
        ("!ls *.csv", "get_ipython().system('ls *.csv')"),
        ("files = !ls", "files = get_ipython().getoutput('ls')"),
        ("tf.nn.relu?", "help(tf.nn.relu)"),
    ],
)
def test_a_magic_becomes_a_call_on_its_line(line, python):
    assert without_magics(f"a = 1\n{line}\nb = 2") == f"a = 1\n{python}\nb = 2"


@pytest.mark.parametrize(
    "source",
    ["x = (7\n% 3)", 'text = """\n%matplotlib inline\n!ls\n"""', "a ="],
)
def test_what_only_looks_like_a_magic_stays(source):
    assert without_magics(source) == source


def test_a_timed_cell_keeps_its_line_numbers():
    assert without_magics("%%time\na = 1\nb = 2") == "\na = 1\nb = 2"


def test_code_cells_of_a_notebook_are_numbered(tmp_path):
    path = tmp_path / "course.ipynb"
    code = {"cell_type": "code", "source": ["a = 1\n", "b = 2"]}
    text = {"cell_type": "markdown", "source": "text"}
    path.write_text(json.dumps({"cells": [code, text, code]}))

    first, second = read_sources(path)

    assert first == Source(f"{path}, cell 1", "a = 1\nb = 2", is_cell=True)
    assert second.name == f"{path}, cell 2"


def test_a_notebook_of_format_3_is_read(tmp_path):
    path = tmp_path / "old.ipynb"
    cell = {"cell_type": "code", "input": ["a = 1"]}
    path.write_text(json.dumps({"worksheets": [{"cells": [cell]}]}))

    assert [source.text for source in read_sources(path)] == ["a = 1"]


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("none.py", None, "does not exist"),
        ("no.ipynb", "{", "not a notebook: not JSON"),
        ("no.ipynb", "[]", "not a notebook: JSON without cells"),
        ("bytes.py", b"a = '\xff\xfe'", "cannot be read as Python"),
    ],
    ids=["missing", "not JSON", "no cells", "not text"],
)
def test_a_file_that_cannot_be_run_is_refused(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )

    with pytest.raises(InputError, match=message):
        run_script(path)


def test_an_unknown_source_of_mnist_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="`mnist` of run_script must be one of"
    ):
        run_script(tmp_path / "a.py", mnist="letters")


def test_names_are_followed_through_imports_and_assignments():
    source = (
        "import tensorflow as tf\n"
        "import tensorflow.contrib.rnn as rnn\n"
        "from tensorflow.contrib.layers import flatten\n"
        "slim = tf.contrib.slim\n"
        "slim.conv2d(rnn.GRUCell(3), tf.nn.relu)\n"
        "flatten(a.tf.not_ours)\n"
    )

    assert [name for name, line in names(source) if line >= 5] == [
        "tf.contrib.slim.conv2d",
        "tf.contrib.rnn.GRUCell",
        "tf.nn.relu",
        "tf.contrib.layers.flatten",
    ]


_MEMORY = """\
import tensorflow as tf
config = tf.compat.v1.ConfigProto()
session = tf.compat.v1.Session(config=config)
tf.compat.v1.keras.backend.set_session(session)"""


@pytest.mark.parametrize(
    "source, old",
    [
        ("import tensorflow as tf\ntf.placeholder('float')", True),
        ("import tensorflow as tf\ntf.mul(1, 2)", True),
        ("import tensorflow as tf\nprint(tf.reduce_sum([1]))", False),
        ("import tensorflow.contrib.slim", True),
        ("from tensorflow.examples.tutorials.mnist import input_data", True),
        ("import tensorflow.compat.v1 as tf\ntf.layers.dense", True),
        ("import tensorflow as tf\ntf.compat.v1.logging.set_verbosity", False),
        (f"{_MEMORY}\nx = tf.keras.Sequential()", False),
        (f"{_MEMORY}\ntf.compat.v1.placeholder('float')", True),
        ("import tensorflow as tf\ntf.compat.v1.Session()", True),
        ("from keras.utils.np_utils import to_categorical", True),
        ("from keras.regularizers import activity_l1", True),
        ("from keras.layers import merge", True),
        ("import keras\nmodel.fit(x, y, nb_epoch=3)", True),
        ("import keras\nmodel.predict_classes(x)", True),
        ("from keras.models import Model\nModel(input=a, output=b)", True),
        ("from keras.models import Model\nModel(inputs=a, outputs=b)", False),
        ("from keras.layers import Dense\nDense(3).units", False),
        ("from keras.layers import Convolution2D, Input", False),
        ("import keras\nkeras.__version__\nkeras.ops.sum(1)", False),
        ("model.fit(x, nb_epoch=3)", False),
        (
            "import keras\nL = [1, 2]\nm.compile(loss=L, metrics=[3])",
            True,
        ),
        (
            "import keras\nL = [1]\nm.compile(loss=L, metrics=[3])",
            False,
        ),
        ("import keras\nkeras.optimizers.rmsprop()", True),
        ("import keras\nkeras.optimizers.RMSprop()", False),
        ("import keras\nmodel.layers[2].output_shape", True),
        ("import keras\nmodel.output_shape", False),
        ("import keras\nmodel.optimizer.lr", True),
        ("import keras\nfrom scipy.misc import toimage", True),
        ("from scipy.misc import toimage", False),
        ("import tensorflow as tf\ntf.keras.Sequential()", False),
        ("import numpy as np\nnp.zeros(3)", False),
        ("import tf_helpers", True),
        ("print 'Python 2'", False),
    ],
)
def test_the_era_of_a_script_is_told_by_its_names(tmp_path, source, old):
    helper = "import tensorflow as tf\ntf.reset_default_graph()"
    (tmp_path / "tf_helpers.py").write_text(helper)

    assert is_tensorflow_1([Source("a.py", source)], tmp_path) == old
