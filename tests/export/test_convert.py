"""Other runtimes, through Keras's own converters: equal answers."""

import keras
import numpy as np
import pytest
from keras import layers

import tfcourse.layers
import tfcourse.optimizers
from tfcourse.errors import InputError
from tfcourse.export.convert import export_file


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1), name="features"),
            layers.Conv2D(4, 3, use_bias=False),
            tfcourse.layers.BatchNormalization(),
            layers.ReLU(),
            tfcourse.layers.InvertedDropout(0.8),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(tfcourse.optimizers.Adam(), "categorical_crossentropy")
    x = np.random.default_rng(0).normal(size=(32, 8, 8, 1)).astype("float32")
    model.fit(x, np.eye(3)[np.arange(32) % 3], verbose=0)
    path = tmp_path_factory.mktemp("model") / "m.keras"
    model.save(path)
    return path, x[:5], np.asarray(model(x[:5]))


@pytest.mark.slow
@pytest.mark.parametrize("fold", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_litert_answers_the_same(saved, tmp_path, fold):
    litert = pytest.importorskip(
        "ai_edge_litert.interpreter", reason="`runtimes` is not installed"
    )
    path, x, expected = saved
    export_file(path, tmp_path / "m.tflite", form="litert", fold=fold)

    interpreter = litert.Interpreter(str(tmp_path / "m.tflite"))
    given = interpreter.get_input_details()[0]["index"]
    interpreter.resize_tensor_input(given, x.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given, x)
    interpreter.invoke()
    made = interpreter.get_output_details()[0]["index"]
    np.testing.assert_allclose(
        interpreter.get_tensor(made), expected, rtol=1e-4, atol=1e-5
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_onnx_answers_the_same(saved, tmp_path):
    onnxruntime = pytest.importorskip(
        "onnxruntime", reason="`runtimes` is not installed"
    )
    path, x, expected = saved
    export_file(path, tmp_path / "m.onnx", form="onnx")

    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"))
    (answer,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(answer, expected, rtol=1e-4, atol=1e-5)


def test_an_existing_file_and_a_wrong_ending_are_refused(saved, tmp_path):
    with pytest.raises(InputError, match=r"must end in .onnx"):
        export_file(saved[0], tmp_path / "m.tflite", form="onnx")
    (tmp_path / "m.onnx").write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        export_file(saved[0], tmp_path / "m.onnx", form="onnx")
    assert (tmp_path / "m.onnx").read_text() == "mine"


def test_code_in_a_file_runs_only_if_allowed(tmp_path):
    model = keras.Sequential(
        [keras.Input((2,)), layers.Lambda(lambda x: x * 2)]
    )
    model.save(tmp_path / "m.keras")

    with pytest.raises(InputError, match="--allow-code"):
        export_file(tmp_path / "m.keras", tmp_path / "m")
    assert not (tmp_path / "m").exists()
    export_file(tmp_path / "m.keras", tmp_path / "m", allow_code=True)
    assert (tmp_path / "m" / "saved_model.pb").exists()


@pytest.mark.parametrize("source", ["nothing.keras", "text.keras", "."])
def test_what_is_no_model_is_refused(tmp_path, source):
    (tmp_path / "text.keras").write_text("no model")
    with pytest.raises(InputError, match=r"not a Keras model|no model\.keras"):
        export_file(tmp_path / source, tmp_path / "m")
