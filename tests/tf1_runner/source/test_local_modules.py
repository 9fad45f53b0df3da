"""What a program and the modules beside it use."""

import textwrap

from tfcourse.tf1_runner.source.detect_tf1 import is_tensorflow_1
from tfcourse.tf1_runner.source.local_modules import uses_with_helpers
from tfcourse.tf1_runner.source.program import Source, read_sources


def write(path, source):
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(source))


def rows(folder, source):
    """Returns the names of TensorFlow, with their files and lines."""
    write(folder / "main.py", source)
    sources = read_sources(folder / "main.py")
    return [
        f"{source.name.removeprefix(f'{folder}/')}:{use.line} {use.name}"
        for source, uses in uses_with_helpers(sources, folder)
        for use in uses
        if use.name.startswith("tf.")
    ]


def test_helpers_are_looked_into_once_and_under_their_own_name(tmp_path):
    write(
        tmp_path / "tf_utils.py",
        """\
        import main
        import tensorflow as tf
        def predict():
            return tf.argmax
        """,
    )
    write(tmp_path / "nets" / "__init__.py", "from nets import small")
    write(
        tmp_path / "nets" / "small.py",
        "import tensorflow.contrib.slim as slim\nslim.conv2d",
    )

    found = rows(
        tmp_path,
        """\
        from tf_utils import predict
        import nets, numpy
        import tensorflow as tf
        tf.placeholder
        """,
    )

    assert found == [
        "main.py:4 tf.placeholder",
        "tf_utils.py:4 tf.argmax",
        "nets/small.py:1 tf.contrib.slim",
        "nets/small.py:2 tf.contrib.slim.conv2d",
    ]


def test_a_star_brings_what_the_helper_has_imported(tmp_path):
    write(tmp_path / "utils.py", "from deeper import *")
    write(tmp_path / "deeper.py", "import tensorflow as tf")

    found = rows(tmp_path, "from utils import *\ntf.mul(1, 2)")

    assert found == ["main.py:2 tf.mul"]


def test_stars_in_a_circle_come_to_an_end(tmp_path):
    write(tmp_path / "a.py", "from b import *\nimport tensorflow as tf")
    write(tmp_path / "b.py", "from a import *\ntf.sub")

    assert rows(tmp_path, "from a import *\ntf.mul") == [
        "main.py:2 tf.mul",
        "b.py:2 tf.sub",
    ]


def test_keras_2_is_told_from_keras_3_by_its_arguments(tmp_path):
    def old(source):
        return is_tensorflow_1([Source("a.py", source)], tmp_path)

    start = "from keras.optimizers import Adam\nfrom keras import backend as K"
    assert old(f"{start}\nAdam(lr=0.01)")
    assert old(f"{start}\nK.argmax(x)")
    assert not old(f"{start}\nAdam(learning_rate=0.01)")
    assert not old(f"{start}\nK.clear_session()")
