"""`tf.contrib.learn.Experiment`: an estimator, and what it is trained on."""

import sys

# The module that ran them.
learn_runner = sys.modules[__name__]


class Experiment:
    """Trains an estimator and evaluates it.

    Args:
        estimator: Of `tf.estimator` or of `tf.contrib.learn`.
        train_input_fn: Gives what to train on.
        eval_input_fn: Gives what to evaluate on.
        train_steps: How many steps; without them, while there are inputs.
        eval_steps: How many batches.
        eval_metrics: Names and `MetricSpec`s, of `tf.contrib.learn`.
        train_monitors: Hooks of the training.
        eval_hooks: Hooks of the evaluation.
    """

    def __init__(
        self,
        estimator,
        train_input_fn,
        eval_input_fn,
        eval_metrics=None,
        train_steps=None,
        eval_steps=100,
        train_monitors=None,
        eval_hooks=None,
        **_,
    ):
        self.estimator, self._train_steps = estimator, train_steps
        self._train_input, self._eval_input = train_input_fn, eval_input_fn
        self._metrics, self._eval_steps = eval_metrics, eval_steps
        self._hooks, self._eval_hooks = list(train_monitors or []), eval_hooks

    def extend_train_hooks(self, additional_hooks):
        self._hooks.extend(additional_hooks)

    def train(self, delay_secs=None):
        options = {
            "input_fn": self._train_input,
            "max_steps": self._train_steps,
        }
        if hasattr(self.estimator, "fit"):
            return self.estimator.fit(monitors=self._hooks, **options)
        return self.estimator.train(hooks=self._hooks, **options)

    def evaluate(self, delay_secs=None, name=None):
        options = {"input_fn": self._eval_input, "steps": self._eval_steps}
        if self._metrics:
            options["metrics"] = self._metrics
        if self._eval_hooks:
            options["hooks"] = self._eval_hooks
        return self.estimator.evaluate(**options)

    def train_and_evaluate(self):
        self.train()
        return self.evaluate()

    continuous_train_and_eval = test = train_and_evaluate


def run(
    experiment_fn,
    output_dir=None,
    schedule="train_and_evaluate",
    run_config=None,
    hparams=None,
):
    """Makes an experiment and runs the method that `schedule` names."""
    if run_config is None:
        experiment = experiment_fn(output_dir)
    else:
        experiment = experiment_fn(run_config, hparams)
    return getattr(experiment, schedule)()
