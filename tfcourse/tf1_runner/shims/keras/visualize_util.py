"""`keras.utils.visualize_util`: the drawing of a model, as it was called."""

from tf_keras.api._v1.keras.utils import model_to_dot


def plot(model, to_file="model.png", *args, **kwargs):
    from tf_keras.api._v1.keras.utils import plot_model

    return plot_model(model, to_file)


plot_model = plot
__all__ = ["model_to_dot", "plot", "plot_model"]
