"""`tf.contrib.learn`: its data sets, and its estimators by their heirs."""

from tfcourse.tf1_runner.imports.symbol_names import names_from
from tfcourse.tf1_runner.shims.contrib.learn import (  # noqa: F401
    canned,
    datasets,
    estimators,
    graph_actions,
    io,
    monitors,
    preprocessing,
)
from tfcourse.tf1_runner.shims.contrib.learn import (  # noqa: F401
    datasets as base,
)
from tfcourse.tf1_runner.shims.contrib.learn import (  # noqa: F401
    estimators as model_fn,
)
from tfcourse.tf1_runner.shims.contrib.learn.estimators import (  # noqa: F401
    Estimator,
    MetricSpec,
    ModeKeys,
    ModelFnOps,
    PredictionKey,
    SKCompat,
    infer_real_valued_columns_from_input,
)
from tfcourse.tf1_runner.shims.contrib.learn.experiment import (
    Experiment,  # noqa: F401
    learn_runner,  # noqa: F401
)
from tfcourse.tf1_runner.shims.contrib.learn.graph_actions import (  # noqa: F401
    run_feeds,
    run_n,
)

for _name in canned.NAMES:
    globals()[_name] = getattr(canned, _name)
    setattr(estimators, _name, getattr(canned, _name))

__getattr__ = names_from(
    "tf.contrib.learn",
    "tfcourse.tf1_runner.shims.contrib.learn.skflow",
    "tensorflow.estimator",
)
