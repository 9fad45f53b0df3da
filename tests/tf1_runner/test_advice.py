"""What a script is told that asks for something that is gone."""

import json
import os
import pathlib
import subprocess
import sys
import types

import pytest

from tfcourse.tf1_runner.advice import advice_for, advise
from tfcourse.tf1_runner.contrib_advice import ADVICE


@pytest.mark.parametrize(
    "module, said, advice",
    [
        ("cv2", "No module named", "pip install opencv-python-headless"),
        ("pyglet", "No module named", "needs a package: pip install pyglet"),
        ("keras.wrappers", "No module named", "use the package `scikeras`"),
        (
            "tensorflow_datasets",
            "No module named",
            "pip install tensorflow_datasets",
        ),
        (
            "tf_keras.src.utils.io_utils",
            "cannot import name 'HDF5Matrix' from 'tf_keras'",
            "`keras.utils.io_utils.HDF5Matrix` is not in today's Keras: read",
        ),
    ],
)
def test_an_import_that_fails_is_answered(module, said, advice):
    assert advice in advice_for(ImportError(said, name=module))


def test_only_known_packages_are_called_packages():
    error = ImportError("No module named 'tf_utils'", name="tf_utils")

    advice = advice_for(error, "/home/me/course")

    assert "pip" not in advice
    assert "put tf_utils.py into /home/me/course" in advice


@pytest.mark.parametrize(
    "address, option",
    [
        ("www.cs.toronto.edu/~kriz/cifar-10.tar.gz", "--stand-in cifar"),
        ("storage/tf-keras-datasets/imdb.npz", "--stand-in text"),
        ("storage/tf-keras-datasets/mnist.npz", "--mnist digits"),
        ("elsewhere/data.zip", "needs the network"),
    ],
)
def test_what_does_without_the_network_is_told(address, option):
    error = Exception(f"URL fetch failure on https://{address}: None")

    assert option in advice_for(error)


def test_a_float_for_a_whole_number_is_answered_and_no_other():
    index = TypeError("'float' object cannot be interpreted as an integer")

    assert "write `//`" in advice_for(index)
    assert advice_for(TypeError("'float' object is not iterable")) is None


@pytest.mark.parametrize(
    "name, advice",
    [
        ("opt.LARSOptimizer", "TensorFlow Addons"),
        ("training.bucket_by_sequence_length", "bucket_by_sequence_length"),
        ("rnn.PhasedLSTMCell", "no successor: use `LSTMCell`"),
        ("rnn.AttentionCellWrapper", "`tf.contrib.seq2seq.AttentionWrapper`"),
        ("learn.SVM", "sklearn.svm.SVC"),
        ("distribute.TPUStrategy", "tf.distribute.TPUStrategy"),
    ],
)
def test_each_part_of_contrib_has_its_own_advice(name, advice):
    assert advice in advise(f"tf.contrib.{name}")


def test_advice_is_half_a_sentence():
    for advice in ADVICE.values():
        assert advice.split()[0] in {
            *("use", "it", "write", "clip", "compute", "give", "go", "make"),
            *("TensorFlow", "catch", "leave", "return", "save"),
        }
        assert not advice.endswith(".")


@pytest.mark.xdist_group("contrib names")
def test_every_name_of_contrib_is_served_or_advised(tmp_path):
    """In a process of its own: TensorFlow 1 takes one over."""
    names = pathlib.Path(__file__).with_name("contrib_names.txt").read_text()
    code = """if True:
        import json, re, sys
        from tfcourse.tf1_runner.patches import apply_patches
        apply_patches()
        from tfcourse.tf1_runner.advice import advise
        from tfcourse.tf1_runner.checking.names import lookup, served
        missing = {}
        for line in sys.stdin.read().splitlines()[1:]:
            module, _, names = line.partition(": ")
            for name in names.split():
                full = f"tf.contrib.{module}.{name}"
                if served(full)[0] == "missing":
                    missing[full] = advise(full)
        # Advice names what is there: all but the names of other packages.
        said = {
            name
            for advice in missing.values()
            if "of TensorFlow 2" not in advice
            for name in re.findall(r"`(tf\\.[\\w.]+)", advice)
        }
        gone = sorted(name for name in said if lookup(name) is None)
        print(json.dumps([missing, gone]))
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=names,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"TF_USE_LEGACY_KERAS": "1"},
    )

    missing, gone = json.loads(done.stdout.splitlines()[-1])
    assert [n for n, advice in missing.items() if "dissolved" in advice] == []
    assert len(missing) < 300
    assert gone == []


def test_a_name_that_is_misspelled_is_told(monkeypatch):
    module = types.ModuleType("tensorflow")
    module.nn = types.ModuleType("tensorflow.nn")
    module.placeholder = module.nn.softmax = None
    monkeypatch.setitem(sys.modules, "tensorflow", module)

    error = AttributeError("no such name", name="tf.placehodler")

    assert "did you mean `tf.placeholder`?" in advice_for(error)
    assert advise("tf.nn.sofmax") == "did you mean `tf.nn.softmax`?"
    assert "api_docs" in advise("tf.nn.other")
