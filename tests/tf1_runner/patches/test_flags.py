"""Flags that scripts defined before TensorFlow took Abseil's."""

from tfcourse.tf1_runner import run_script

SCRIPT = """
import numpy as np
import tensorflow as tf
flags = tf.app.flags
FLAGS = flags.FLAGS
flags.DEFINE_string("log_dir", "/tmp/own", "Abseil has one.")
flags.DEFINE_integer("steps", np.int64(5), "Of NumPy.")
flags.DEFINE_integer("many", 1e3, "A float.")
flags.DEFINE_float("rate", np.float32(0.5), "Of NumPy.")
tf.flags.DEFINE_boolean("verbose", default_value=True, docstring="By name.")
FLAGS._parse_flags()
print(FLAGS.log_dir, FLAGS.steps, FLAGS.many, FLAGS.rate, FLAGS.verbose)
print(sorted(FLAGS.__flags.items()))


def main(_):
    print(FLAGS.steps)


tf.app.run()
"""


def test_flags_are_the_scripts(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(SCRIPT)

    code = run_script("a.py", ["--steps", "7", "--unknown=3"])

    out, error = capfd.readouterr()
    assert code == 0, error
    values, by_name, last = out.splitlines()
    assert values == "/tmp/own 7 1000 0.5 True"
    assert by_name == str(
        [
            ("log_dir", "/tmp/own"),
            ("many", 1000),
            ("rate", 0.5),
            ("steps", 7),
            ("verbose", True),
        ]
    )
    assert last == "7"
