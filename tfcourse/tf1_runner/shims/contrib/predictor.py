"""`tf.contrib.predictor`: a saved model as a function of arrays."""

import tensorflow as tf

from tfcourse.tf1_runner.imports.symbol_names import names_from

__getattr__ = names_from("tf.contrib.predictor")


class _Predictor:
    """Runs one of the signatures of a saved model."""

    def __init__(self, session, signature):
        self.session, self.graph = session, session.graph
        find = session.graph.get_tensor_by_name
        self.feed_tensors, self.fetch_tensors = (
            {key: find(info.name) for key, info in tensors.items()}
            for tensors in (signature.inputs, signature.outputs)
        )

    def __call__(self, input_dict):
        feeds = {self.feed_tensors[key]: input_dict[key] for key in input_dict}
        return self.session.run(self.fetch_tensors, feeds)


def from_saved_model(
    export_dir,
    signature_def_key="serving_default",
    signature_def=None,
    tags="serve",
    graph=None,
    config=None,
):
    """Returns a function from a dict of arrays to a dict of arrays.

    Args:
        export_dir: Of the saved model.
        signature_def_key: Which of its signatures.
        signature_def: A signature in its place.
        tags: With which it was saved.
        graph: To load it into.
        config: Of the session.
    """
    session = tf.Session(graph=graph or tf.Graph(), config=config)
    with session.graph.as_default():
        names = tags.split(",") if isinstance(tags, str) else list(tags)
        model = tf.saved_model.loader.load(session, names, str(export_dir))
    key = signature_def_key or "serving_default"
    return _Predictor(session, signature_def or model.signature_def[key])
