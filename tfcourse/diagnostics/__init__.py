"""Is the model right, and what to do about it."""

from tfcourse.diagnostics.bias_variance import BiasVariance, bias_variance
from tfcourse.diagnostics.function_check import check_gradient
from tfcourse.diagnostics.gradient_check import gradient_check
from tfcourse.diagnostics.lint import Finding, LintReport, lint
from tfcourse.diagnostics.numerical_gradient import (
    CheckedParameter,
    GradientCheck,
    gradient_ratio,
)
from tfcourse.diagnostics.signal_propagation import (
    LayerSignal,
    SignalPropagation,
    signal_propagation,
)
from tfcourse.saving import register

__all__ = [
    "BiasVariance",
    "CheckedParameter",
    "Finding",
    "GradientCheck",
    "LayerSignal",
    "LintReport",
    "SignalPropagation",
    "bias_variance",
    "check_gradient",
    "gradient_check",
    "gradient_ratio",
    "lint",
    "signal_propagation",
]

register()
