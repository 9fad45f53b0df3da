"""SavedModels: written, verified, folded, loaded and described."""

from tfcourse.export.batch_norm_folding import fold_batch_normalization
from tfcourse.export.loading import describe_saved_model, load_saved_model
from tfcourse.export.probabilities import (
    class_probabilities,
    outputs_match_classes,
)
from tfcourse.export.saved_model import export_saved_model

__all__ = [
    "class_probabilities",
    "describe_saved_model",
    "export_saved_model",
    "fold_batch_normalization",
    "load_saved_model",
    "outputs_match_classes",
]
