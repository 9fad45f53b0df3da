"""`tf.contrib.learn.monitors`: what watches the training of an estimator."""

import tensorflow as tf

StopAtStep = tf.train.StopAtStepHook
NanLoss = tf.train.NanTensorHook
StepCounter = tf.train.StepCounterHook


class ValidationMonitor(tf.train.SessionRunHook):
    """Evaluates every checkpoint, and may stop when it gets no better.

    Args:
        x, y: Arrays to evaluate on.
        input_fn: Gives what to evaluate on in their place.
        batch_size: Of the arrays.
        eval_steps: How many batches.
        every_n_steps: After how many steps to look for a new checkpoint.
        metrics: Names and `MetricSpec`s.
        early_stopping_rounds: After how many steps that were no better.
        early_stopping_metric: The name of what is to get better.
        early_stopping_metric_minimize: Whether less is better.
    """

    def __init__(
        self,
        x=None,
        y=None,
        input_fn=None,
        batch_size=128,
        eval_steps=None,
        every_n_steps=100,
        metrics=None,
        hooks=None,
        early_stopping_rounds=None,
        early_stopping_metric="loss",
        early_stopping_metric_minimize=True,
        name=None,
    ):
        self._data = {
            "x": x,
            "y": y,
            "input_fn": input_fn,
            "batch_size": batch_size,
            "steps": eval_steps,
            "metrics": metrics,
        }
        self._every_n_steps, self._rounds = every_n_steps, early_stopping_rounds
        self._metric = early_stopping_metric
        self._sign = 1 if early_stopping_metric_minimize else -1
        self._evaluated, self._last = None, None
        self.best_step = self.best_value = self.best_metrics = None
        self.early_stopped = False

    def set_estimator(self, estimator):
        """Called by `fit`, with the estimator that is trained."""
        self._estimator = estimator

    def begin(self):
        self._step = tf.train.get_global_step()

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(self._step)

    def after_run(self, run_context, run_values):
        step = run_values.results
        if self._last is None:
            self._last = step
        if step - self._last >= self._every_n_steps:
            self._last = step
            if self._evaluate(step):
                run_context.request_stop()

    def _evaluate(self, step):
        """Returns whether to stop."""
        newest = tf.train.latest_checkpoint(self._estimator.model_dir)
        if newest is None or newest == self._evaluated:
            return False
        self._evaluated = newest
        results = self._estimator.evaluate(**self._data)
        shown = ", ".join(f"{name} = {results[name]}" for name in results)
        tf.logging.info("Validation (step %d): %s", step, shown)
        if self._rounds is None:
            return False
        value = results[self._metric]
        if (
            self.best_value is None
            or (value - self.best_value) * self._sign < 0
        ):
            self.best_step, self.best_value = step, value
            self.best_metrics = results
        self.early_stopped = step - self.best_step >= self._rounds
        if self.early_stopped:
            tf.logging.info(
                "Stopping. Best step: %d with %s = %s.",
                self.best_step,
                self._metric,
                self.best_value,
            )
        return self.early_stopped
